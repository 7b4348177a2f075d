"""Space that is kept free beside a SQLite file, so that a full disk can be helped.

SQLite writes even what it deletes into its log first. Where the disk is full, the reserve is given
up for the time of a deletion, and taken again afterwards.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

logger = logging.getLogger("nativeear.service")

_SHARE = 4  # at most one part in so many of what is free is reserved
_BLOCK = 1 << 20


class Reserve:
    """A file of `size` bytes beside a database, or of a quarter of what was free if that is less.

    Parameters
    ----------
    database
        The SQLite file.
    size
        Bytes; what the largest single deletion writes. With 0 none is taken, but what another
        program took on this database is used.
    """

    def __init__(self, database: Path, size: int) -> None:
        self._file = database.with_name(f"{database.name}-reserve")
        self._size = size

    @property
    def is_there(self) -> bool:
        """Whether there is space that can be given up."""
        return self._file.exists()

    def fill(self) -> None:
        """Take the space, unless it is taken already or is not there."""
        try:
            if self._size and not self.is_there:
                free = shutil.disk_usage(self._file.parent).free
                _allocate(self._file, min(self._size, free // _SHARE))
        except OSError as error:
            logger.warning("no space is kept in reserve beside the database: %s", error.strerror)

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Inside, the space is free."""
        logger.warning("the disk of the database is full: its reserve is used to delete")
        had = self._file.stat().st_size if self.is_there else self._size
        self._file.unlink(missing_ok=True)
        try:
            yield
        finally:
            with suppress(OSError):
                _allocate(self._file, had)
            self.fill()  # as much as there is, if another took the rest meanwhile


def _allocate(file: Path, size: int) -> None:
    """Make a file that really takes its space; none is left behind if there is not enough."""
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        with partial.open("wb") as out:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(out.fileno(), 0, max(1, size))
            else:
                for at in range(0, size, _BLOCK):
                    out.write(bytes(min(_BLOCK, size - at)))
        partial.replace(file)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
