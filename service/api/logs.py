"""What is written to the log, and how much of it at most."""

from __future__ import annotations

import logging
from collections import Counter

from nativeear.service.api.limits import TokenBucket

BURST = 100
PER_S = 1.0


class Throttle(logging.Filter):
    """Lets each place in the code say so much and no more.

    Whoever can make the service complain could fill its disk otherwise. What is left out is
    counted, and the number told by the next line from that place.
    """

    def __init__(self) -> None:
        super().__init__()
        self._buckets: dict[tuple[str, int], TokenBucket] = {}
        self._left_out: Counter[tuple[str, int]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is written."""
        place = (record.pathname, record.lineno)
        if self._buckets.setdefault(place, TokenBucket(BURST, PER_S)).take() > 0:
            self._left_out[place] += 1
            return False
        if left_out := self._left_out.pop(place, 0):
            record.msg = f"{record.getMessage()} (and {left_out:,} more like it)"
            record.args = ()
        return True


def write_log() -> None:
    """Write what the service says to standard error."""
    for chatty in ("faiss", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    throttle = Throttle()
    for handler in logging.getLogger().handlers:
        handler.addFilter(throttle)
