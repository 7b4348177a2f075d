"""Indexes built beside the service, from real speech: clips of the index that ships."""

import csv
import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nativeear.indexes.catalogue import ENVIRONMENT, find_index
from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.api.settings import ServiceSettings
from tests.service.api.conftest import client_of

UTTERANCES = 25


def archive(utterances: int = UTTERANCES, folder: str = "corpus/") -> bytes:
    """A corpus as a zip archive: clips and a table of what is said in them."""
    index = PhoneIndex.open(find_index("en-US"))
    rows = index.prosody.select(["corpus", "utterance", "speaker", "text"]).to_pylist()
    table, out = io.StringIO(), io.BytesIO()
    writer = csv.writer(table)
    writer.writerow(["audio", "text", "speaker"])
    with zipfile.ZipFile(out, "w") as packed:
        for row in [row for row in rows if row["corpus"] == "asterisk-en"][:utterances]:
            name = index.clips[row["corpus"], row["utterance"]]
            packed.write(index.path / name, folder + name)
            writer.writerow([name, row["text"], row["speaker"]])
        packed.writestr(f"{folder}utterances.csv", table.getvalue())
    return out.getvalue()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "indexes"))
    (tmp_path / "indexes").mkdir()
    return tmp_path


@pytest.fixture
def client(home: Path) -> Iterator[TestClient]:
    """A service that is not started: building needs no index to be loaded."""
    settings = ServiceSettings(
        database=f"sqlite:///{home / 'builds.db'}", jobs_dir=home / "jobs", corpora=home / "corpora"
    )
    (home / "corpora" / "mine").mkdir(parents=True)
    client = client_of(settings)
    yield client
    client.app.state.service.builds.stop()


def spec(client: TestClient, packed: bytes | None = None, **fields: str) -> Any:
    files = {"archive": ("c.zip", packed, "application/zip")} if packed is not None else None
    data = {"name": "small", "language": "en-US", "encoder": "spectral", **fields}
    return client.post("/v1/indexes", data=data, files=files)


def ended(client: TestClient, answer: Any) -> Any:
    assert answer.status_code == 202, answer.text
    until = time.monotonic() + 200
    while True:
        job = client.get(answer.headers["location"]).json()
        if job["state"] in {"done", "failed", "cancelled"}:
            return job
        assert time.monotonic() < until, job
        time.sleep(0.2)


def left(home: Path) -> list[str]:
    return [path.name for room in ("indexes", "jobs") for path in (home / room).glob("*")]


def test_an_uploaded_corpus_becomes_an_index(client: TestClient, home: Path) -> None:
    job = ended(client, spec(client, archive(), clips="opus", licence="CC BY-SA 3.0"))
    assert job["state"] == "done", job
    assert job["result"]["index"] == "small"
    manifest = read_manifest(home / "indexes" / "small")
    assert manifest.counts.exemplars == job["result"]["exemplars"] > 100
    assert "small" in {item["name"] for item in client.get("/v1/indexes").json()["items"]}
    assert left(home) == ["small"]
    again = spec(client, archive(1))
    assert (again.status_code, again.json()["type"]) == (422, "urn:nativeear:problem:bad-input")


def test_a_corpus_of_nothing_fails_in_plain_words_and_leaves_nothing(
    client: TestClient, home: Path
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("readme.txt", "nothing")
    job = ended(client, spec(client, out.getvalue()))
    assert job["state"] == "failed"
    assert job["problem"]["detail"]
    assert "Traceback" not in json.dumps(job)
    assert str(home) not in json.dumps(job)
    assert left(home) == []


@pytest.mark.parametrize("audio", ["/etc/hostname", "../../a.wav", "memory://a.wav"])
def test_an_uploaded_corpus_may_name_only_its_own_files(
    client: TestClient, home: Path, audio: str
) -> None:
    if "://" in audio:
        pytest.importorskip("upath")
    (home / "jobs").mkdir(exist_ok=True)
    (home / "jobs" / "a.wav").write_bytes(b"RIFF")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("utterances.csv", f"id,audio,text\na,{audio},hello\n")
    job = ended(client, spec(client, out.getvalue()))
    assert job["state"] == "failed"
    assert job["problem"]["detail"] == "a is not in the corpus itself."


def test_a_build_that_is_cancelled_is_killed(client: TestClient, home: Path) -> None:
    answer = spec(client, archive(200))
    where = answer.headers["location"]
    while client.get(where).json()["state"] == "queued":
        time.sleep(0.05)
    assert client.post(f"{where}/cancel").status_code == 200
    assert ended(client, answer)["state"] == "cancelled"
    client.app.state.service.builds.stop()
    assert left(home) == []


def test_a_build_that_is_cancelled_while_it_writes_leaves_no_lock(
    client: TestClient, home: Path
) -> None:
    answer = spec(client, archive(200))
    until = time.monotonic() + 60
    while not (home / "indexes" / ".small.lock").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    assert client.post(f"{answer.headers['location']}/cancel").status_code == 200
    assert ended(client, answer)["state"] == "cancelled"
    assert left(home) == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"corpus": "../../etc"}, 422),
        ({"corpus": "/etc"}, 422),
        ({"corpus": "no"}, 422),
        ({}, 422),
        ({"corpus": "mine", "name": "../small"}, 422),
        ({"corpus": "mine", "name": ".small"}, 422),
        ({"corpus": "mine", "encoder": "/tmp"}, 422),  # noqa: S108
        ({"corpus": "mine", "encoder": "somebody/model"}, 422),
    ],
)
def test_what_leads_elsewhere_is_refused(
    client: TestClient, home: Path, fields: dict[str, str], status: int
) -> None:
    assert spec(client, **fields).status_code == status
    assert left(home) == []
