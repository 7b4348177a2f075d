"""The one thing that the service holds of its database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.database import assessments, jobs, keys, progress
from service.database.assessments import (
    AssessmentSummary,
    NewAssessment,
    Page,
    StoredAssessment,
    StoredAudio,
)
from service.database.connection import for_writing, open_engine, sqlite_file, told_plainly
from service.database.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    StorageError,
)
from service.database.jobs import Job
from service.database.keys import KeyRecord, NewKey
from service.database.ownership import ALL, Whose
from service.database.progress import GroupSummary, LearnerProgress, LearnerSummary

__all__ = [
    "ALL",
    "AssessmentSummary",
    "AuthenticationError",
    "ConflictError",
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

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = for_writing(engine)
        self._id = uuid4().hex
        self._file = sqlite_file(engine)
        self._inode = None if self._file is None else _inode(self._file)

    @classmethod
    def open(cls, url: str) -> Store:
        """Open a database and bring its tables up to date; see `connection.open_engine`."""
        return cls(open_engine(url))

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    def ping(self) -> None:
        """Ask the database whether it answers.

        Raises
        ------
        StorageError
            If it does not.
        """
        with self._reads() as session:
            session.execute(text("SELECT 1 FROM alembic_version"))

    # Assessments

    def save_assessment(self, new: NewAssessment) -> StoredAssessment:
        """Store an assessment; under an idempotency key that is known, return the one there is.

        Raises
        ------
        ConflictError
            If another request had that idempotency key, or the id is taken.
        """
        try:
            with self._writes() as session:
                return assessments.insert_assessment(session, new)
        except IntegrityError:
            before = None
            if new.idempotency_key is not None:
                before = self.replayed(new.key_id, new.idempotency_key, new.request_digest)
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
        with self._writes() as session:
            assessments.delete_assessment(session, id, key_id)
        self._forget()

    def delete_learner(self, learner_id: str, *, key_id: Whose) -> int:
        """Delete all that is kept of a learner; how many assessments there were."""
        with self._writes() as session:
            count = assessments.delete_learner(session, learner_id, key_id)
        self._forget()
        return count

    def audio(self, id: str, *, key_id: Whose) -> StoredAudio:
        """The recording of an assessment, or `NotFoundError` if it was not kept."""
        with self._reads() as session:
            return assessments.find_audio(session, id, key_id)

    def replayed(
        self, key_id: str | None, idempotency_key: str, request_digest: str | None
    ) -> StoredAssessment | None:
        """What the same request was answered with before; None if it is new.

        Raises
        ------
        ConflictError
            If another request had the same idempotency key.
        """
        with self._reads() as session:
            return assessments.find_replayed(session, key_id, idempotency_key, request_digest)

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

    def create_job(self, kind: str, request_json: str, *, key_id: str | None) -> Job:
        """Write down a job that waits."""
        with self._writes() as session:
            return jobs.insert_job(session, kind, request_json, key_id, self._id)

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

    def renew_jobs(self) -> tuple[str, ...]:
        """Say that whoever opened this works at its jobs; ids of those that are to be given up.

        It is to be said well within `jobs.LEASE`, or others may fail them.
        """
        with self._writes() as session:
            return jobs.renew_jobs(session, self._id)

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
        with self._writes() as session:
            return keys.revoke_key(session, id)

    # Retention

    def purge(self, now: datetime) -> Purged:
        """Delete what has expired, for good."""
        with self._writes() as session:
            count = assessments.delete_expired(session, now)
            ended = jobs.delete_ended(session, now)
        self._forget()
        return Purged(count, ended)

    def _forget(self) -> None:
        """Let SQLite's log of changes not keep what was deleted.

        With readers about it may have to stay a while; each purge tries again.
        """
        if self._file is None:
            return
        with told_plainly(), self._engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection  # outside of any transaction
            with suppress(sqlite3.Error):
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

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
        # SQLite goes on writing into a file that was deleted, and all of that would be lost.
        if self._file is not None and _inode(self._file) != self._inode:
            raise StorageError(
                f"The database {self._file} was removed or replaced while it was in use.",
                fix="Put it back and start the service again.",
            )


def _inode(path: os.PathLike[str]) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino
