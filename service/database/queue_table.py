"""The table of recordings that wait; a change here needs a migration."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from nativeear.service.database.tables import Table


class QueuedRow(Table):
    """A recording whose job has not ended; `size` is that of `data`, in bytes.

    `attempts` counts the services that took it and did not give it back.
    """

    __tablename__ = "queued_recordings"
    __table_args__ = (
        Index("ix_queued_size", "size"),  # tells how many there are without a look at them
        Index("ix_queued_learner", "learner_id"),
    )

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    attempts: Mapped[int]
    is_of_batch: Mapped[bool]
    learner_id: Mapped[str | None]
    max_audio_s: Mapped[float | None]
    size: Mapped[int]
    data: Mapped[bytes]
