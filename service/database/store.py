"""The one thing that the service holds of its database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import ColumnElement, Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from nativeear.service.database import assessments, jobs, keys, progress, requests
from nativeear.service.database.assessments import (
    AssessmentSummary,
    NewAssessment,
    Page,
    StoredAssessment,
    StoredAudio,
)
from nativeear.service.database.connection import for_writing, open_engine, told_plainly
from nativeear.service.database.errors import (
    AuthenticationError,
    ConflictError,
    DiskFullError,
    NotFoundError,
    ReusedKeyError,
    StorageError,
)
from nativeear.service.database.jobs import Job
from nativeear.service.database.keys import KeyRecord, NewKey
from nativeear.service.database.ownership import ALL, Whose
from nativeear.service.database.requests import Claim, Claimed
from nativeear.service.database.reserve import Reserve
from nativeear.service.database.sqlite_file import SqliteFile
from nativeear.service.database.summaries import GroupSummary, LearnerProgress, LearnerSummary
from nativeear.service.database.tables import AssessmentRow

T = TypeVar("T")

__all__ = [
    "ALL",
    "AssessmentSummary",
    "AuthenticationError",
    "Claim",
    "Claimed",
    "ConflictError",
    "DiskFullError",
    "GroupSummary",
    "Job",
    "KeyRecord",
    "LearnerProgress",
    "LearnerSummary",
    "NewAssessment",
    "NewKey",
    "NotFoundError",
    "Page",
    "Purged",
    "ReusedKeyError",
    "StorageError",
    "Store",
    "StoredAssessment",
    "StoredAudio",
    "Whose",
]


@dataclass(frozen=True)
class Purged:
    """What `Store.purge` deleted: assessments, and jobs that made none."""

    count: int
    jobs: int = 0


class Store:
    """A database. Safe to share between threads; its methods block.

    Every method is one transaction: what it returned from is there for good, and what it failed
    in left nothing behind. Where a method takes `key_id`, others' rows are as if they were not
    there; see `service.database.ownership.Whose`. Each may raise `StorageError`.
    """

    def __init__(self, engine: Engine, reserve_bytes: int = 0) -> None:
        self._engine = engine
        self._writing = for_writing(engine)
        self._id = uuid4().hex
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
        with self._reads() as session:
            session.execute(text("SELECT 1 FROM alembic_version"))
        if self._file is not None:
            self._file.refuse_full()

    # Assessments

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
        try:
            with self._writes() as session:
                stored = assessments.insert_assessment(session, new)
                requests.end_claim(session, new)
                return stored
        except IntegrityError:
            with self._reads() as session:
                before = requests.find_stored(session, new)
            if before is None:
                raise ConflictError(f"There is an assessment {new.id} already.") from None
            return before

    def assessment(self, id: str, *, key_id: Whose) -> StoredAssessment:
        """Fetch an assessment, or raise `NotFoundError`."""
        with self._reads() as session:
            return assessments.find_assessment(session, id, key_id)

    def assessments(
        self,
        *,
        key_id: Whose,
        learner_id: str | None = None,
        group: str | None = None,
        language: str | None = None,
        index: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[AssessmentSummary]:
        """List assessments, the newest first; see `assessments.list_assessments`."""
        with self._reads() as session:
            return assessments.list_assessments(
                session,
                key_id,
                learner_id=learner_id,
                group=group,
                language=language,
                index=index,
                since=since,
                until=until,
                after=after,
                limit=limit,
            )

    def delete_assessment(self, id: str, *, key_id: Whose) -> None:
        """Delete an assessment with all that belongs to it, or raise `NotFoundError`."""
        self._freed(lambda session: assessments.delete_assessment(session, id, key_id))
        self._forget()

    def delete_learner(self, learner_id: str, *, key_id: Whose) -> int:
        """Delete all that is kept of a learner; how many assessments there were."""
        return self._delete_all(assessments.of_learner(learner_id, key_id))

    def audio(self, id: str, *, key_id: Whose) -> StoredAudio:
        """The recording of an assessment, or `NotFoundError` if it was not kept."""
        with self._reads() as session:
            return assessments.find_audio(session, id, key_id)

    # Requests

    def claim_request(
        self, key_id: str | None, idempotency_key: str, digest: str, within: timedelta
    ) -> Claimed:
        """Claim a request, or tell what came of it; see `requests.claim_request`."""
        try:
            with self._writes() as session:
                return requests.claim_request(session, key_id, idempotency_key, digest, within)
        except IntegrityError:
            return None

    def release_request(self, claim: Claim) -> None:
        """Give up a claim of which nothing came."""
        with self._writes() as session:
            requests.release_request(session, claim)

    # Progress

    def learner_progress(self, learner_id: str, *, key_id: Whose) -> LearnerProgress:
        """The history of a learner, or `NotFoundError`."""
        with self._reads() as session:
            return progress.learner_progress(session, learner_id, key_id)

    def group_summary(self, group: str, *, key_id: Whose) -> GroupSummary:
        """The learners of a group, or `NotFoundError`."""
        with self._reads() as session:
            return progress.group_summary(session, group, key_id)

    def learners(self, *, key_id: Whose) -> tuple[LearnerSummary, ...]:
        """Every learner of whom something is kept, by name."""
        with self._reads() as session:
            return progress.list_learners(session, key_id)

    # Jobs

    def create_job(
        self, kind: str, request_json: str, *, key_id: str | None, claim: Claim | None = None
    ) -> Job:
        """Write down a job that waits; one that comes of a claimed request ends the claim."""
        with self._writes() as session:
            job = jobs.insert_job(session, kind, request_json, key_id, self._id)
            if claim is not None:
                requests.note_job(session, claim, job.id)
            return job

    def job(self, id: str, *, key_id: Whose) -> Job:
        """Fetch a job, or raise `NotFoundError`."""
        with self._reads() as session:
            return jobs.find_job(session, id, key_id)

    def jobs(self, *, key_id: Whose, limit: int = 50) -> tuple[Job, ...]:
        """List jobs, the newest first."""
        with self._reads() as session:
            return jobs.list_jobs(session, key_id, limit)

    def update_job(
        self,
        id: str,
        *,
        state: str | None = None,
        done: int | None = None,
        total: int | None = None,
        stage: str | None = None,
        result: str | None = None,
        problem: str | None = None,
    ) -> None:
        """Write down how far a job is; see `jobs.update_job`."""
        with self._writes() as session:
            jobs.update_job(
                session,
                id,
                state=state,
                done=done,
                total=total,
                stage=stage,
                result=result,
                problem=problem,
            )

    def request_cancel(self, id: str, *, key_id: Whose) -> None:
        """Note that a job is to be given up; see `jobs.request_cancel`."""
        with self._writes() as session:
            jobs.request_cancel(session, id, key_id)

    def renew_jobs(self, ids: Collection[str]) -> tuple[str, ...]:
        """Say that whoever opened this works at these jobs; ids of those that are to be given up.

        It is to be said well within `jobs.LEASE`, or others may fail them. Something is written
        in any case.
        """
        with self._writes() as session:
            return jobs.renew_jobs(session, self._id, ids)

    def fail_orphans(self) -> int:
        """Fail the jobs of services that say nothing any more; how many there were."""
        with self._writes() as session:
            return jobs.fail_orphans(session)

    def abandon_jobs(self) -> int:
        """Fail the jobs that were made here and have not ended; how many there were."""
        with self._writes() as session:
            return jobs.abandon_jobs(session, self._id)

    # Keys

    def create_key(self, new: NewKey) -> tuple[KeyRecord, str]:
        """Make a key; its secret is told this once."""
        with self._writes() as session:
            return keys.insert_key(session, new)

    def authenticate(self, secret: str) -> KeyRecord:
        """The key that a secret belongs to, or `AuthenticationError`."""
        now = datetime.now(timezone.utc)
        with self._reads() as session:
            key = keys.find_key(session, secret, now)
        if keys.is_to_be_noted(key, now):
            with suppress(StorageError), self._writes() as session:  # a full disk keeps nobody out
                keys.note_use(session, key.id, now)
        return key

    def keys(self) -> tuple[KeyRecord, ...]:
        """Every key, revoked and expired ones too, the oldest first."""
        with self._reads() as session:
            return keys.list_keys(session)

    def revoke_key(self, id: str) -> KeyRecord:
        """Let a key open nothing any more, or raise `NotFoundError`."""
        return self._freed(lambda session: keys.revoke_key(session, id))

    # Retention

    def purge(self, now: datetime) -> Purged:
        """Delete what has expired, for good."""

        def others(session: Session) -> int:
            requests.delete_overdue(session, now)
            return jobs.delete_ended(session, now)

        if self._reserve is not None:
            self._reserve.fill()  # the disk may have space again
        return Purged(self._delete_all(assessments.expired(now)), self._freed(others))

    def _delete_all(self, chosen: ColumnElement[bool]) -> int:
        """Delete assessments; all or none, but on a full disk one by one."""
        try:
            with self._writes() as session:
                count = assessments.delete_assessments(session, chosen)
        except DiskFullError:
            if self._reserve is None or not self._reserve.is_there:
                raise
            with self._reads() as session:
                ids = assessments.ids_of(session, chosen)
            count = 0
            for id in ids:
                one = partial(assessments.delete_assessments, chosen=AssessmentRow.id == id)
                count += self._freed_from_reserve(self._reserve, one)
        self._forget()
        return count

    def _freed(self, change: Callable[[Session], T]) -> T:
        """Make a change that deletes; on a full disk with the space that is kept in reserve."""
        try:
            with self._writes() as session:
                return change(session)
        except DiskFullError:
            if self._reserve is None or not self._reserve.is_there:
                raise
            return self._freed_from_reserve(self._reserve, change)

    def _freed_from_reserve(self, reserve: Reserve, change: Callable[[Session], T]) -> T:
        with reserve.given_up():
            self._forget()  # what the log still holds takes space twice
            with self._writes() as session:
                result = change(session)
            self._forget()
        return result

    def _forget(self) -> None:
        if self._file is not None:
            self._file.forget()

    @contextmanager
    def _reads(self) -> Iterator[Session]:
        self._refuse_vanished()
        with told_plainly(), Session(self._engine) as session:
            yield session

    @contextmanager
    def _writes(self) -> Iterator[Session]:
        self._refuse_vanished()
        with told_plainly(), Session(self._writing) as session, session.begin():
            yield session

    def _refuse_vanished(self) -> None:
        if self._file is not None:
            self._file.refuse_vanished()
