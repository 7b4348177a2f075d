"""Recordings that were sent together, each with a job of its own, and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from uuid import uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from nativeear.service.database.assessments import rows_of
from nativeear.service.database.batch_tables import BatchItemRow, BatchRow
from nativeear.service.database.errors import NotFoundError, ReusedKeyError
from nativeear.service.database.jobs import ASSESSMENT, KEPT, insert_job
from nativeear.service.database.ownership import Owner, belongs_to, stored_key
from nativeear.service.database.paging import Page, behind, cursor
from nativeear.service.database.queue import Recording, cancel_queued, queue_recording
from nativeear.service.database.tables import ENDED, NO_KEY, AssessmentRow, JobRow

DELETED = "deleted"
"""State of an item whose job or result is no more."""


@dataclass(frozen=True, eq=False)
class NewItem:
    """A recording that comes with others; `request` is the form of its job as JSON."""

    name: str
    request: str
    recording: Recording


@dataclass(frozen=True)
class NewBatch:
    """What tells one batch from another."""

    key_id: str | None
    digest: str
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Batch:
    """Recordings that were sent together; `states` counts them by the states of their jobs."""

    id: str
    key_id: str | None
    created_at: datetime
    total: int
    states: Counter[str] = field(default_factory=Counter)

    @property
    def is_done(self) -> bool:
        """Whether nothing of it waits or is worked at."""
        return not self.states["queued"] and not self.states["running"]


@dataclass(frozen=True)
class BatchResult:
    """What came of one recording; `result` and `problem` are JSON."""

    position: int
    name: str
    state: str
    result: str | None
    problem: str | None


def insert_batch(session: Session, new: NewBatch, items: Iterable[NewItem]) -> Batch:
    """Store recordings and let them wait, all of them or none.

    Raises
    ------
    IntegrityError
        If there is a batch under that idempotency key.
    """
    row = BatchRow(
        id=uuid4().hex,
        key_id=stored_key(new.key_id),
        created_at=datetime.now(timezone.utc),
        total=0,
        idempotency_key=new.idempotency_key,
        request_digest=new.digest,
    )
    session.add(row)
    session.flush()
    for position, item in enumerate(items):
        job = insert_job(session, ASSESSMENT, item.request, new.key_id)
        queue_recording(session, job.id, item.recording)
        place = {"batch_id": row.id, "position": position, "name": item.name}
        session.add(BatchItemRow(**place, job_id=job.id))
        row.total += 1
    session.flush()
    return _batch(session, row)


def find_sent(session: Session, new: NewBatch) -> Batch | None:
    """The batch that came under the same idempotency key before; None without any.

    Raises
    ------
    ReusedKeyError
        If it was another.
    """
    if new.idempotency_key is None:
        return None
    own = BatchRow.key_id == stored_key(new.key_id)
    query = select(BatchRow).where(own, BatchRow.idempotency_key == new.idempotency_key)
    row = session.scalars(query).first()
    if row is None:
        return None
    if row.request_digest != new.digest:
        raise ReusedKeyError(
            "Another request had the same idempotency key.",
            fix="Give each request a key of its own; repeat one only with the same content.",
        )
    return _batch(session, row)


def find_batch(session: Session, id: str, *, key_id: Owner) -> Batch:
    """Fetch a batch, or raise `NotFoundError`."""
    return _batch(session, _row(session, id, key_id))


def list_batches(
    session: Session, *, key_id: Owner, after: str | None = None, limit: int = 50
) -> Page[Batch]:
    """Batches, the newest first; `InputError` if `after` is no `next` of a page."""
    query = select(BatchRow).where(belongs_to(BatchRow.key_id, key_id))
    if after is not None:
        query = query.where(behind(after, BatchRow.created_at, BatchRow.id))
    ordered = query.order_by(BatchRow.created_at.desc(), BatchRow.id.desc())
    rows = session.scalars(ordered.limit(limit + 1)).all()
    shown = rows[:limit]
    more = len(rows) > limit
    next_page = cursor(shown[-1].created_at, shown[-1].id) if more and shown else None
    return Page(tuple(_batch(session, row) for row in shown), next_page)


def batch_results(
    session: Session, id: str, *, key_id: Owner, after: int = -1, limit: int = 50
) -> tuple[BatchResult, ...]:
    """What came of the recordings behind a position, in order, up to the first that has not ended.

    Raises
    ------
    NotFoundError
        If there is no such batch, or it belongs to another key.
    """
    _row(session, id, key_id)
    rows = session.execute(
        select(BatchItemRow, JobRow.state, JobRow.problem, AssessmentRow.result)
        .outerjoin(JobRow, JobRow.id == BatchItemRow.job_id)
        .outerjoin(AssessmentRow, AssessmentRow.id == JobRow.assessment_id)
        .where(BatchItemRow.batch_id == id, BatchItemRow.position > after)
        .order_by(BatchItemRow.position)
        .limit(limit)
    )
    ended = []
    for item, state, problem, result in rows:
        if state is not None and state not in ENDED:
            break
        ended.append(BatchResult(item.position, item.name, state or DELETED, result, problem))
    return tuple(ended)


def cancel_batch(session: Session, id: str, *, key_id: Owner) -> Batch:
    """Cancel what waits of a batch; what has begun is finished. Or raise `NotFoundError`."""
    row = _row(session, id, key_id)
    jobs = select(BatchItemRow.job_id).where(BatchItemRow.batch_id == id)
    for job in session.scalars(jobs.order_by(BatchItemRow.position)).all():
        if job is not None:
            cancel_queued(session, job, key_id=key_id)
    return _batch(session, row)


def delete_old(session: Session, now: datetime) -> None:
    """Forget which recordings came together, where that was long ago and all of them ended."""
    unended = select(BatchItemRow.batch_id).join(JobRow, JobRow.id == BatchItemRow.job_id)
    still = unended.where(JobRow.state.not_in(ENDED))
    old = BatchRow.created_at <= now - KEPT
    rows_of(session, delete(BatchRow).where(old, BatchRow.id.not_in(still)))


def _row(session: Session, id: str, key_id: Owner) -> BatchRow:
    query = select(BatchRow).where(BatchRow.id == id, belongs_to(BatchRow.key_id, key_id))
    row = session.scalars(query).first()
    if row is None:
        raise NotFoundError(f"There is no batch {id}.")
    return row


def _batch(session: Session, row: BatchRow) -> Batch:
    counted = session.execute(
        select(func.coalesce(JobRow.state, DELETED), func.count())
        .select_from(BatchItemRow)
        .outerjoin(JobRow, JobRow.id == BatchItemRow.job_id)
        .where(BatchItemRow.batch_id == row.id)
        .group_by(JobRow.state)
    )
    states = Counter(dict(counted.tuples().all()))
    key_id = None if row.key_id == NO_KEY else row.key_id
    return Batch(row.id, key_id, row.created_at, row.total, states)
