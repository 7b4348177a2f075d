"""Addresses that are told what becomes of work, and what they have not been told yet."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from uuid import uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from nativeear.service.database.assessments import rows_of
from nativeear.service.database.errors import ConflictError, NotFoundError
from nativeear.service.database.ownership import Owner, belongs_to, stored_key
from nativeear.service.database.tables import columns_of
from nativeear.service.database.webhook_tables import DeliveryRow, WebhookRow

MOST = 10
"""Webhooks of one key."""

PAUSES_S = (5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600)
"""How long to wait after each time that an address did not answer; then it is told no more."""

_LEASE = timedelta(seconds=60)  # in which whoever has claimed a delivery tries it
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Webhook:
    """An address that is told; `last_problem` is why it was not told something in the end."""

    id: str
    url: str
    secret: str
    created_at: datetime
    last_problem: str | None


@dataclass(frozen=True)
class Delivery:
    """Something that an address is to be told, for the `attempts`-th time."""

    id: str
    webhook_id: str
    url: str
    secret: str
    body: str
    attempts: int


def insert_webhook(session: Session, url: str, key_id: str | None) -> Webhook:
    """Have an address told what becomes of the work of a key; `ConflictError` beyond `MOST`."""
    own = WebhookRow.key_id == stored_key(key_id)
    if (session.scalar(select(func.count()).where(own)) or 0) >= MOST:
        raise ConflictError(f"There are {MOST} webhooks already.", fix="Delete one of them first.")
    row = WebhookRow(
        id=uuid4().hex,
        key_id=stored_key(key_id),
        url=url,
        secret="whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode(),
        created_at=datetime.now(timezone.utc),
        last_problem=None,
    )
    session.add(row)
    session.flush()
    return _webhook(row)


def list_webhooks(session: Session, *, key_id: Owner) -> tuple[Webhook, ...]:
    """Webhooks, the oldest first."""
    query = select(WebhookRow).where(belongs_to(WebhookRow.key_id, key_id))
    ordered = query.order_by(WebhookRow.created_at, WebhookRow.id)
    return tuple(_webhook(row) for row in session.scalars(ordered))


def delete_webhook(session: Session, id: str, *, key_id: Owner) -> None:
    """Tell an address no more, or raise `NotFoundError`."""
    chosen = (WebhookRow.id == id) & belongs_to(WebhookRow.key_id, key_id)
    if not rows_of(session, delete(WebhookRow).where(chosen)):
        raise NotFoundError(f"There is no webhook {id}.")


def is_any_due(session: Session, now: datetime) -> bool:
    """Whether there is anything to be told."""
    due = select(DeliveryRow.id).where(DeliveryRow.due_at <= now)
    return session.execute(due.limit(1)).first() is not None


def claim_deliveries(session: Session, now: datetime, most: int) -> tuple[Delivery, ...]:
    """Take what is due; others try it again if nothing is heard of it for a minute."""
    due = select(DeliveryRow).where(DeliveryRow.due_at <= now).order_by(DeliveryRow.due_at)
    claimed = []
    for row in session.scalars(due.limit(most).with_for_update(skip_locked=True)).all():
        hook = session.get_one(WebhookRow, row.webhook_id)
        row.attempts += 1
        row.due_at = now + _LEASE
        claimed.append(Delivery(row.id, hook.id, hook.url, hook.secret, row.body, row.attempts))
    return tuple(claimed)


def end_delivery(session: Session, delivery: Delivery, now: datetime, problem: str | None) -> None:
    """Write down that an address was told, or why it was not and when that is tried again."""
    row = session.get(DeliveryRow, delivery.id, with_for_update=True)
    if row is None or row.attempts != delivery.attempts:
        return
    if problem is not None and delivery.attempts <= len(PAUSES_S):
        row.due_at = now + timedelta(seconds=PAUSES_S[delivery.attempts - 1])
        return
    session.delete(row)
    hook = session.get_one(WebhookRow, delivery.webhook_id)
    hook.last_problem = problem


def _webhook(row: WebhookRow) -> Webhook:
    return Webhook(**columns_of(Webhook, row))
