"""The tables. A change here needs a migration in `migrations/versions`."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

NO_KEY = ""
"""Key of what was stored while the service was open: in SQL, NULL would not be unique."""


class Moment(TypeDecorator[datetime]):
    """A point in time, given and read with the time zone UTC; SQLite knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """As the database keeps it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment = value.astimezone(timezone.utc)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """As it was given, in UTC."""
        if value is None:
            return None
        moment: datetime = value
        if moment.tzinfo is None:
            return moment.replace(tzinfo=timezone.utc)
        return moment.astimezone(timezone.utc)


class Table(DeclarativeBase):
    """What all tables have in common."""

    type_annotation_map = {str: Text, datetime: Moment, bytes: LargeBinary, float: Float}  # noqa: RUF012


class AssessmentRow(Table):
    """An assessment: what lists and figures need in columns, the whole result as JSON.

    `day` is the date of `created_at` in UTC: what databases call a date depends on their settings.
    `transcript` is what was heard where no text was known.
    """

    __tablename__ = "assessments"
    __table_args__ = (
        UniqueConstraint("key_id", "idempotency_key", name="uq_assessments_idempotency"),
        Index("ix_assessments_created", "created_at", "id"),
        Index("ix_assessments_learner", "learner_id", "created_at"),
        Index("ix_assessments_group", "group_name"),
        Index("ix_assessments_expires", "expires_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str]
    created_at: Mapped[datetime]
    day: Mapped[date]
    expires_at: Mapped[datetime | None]
    learner_id: Mapped[str | None]
    group_name: Mapped[str | None]
    language: Mapped[str]
    index_name: Mapped[str]
    text: Mapped[str | None]
    transcript: Mapped[str | None]
    duration_s: Mapped[float]
    overall: Mapped[float | None]
    pronunciation: Mapped[float | None]
    fluency: Mapped[float | None]
    prosody: Mapped[float | None]
    completeness: Mapped[float | None]
    idempotency_key: Mapped[str | None]
    request_digest: Mapped[str | None]
    result: Mapped[str]


class PhoneRow(Table):
    """A phone of an assessment; `position` counts through all its words."""

    __tablename__ = "phones"

    assessment_id: Mapped[str] = mapped_column(
        ForeignKey("assessments.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str]
    phone: Mapped[str]
    ipa: Mapped[str]
    score: Mapped[float | None]
    verdict: Mapped[str]
    probability: Mapped[float | None]


class AudioRow(Table):
    """The recording of an assessment, as it was sent."""

    __tablename__ = "audio"

    assessment_id: Mapped[str] = mapped_column(
        ForeignKey("assessments.id", ondelete="CASCADE"), primary_key=True
    )
    media_type: Mapped[str]
    data: Mapped[bytes]


ENDED = ("done", "failed", "cancelled")
"""States in which a job changes no more."""


class JobRow(Table):
    """Work that outlasts a request.

    A job that made an assessment refers to it, so that it is kept once and is deleted with it.
    `opened_by` is the opening of the database that the job belongs to, `leased_until` when it stops
    belonging to it unless that is put off; None is over.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_created", "created_at", "id"),
        Index("ix_jobs_assessment", "assessment_id"),
        Index("ix_jobs_state", "state", "updated_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str]
    opened_by: Mapped[str]
    leased_until: Mapped[datetime | None]
    kind: Mapped[str]
    state: Mapped[str]
    stage: Mapped[str]
    done: Mapped[int]
    total: Mapped[int]
    cancel_requested: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    assessment_id: Mapped[str | None] = mapped_column(
        ForeignKey("assessments.id", ondelete="CASCADE")
    )
    request: Mapped[str]
    result: Mapped[str | None]
    problem: Mapped[str | None]


class RequestRow(Table):
    """A request that its client gave an idempotency key, while it is worked at, or with its job.

    What was answered at once is found by its assessment. `claim` is whoever works at it, until
    `claimed_until`; from then on another may.
    """

    __tablename__ = "requests"
    __table_args__ = (Index("ix_requests_job", "job_id"),)

    key_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    claim: Mapped[str]
    claimed_until: Mapped[datetime]
    job_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))


class ServiceRow(Table):
    """When an opening of the database was last able to write into it."""

    __tablename__ = "services"

    opened_by: Mapped[str] = mapped_column(primary_key=True)
    wrote_at: Mapped[datetime]


class KeyRow(Table):
    """A key; of its secret only the beginning and the SHA-256 are kept."""

    __tablename__ = "keys"
    __table_args__ = (Index("ix_keys_prefix", "prefix"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    prefix: Mapped[str]
    secret_sha256: Mapped[bytes]
    scopes: Mapped[str]
    requests_per_minute: Mapped[int | None]
    max_audio_s: Mapped[float | None]
    max_bytes: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


def columns_of(kind: type[Any], row: Any) -> dict[str, Any]:
    """The fields of a dataclass that a row has under the same name."""
    return {name: getattr(row, name) for name in kind.__dataclass_fields__ if hasattr(row, name)}
