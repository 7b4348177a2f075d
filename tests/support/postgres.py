"""A PostgreSQL of one's own, where it is installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, text

STARTED_WITHIN_S = 120


def binaries() -> Path | None:
    """The folder of the newest server that is installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return installed[-1].parent if installed else None


class Postgres:
    """A server that listens on a socket in its own folder only."""

    @classmethod
    @contextmanager
    def running(cls, binaries: Path) -> Iterator[Postgres]:
        """A new one, until the end of the context."""
        folder = Path(tempfile.mkdtemp(prefix="nativeear-pg-"))
        server = None
        try:
            server = cls(binaries, folder)
            yield server
        finally:
            if server is not None:
                server.kill()
            shutil.rmtree(folder)

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries = binaries
        self._folder = folder
        # PostgreSQL refuses to be run by root.
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._user = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(folder, "postgres", "postgres")
        command = [binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "nativeear"]
        subprocess.run(
            [*command, "--no-sync", "-E", "UTF8", "--locale", "C.UTF-8"],
            check=True,
            capture_output=True,
            cwd=folder,
            **self._user,
        )
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["-k", self._folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        self._server = subprocess.Popen(
            [self._binaries / "postgres", "-D", self._folder / "data", *options],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / "log").open("ab"),
            **self._user,
        )
        until = time.monotonic() + STARTED_WITHIN_S
        ready = [self._binaries / "pg_isready", "-q", "-h", self._folder]
        while subprocess.run(ready, check=False).returncode:
            assert self._server.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < until, "PostgreSQL does not start"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a crash would."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(STARTED_WITHIN_S)

    def url(self, name: str) -> str:
        """Where a database of it is."""
        return f"postgresql://nativeear@/{name}?host={self._folder}"

    def new_database(self) -> str:
        """Make an empty database; its URL."""
        name = f"t{uuid4().hex}"
        self.run(self.url("postgres"), f"CREATE DATABASE {name}")
        return self.url(name)

    def run(self, url: str, statement: str) -> None:
        """Run a statement outside of any transaction."""
        driven = url.replace("postgresql", "postgresql+psycopg", 1)
        engine = create_engine(driven, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()
