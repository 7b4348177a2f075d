"""The one thing that the service holds of its database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial, wraps
from typing import Concatenate, Literal, ParamSpec, TypeVar
from uuid import uuid4

from sqlalchemy import ColumnElement, Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from nativeear.service.database import assessments as assessment_table
from nativeear.service.database import (
    audit_log,
    batches,
    codes,
    progress,
    queue,
    requests,
    sessions,
    usage,
    webhooks,
)
from nativeear.service.database import jobs as job_table
from nativeear.service.database import keys as key_table
from nativeear.service.database.assessments import NewAssessment, StoredAssessment
from nativeear.service.database.connection import for_writing, open_engine, translated_errors
from nativeear.service.database.errors import ConflictError, DiskFullError, StorageError
from nativeear.service.database.keys import KeyRecord
from nativeear.service.database.ownership import Owner
from nativeear.service.database.queue import ClaimedJob
from nativeear.service.database.requests import Claimed
from nativeear.service.database.reserve import Reserve
from nativeear.service.database.retention import Retention, delete_old_audio, older
from nativeear.service.database.sqlite_file import SqliteFile
from nativeear.service.database.tables import AssessmentRow
from nativeear.service.database.webhooks import Delivery

T = TypeVar("T")
P = ParamSpec("P")

_FOR_EVER = Retention()


@dataclass(frozen=True)
class Purged:
    """What `Store.purge` deleted: assessments, jobs that made none, recordings of kept ones."""

    count: int
    jobs: int = 0
    recordings: int = 0


def _method(
    function: Callable[Concatenate[Session, P], T], how: Literal["read", "write", "free"]
) -> Callable[Concatenate[Store, P], T]:
    """A function of a session as a method of a store, in a transaction of its own."""

    @wraps(function)
    def method(self: Store, /, *args: P.args, **kwargs: P.kwargs) -> T:
        run: Callable[[Callable[[Session], T]], T] = getattr(self, how)
        return run(lambda session: function(session, *args, **kwargs))

    return method


class Store:
    """A database. Safe to share between threads; its methods block.

    Every method is one transaction: what it returned from is there for good, and what it failed
    in left nothing behind. Where a method takes `key_id`, others' rows are as if they were not
    there; see `service.database.ownership.Owner`. Each may raise `StorageError`.
    """

    assessment = _method(assessment_table.find_assessment, "read")
    assessments = _method(assessment_table.list_assessments, "read")
    audio = _method(assessment_table.find_audio, "read")
    owners = _method(assessment_table.owners, "read")
    release_request = _method(requests.release_request, "write")
    learner_progress = _method(progress.learner_progress, "read")
    group_summary = _method(progress.group_summary, "read")
    learners = _method(progress.list_learners, "read")
    create_job = _method(requests.create_job, "write")
    job = _method(job_table.find_job, "read")
    jobs = _method(job_table.list_jobs, "read")
    update_job = _method(job_table.update_job, "write")
    request_cancel = _method(job_table.request_cancel, "write")
    renew_jobs = _method(job_table.renew_jobs, "write")
    fail_orphans = _method(job_table.fail_orphans, "write")
    abandon_jobs = _method(job_table.abandon_jobs, "write")
    waiting = _method(queue.waiting, "read")
    hand_back = _method(queue.hand_back, "write")
    hand_back_all = _method(queue.hand_back_all, "write")
    end_with = _method(queue.end_with, "write")
    end_without = _method(queue.end_without, "write")
    cancel_queued = _method(queue.cancel_queued, "write")
    queue_orphans = _method(queue.queue_orphans, "write")
    insert_webhook = _method(webhooks.insert_webhook, "write")
    list_webhooks = _method(webhooks.list_webhooks, "read")
    delete_webhook = _method(webhooks.delete_webhook, "free")
    end_delivery = _method(webhooks.end_delivery, "write")
    insert_batch = _method(batches.insert_batch, "write")
    find_sent = _method(batches.find_sent, "read")
    find_batch = _method(batches.find_batch, "read")
    list_batches = _method(batches.list_batches, "read")
    batch_results = _method(batches.batch_results, "read")
    cancel_batch = _method(batches.cancel_batch, "write")
    count_requests = _method(usage.count_requests, "write")
    allowance = _method(usage.allowance, "read")
    monthly_usage = _method(usage.monthly_usage, "read")
    set_quota = _method(usage.set_quota, "write")
    create_key = _method(key_table.insert_key, "write")
    keys = _method(key_table.list_keys, "read")
    revoke_key = _method(key_table.revoke_key, "free")

    def __init__(self, engine: Engine, reserve_bytes: int = 0) -> None:
        self._engine = engine
        self._writing = for_writing(engine)
        self._info = {job_table.SERVICE: uuid4().hex}
        is_file = engine.dialect.name == "sqlite"
        self._file = SqliteFile(engine, reserve_bytes) if is_file else None
        self._reserve = self._file.reserve if self._file else None

    @classmethod
    def open(cls, url: str, *, reserve_bytes: int = 0) -> Store:
        """Open a database and bring its tables up to date; see `connection.open_engine`.

        Parameters
        ----------
        reserve_bytes
            How much of the disk of a SQLite file is kept free, so that the largest recording can
            still be deleted when it is full.
        """
        return cls(open_engine(url), reserve_bytes)

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    def ping(self) -> None:
        """Ask the database whether it answers, and whether its disk has space.

        Raises
        ------
        StorageError
            If it does not.
        """
        self.read(lambda session: session.execute(text("SELECT 1 FROM alembic_version")))
        if self._file is not None:
            self._file.refuse_full()

    def save_assessment(self, new: NewAssessment) -> StoredAssessment:
        """Store an assessment; under an idempotency key that is known, return the one there is.

        The same may be stored again, by one who was not told whether it was.

        Raises
        ------
        ReusedKeyError
            If another request had that idempotency key.
        ConflictError
            If the id is taken by another.
        """

        def insert(session: Session) -> StoredAssessment:
            stored = assessment_table.insert_assessment(session, new)
            requests.end_claim(session, new)
            return stored

        try:
            return self.write(insert)
        except IntegrityError:
            before = self.read(lambda session: requests.find_stored(session, new))
            if before is None:
                raise ConflictError(f"There is an assessment {new.id} already.") from None
            return before

    def delete_assessment(self, id: str, *, key_id: Owner) -> None:
        """Delete an assessment with all that belongs to it, or raise `NotFoundError`."""
        self.free(lambda session: assessment_table.delete_assessment(session, id, key_id))
        self.forget()

    def delete_learner(self, learner_id: str, *, key_id: Owner) -> int:
        """Delete all that is kept of a learner, and what waits; how many assessments there were."""
        self.free(lambda session: queue.forget_queued(session, learner_id, key_id))
        return self._delete_all(assessment_table.of_learner(learner_id, key_id))

    def claim_jobs(self, most: int) -> tuple[ClaimedJob, ...]:
        """Take jobs that are queued; see `queue.claim_jobs`."""
        if not self.read(queue.is_any_queued):  # nobody has to wait for that
            return ()
        return self.write(lambda session: queue.claim_jobs(session, most))

    def claim_deliveries(self, now: datetime, most: int) -> tuple[Delivery, ...]:
        """Take what somebody is to be told; see `webhooks.claim_deliveries`."""
        if not self.read(lambda session: webhooks.is_any_due(session, now)):
            return ()
        return self.write(lambda session: webhooks.claim_deliveries(session, now, most))

    def claim_request(
        self, key_id: str | None, idempotency_key: str, digest: str, within: timedelta
    ) -> Claimed:
        """Claim a request, or tell what came of it; see `requests.claim_request`."""
        try:
            return self.write(
                lambda session: requests.claim_request(
                    session, key_id, idempotency_key, digest, within
                )
            )
        except IntegrityError:
            return None

    def authenticate(self, secret: str) -> KeyRecord:
        """The key that a secret belongs to, or `AuthenticationError`."""
        now = datetime.now(timezone.utc)
        key = self.read(lambda session: key_table.find_key(session, secret, now))
        if key_table.is_to_be_noted(key, now):
            with suppress(StorageError):  # a full disk keeps nobody out
                self.write(lambda session: key_table.note_use(session, key.id, now))
        return key

    def purge(self, now: datetime, retention: Retention = _FOR_EVER) -> Purged:
        """Delete what has expired, and what is kept no longer, for good."""

        def others(session: Session) -> int:
            requests.delete_overdue(session, now)
            codes.delete_expired(session, now)
            sessions.delete_expired(session, now)
            audit_log.delete_old(session, now)
            batches.delete_old(session, now)
            return job_table.delete_ended(session, now)

        if self._reserve is not None:
            self._reserve.fill()  # the disk may have space again
        over = assessment_table.expired(now)
        if retention.results_days is not None:
            over |= older(retention.results_days, now)
        count, recordings = self._delete_all(over), 0
        if (days := retention.audio_days) is not None:
            recordings = self.free(lambda session: delete_old_audio(session, days, now))
        if recordings:
            self.forget()
        return Purged(count, self.free(others), recordings)

    def _delete_all(self, chosen: ColumnElement[bool]) -> int:
        """Delete assessments; all or none, but on a full disk one by one."""
        try:
            count = self.write(partial(assessment_table.delete_assessments, chosen=chosen))
        except DiskFullError:
            if self._reserve is None or not self._reserve.is_there:
                raise
            count = 0
            for id in self.read(lambda session: assessment_table.ids_of(session, chosen)):
                one = partial(assessment_table.delete_assessments, chosen=AssessmentRow.id == id)
                count += self._freed_from_reserve(self._reserve, one)
        self.forget()
        return count

    def free(self, change: Callable[[Session], T]) -> T:
        """Make a change that deletes; on a full disk with the space that is kept in reserve."""
        try:
            return self.write(change)
        except DiskFullError:
            if self._reserve is None or not self._reserve.is_there:
                raise
            return self._freed_from_reserve(self._reserve, change)

    def _freed_from_reserve(self, reserve: Reserve, change: Callable[[Session], T]) -> T:
        with reserve.given_up():
            self.forget()  # what the log still holds takes space twice
            result = self.write(change)
            self.forget()
        return result

    def forget(self) -> None:
        """Let no log keep what was deleted."""
        if self._file is not None:
            self._file.forget()

    def read(self, query: Callable[[Session], T]) -> T:
        """Ask in a transaction."""
        self._refuse_vanished()
        with translated_errors(), Session(self._engine, info=self._info) as session:
            return query(session)

    def write(self, change: Callable[[Session], T]) -> T:
        """Make a change in a transaction; one that fails leaves nothing behind."""
        self._refuse_vanished()
        with (
            translated_errors(),
            Session(self._writing, info=self._info) as session,
            session.begin(),
        ):
            return change(session)

    def _refuse_vanished(self) -> None:
        if self._file is not None:
            self._file.refuse_vanished()
