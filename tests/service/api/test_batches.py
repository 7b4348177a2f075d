"""Many recordings in one request: what is refused, what waits, and what comes of it."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.batches import Bounds, entries_of, items_of, opened
from nativeear.service.api.settings import ServiceSettings
from nativeear.speech.errors import CorpusError, InputError
from tests.service.api.conftest import TEXT, client_of

BOUNDS = Bounds(recordings=5, bytes_each=1000, bytes=3000)
FORM = {"text": None, "phones": None, "free": False, "learner_id": None, "group": "3b"}


def zipped(*files: tuple[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    out.seek(0)
    return out


def read(file: io.BytesIO, manifest: bytes | None = None, bounds: Bounds = BOUNDS) -> list:
    with opened(file) as archive:
        entries = entries_of(archive, manifest, FORM, bounds)
        return list(items_of(archive, entries, bounds, None))


def test_a_manifest_says_what_each_recording_is_of() -> None:
    file = zipped(("a/1.wav", b"one"), ("a/2.wav", b"two"))
    table = b"\xef\xbb\xbfid,audio,text,learner_id\nx,a/2.wav,So.,ana\n,a/1.wav,No.,\n"
    lines = b'{"id": "x", "audio": "a/2.wav", "text": "So.", "learner_id": "ana"}\n'
    lines += b'{"audio": "a/1.wav", "text": "No."}\n'
    within = zipped(("a/1.wav", b"one"), ("a/2.wav", b"two"), ("manifest.csv", table))
    for found in (read(file, table), read(file, lines), read(within)):
        assert [(one.name, one.recording.data) for one in found] == [
            ("x", b"two"),
            ("a/1.wav", b"one"),
        ]
        assert json.loads(found[0].request) == {**FORM, "text": "So.", "learner_id": "ana"}
        assert [one.recording.learner_id for one in found] == ["ana", None]


def test_what_a_row_says_goes_before_what_is_said_of_all() -> None:
    file = zipped(("1.wav", b"one"), ("2.wav", b"two"))
    said = {**FORM, "free": True, "second_ear": True, "topic": "My holiday"}
    table = b"audio,free,text,second_ear,topic\n1.wav,false,So.,no,\n2.wav,,,,My school\n"
    with opened(file) as archive:
        one, two = (entry.form for entry in entries_of(archive, table, said, BOUNDS))
    assert one == {**said, "free": False, "text": "So.", "second_ear": False}
    assert two == {**said, "topic": "My school"}


def test_without_a_manifest_a_text_lies_beside_its_recording() -> None:
    found = read(zipped(("b.wav", b"b"), ("a.wav", b"a"), ("a.txt", b" So.\n"), (".DS", b"x")))
    assert [(one.name, json.loads(one.request)["text"]) for one in found] == [
        ("a.wav", "So."),
        ("b.wav", None),
    ]


@pytest.mark.parametrize(
    ("files", "manifest", "told"),
    [
        ([("a.wav", b"a")], b"audio,txt\na.wav,So.\n", "txt"),
        ([("a.wav", b"a")], b"audio\nb.wav\n", "b.wav"),
        ([("a.wav", b"a")], b"audio\na.wav\na.wav\n", "repeats"),
        ([("a.wav", b"a")], b'{"audio": "a.wav"}\n[]\n', "Row 2"),
        ([("a.wav", b"a")], b'{"audio": "a.wav"}\n{', "JSON lines"),
        ([("a.wav", b"a")], b"audio,text\na.wav,\xff\n", "UTF-8"),
        ([("a.wav", b"a")], b"audio,learner_id\na.wav,..\n", "learner_id"),
        ([], None, "from 1 to 5"),
        ([(f"{n}.wav", b"a") for n in range(6)], None, "from 1 to 5"),
        ([("a.wav", bytes(1001))], None, "too large"),
        ([(f"{n}.wav", bytes(1000)) for n in range(4)], None, "too large"),
        ([("../a.wav", b"a")], None, "plain file"),
        ([("/a.wav", b"a")], None, "plain file"),
    ],
)
def test_what_is_no_batch_is_refused(files, manifest, told) -> None:
    with pytest.raises((InputError, CorpusError), match=told):
        read(zipped(*files), manifest)


def test_a_bomb_is_let_go_off_nowhere() -> None:
    bomb = zipped(("a.wav", bytes(64 << 20)))
    assert len(bomb.getvalue()) < 100_000
    with pytest.raises(InputError, match="too large"):
        read(bomb)
    lied = bytearray(zipped(("a.wav", bytes(2000))).getvalue())
    at = lied.index((2000).to_bytes(4, "little"), lied.index(b"PK\x01\x02"))
    lied[at : at + 4] = (10).to_bytes(4, "little")  # its directory says that it is small
    with pytest.raises(InputError):
        read(io.BytesIO(bytes(lied)))
    with pytest.raises(InputError, match="cannot be read"):
        read(io.BytesIO(b"no archive"))


@pytest.fixture
def quick(settings: ServiceSettings, tmp_path) -> Iterator[TestClient]:
    """A service that takes work, and never begins any."""
    database = f"sqlite:///{tmp_path / 'service.db'}"
    client = client_of(replace(settings, database=database, max_batch_bytes=3000, max_queued=4))
    yield client
    client.app.state.service.store.close()


def send(client: TestClient, file: io.BytesIO, key: str | None = None, **fields: str):
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/v1/batches", files={"archive": file}, data=fields, headers=headers)


def test_a_batch_is_taken_whole_and_once(quick: TestClient) -> None:
    file = zipped(("a.wav", b"a"), ("b.wav", b"b"))
    sent = send(quick, file, "i", text="So.")
    assert sent.status_code == 202
    batch = sent.json()["batch"]
    assert (batch["state"], batch["total"], batch["queued"]) == ("running", 2, 2)
    where = sent.headers["location"]
    assert quick.get(where).json() == batch
    file.seek(0)
    again = send(quick, file, "i", text="So.")
    assert (again.json()["batch"]["id"], len(again.headers["idempotency-replayed"])) == (
        batch["id"],
        4,
    )
    file.seek(0)
    other = send(quick, file, "i", text="No.")
    assert other.json()["type"] == "urn:nativeear:problem:idempotency-key-reused"
    assert [one["id"] for one in quick.get("/v1/batches").json()["items"]] == [batch["id"]]
    meaningless = send(quick, zipped(("c.wav", b"c")))
    assert meaningless.status_code == 422
    assert meaningless.json()["detail"].startswith("'c.wav': There is neither a text nor")
    deaf = send(quick, zipped(("c.wav", b"c")), text="So.", second_ear="true")
    assert deaf.json()["detail"] == "'c.wav': This service has no second ear."
    big = zipped(("c.wav", b"c"), ("d.wav", bytes(4000)))
    assert send(quick, big, text="So.").status_code == 422
    full = send(quick, zipped(*((f"{n}.wav", b"c") for n in range(3))), text="So.")
    assert (full.status_code, full.headers["retry-after"]) == (503, "60")
    assert len(quick.get("/v1/jobs").json()["items"]) == 2  # nothing was half taken
    assert quick.get(f"{where}/results").text == ""
    cancelled = quick.post(f"{where}/cancel").json()
    assert (cancelled["state"], cancelled["cancelled"]) == ("done", 2)
    lines = [json.loads(line) for line in quick.get(f"{where}/results").text.splitlines()]
    assert [(one["id"], one["state"]) for one in lines] == [
        ("a.wav", "cancelled"),
        ("b.wav", "cancelled"),
    ]
    assert quick.get("/v1/batches/" + 32 * "0").status_code == 404


def test_results_come_in_order_and_go_on_where_they_ended(
    client: TestClient, prompt: bytes
) -> None:
    manifest = f"id,audio,text,learner_id\nfirst,a.flac,{TEXT},=zip\nsecond,b.flac,{TEXT},\n"
    file = zipped(("a.flac", prompt), ("b.flac", b"no sound"), ("manifest.csv", manifest.encode()))
    where = send(client, file).headers["location"]
    until = time.monotonic() + 240
    while client.get(where).json()["state"] != "done":
        assert time.monotonic() < until
        time.sleep(0.1)
    first, second = map(json.loads, client.get(f"{where}/results?detail=word").text.splitlines())
    assert (first["id"], first["state"], second["state"]) == ("first", "done", "failed")
    assert second["problem"]["type"] == "urn:nativeear:problem:unsupported-media"
    made = Assessment.model_validate(first["assessment"])
    kept = client.get(f"/v1/assessments/{made.id}").json()
    assert kept["score"] == first["assessment"]["score"]
    rest = client.get(f"{where}/results?after=0").text.splitlines()
    assert [json.loads(line)["position"] for line in rest] == [1]
    table = client.get(f"{where}/results?format=csv").text.splitlines()
    assert table[0].startswith("position,id,state,assessment_id,overall")
    assert table[1].startswith(f"0,first,done,{made.id},")
    client.delete(f"/v1/assessments/{made.id}")
    assert client.get(where).json()["deleted"] == 1
