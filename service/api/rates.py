"""How often something may happen: so often at once, and so often a second for ever."""

from __future__ import annotations

from time import monotonic


class Bucket:
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
