"""The same tests on SQLite in a temporary folder and on a PostgreSQL of their own."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from nativeear.scoring.assessment import Assessment
from nativeear.service.database.assessments import NewAssessment
from nativeear.service.database.store import Store
from nativeear.service.database.tables import Table
from tests.support.postgres import Postgres, binaries

NewAssessments = Callable[..., NewAssessment]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    installed = binaries()
    if installed is None:
        pytest.skip("PostgreSQL is not installed under /usr/lib/postgresql")
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    with Postgres.running(installed) as server:
        yield server


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
    postgres.run(migrated_url, f"TRUNCATE {tables} CASCADE")  # those that are not imported, too
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
