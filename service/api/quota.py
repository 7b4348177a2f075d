"""What all requests hold together, in memory and on disk, and the end of it."""

from __future__ import annotations

import threading
from typing import cast

from starlette.requests import HTTPConnection

from nativeear.service.api.problems import BusyError

RESERVATION = "hold"
"""Name under which a request carries what it holds."""


class ByteQuota:
    """Bytes that may be held at a time, by whomever. Safe to share between threads.

    Parameters
    ----------
    total
        How many there are.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._held = 0
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return self._held

    def reserve(self) -> Reservation:
        """Something that takes from it, nothing so far."""
        return Reservation(self)

    def refuse_without(self, count: int) -> None:
        """Refuse what could not be held now.

        Raises
        ------
        BusyError
            If fewer than `count` bytes are left.
        """
        if self._held + count > self.total:
            raise BusyError(
                "The service holds as much as it may.",
                cause=f"All that is sent or waits may hold {self.total:,} bytes together.",
                fix="Try again in a few seconds, or send less.",
            )

    def change(self, count: int) -> None:
        """Take bytes, or give them back where `count` is negative; see `refuse_without`."""
        with self._lock:
            if count > 0:
                self.refuse_without(count)
            self._held += count


class Reservation:
    """What one request or stream holds of a quota."""

    def __init__(self, quota: ByteQuota) -> None:
        self._quota = quota
        self._count = 0
        self._lock = threading.Lock()

    def take(self, count: int) -> None:
        """Hold more.

        Raises
        ------
        BusyError
            If the quota has not got it.
        """
        with self._lock:
            self._quota.change(count)
            self._count += count

    def release(self) -> None:
        """Give all of it back; once more does no harm."""
        with self._lock:
            count, self._count = self._count, 0
            self._quota.change(-count)


def reservation_of(connection: HTTPConnection) -> Reservation:
    """What a request holds, as the middleware began it."""
    return cast("Reservation", connection.scope["state"][RESERVATION])
