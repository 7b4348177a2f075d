"""Limits on how often something may happen, and on how many clients do it at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from time import monotonic

from nativeear.service.api.problems import BusyError


class TokenBucket:
    """Holds so many goes, and fills steadily.

    Parameters
    ----------
    most
        Goes in a full bucket; it is full at first.
    per_s
        Goes that come in each second.
    """

    def __init__(self, most: float, per_s: float) -> None:
        self.most = most
        self._per_s = per_s
        self._left = most
        self._at = monotonic()

    def take(self) -> float:
        """Take one out; the seconds until there is one if there is none."""
        now = monotonic()
        self._left = min(self.most, self._left + self._per_s * (now - self._at))
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self._per_s if self._per_s > 0 else 60.0
        self._left -= 1
        return 0.0


class ConcurrencyLimit:
    """Lets only so many in at a time. Belongs to one event loop.

    Parameters
    ----------
    what
        What they are, in the plural.
    most, most_per_client
        How many there are.
    """

    def __init__(self, what: str, *, most: int, most_per_client: int) -> None:
        self._what = what
        self._most = most
        self._most_per_client = most_per_client
        self._taken: Counter[Hashable] = Counter()

    @contextmanager
    def taken(self, client: Hashable) -> Iterator[None]:
        """Have one for a while.

        Raises
        ------
        BusyError
            If all are taken, or the client has as many as one may have.
        """
        everybodys = self._taken.total() >= self._most
        if everybodys or self._taken[client] >= self._most_per_client:
            most = f"{self._most}" if everybodys else f"{self._most_per_client} of one client"
            raise BusyError(
                f"There are too many {self._what}.",
                cause=f"At most {most} may be open at a time.",
                fix="Try again when one has ended.",
            )
        self._taken[client] += 1
        try:
            yield
        finally:
            self._taken[client] -= 1
            if not self._taken[client]:
                del self._taken[client]
