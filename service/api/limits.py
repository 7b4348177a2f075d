"""Limits on how often something may happen, and on how many clients do it at a time."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from time import monotonic

from nativeear.service.api.problems import BusyError, TooManyRequestsError
from nativeear.service.database.errors import AuthenticationError


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

    @property
    def left(self) -> int:
        """How many whole goes there were when it was last asked."""
        return int(self._left)

    @property
    def full_in_s(self) -> float:
        """Seconds until it is full again if nothing is taken."""
        return (self.most - self._left) / self._per_s if self._per_s > 0 else 60.0

    def give_back(self) -> None:
        """Put one back that was taken."""
        self._left = min(self.most, self._left + 1)


class GuessLimit:
    """Lets nobody try codes until one fits. Safe to share between threads.

    What fits counts for nothing, so that a class behind one address can come in at once.

    Parameters
    ----------
    most, per_s
        Of one client: wrong codes at once, and for long.
    most_of_all, per_s_of_all
        Of all together.
    """

    _CLIENTS = 10_000

    def __init__(
        self,
        *,
        most: float = 40,
        per_s: float = 0.1,
        most_of_all: float = 1000,
        per_s_of_all: float = 2.0,
    ) -> None:
        self._rate = (most, per_s)
        self._clients: OrderedDict[str, TokenBucket] = OrderedDict()
        self._all = TokenBucket(most_of_all, per_s_of_all)
        self._lock = threading.Lock()

    @contextmanager
    def counted(self, client: str) -> Iterator[None]:
        """Try a code inside.

        Raises
        ------
        TooManyRequestsError
            If there were too many wrong ones.
        """
        bucket = self._take(client)
        is_wrong = False
        try:
            yield
        except AuthenticationError:
            is_wrong = True
            raise
        finally:
            if not is_wrong:
                with self._lock:
                    bucket.give_back()
                    self._all.give_back()

    def _take(self, client: str) -> TokenBucket:
        with self._lock:
            bucket = self._clients.setdefault(client, TokenBucket(*self._rate))
            self._clients.move_to_end(client)
            if len(self._clients) > self._CLIENTS:
                self._clients.popitem(last=False)
            wait_s = bucket.take()
            if wait_s <= 0 and (wait_s := self._all.take()) > 0:
                bucket.give_back()
        if wait_s > 0:
            raise TooManyRequestsError(
                "Too many wrong codes were tried.",
                fix=f"Try again in {wait_s:.0f} s.",
                headers={"Retry-After": f"{max(1, round(wait_s))}"},
            )
        return bucket


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
