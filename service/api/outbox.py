"""Writes that wait for a database which was away when they were due."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from nativeear.service.database.errors import StorageError
from nativeear.speech.errors import NativeEarError

logger = logging.getLogger("nativeear.service")

Write = Callable[[], object]


class Outbox:
    """Keeps what could not be written. Safe to share between threads; its methods block.

    There is no more of it than the queue holds: without its database a service takes nothing new.
    """

    def __init__(self) -> None:
        self._writes: dict[str, Write] = {}
        self._lock = threading.Lock()

    @property
    def pending(self) -> tuple[str, ...]:
        """What waits to be written."""
        with self._lock:
            return tuple(self._writes)

    def write(self, name: str, write: Write) -> None:
        """Write now, or when the database is back.

        Parameters
        ----------
        name
            What it is about, such as the id of a job.
        write
            It may be called again after it has failed, even if it has written.
        """
        try:
            _try(name, write)
        except StorageError as error:
            logger.warning("what became of %s is kept until it can be written: %s", name, error)
            with self._lock:
                self._writes[name] = write

    def flush(self) -> None:
        """Write what waits.

        Raises
        ------
        StorageError
            If the database is still away; what was not written still waits.
        """
        with self._lock:
            waiting = dict(self._writes)
        for name, write in waiting.items():
            _try(name, write)
            with self._lock:
                del self._writes[name]


def _try(name: str, write: Write) -> None:
    """Write; what the database refuses for good is told in the log."""
    try:
        write()
    except StorageError:
        raise
    except NativeEarError:
        logger.exception("what became of %s could not be kept", name)
