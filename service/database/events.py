"""What becomes of work is noted for those who want to be told, in the transaction that ends it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from nativeear.service.database.batch_tables import BatchItemRow, BatchRow
from nativeear.service.database.tables import ENDED, JobRow
from nativeear.service.database.webhook_tables import DeliveryRow, WebhookRow


def job_ended(session: Session, row: JobRow) -> None:
    """Note that a job has ended, or with it the batch that it belongs to.

    What is told names what can be fetched, and nothing of what was said.
    """
    hooks = session.scalars(select(WebhookRow.id).where(WebhookRow.key_id == row.key_id)).all()
    if not hooks:
        return
    session.flush()
    batch = session.scalar(select(BatchItemRow.batch_id).where(BatchItemRow.job_id == row.id))
    if batch is None:
        told = {"id": row.id, "kind": row.kind, "assessment_id": row.assessment_id}
        _note(session, hooks, f"job.{row.state}", row, told)
    elif _is_over(session, batch):
        _note(session, hooks, "batch.done", row, {"id": batch})


def _is_over(session: Session, batch: str) -> bool:
    # Of two jobs that end at once, the second waits here, and then sees what the first wrote.
    session.execute(select(BatchRow.id).where(BatchRow.id == batch).with_for_update())
    left = (
        select(JobRow.id)
        .join(BatchItemRow, BatchItemRow.job_id == JobRow.id)
        .where(BatchItemRow.batch_id == batch, JobRow.state.not_in(ENDED))
    )
    return session.execute(left.limit(1)).first() is None


def _note(
    session: Session, hooks: Sequence[str], kind: str, row: JobRow, told: dict[str, str | None]
) -> None:
    event = {"type": kind, "timestamp": row.updated_at.isoformat(), "data": told}
    for hook in hooks:
        session.add(
            DeliveryRow(
                id=f"msg_{uuid4().hex}",
                webhook_id=hook,
                body=json.dumps(event),
                attempts=0,
                due_at=row.updated_at,
            )
        )
