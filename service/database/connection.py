"""Opening a database, SQLite or PostgreSQL, and bringing its tables up to date."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    IntegrityError,
    SQLAlchemyError,
    StatementError,
)

from nativeear.service.database.errors import DiskFullError, StorageError
from nativeear.speech.errors import InputError
from nativeear.speech.extras import needing

ENVIRONMENT = "NATIVEEAR_DATABASE"

_BUSY_MS = 10_000  # how long SQLite waits for another writer
_CONNECT_S = 5
_MIGRATING = 0x6E617469  # number of the lock under which PostgreSQL migrates, any will do
_WRITES = "nativeear_writes"


def default_database() -> str:
    """URL of the database that is meant where none is named.

    `$NATIVEEAR_DATABASE` if set; otherwise a SQLite file in the user's data folder, which is made.

    Raises
    ------
    StorageError
        If the folder cannot be made.
    """
    from nativeear.speech.user_data import data_folder

    if chosen := os.environ.get(ENVIRONMENT):
        return chosen
    folder = data_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {folder} for the database cannot be made.",
            cause=error.strerror or str(error),
            fix="Name a database with --database sqlite:///FILE.",
        ) from error
    return f"sqlite:///{folder / 'service.db'}"


def open_engine(given: str) -> Engine:
    """Connect to a database and migrate it; a SQLite file is made if it is not there.

    Raises
    ------
    InputError
        If `given` is no URL of a database that is known.
    MissingDependencyError
        If PostgreSQL is meant and its driver is not installed.
    StorageError
        If it cannot be opened, or belongs to a newer release.
    """
    url = _url(given)
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    try:
        with translated_errors(), for_writing(engine).begin() as connection:
            _migrate(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def for_writing(engine: Engine) -> Engine:
    """The same engine for transactions that write: with SQLite they queue instead of failing."""
    return engine.execution_options(**{_WRITES: True})


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn what a database complains of into errors of the family.

    Raises
    ------
    StorageError
        If the database failed.
    DiskFullError
        If it has no space left.
    InputError
        If it refused a value.
    IntegrityError
        As it comes.
    """
    try:
        yield
    except (DataError, OverflowError, UnicodeEncodeError) as error:
        raise _not_taken(error) from error
    except IntegrityError:
        raise  # who wrote it knows what it contradicts
    except SQLAlchemyError as error:
        if isinstance(error, StatementError) and isinstance(error.orig, _NO_VALUES):
            raise _not_taken(error) from error
        cause = _first_line(error)
        if any(sign in cause for sign in _FULL):
            raise disk_full(cause) from error
        message, fix = _explain(cause)
        raise StorageError(message, cause=cause, fix=fix) from error


# A value that is refused on its way to the database.
_NO_VALUES = (OverflowError, ValueError, TypeError)


def _not_taken(error: BaseException) -> InputError:
    return InputError("The database does not take a value.", cause=_first_line(error))


def disk_full(cause: str = "") -> DiskFullError:
    """What to say of a disk without space."""
    return DiskFullError(
        "The disk of the database is full.",
        cause=cause,
        fix="Delete what is not needed, or free some space; nothing stored is lost.",
    )


_FULL = ("is full", "No space left")
_COMPLAINTS = (
    (
        "readonly",
        "The database may not be written.",
        "Allow this user to write the file and its folder.",
    ),
    (
        "unable to open",
        "The database cannot be opened.",
        "See that its folder exists and that this user may write there.",
    ),
    ("locked", "The database is held by another program.", "Try again."),
    (
        "not a database",
        "The file is not a SQLite database.",
        "Name another file, or restore it from a backup.",
    ),
    ("malformed", "The database is damaged.", "Restore it from a backup."),
    (
        "disk I/O",
        "The database cannot be read or written.",
        "See that its disk works and has space; nothing stored is lost.",
    ),
)


def _explain(cause: str) -> tuple[str, str]:
    for sign, message, fix in _COMPLAINTS:
        if sign in cause:
            return message, fix
    return "The database does not answer.", "See that it runs and can be reached, and try again."


def _first_line(error: BaseException) -> str:
    origin = error.orig if isinstance(error, StatementError) and error.orig else error
    return str(origin).strip().partition("\n")[0]


def _url(given: str) -> URL:
    known = "Give sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."
    try:
        url = make_url(given)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise InputError("That is not the URL of a database.", fix=known) from error
    if backend == "sqlite":
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise InputError("A SQLite database needs a file.", fix=known)
        # Bound to the folder of now: a service may change its own.
        return URL.create("sqlite", database=str(Path(url.database).expanduser().absolute()))
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    raise InputError(f"The database {backend} is not supported.", fix=known)


def sqlite_path(given: str) -> Path:
    """The file of a SQLite database.

    Raises
    ------
    InputError
        If `given` is the URL of another database, or of none.
    """
    url = _url(given)
    if url.get_backend_name() != "sqlite":
        raise InputError(
            "That is no SQLite database.",
            fix="Use the tools of PostgreSQL for one of PostgreSQL's: pg_dump, pg_restore.",
        )
    return Path(url.database or "")


def _sqlite(url: URL) -> Engine:
    path = Path(url.database or "")
    try:
        if not path.exists():
            path.touch(mode=0o600)  # voices and names are nobody else's business
    except OSError as error:
        raise StorageError(
            f"The database {path} cannot be made.",
            cause=error.strerror or str(error),
            fix="See that its folder exists and that this user may write there.",
        ) from error
    engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below
        for pragma in (
            f"busy_timeout={_BUSY_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",  # what is committed outlives a power cut too
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes then fails, rather than waits, if another
        # one wrote in between.
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    arguments = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_S}
    with needing("postgres", "PostgreSQL"):
        return create_engine(url, pool_pre_ping=True, connect_args=arguments)


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    if connection.dialect.name == "postgresql":
        # Two services that start at once: the second waits and finds everything done.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATING})
    config = Config()
    location = str(files("nativeear.service.database") / "migrations")
    config.set_main_option("script_location", location.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StorageError(
            "The database belongs to another release of NativeEar.",
            cause=str(error),
            fix="Update NativeEar, or name another database.",
        ) from error
