"""The tables of what keys used and may use; a change here needs a migration."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from nativeear.service.database.tables import Table


class UsageRow(Table):
    """What was asked with a key on one day, in UTC."""

    __tablename__ = "usage"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    requests: Mapped[int]
    assessments: Mapped[int]
    audio_s: Mapped[float]


class QuotaRow(Table):
    """What may be asked with a key in a day and in a month; None is any amount."""

    __tablename__ = "quotas"

    key_id: Mapped[str] = mapped_column(ForeignKey("keys.id", ondelete="CASCADE"), primary_key=True)
    requests_per_day: Mapped[int | None]
    requests_per_month: Mapped[int | None]
    audio_s_per_day: Mapped[float | None]
    audio_s_per_month: Mapped[float | None]
