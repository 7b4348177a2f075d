"""Keys: who may ask for what. Of a secret nothing is kept that would let anybody in."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from hmac import compare_digest
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from nativeear.service.database.errors import AuthenticationError, NotFoundError
from nativeear.service.database.tables import KeyRow, columns_of
from nativeear.speech.errors import InputError

SCOPES = ("assess", "read", "admin")

_SECRET = re.compile(r"nek_[A-Za-z0-9_-]{43}")
_PREFIX = 12  # characters that are kept to find a key by, "nek_" among them
_NOTED_EVERY = timedelta(minutes=1)  # a write for every request would be in its way


@dataclass(frozen=True)
class NewKey:
    """A key to be made.

    Attributes
    ----------
    scopes
        Of `assess`, `read` and `admin`.
    requests_per_minute, max_audio_s, max_bytes
        Limits; None leaves those of the service.
    expires_at
        None is never.
    """

    name: str
    scopes: tuple[str, ...]
    requests_per_minute: int | None = None
    max_audio_s: float | None = None
    max_bytes: int | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class KeyRecord:
    """A key without its secret; `prefix` is how the secret begins."""

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    requests_per_minute: int | None
    max_audio_s: float | None
    max_bytes: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


def insert_key(session: Session, new: NewKey) -> tuple[KeyRecord, str]:
    """Make a key; its secret is told this once.

    Raises
    ------
    InputError
        If it has no name, no scope or an unknown one, or a limit that lets nothing through.
    """
    _check(new)
    secret = f"nek_{secrets.token_urlsafe(32)}"
    row = KeyRow(
        id=uuid4().hex,
        name=new.name,
        prefix=secret[:_PREFIX],
        secret_sha256=_digest(secret),
        scopes=" ".join(scope for scope in SCOPES if scope in new.scopes),
        requests_per_minute=new.requests_per_minute,
        max_audio_s=new.max_audio_s,
        max_bytes=new.max_bytes,
        created_at=datetime.now(timezone.utc),
        expires_at=new.expires_at,
    )
    session.add(row)
    session.flush()
    return _record(row), secret


def find_key(session: Session, secret: str, now: datetime) -> KeyRecord:
    """The key that a secret belongs to.

    Raises
    ------
    AuthenticationError
        If it is unknown, revoked or expired.
    """
    candidates = (
        session.scalars(select(KeyRow).where(KeyRow.prefix == secret[:_PREFIX])).all()
        if _SECRET.fullmatch(secret)
        else ()
    )
    # 256 random bits cannot be guessed, so a fast hash hides them as well as a slow one.
    digest = _digest(secret)
    row = next((row for row in candidates if compare_digest(row.secret_sha256, digest)), None)
    fix = "Ask whoever runs the service for a new key."
    if row is None:
        raise AuthenticationError("This key is not known.", fix=fix)
    if row.revoked_at is not None:
        raise AuthenticationError("This key was revoked.", fix=fix)
    if row.expires_at is not None and row.expires_at <= now:
        raise AuthenticationError("This key has expired.", fix=fix)
    return _record(row)


def is_to_be_noted(key: KeyRecord, now: datetime) -> bool:
    """Whether it is time to note that a key is in use."""
    return key.last_used_at is None or now - key.last_used_at >= _NOTED_EVERY


def note_use(session: Session, id: str, now: datetime) -> None:
    """Note when a key was used."""
    row = session.get(KeyRow, id)
    if row is not None:
        row.last_used_at = now


def list_keys(session: Session) -> tuple[KeyRecord, ...]:
    """Every key, revoked and expired ones too, the oldest first."""
    rows = session.scalars(select(KeyRow).order_by(KeyRow.created_at, KeyRow.id))
    return tuple(_record(row) for row in rows)


def revoke_key(session: Session, id: str) -> KeyRecord:
    """Let a key open nothing any more; once revoked it stays so.

    Raises
    ------
    NotFoundError
        If there is no such key.
    """
    row = session.get(KeyRow, id, with_for_update=True)
    if row is None:
        raise NotFoundError(
            f"There is no key {id}.", fix="See `nativeear keys list`; give the id, not the name."
        )
    if row.revoked_at is None:
        row.revoked_at = datetime.now(timezone.utc)
        session.flush()
    return _record(row)


def _check(new: NewKey) -> None:
    if not new.name.strip():
        raise InputError("A key needs a name.", fix="Name whoever will use it.")
    if unknown := sorted(set(new.scopes) - set(SCOPES)):
        raise InputError(
            f"There is no scope {', '.join(unknown)}.", fix=f"Choose of {', '.join(SCOPES)}."
        )
    if not new.scopes:
        raise InputError("A key without a scope opens nothing.", fix="Give it a scope.")
    limits = (new.requests_per_minute, new.max_audio_s, new.max_bytes)
    if any(limit is not None and limit <= 0 for limit in limits):
        raise InputError("A limit must be above 0.", fix="Leave it out for none.")
    if new.expires_at is not None and new.expires_at.tzinfo is None:
        raise InputError("When a key expires needs a time zone.", fix="Give it in UTC.")


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _record(row: KeyRow) -> KeyRecord:
    return KeyRecord(**columns_of(KeyRecord, row) | {"scopes": tuple(row.scopes.split())})
