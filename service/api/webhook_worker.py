"""Tells addresses what has become of work, again and again until they have heard it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timezone
from urllib.parse import urlsplit

from anyio import to_thread

from nativeear.service.api.webhook_sending import UndeliveredError, send, signature
from nativeear.service.database.errors import StorageError
from nativeear.service.database.store import Store
from nativeear.service.database.webhooks import Delivery

logger = logging.getLogger("nativeear.service")

_LOOK_S = 1.0
_AT_ONCE = 8


class WebhookWorker:
    """Works until it is cancelled; what it was at is tried again by whichever service lives.

    Parameters
    ----------
    allowed
        Networks that may be reached though they are private.
    """

    def __init__(self, store: Store, allowed: Sequence[str]) -> None:
        self._store = store
        self._allowed = allowed

    async def run(self) -> None:
        """Look for what is due, for ever."""
        while True:
            try:
                due = await to_thread.run_sync(self._store.claim_deliveries, _now(), _AT_ONCE)
                await asyncio.gather(*map(self.deliver, due))
            except StorageError:
                due = ()  # the heartbeat tells of it; what was told may be told twice
            if not due:
                await asyncio.sleep(_LOOK_S)

    async def deliver(self, delivery: Delivery) -> None:
        """Tell one address, and write down how that went."""
        now = _now()
        timestamp = int(now.timestamp())
        headers = {
            "Webhook-Id": delivery.id,
            "Webhook-Timestamp": str(timestamp),
            "Webhook-Signature": signature(delivery.secret, delivery.id, timestamp, delivery.body),
        }
        problem = None
        try:
            await send(delivery.url, headers, delivery.body, self._allowed)
        except UndeliveredError as error:
            problem = str(error)
            host = urlsplit(delivery.url).hostname
            logger.info("webhook at %s, time %d: %s", host, delivery.attempts, problem)
        await to_thread.run_sync(self._store.end_delivery, delivery, _now(), problem)


def _now() -> datetime:
    return datetime.now(timezone.utc)
