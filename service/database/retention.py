"""How long recordings and results are kept, counted from when they were stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from nativeear.service.database.assessments import rows_of
from nativeear.service.database.tables import AssessmentRow, AudioRow


@dataclass(frozen=True)
class Retention:
    """How many days recordings and results are kept; None is for ever.

    It goes for what is stored already, too: a shorter time that is given at the next start of a
    service deletes what is older by then.
    """

    audio_days: float | None = None
    results_days: float | None = None


def delete_old_audio(session: Session, days: float, now: datetime) -> int:
    """Delete the recordings of assessments that are older; how many there were."""
    old = select(AssessmentRow.id).where(older(days, now))
    return rows_of(session, delete(AudioRow).where(AudioRow.assessment_id.in_(old)))


def older(days: float, now: datetime) -> ColumnElement[bool]:
    """Condition that an assessment was stored so many days ago."""
    return AssessmentRow.created_at <= now - timedelta(days=days)
