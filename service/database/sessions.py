"""Browsers in which people are signed in, and operators who asked to see what people say."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from nativeear.service.database.assessments import rows_of
from nativeear.service.database.errors import AuthenticationError
from nativeear.service.database.people import LEARNER, OPERATOR, TEACHER, Person, Role, person_of
from nativeear.service.database.people_tables import DisclosureRow, PersonRow, SessionRow

LASTS: dict[Role, timedelta] = {
    LEARNER: timedelta(days=90),
    TEACHER: timedelta(days=14),
    OPERATOR: timedelta(hours=12),
}
"""How long somebody stays signed in: the more he may see, the shorter."""

LONGEST_DISCLOSURE = timedelta(hours=4)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class SignedIn:
    """Somebody in a browser, until when, and the token that its changes have to carry."""

    person: Person
    csrf: str
    expires_at: datetime


def start_session(session: Session, person: Person, now: datetime) -> str:
    """Sign somebody in; the secret of the cookie is told this once."""
    token = secrets.token_urlsafe(32)
    row = SessionRow(
        token_sha256=_digest(token),
        person_id=person.id,
        created_at=now,
        expires_at=now + LASTS[person.role],
    )
    session.add(row)
    session.flush()
    return token


def find_session(session: Session, token: str, now: datetime) -> SignedIn:
    """Who is signed in by a cookie.

    Raises
    ------
    AuthenticationError
        If nobody is, or no longer.
    """
    found = (
        session.execute(
            select(PersonRow, SessionRow.expires_at)
            .join(SessionRow, SessionRow.person_id == PersonRow.id)
            .where(SessionRow.token_sha256 == _digest(token), SessionRow.expires_at > now)
        ).first()
        if _TOKEN.fullmatch(token)
        else None
    )
    if found is None:
        raise AuthenticationError(
            "You are no longer signed in.", fix="Come in again with your code."
        )
    row, expires_at = found
    return SignedIn(person_of(row), csrf_of(token), expires_at)


def end_session(session: Session, token: str) -> None:
    """Sign a browser out."""
    rows_of(session, delete(SessionRow).where(SessionRow.token_sha256 == _digest(token)))


def end_sessions_of(session: Session, person_id: str) -> int:
    """Sign somebody out everywhere; in how many browsers he was."""
    return rows_of(session, delete(SessionRow).where(SessionRow.person_id == person_id))


def delete_expired(session: Session, now: datetime) -> None:
    """Delete sessions and disclosures whose time is over."""
    rows_of(session, delete(SessionRow).where(SessionRow.expires_at <= now))
    rows_of(session, delete(DisclosureRow).where(DisclosureRow.until <= now))


def csrf_of(token: str) -> str:
    """What a page of the service knows of a session, and a foreign page cannot guess."""
    return sha256(f"csrf {token}".encode("ascii")).hexdigest()[:32]


def disclose(session: Session, actor: str, reason: str, until: datetime, now: datetime) -> None:
    """Note that an operator sees what people say until a moment, and why."""
    session.merge(DisclosureRow(actor=actor, reason=reason, opened_at=now, until=until))


def end_disclosure(session: Session, actor: str) -> bool:
    """End it before its time; whether there was one."""
    return rows_of(session, delete(DisclosureRow).where(DisclosureRow.actor == actor)) > 0


def disclosed_until(session: Session, actor: str, now: datetime) -> datetime | None:
    """Until when an operator sees what people say; None if he does not."""
    row = session.get(DisclosureRow, actor)
    return row.until if row is not None and row.until > now else None


def _digest(token: str) -> bytes:
    # 256 random bits cannot be guessed, so a fast hash hides them as well as a slow one.
    return sha256(token.encode("utf-8", "surrogateescape")).digest()
