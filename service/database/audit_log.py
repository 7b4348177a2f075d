"""Who read, exported or deleted what: ids and no names, so that it outlives an erasure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from uuid import uuid4

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from nativeear.service.database.assessments import rows_of
from nativeear.service.database.paging import Page, behind, cursor
from nativeear.service.database.people_tables import AuditRow
from nativeear.service.database.tables import columns_of

KEPT = timedelta(days=365)
"""How long an entry is kept."""


@dataclass(frozen=True)
class NewEntry:
    """Something that was done.

    Attributes
    ----------
    actor, role
        Id of who did it, a person or a key, and his role; `program` for keys.
    action
        Such as `read`, `export` or `delete`.
    subject
        Whose data it was: the id of a person or of a key, if it was one's.
    what
        A route's name for it and an id, such as `assessment 0f…`.
    """

    actor: str
    role: str
    action: str
    what: str
    subject: str | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry(NewEntry):
    """Something that was done, and when."""

    id: str
    at: datetime


def write_entries(session: Session, new: Iterable[NewEntry]) -> None:
    """Write down what was done."""
    now = datetime.now(timezone.utc)
    session.add_all(AuditRow(id=uuid4().hex, at=now, **vars(entry)) for entry in new)


def list_entries(
    session: Session,
    *,
    about: str | None = None,
    action: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[Entry]:
    """Entries, the newest first.

    Parameters
    ----------
    about
        What this person or key did, or what was done to his data; None for all.
    after
        `next` of the page before.
    """
    query = select(AuditRow).order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(limit + 1)
    if about is not None:
        query = query.where(or_(AuditRow.actor == about, AuditRow.subject == about))
    if action is not None:
        query = query.where(AuditRow.action == action)
    if after is not None:
        query = query.where(behind(after, AuditRow.at, AuditRow.id))
    found = tuple(Entry(**columns_of(Entry, row)) for row in session.scalars(query))
    shown = found[:limit]
    return Page(shown, cursor(shown[-1].at, shown[-1].id) if len(found) > limit else None)


def delete_old(session: Session, now: datetime) -> None:
    """Delete what happened long ago."""
    rows_of(session, delete(AuditRow).where(AuditRow.at <= now - KEPT))
