"""Copies of a SQLite database while a service writes into it, and their way back."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from nativeear.service.database.connection import sqlite_path
from nativeear.service.database.errors import StorageError
from nativeear.speech.errors import InputError

_BESIDE = ("-wal", "-shm", "-journal")  # files of SQLite's that belong to one database file


def back_up(database: str, out: Path) -> int:
    """Copy a database as it is at one moment; bytes that were written.

    Parameters
    ----------
    database
        URL of a SQLite database; a service may have it open.
    out
        A file that is not there yet; it appears whole or not at all.

    Raises
    ------
    InputError
        If the database is none of SQLite's or is not there, or `out` is there.
    StorageError
        If it is damaged, or cannot be read or written.
    """
    path = _existing(database)
    _refuse_existing(out)
    with _translated(), _appearing(out) as partial:
        with (
            closing(_read_only(path, in_use=True)) as source,
            closing(sqlite3.connect(partial)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, not three
        _check(partial)
    return out.stat().st_size


def restore(backup: Path, database: str) -> int:
    """Put a backup in the place of a database that is not there; bytes that were written.

    Raises
    ------
    InputError
        If the backup is not there or is no database of NativeEar's, or the database is there.
    StorageError
        If the backup is damaged, or cannot be read or written.
    """
    if not backup.is_file():
        raise InputError(f"There is no backup {backup}.", fix="Name a file of `nativeear backup`.")
    path = sqlite_path(database)
    for file in (path, *(path.with_name(path.name + suffix) for suffix in _BESIDE)):
        _refuse_existing(file)
    with _translated(), _appearing(path) as partial:
        with (
            closing(_read_only(backup, in_use=False)) as source,
            closing(sqlite3.connect(partial)) as copy,
        ):
            source.backup(copy)
        _check(partial)
    return path.stat().st_size


def _existing(database: str) -> Path:
    path = sqlite_path(database)
    if not path.is_file():
        raise InputError(f"There is no database {path}.", fix="Name one with --database.")
    return path


def _refuse_existing(file: Path) -> None:
    if file.exists():
        raise InputError(
            f"There is a file {file} already.",
            cause="Nothing that is there is overwritten.",
            fix="Stop whatever uses it and move it away, or give another name.",
        )


@contextmanager
def _appearing(out: Path) -> Iterator[Path]:
    """A private file that becomes `out` when all is written."""
    partial = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        partial.touch(mode=0o600)
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.rename(out)
    finally:
        for suffix in ("", *_BESIDE):
            partial.with_name(partial.name + suffix).unlink(missing_ok=True)


def _read_only(path: Path, *, in_use: bool) -> sqlite3.Connection:
    how = "mode=ro" if in_use else "immutable=1"  # nothing is left beside a backup
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=10.0)


def _check(path: Path) -> None:
    with closing(sqlite3.connect(path)) as copy:
        (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            raise StorageError("The database is damaged.", cause=str(verdict))
        query = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
        if copy.execute(query).fetchone() == (0,):
            raise InputError("That is no database of NativeEar's.", fix="Name another file.")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StorageError(
            "The database could not be copied.",
            cause=str(error),
            fix="See that both files can be read and written, and that their disk has space.",
        ) from error
