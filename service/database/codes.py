"""Codes by which people come in: short enough to be typed, and kept as scrypt's hash alone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import scrypt
from hmac import compare_digest
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from nativeear.service.database.assessments import rows_of
from nativeear.service.database.errors import AuthenticationError
from nativeear.service.database.people_tables import CodeRow

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none looks like another
_READ_AS = str.maketrans("OIL", "011", " -\u2010\u2011\u2012\u2013\u2014\t\n")
_SELECTOR = 4  # characters by which a code is found
_LENGTH = 16  # so that 60 bits are left to guess
_GROUPED = 4


@dataclass(frozen=True)
class Admission:
    """What a code opens: a person comes in, or anybody joins a group."""

    person_id: str | None
    group_id: str | None


def make_code(
    session: Session,
    *,
    person_id: str | None = None,
    group_id: str | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Make the code of a person or of a group in place of the one before; told this once."""
    end_code(session, person_id=person_id, group_id=group_id)
    plain = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    salt = secrets.token_bytes(16)
    row = CodeRow(
        id=uuid4().hex,
        selector=plain[:_SELECTOR],
        salt=salt,
        secret_scrypt=_hash(plain, salt),
        person_id=person_id,
        group_id=group_id,
        created_at=datetime.now(timezone.utc),
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return "-".join(plain[at : at + _GROUPED] for at in range(0, _LENGTH, _GROUPED))


def end_code(
    session: Session, *, person_id: str | None = None, group_id: str | None = None
) -> bool:
    """Let the code of a person or of a group open nothing any more; whether there was one."""
    owned = CodeRow.group_id == group_id if person_id is None else CodeRow.person_id == person_id
    return rows_of(session, delete(CodeRow).where(owned)) > 0


def read_code(session: Session, given: str, now: datetime) -> Admission:
    """What a code opens, written with or without dashes, in letters of any size.

    Raises
    ------
    AuthenticationError
        If it is unknown, or has expired.
    """
    plain = given.upper().translate(_READ_AS)
    candidates = (
        session.scalars(select(CodeRow).where(CodeRow.selector == plain[:_SELECTOR])).all()
        if len(plain) == _LENGTH and set(plain) <= set(_ALPHABET)
        else ()
    )
    for row in candidates:
        if compare_digest(row.secret_scrypt, _hash(plain, row.salt)):
            if row.expires_at is not None and row.expires_at <= now:
                break
            return Admission(row.person_id, row.group_id)
    raise unknown()


def unknown() -> AuthenticationError:
    """That a code opens nothing."""
    return AuthenticationError(
        "This code is not known.",
        cause="It was mistyped, has expired, or another took its place.",
        fix="Look at it again, or ask whoever gave it for a new one.",
    )


def delete_expired(session: Session, now: datetime) -> None:
    """Delete codes whose time is over."""
    rows_of(session, delete(CodeRow).where(CodeRow.expires_at <= now))


def _hash(plain: str, salt: bytes) -> bytes:
    # 16 MiB and some hundredths of a second: 60 bits are few for a fast hash.
    return scrypt(plain[_SELECTOR:].encode("ascii"), salt=salt, n=2**14, r=8, p=1, dklen=32)
