"""Recordings that wait in the database to be assessed, whatever becomes of the services.

A job has its recording here until it ends. Any service may claim one that is queued; it is then
`running` and belongs to that service for as long as that renews it, see `database.jobs`. One whose
service died is queued again. What came of a job is written together with its assessment, and by
whoever has claimed it last alone: so it counts once, however often it was worked at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.orm import Session

from nativeear.service.database.assessments import NewAssessment, insert_assessment, rows_of
from nativeear.service.database.events import job_ended
from nativeear.service.database.jobs import (
    INTERRUPTED,
    LEASE,
    NO_REQUEST,
    SERVICE,
    lapsed,
    shared_now,
)
from nativeear.service.database.ownership import Owner, belongs_to
from nativeear.service.database.queue_table import QueuedRow
from nativeear.service.database.tables import NO_KEY, JobRow

ATTEMPTS = 5
"""How many services may die of a recording before it is given up."""

NOBODY = ""
"""In the place of a service, of a job that is queued."""

STAGE = "assessing"


@dataclass(frozen=True, eq=False)
class Recording:
    """A recording that is to be assessed by a job.

    Attributes
    ----------
    max_audio_s
        The longest that its key may send; None for the service's own limit.
    is_of_batch
        Whether others, which somebody waits for, go first.
    """

    data: bytes
    learner_id: str | None = None
    max_audio_s: float | None = None
    is_of_batch: bool = False


@dataclass(frozen=True, eq=False)
class ClaimedJob:
    """A job that a service works at; `attempt` tells it from the same job claimed again."""

    id: str
    key_id: str | None
    attempt: int
    request: str
    recording: Recording


@dataclass(frozen=True)
class Waiting:
    """How many recordings have not been assessed yet, and their bytes."""

    count: int
    bytes: int


def queue_recording(session: Session, job_id: str, recording: Recording) -> None:
    """Let a job wait for whichever service is free."""
    values = {
        "job_id": job_id,
        "attempts": 0,
        "is_of_batch": recording.is_of_batch,
        "learner_id": recording.learner_id,
        "max_audio_s": recording.max_audio_s,
        "size": len(recording.data),
        "data": recording.data,
    }
    session.execute(insert(QueuedRow).values(values))  # of which the session keeps nothing
    nobodys = {"opened_by": NOBODY, "leased_until": None, "total": 1}
    rows_of(session, update(JobRow).where(JobRow.id == job_id).values(**nobodys))


def waiting(session: Session) -> Waiting:
    """What waits, or is worked at."""
    count, size = session.execute(
        select(func.count(QueuedRow.size), func.coalesce(func.sum(QueuedRow.size), 0))
    ).one()
    return Waiting(count, int(size))


def is_any_queued(session: Session) -> bool:
    """Whether there is anything to claim."""
    return session.execute(_queued().limit(1)).first() is not None


def claim_jobs(session: Session, most: int) -> tuple[ClaimedJob, ...]:
    """Take jobs that are queued: those first of which no service has died, then the oldest."""
    chosen = _queued().order_by(
        QueuedRow.attempts, QueuedRow.is_of_batch, JobRow.created_at, JobRow.id
    )
    rows = session.scalars(chosen.limit(most).with_for_update(skip_locked=True, of=JobRow)).all()
    until = shared_now(session) + LEASE
    claimed = []
    for row in rows:
        queued = session.get_one(QueuedRow, row.id)
        queued.attempts += 1
        row.opened_by, row.leased_until = session.info[SERVICE], until
        _go_on(row, "running", STAGE)
        claimed.append(_claimed(row, queued))
    return tuple(claimed)


def hand_back(session: Session, claimed: ClaimedJob) -> None:
    """Queue a job again whose service did not come to it."""
    if (row := _held(session, claimed)) is not None:
        _queue_again(session, row, died=False)


def end_with(session: Session, claimed: ClaimedJob, new: NewAssessment) -> bool:
    """End a job with its assessment; False if it is not this service's any more."""
    row = _held(session, claimed)
    if row is None:
        return False
    insert_assessment(session, new)
    row.assessment_id, row.done = new.id, row.total
    _end(session, row, "done")
    return True


