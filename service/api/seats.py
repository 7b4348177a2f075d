"""Seats: so many in all, and so many for one client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from nativeear.service.api.problems import BusyError


class Seats:
    """What only some may have at a time. Belongs to one event loop.

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
