"""The same tests on SQLite in a temporary folder and on a PostgreSQL of their own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from nativeear.scoring.assessment import Assessment
from nativeear.service.database.assessments import NewAssessment
from nativeear.service.database.store import Store
from nativeear.service.database.tables import Table

STARTED_WITHIN_S = 120

NewAssessments = Callable[..., NewAssessment]


class Postgres:
    """A server that listens on a socket in its own folder only."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries = binaries
        self._folder = folder
        # PostgreSQL refuses to be run by root.
        self._user: dict[str, object] = {}
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
        return f"postgresql://nativeear@/{name}?host={self._folder}"

    def new_database(self) -> str:
        name = f"t{uuid4().hex}"
        self.run(self.url("postgres"), f"CREATE DATABASE {name}")
        return self.url(name)

    def run(self, url: str, statement: str) -> None:
        driven = url.replace("postgresql", "postgresql+psycopg", 1)
        engine = create_engine(driven, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not installed:
        pytest.skip("PostgreSQL is not installed under /usr/lib/postgresql")
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    folder = Path(tempfile.mkdtemp(prefix="nativeear-pg-"))
    server = None
    try:
        server = Postgres(installed[-1].parent, folder)
        yield server
    finally:
        if server is not None:
            server.kill()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database without content, to be copied: that is faster than to migrate."""
    file = tmp_path_factory.mktemp("migrated") / "service.db"
    Store.open(f"sqlite:///{file}").close()
    return file


@pytest.fixture(scope="session")
def migrated_url(postgres: Postgres) -> str:
    """A database of PostgreSQL that is emptied for each test: a new one is a thousand files."""
    url = postgres.new_database()
    Store.open(url).close()
    return url


@pytest.fixture
def emptied_url(postgres: Postgres, migrated_url: str) -> str:
    """`migrated_url` without content."""
    tables = ", ".join(Table.metadata.tables)
    postgres.run(migrated_url, f"TRUNCATE {tables}")
    return migrated_url


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of either kind that has never been opened."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'service.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of either kind without content."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "service.db")
        return f"sqlite:///{tmp_path / 'service.db'}"
    emptied: str = request.getfixturevalue("emptied_url")
    return emptied


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()


@pytest.fixture
def new(assessment: Assessment) -> NewAssessments:
    """Makes what is to be stored, each time under another id."""

    def make(result: Assessment = assessment, **changes: object) -> NewAssessment:
        id = uuid4().hex
        return replace(
            NewAssessment(
                id=id,
                language=result.language,
                index=result.index,
                result=result.model_copy(update={"id": id}).model_dump_json(),
                duration_s=result.duration_s,
                text="I think azure",
            ),
            **changes,
        )

    return make


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk of 12 MiB of its own."""
    if not shutil.which("mount"):
        pytest.skip("mount is not installed")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk: Path, name: str = "others") -> None:
    """Use every byte that is left, as another program might."""
    with suppress(OSError), (disk / name).open("ab", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
