"""The Python client against a service in a process of its own."""

import pickle
import re
import socket
import subprocess
import sys
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from nativeear.scoring.assessment import Assessment
from nativeear.service.client import AsyncClient, Client, FinishedWord, ProblemError
from nativeear.speech.audio import Audio
from nativeear.speech.errors import AudioError, NativeEarError
from tests.service.conftest import BUSY
from tests.support.served import ROOT, Served, serving

PROMPT = ROOT / "service" / "data" / "vm-msgsaved.flac"
TEXT = "Your message has been saved."


@pytest.fixture
def client(served: Served):
    with Client(served.url) as client:
        yield client


def test_a_recording_becomes_an_assessment_that_is_kept_until_it_is_deleted(client: Client) -> None:
    result = client.assess(
        PROMPT, text=TEXT, learner_id="ana/b", group="3b & co", keep_audio=True, l1="es"
    )
    assert [word.word for word in result.words] == TEXT.rstrip(".").split()
    assert result.score.overall is not None
    assert client.assessment(result.id) == result
    assert client.audio(result.id) == PROMPT.read_bytes()
    assert client.report(result.id).startswith("<!doctype html>")
    assert "IntervalTier" in client.textgrid(result.id)
    assert [item.id for item in client.assessments(learner_id="ana/b")] == [result.id]
    assert [sentence.id for sentence in client.progress("ana/b").sentences] == [result.id]
    assert [learner.learner_id for learner in client.group("3b & co").learners] == ["ana/b"]
    assert "ana/b" in [learner.learner_id for learner in client.learners()]
    client.delete(result.id)
    with pytest.raises(ProblemError) as refused:
        client.assessment(result.id)
    assert (refused.value.status, refused.value.code) == (404, "not-found")


def test_bytes_are_as_good_as_a_file_and_the_same_request_counts_once(client: Client) -> None:
    asked = {"text": TEXT, "learner_id": "ben", "idempotency_key": "ben-1"}
    first = client.assess(PROMPT.read_bytes(), **asked)
    assert client.assess(str(PROMPT), **asked) == first
    assert len(list(client.assessments(learner_id="ben"))) == 1
    with pytest.raises(ProblemError) as refused:
        client.assess(PROMPT, **{**asked, "text": "Your message."})
    assert (refused.value.status, refused.value.code) == (422, "idempotency-key-reused")
    client.delete_learner("ben")
    assert not list(client.assessments(learner_id="ben"))


def test_all_pages_of_a_list_are_fetched(client: Client) -> None:
    for _ in range(3):
        client.assess(PROMPT, text=TEXT, learner_id="many")
    listed = client._connection.ask(
        "GET", "/v1/assessments", params={"learner_id": "many", "limit": "2"}
    )
    assert listed.json()["next"]
    assert len(list(client.assessments(learner_id="many", page=2))) == 3


def test_a_job_is_waited_for(client: Client) -> None:
    job = client.submit(PROMPT, text=TEXT)
    done = client.wait(job, timeout_s=240)
    assert isinstance(done.result, Assessment)
    assert client.job(job.id) == done
    again = client.submit(PROMPT, text=TEXT, idempotency_key="submit-1")
    assert client.submit(PROMPT, text=TEXT, idempotency_key="submit-1").id == again.id
    with pytest.raises(ProblemError, match="There is no job"):
        client.wait("0" * 32)


def test_whoever_waits_for_an_assessment_waits_no_longer_than_told(
    client: Client, tmp_path: Path
) -> None:
    with pytest.raises(ProblemError, match="not done in time"):
        client.wait(client.submit(PROMPT, text=TEXT), timeout_s=0.1)
    samples = np.resize(Audio.load(PROMPT).samples, 62 * 16_000)  # so long that it is a job
    file = tmp_path / "long.wav"
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes((samples * 32767).astype("<i2").tobytes())
    with pytest.raises(ProblemError, match=r"not done in time|did not answer"):
        client.assess(file, text=TEXT, timeout_s=1.0)


def test_a_service_that_never_answers_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Client(url) as client, pytest.raises(ProblemError, match="did not answer within 1 s"):
            client.assess(PROMPT, text=TEXT, timeout_s=0.5)


