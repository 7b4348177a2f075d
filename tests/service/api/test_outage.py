"""A database that is away just when something is to be written: nothing of it is lost."""

import io
import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient
from sqlalchemy import update

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.assessment_jobs import AssessmentJobs
from nativeear.service.api.builds import Builds, BuildSpec
from nativeear.service.api.heartbeat import Heartbeat
from nativeear.service.api.outbox import Outbox
from nativeear.service.api.quota import ByteQuota
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.api.usage import RequestCounts
from nativeear.service.database.connection import open_engine
from nativeear.service.database.errors import StorageError
from nativeear.service.database.store import Store
from nativeear.service.database.tables import JobRow
from tests.service.api.conftest import PROMPT, TEXT, client_of
from tests.service.database.conftest import (  # noqa: F401  (fixtures)
    NewAssessments,
    Postgres,
    emptied_url,
    fill,
    migrated_file,
    migrated_url,
    new,
    postgres,
    small_disk,
)

AGES_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)

Away = Callable[[], Any]


@contextmanager
def file_away(file: Path) -> Iterator[None]:
    """Inside, the database cannot be reached."""
    away = file.with_suffix(".away")
    file.rename(away)
    try:
        yield
    finally:
        away.rename(file)


@contextmanager
def server_away(server: Postgres) -> Iterator[None]:
    server.kill()
    try:
        yield
    finally:
        server.start()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Away]:
    """A database and what takes it away."""
    if request.param == "sqlite":
        file = tmp_path / "service.db"
        shutil.copy(request.getfixturevalue("migrated_file"), file)
        return f"sqlite:///{file}", lambda: file_away(file)
    server = request.getfixturevalue("postgres")
    return request.getfixturevalue("emptied_url"), lambda: server_away(server)


@pytest.fixture
def long_recording() -> bytes:
    samples, rate = soundfile.read(PROMPT, dtype="int16")
    out = io.BytesIO()
    soundfile.write(out, np.tile(samples, 8), rate, format="WAV", subtype="PCM_16")
    return out.getvalue()


@pytest.fixture
def running(database: tuple[str, Away], settings: ServiceSettings) -> Iterator[TestClient]:
    with client_of(replace(settings, database=database[0], async_above_s=60.0)) as client:
        wait(lambda: client.get("/readyz").status_code == 200)
        yield client


def wait(until: Callable[[], object], within_s: float = 120) -> None:
    end = time.monotonic() + within_s
    while not until():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_end_of_a_job_is_written_when_the_database_is_back(
    running: TestClient, database: tuple[str, Away], long_recording: bytes, caplog
) -> None:
    caplog.set_level(logging.WARNING)
    answer = running.post(
        "/v1/assessments",
        files={"audio": long_recording},
        data={"text": " ".join([TEXT] * 8), "keep_audio": "true"},
        headers={"Prefer": "respond-async"},
    )
    job = answer.headers["location"]
    service = running.app.state.service
    followed: list[str] = []
    following = threading.Thread(target=lambda: followed.append(running.get(f"{job}/events").text))
    following.start()
    time.sleep(0.2)
    with database[1]():
        wait(lambda: service.outbox.pending)
        problem = running.get(job)
        assert (problem.status_code, problem.headers["retry-after"]) == (503, "5")
        ready = running.get("/readyz")
        assert ready.status_code == 503
        said = json.dumps([problem.json(), ready.json()])
        for secret in ("host", "socket", "nativeear@", "/tmp", "port"):  # noqa: S108
            assert secret not in said.replace("/readyz", "")
        assert ready.json()["cause"] == ""
    wait(lambda: running.get(job).status_code == 200 and running.get(job).json()["state"] == "done")
    assert service.outbox.pending == ()
    following.join(60)
    assert "event: done" in followed[0]
    told = running.get(job).json()
    kept = Assessment.model_validate(told["result"])
    assert running.get(f"/v1/assessments/{kept.id}/audio").content == long_recording
    assert running.get("/readyz").status_code == 200
    assert "is kept until it can be written" in caplog.text


def test_the_end_of_a_build_is_written_when_the_database_is_back(
    database: tuple[str, Away], tmp_path: Path
) -> None:
    store = Store.open(database[0])
    outbox = Outbox()
    builds = Builds(store, outbox)
    heartbeat = Heartbeat(store, outbox, builds, AssessmentJobs(), RequestCounts(store))
    job = store.create_job("index", "{}", key_id=None).id
    with database[1]():
        spec = BuildSpec(str(tmp_path / "none"), "en-US", str(tmp_path / "out"), "out")
        builds.start(job, spec, None, ByteQuota(0).reserve())
        wait(lambda: outbox.pending)
        heartbeat.beat()
        assert isinstance(heartbeat.trouble, StorageError)
        assert builds.jobs == ()
    wait(lambda: (heartbeat.beat(), heartbeat.trouble is None)[1])
    ended = store.job(job, key_id=None)
    assert ended.state == "failed"
    assert json.loads(ended.problem or "")["status"] == 422
    store.close()


