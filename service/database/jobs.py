"""Work that outlasts a request.

A job belongs to the service that took it for as long as that says, every few seconds, that it
lives. Several services may share a database: what belongs to none of them any more is queued again
if its recording is kept, see `database.queue`, and failed otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session

from nativeear.service.database.assessments import rows_of
from nativeear.service.database.erasures import refuse_erased
from nativeear.service.database.errors import ConflictError, NotFoundError
from nativeear.service.database.events import job_ended
from nativeear.service.database.ownership import Owner, belongs_to, stored_key
from nativeear.service.database.paging import Page, behind, cursor
from nativeear.service.database.queue_table import QueuedRow
from nativeear.service.database.tables import (
    ENDED,
    NO_KEY,
    AssessmentRow,
    JobRow,
    ServiceRow,
    columns_of,
)

SERVICE = "service"
"""Under this name a session tells which opening of the database it is of."""

ASSESSMENT = "assessment"
"""Kind of a job whose result is an Assessment."""

KEPT = timedelta(days=30)
"""How long a job that made no assessment is kept after its end."""

LEASE = timedelta(seconds=60)
"""How long a job belongs to a service after that has last said that it lives. One that assesses a
very long recording is silent for some seconds: an aligner lets nothing else run meanwhile."""

NO_REQUEST = "{}"
"""What is left of the request of an assessment that has ended."""

INTERRUPTED = json.dumps(
    {
        "type": "urn:nativeear:problem:interrupted",
        "title": "Service unavailable",
        "status": 503,
        "detail": "The service stopped before the job was done.",
        "cause": "",
        "fix": "Send it again.",
        "instance": "",
    }
)
"""The problem of a job whose service stopped."""


@dataclass(frozen=True)
class JobSummary:
    """A job and how far it is.

    Attributes
    ----------
    kind
        `assessment` or `index`.
    state
        `queued`, `running`, `done`, `failed` or `cancelled`; the last three are final.
    assessment_id
        The assessment that it made.
    problem
        JSON.
    """

    id: str
    key_id: str | None
    kind: str
    state: str
    stage: str
    done: int
    total: int
    cancel_requested: bool
    created_at: datetime
    updated_at: datetime
    assessment_id: str | None
    problem: str | None


@dataclass(frozen=True)
class Job(JobSummary):
    """A job and what came of it, as JSON.

    The request of an assessment is forgotten once the job has ended.
    """

    request: str
    result: str | None


def insert_job(session: Session, kind: str, request: str, key_id: str | None) -> Job:
    """Write down a job that waits, of the service whose session it is.

    Raises
    ------
    NotFoundError
        If the person who asked for it was erased meanwhile.
    """
    refuse_erased(session, key_id)
    now = datetime.now(timezone.utc)
    row = JobRow(
        id=uuid4().hex,
        key_id=stored_key(key_id),
        opened_by=session.info[SERVICE],
        leased_until=shared_now(session) + LEASE,
        kind=kind,
        state="queued",
        stage="",
        done=0,
        total=0,
        cancel_requested=False,
        created_at=now,
        updated_at=now,
        request=request,
    )
    session.add(row)
    session.flush()
    return _job(row, None)


def find_job(session: Session, id: str, *, key_id: Owner) -> Job:
    """Fetch a job.

    Raises
    ------
    NotFoundError
        If it is not there, or belongs to another key.
    """
    found = session.execute(
        _with_result().where(JobRow.id == id, belongs_to(JobRow.key_id, key_id))
    ).first()
    if found is None:
        raise _absent(id)
    return _job(*found)


def list_jobs(
    session: Session,
    *,
    key_id: Owner,
    kind: str | None = None,
    state: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[JobSummary]:
    """Jobs without what came of them, the newest first.

    Raises
    ------
    InputError
        If `after` is no `next` of a page.
    """
    columns = [getattr(JobRow, name) for name in JobSummary.__dataclass_fields__]
    query = (
        select(*columns)
        .where(belongs_to(JobRow.key_id, key_id))
        .order_by(JobRow.created_at.desc(), JobRow.id.desc())
        .limit(limit + 1)  # one more tells whether there is more
    )
    for column, wanted in ((JobRow.kind, kind), (JobRow.state, state)):
        if wanted is not None:
            query = query.where(column == wanted)
    if after is not None:
        query = query.where(behind(after, JobRow.created_at, JobRow.id))
    found = [JobSummary(**_summary(row)) for row in session.execute(query)]
    shown = tuple(found[:limit])
    more = len(found) > limit
    return Page(shown, cursor(shown[-1].created_at, shown[-1].id) if more and shown else None)


def update_job(
    session: Session,
    id: str,
    *,
    state: str | None = None,
    done: int | None = None,
    total: int | None = None,
    stage: str | None = None,
    result: str | None = None,
    problem: str | None = None,
) -> None:
    """Write down how far a job is; one that has ended stays as it is.

    Raises
    ------
    NotFoundError
        If it is not there.
    """
    row = session.get(JobRow, id, with_for_update=True)
    if row is None:
        raise _absent(id)
    if row.state in ENDED:
        return
    if row.kind == ASSESSMENT and result is not None:
        made = str(json.loads(result)["id"])
        if session.get(AssessmentRow, made, with_for_update=True) is None:
            session.delete(row)  # deleted before the job ended: its result is not to come back
            return
        row.assessment_id, result = made, None
    changes = {
        "state": state,
        "done": done,
        "total": total,
        "stage": stage,
        "result": result,
        "problem": problem,
    }
    for name, value in changes.items():
        if value is not None:
            setattr(row, name, value)
    if row.kind == ASSESSMENT and row.state in ENDED:
        row.request = NO_REQUEST
    row.updated_at = datetime.now(timezone.utc)
    if row.state in ENDED:
        job_ended(session, row)


def request_cancel(session: Session, id: str, *, key_id: Owner) -> None:
    """Note that a job is to be given up; whoever works at it ends it.

    Raises
    ------
    NotFoundError
        If it is not there, or belongs to another key.
    ConflictError
        If it has ended.
    """
    query = (
        select(JobRow).where(JobRow.id == id, belongs_to(JobRow.key_id, key_id)).with_for_update()
    )
    row = session.scalars(query).first()
    if row is None:
        raise _absent(id)
    if row.state in ENDED:
        raise ConflictError(f"The job has ended: it is {row.state}.")
    row.cancel_requested = True
    row.updated_at = datetime.now(timezone.utc)


def renew_jobs(session: Session, ids: Collection[str]) -> tuple[str, ...]:
    """Put off the end of the leases of jobs; ids of those that are to be given up.

    It is to be said well within `LEASE`, or other services may fail them. Only `ids` are renewed:
    a job of this service at which nobody works, whatever became of it, is failed in time like one
    of a service that died. Something is written in any case.
    """
    now, opened = shared_now(session), session.info[SERVICE]
    session.merge(ServiceRow(opened_by=opened, wrote_at=now))
    own = (JobRow.opened_by == opened) & JobRow.id.in_(ids) & JobRow.state.not_in(ENDED)
    rows_of(session, update(JobRow).where(own).values(leased_until=now + LEASE))
    return tuple(session.scalars(select(JobRow.id).where(own, JobRow.cancel_requested)))


def fail_orphans(session: Session) -> int:
    """Fail the jobs whose leases are over and that cannot be begun again; how many there were."""
    return _interrupt(session, lapsed(session))


def lapsed(session: Session) -> ColumnElement[bool]:
    """Condition that the lease of a job is over."""
    return JobRow.leased_until.is_(None) | (JobRow.leased_until < shared_now(session))


def abandon_jobs(session: Session) -> int:
    """Fail the jobs of the service whose session it is and that cannot be begun again; how many."""
    opened = session.info[SERVICE]
    rows_of(session, delete(ServiceRow).where(ServiceRow.opened_by == opened))
    return _interrupt(session, JobRow.opened_by == opened)


def _interrupt(session: Session, chosen: ColumnElement[bool]) -> int:
    lost = JobRow.id.not_in(select(QueuedRow.job_id))
    unfinished = chosen & lost & JobRow.state.not_in(ENDED)
    session.execute(
        update(JobRow).where(unfinished, JobRow.kind == ASSESSMENT).values(request=NO_REQUEST)
    )
    now = datetime.now(timezone.utc)
    failed = update(JobRow).where(unfinished)
    return rows_of(session, failed.values(state="failed", problem=INTERRUPTED, updated_at=now))


def shared_now(session: Session) -> datetime:
    """The time by the clock that all services of a database share."""
    if session.get_bind().dialect.name == "sqlite":  # which is for one machine
        return datetime.now(timezone.utc)
    now: datetime = session.scalars(select(func.clock_timestamp())).one()
    return now


def delete_ended(session: Session, now: datetime) -> int:
    """Delete jobs that ended long ago and made no assessment; how many there were."""
    rows_of(session, delete(ServiceRow).where(ServiceRow.wrote_at <= now - KEPT))
    old = delete(JobRow).where(
        JobRow.state.in_(ENDED), JobRow.updated_at <= now - KEPT, JobRow.assessment_id.is_(None)
    )
    return rows_of(session, old)


def _with_result() -> Select[JobRow, str]:
    return select(JobRow, AssessmentRow.result).outerjoin(
        AssessmentRow, AssessmentRow.id == JobRow.assessment_id
    )


def _job(row: JobRow, made: str | None) -> Job:
    result = row.result if made is None else made
    return Job(**_summary(row), request=row.request, result=result)


def _summary(row: Any) -> dict[str, Any]:
    return columns_of(JobSummary, row) | {"key_id": None if row.key_id == NO_KEY else row.key_id}


def _absent(id: str) -> NotFoundError:
    return NotFoundError(f"There is no job {id}.")
