"""Requests are counted by key, and refused where a key has used up what it may."""

from __future__ import annotations

import math
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from nativeear.service.api.problems import QuotaExceededError
from nativeear.service.database.store import Store
from nativeear.service.database.usage import Allowance, Amount, month_of


class RequestCounts:
    """Requests that were not written down yet. Safe to share between threads.

    Each is written with the next heartbeat: a service that dies loses those of some seconds.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counts: Counter[tuple[str | None, date]] = Counter()
        self._lock = threading.Lock()

    def note(self, key_id: str | None) -> None:
        """Count one."""
        with self._lock:
            self._counts[key_id, _now().date()] += 1

    def of(self, key_id: str | None) -> int:
        """How many of a key are not written down."""
        with self._lock:
            return sum(count for (key, _), count in self._counts.items() if key == key_id)

    def flush(self) -> None:
        """Write them down; what cannot be written is kept, or `StorageError` raised."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            self._store.count_requests(counts)
        except BaseException:
            with self._lock:
                self._counts += counts
            raise


@dataclass(frozen=True)
class _Limit:
    used: float
    most: float | None
    what: str
    per: str
    ends: date


def refuse_over_quota(allowance: Allowance | None, wanted: Amount) -> None:
    """Refuse what would be more than a key may use today or this month.

    Raises
    ------
    QuotaExceededError
        With the time after which it may be tried again.
    """
    if allowance is None:
        return
    now = _now()
    tomorrow, next_month = now.date() + timedelta(days=1), month_of(now.date())[1]
    quota, today, month = allowance.quota, allowance.today, allowance.month
    requests, speech = wanted.requests, wanted.audio_s
    for limit in (
        _Limit(today.requests + requests, quota.requests_per_day, "requests", "day", tomorrow),
        _Limit(
            month.requests + requests, quota.requests_per_month, "requests", "month", next_month
        ),
        _Limit(today.audio_s + speech, quota.audio_s_per_day, "seconds", "day", tomorrow),
        _Limit(month.audio_s + speech, quota.audio_s_per_month, "seconds", "month", next_month),
    ):
        if limit.most is not None and limit.used > limit.most:
            ends = datetime.combine(limit.ends, time(), timezone.utc)
            raise QuotaExceededError(
                f"This key may have {limit.most:,g} {limit.what} a {limit.per}.",
                cause=f"With this it would be {limit.used:,.6g}.",
                fix=f"Try again from {limit.ends}, in UTC, or ask whoever runs the service.",
                headers={"Retry-After": f"{math.ceil((ends - now).total_seconds())}"},
            )


def _now() -> datetime:
    return datetime.now(timezone.utc)