def end_without(
    session: Session, claimed: ClaimedJob, state: str, problem: str | None = None
) -> bool:
    """End a job that is `failed` or `cancelled`; False if it is not this service's any more."""
    row = _held(session, claimed)
    if row is None:
        return False
    row.problem = problem
    _end(session, row, state)
    return True


def cancel_queued(session: Session, id: str, *, key_id: Owner) -> bool:
    """Cancel a job at which nobody works; whether it was one."""
    found = _queued().where(JobRow.id == id, belongs_to(JobRow.key_id, key_id))
    row = session.scalars(found.with_for_update(of=JobRow)).first()
    if row is None:
        return False
    _end(session, row, "cancelled")
    return True


def queue_orphans(session: Session) -> int:
    """Queue the jobs again whose leases are over; how many there were.

    One that several services died of is failed.
    """
    found = _unended().where(JobRow.state == "running", lapsed(session))
    rows = session.scalars(found.with_for_update(skip_locked=True, of=JobRow)).all()
    for row in rows:
        _queue_again(session, row, died=True)
    return len(rows)


def hand_back_all(session: Session) -> int:
    """Queue all jobs again that the service of this session has; how many there were."""
    ours = JobRow.opened_by == session.info[SERVICE]
    rows = session.scalars(_unended().where(ours).with_for_update(of=JobRow)).all()
    for row in rows:
        _queue_again(session, row, died=False)
    return len(rows)


def forget_queued(session: Session, learner_id: str, key_id: Owner) -> int:
    """Delete the jobs of a learner that have not ended; how many there were."""
    of_learner = select(QueuedRow.job_id).where(QueuedRow.learner_id == learner_id)
    jobs = delete(JobRow).where(JobRow.id.in_(of_learner), belongs_to(JobRow.key_id, key_id))
    return rows_of(session, jobs)


def _unended() -> Select[JobRow]:
    return select(JobRow).join(QueuedRow, QueuedRow.job_id == JobRow.id)


def _queued() -> Select[JobRow]:
    return _unended().where(JobRow.state == "queued", JobRow.opened_by == NOBODY)


def _held(session: Session, claimed: ClaimedJob) -> JobRow | None:
    """The row of a job, as long as it belongs to who claimed it."""
    found = _unended().where(
        JobRow.id == claimed.id,
        JobRow.opened_by == session.info[SERVICE],
        QueuedRow.attempts == claimed.attempt,
    )
    return session.scalars(found.with_for_update(of=JobRow)).first()


def _queue_again(session: Session, row: JobRow, *, died: bool) -> None:
    queued = session.get_one(QueuedRow, row.id)
    if row.cancel_requested:
        _end(session, row, "cancelled")
    elif died and queued.attempts >= ATTEMPTS:
        problem = json.loads(INTERRUPTED)
        problem["cause"] = f"That has happened {queued.attempts} times."
        row.problem = json.dumps(problem)
        _end(session, row, "failed")
    else:
        queued.attempts -= 0 if died else 1
        row.opened_by, row.leased_until = NOBODY, None
        _go_on(row, "queued", "")


def _go_on(row: JobRow, state: str, stage: str) -> None:
    row.state, row.stage, row.updated_at = state, stage, datetime.now(timezone.utc)


def _end(session: Session, row: JobRow, state: str) -> None:
    """The one place where such a job ends: its recording and its request are forgotten."""
    _go_on(row, state, "")
    row.request = NO_REQUEST
    job_ended(session, row)
    rows_of(session, delete(QueuedRow).where(QueuedRow.job_id == row.id))


def _claimed(row: JobRow, queued: QueuedRow) -> ClaimedJob:
    recording = Recording(
        queued.data, queued.learner_id, queued.max_audio_s, is_of_batch=queued.is_of_batch
    )
    key_id = None if row.key_id == NO_KEY else row.key_id
    return ClaimedJob(row.id, key_id, queued.attempts, row.request, recording)