def test_a_job_outlives_an_outage_that_is_longer_than_its_lease(
    database: tuple[str, Away], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, away = database
    ours, theirs = Store.open(url), Store.open(url)
    job = ours.create_job("index", "{}", key_id=None).id

    def heartbeat_of(store: Store) -> Heartbeat:
        outbox, counts = Outbox(), RequestCounts(store)
        return Heartbeat(store, outbox, Builds(store, outbox), AssessmentJobs(), counts)

    other = heartbeat_of(theirs)
    with away():
        other.beat()
        assert other.trouble is not None
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(update(JobRow).values(leased_until=AGES_AGO))
    engine.dispose()
    other.beat()  # it was back first, and does not say that we are dead
    assert other.trouble is None
    assert theirs.job(job, key_id=None).state == "queued"
    later = time.monotonic() + 3600
    monkeypatch.setattr("nativeear.service.api.heartbeat.monotonic", lambda: later)
    other.beat()  # but we say nothing for too long
    assert theirs.job(job, key_id=None).state == "failed"
    ours.close()
    theirs.close()


def test_a_locked_database_delays_the_end_of_a_job_and_does_not_lose_it(
    tmp_path: Path,
    migrated_file: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sqlite3

    monkeypatch.setattr("nativeear.service.database.connection._BUSY_MS", 200)
    file = tmp_path / "service.db"
    shutil.copy(migrated_file, file)
    store = Store.open(f"sqlite:///{file}")
    job = store.create_job("index", "{}", key_id=None).id
    outbox = Outbox()
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    outbox.write(job, lambda: store.update_job(job, state="done", result="{}"))
    assert outbox.pending == (job,)
    with pytest.raises(StorageError, match="held by another program"):
        outbox.flush()
    assert store.job(job, key_id=None).state == "queued"
    holder.execute("ROLLBACK")
    outbox.flush()
    assert (outbox.pending, store.job(job, key_id=None).state) == ((), "done")
    holder.close()
    store.close()


def test_a_full_disk_is_told_and_can_be_helped_by_deleting(
    small_disk: Path,  # noqa: F811
    settings: ServiceSettings,
    new: NewAssessments,  # noqa: F811
) -> None:
    client = client_of(replace(settings, database=f"sqlite:///{small_disk / 'service.db'}"))
    service = client.app.state.service
    service.ready = True  # nothing is assessed here: no index has to be loaded
    voice = bytes(850_000)
    ids = [service.store.save_assessment(new(audio=voice, learner_id="ana")).id for _ in range(3)]
    service.heartbeat.beat()
    assert client.get("/readyz").status_code == 200
    fill(small_disk)
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["type"]) == (503, "urn:nativeear:problem:storage")
    assert ready.json()["detail"] == "The disk of the database is full."
    assert "Delete" in ready.json()["fix"]
    assert client.get("/healthz").status_code == 200
    assert client.get(f"/v1/assessments/{ids[0]}/audio").content == voice
    assert client.delete(f"/v1/assessments/{ids[0]}").status_code == 204
    assert client.get("/readyz").status_code == 503  # the disk is as full as it was
    assert client.delete("/v1/learners/ana").status_code == 204
    assert client.get("/v1/assessments").json()["items"] == []
    (small_disk / "others").unlink()
    service.heartbeat.beat()
    assert client.get("/readyz").status_code == 200
    service.store.close()


def test_a_disk_that_is_full_for_this_user_alone_is_told_too(
    tmp_path: Path, settings: ServiceSettings
) -> None:
    """A quota, say: the disk as such has space, but nothing can be written."""
    import resource
    import signal

    client = client_of(replace(settings, database=f"sqlite:///{tmp_path / 'service.db'}"))
    service = client.app.state.service
    service.ready = True
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        service.heartbeat.beat()
        ready = client.get("/readyz")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert (ready.status_code, ready.json()["type"]) == (503, "urn:nativeear:problem:storage")
    service.heartbeat.beat()
    assert client.get("/readyz").status_code == 200
    service.store.close()


def test_what_can_never_be_written_is_owed_no_longer(
    tmp_path: Path,
    migrated_file: Path,  # noqa: F811
    caplog,
) -> None:
    file = tmp_path / "service.db"
    shutil.copy(migrated_file, file)
    store = Store.open(f"sqlite:///{file}")
    outbox = Outbox()
    outbox.write("gone", lambda: store.update_job("gone", state="done"))
    assert outbox.pending == ()
    assert "what became of gone could not be kept" in caplog.text
    store.close()
