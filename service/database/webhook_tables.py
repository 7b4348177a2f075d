"""The tables of webhooks; a change here needs a migration."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from nativeear.service.database.tables import Table


class WebhookRow(Table):
    """An address that is told what becomes of the work of a key; what it was last refused with."""

    __tablename__ = "webhooks"
    __table_args__ = (Index("ix_webhooks_key", "key_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str]
    url: Mapped[str]
    secret: Mapped[str]
    created_at: Mapped[datetime]
    last_problem: Mapped[str | None]


class DeliveryRow(Table):
    """Something that an address has not been told yet, and when that is to be tried."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_due", "due_at"),
        Index("ix_deliveries_webhook", "webhook_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    body: Mapped[str]
    attempts: Mapped[int]
    due_at: Mapped[datetime]
