"""The tables of batches; a change here needs a migration."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from nativeear.service.database.tables import Table


class BatchRow(Table):
    """Recordings that were sent together."""

    __tablename__ = "batches"
    __table_args__ = (
        UniqueConstraint("key_id", "idempotency_key", name="uq_batches_idempotency"),
        Index("ix_batches_created", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str]
    created_at: Mapped[datetime]
    total: Mapped[int]
    idempotency_key: Mapped[str | None]
    request_digest: Mapped[str]


class BatchItemRow(Table):
    """One recording of a batch; its job is None where that, or its result, was deleted."""

    __tablename__ = "batch_items"
    __table_args__ = (Index("ix_batch_items_job", "job_id"),)

    batch_id: Mapped[str] = mapped_column(
        ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    job_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
