"""What is written to the log, and how much of it at most."""

from __future__ import annotations

import logging
from collections import Counter

from nativeear.service.api.access_log import NAME as ACCESS
from nativeear.service.api.limits import TokenBucket
from nativeear.service.api.request_ids import Numbered

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
        """Whether a line is written; those of requests are, for whoever asked for them."""
        if record.name == ACCESS:
            return True
        place = (record.pathname, record.lineno)
        if self._buckets.setdefault(place, TokenBucket(BURST, PER_S)).take() > 0:
            self._left_out[place] += 1
            return False
        if left_out := self._left_out.pop(place, 0):
            record.msg = f"{record.getMessage()} (and {left_out:,} more like it)"
            record.args = ()
        return True


def write_log(level: str = "info") -> None:
    """Write what the service says, from a level on, to standard error."""
    for chatty in ("faiss", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    form = "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s"
    logging.basicConfig(level=level.upper(), format=form)
    logging.getLogger(ACCESS).setLevel(logging.INFO)  # it is asked for by itself
    filters = (Throttle(), Numbered())
    for handler in logging.getLogger().handlers:
        for one in filters:
            handler.addFilter(one)
