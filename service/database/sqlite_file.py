"""The file of a SQLite database: that it is there, that its disk has space, what it forgets."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from nativeear.service.database.connection import disk_full, translated_errors
from nativeear.service.database.errors import StorageError
from nativeear.service.database.reserve import Reserve

LEAST_FREE_BYTES = 1 << 20
"""A disk with less than this is full: no assessment fits."""


class SqliteFile:
    """The file that an engine has open.

    Parameters
    ----------
    engine
        Of a SQLite database.
    reserve_bytes
        How much of its disk is kept free, to delete from it when it is full.
    """

    def __init__(self, engine: Engine, reserve_bytes: int) -> None:
        self._engine = engine
        self._path = Path(engine.url.database or "")
        self._inode = _inode(self._path)
        self.reserve = Reserve(self._path, reserve_bytes)
        self.reserve.fill()

    def refuse_vanished(self) -> None:
        """Refuse to go on with a file that was deleted: all that is written there would be lost."""
        if _inode(self._path) != self._inode:
            raise StorageError(
                f"The database {self._path} was removed or replaced while it was in use.",
                fix="Put it back and start the service again.",
            )

    def refuse_full(self) -> None:
        """Refuse a disk on which nothing can be stored."""
        with suppress(OSError):
            if shutil.disk_usage(self._path.parent).free < LEAST_FREE_BYTES:
                raise disk_full()

    def forget(self) -> None:
        """Let the log of changes not keep what was deleted.

        With readers about it may have to stay a while; each purge tries again.
        """
        with translated_errors(), self._engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection  # outside of any transaction
            with suppress(sqlite3.Error):
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
