"""`nativeear backup` and `nativeear restore`: the SQLite database of a service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nativeear.service.commands.guard import print_json, refuse_missing_folder
from nativeear.service.commands.keys import Database
from nativeear.service.commands.options import AsJson
from nativeear.speech.extras import needing


def backup(
    *,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The copy; not there yet.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Copy the SQLite database of a service as it is at one moment, while the service runs."""
    refuse_missing_folder("backup", out)
    with needing("server", "The service"):
        from nativeear.service.database.backup import back_up
        from nativeear.service.database.connection import default_database

    _print(out, back_up(database or default_database(), out), as_json)


def restore(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` wrote.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of a database that is gone or was moved away.

    The service must not run meanwhile. Who was erased after the backup was made is in it again:
    see docs/privacy.md.
    """
    with needing("server", "The service"):
        from nativeear.service.database.backup import restore as put_back
        from nativeear.service.database.connection import default_database, sqlite_path

    url = database or default_database()
    _print(sqlite_path(url), put_back(file, url), as_json)


def _print(written: Path, size: int, as_json: bool) -> None:
    if as_json:
        print_json({"written": str(written), "bytes": size})
    else:
        print(f"{written}: {size:,} bytes.")
