"""A real service: the encoder and the index that ship, and a database in a temporary folder."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import nativeear
from nativeear.scoring.assessor import Assessor
from nativeear.service.api.application import create_application
from nativeear.service.api.metrics import Metrics
from nativeear.service.api.references import Reference
from nativeear.service.api.settings import ServiceSettings

DATA = Path(nativeear.__file__).parent / "service" / "data"
PROMPT = DATA / "vm-msgsaved.flac"
TEXT = "Your message has been saved."


def client_of(settings: ServiceSettings) -> TestClient:
    return TestClient(create_application(settings), "http://localhost", False)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ServiceSettings:
    folder = tmp_path_factory.mktemp("service")
    return ServiceSettings(
        database=f"sqlite:///{folder / 'service.db'}",
        indexes=("en-US",),
        workers=1,
        jobs_dir=folder / "jobs",
        max_seconds=30.0,
        max_bytes=2_000_000,
        async_above_s=20.0,
    )


@pytest.fixture(scope="session")
def client(settings: ServiceSettings) -> Iterator[TestClient]:
    with client_of(settings) as client:
        until = time.monotonic() + 120
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < until, "the service does not get ready"
            time.sleep(0.2)
        yield client


@pytest.fixture(scope="session")
def prompt() -> bytes:
    return PROMPT.read_bytes()


@pytest.fixture(scope="session")
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture(scope="session")
def reference(metrics: Metrics) -> Reference:
    from nativeear.indexes.catalogue import find_index

    return Reference.open("en-US", find_index("en-US"), metrics)


@pytest.fixture(scope="session")
def assessor() -> Assessor:
    return nativeear.load("en-US")