def test_what_goes_wrong_says_what_and_why_and_what_to_do(client: Client, tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as refused:
        client.assess(PROMPT, phones="HH QQ L OW", language="en-US")
    assert (refused.value.status, refused.value.code) == (422, "unknown-phone")
    assert "QQ" in refused.value.message
    with pytest.raises(ProblemError) as refused:
        client.assess(bytes(65 << 20), text=TEXT)
    assert (refused.value.status, refused.value.code) == (413, "too-large")
    with pytest.raises(ProblemError) as refused:
        client.assess(b"no sound", text=TEXT)
    assert (refused.value.status, refused.value.code) == (415, "unsupported-media")
    assert isinstance(refused.value, NativeEarError)
    with pytest.raises(AudioError, match="cannot be read"):
        client.assess(tmp_path / "none.wav", text=TEXT)
    again = pickle.loads(pickle.dumps(refused.value))  # noqa: S301
    assert (again.status, again.code, again.fix) == (415, "unsupported-media", refused.value.fix)


@pytest.mark.parametrize("key", ["nek_…", "nek_1\n"])
def test_a_key_that_no_header_holds_is_refused_before_it_is_sent(key: str) -> None:
    for kind in (Client, AsyncClient):
        with pytest.raises(ProblemError, match="A key is made of"):
            kind("http://127.0.0.1:1", key=key)


def test_nobody_there_is_told_as_such() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with Client(url) as client, pytest.raises(ProblemError, match="does not answer") as refused:
            client.indexes()
    assert "nativeear serve" in refused.value.fix


def test_something_else_that_answers_is_told_as_such(served: Served) -> None:
    with Client(f"{served.url}/nowhere") as client:
        with pytest.raises(ProblemError) as refused:
            client.indexes()
        assert refused.value.status == 404


def test_indexes_and_texts_are_described(client: Client) -> None:
    first = client.indexes()[0]
    assert (first.name, first.default) == ("en-US", True)
    assert client.index("en-US").exemplars == first.exemplars
    assert [word.known for word in client.validate("I think so.").words] == [True] * 3
    assert client.pronunciations("I think so.", language="en-US").words[0].word == "I"


def test_words_come_while_a_recording_is_spoken(client: Client, tmp_path: Path) -> None:
    samples = Audio.load(PROMPT).samples
    heard = (samples * 32767).astype("<i2").tobytes()
    parts = [heard[at : at + 3200] for at in range(0, len(heard), 3200)]
    *words, final = client.stream(parts, 16_000, text=TEXT)
    assert isinstance(final, Assessment)
    assert all(isinstance(word, FinishedWord) for word in words)
    file = tmp_path / "spoken.wav"
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, 16_000, 0, "NONE", ""))
        out.writeframes(heard)
    assert client.assess(file, text=TEXT).score == final.score
    with pytest.raises(ProblemError) as refused:
        list(client.stream(parts, 16_000, text=""))
    assert refused.value.status == 422


def test_it_asks_again_when_the_service_is_busy(tmp_path: Path) -> None:
    with (
        serving(tmp_path, *BUSY, "--queue", "1", "--workers", "1") as served,
        Client(served.url) as client,
        ThreadPoolExecutor(6) as pool,
    ):
        asked = [pool.submit(client.assess, PROMPT, text=TEXT) for _ in range(6)]
        assert len({asking.result().id for asking in asked}) == 6
        figures = client._connection.ask("GET", "/metrics").text
        assert re.search(r'requests_total{method="POST",.*status="503"} [1-9]', figures)
        with Client(served.url, patience_s=0.0) as impatient:
            asked = [pool.submit(impatient.assess, PROMPT, text=TEXT) for _ in range(6)]
            errors = [asking.exception() for asking in asked]
        assert {error.status for error in errors if isinstance(error, ProblemError)} == {503}


def test_it_needs_httpx_and_pydantic_alone() -> None:
    """Asked in a process of its own, in which nothing else that is installed can be imported."""
    script = """
import sys
from importlib.abc import MetaPathFinder

allowed = {"nativeear", "httpx", "httpcore", "h11", "anyio", "certifi", "idna", "sniffio"}
allowed |= {"pydantic", "pydantic_core", "annotated_types", "typing_extensions"}
allowed |= {"typing_inspection", *sys.stdlib_module_names, *sys.modules}

class Nothing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed and not name.startswith("_"):
            raise ImportError(f"{name} is not installed")

sys.meta_path.insert(0, Nothing())
import nativeear

with nativeear.Client("http://127.0.0.1:9", patience_s=0) as client:
    try:
        client.indexes()
    except nativeear.NativeEarError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert "http://127.0.0.1:9 does not answer" in done.stdout, done.stderr


def test_people_come_in_by_codes_and_speak_for_themselves(tmp_path: Path) -> None:
    from nativeear.service.database.people_store import People
    from nativeear.service.database.store import Store

    store = Store.open(f"sqlite:///{tmp_path / 'service.db'}")
    code = People(store).create("teacher", "Tom", expires_at=None)[1]
    store.close()
    with (
        serving(tmp_path, *BUSY, "--workers", "1") as served,
        Client(served.url) as teacher,
        Client(served.url) as ana,
    ):
        with pytest.raises(ProblemError) as refused:
            ana.indexes()
        assert refused.value.status == 401
        assert teacher.people.join(code).name == "Tom"
        group = teacher.people.create_group("3b")
        joined = ana.people.join(teacher.people.group_code(group.id).code, "Ana")
        samples = Audio.load(PROMPT)
        spoken = (samples.samples * 32767).astype("<i2").tobytes()
        *_, result = ana.stream([spoken], samples.sample_rate, text=TEXT)
        assert isinstance(result, Assessment)
        teacher.people.comment(result.id, "Well said.")
        assert [one.text for one in ana.people.comments(result.id)] == ["Well said."]
        assert [one.name for one in teacher.group(group.id).learners] == ["Ana"]
        assert {one.actor for one in ana.people.audit()} == {joined.id, teacher.people.me().id}
        assert ana.people.export().startswith(b"PK")
        receipt = ana.people.erase()
        assert teacher.people.receipt(receipt.id) == receipt
        assert list(teacher.assessments()) == []
