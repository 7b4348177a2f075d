"""A second ear beside ours, against an endpoint that speaks its protocol."""

import base64
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from fastapi.testclient import TestClient
from rich.console import Console
from typer.testing import CliRunner

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessment import Assessment
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.cli import app
from nativeear.service.second_ear import API_KEY, Judge, judged_by, with_second_ear
from nativeear.service.terminal import render
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError
from tests.service.api.conftest import PROMPT, TEXT, client_of
from tests.service.test_eval import rated  # noqa: F401
from tests.support.judging import MODEL, judging

Endpoint = tuple[str, list[dict[str, Any]]]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with judging() as found:
        yield found


@pytest.fixture(scope="module")
def audio() -> Audio:
    return Audio.load(PROMPT)


@pytest.mark.parametrize("kind", ["good", "fenced"])
def test_it_stands_beside_ours(
    endpoint: Endpoint, assessment: Assessment, audio: Audio, kind: str
) -> None:
    url, asked = endpoint
    result = with_second_ear(assessment, audio, Judge(f"{url}/{kind}/v1", "qwen"))
    assert result.model_copy(update={"second_ear": None}) == assessment
    heard = result.second_ear
    assert heard is not None
    assert (heard.model, heard.score.overall, heard.score.fluency) == (MODEL, 70, None)
    assert [word.word for word in heard.words] == ["I", "think", "azure"]
    (body,) = asked
    assert body["model"] == "qwen"
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["score", "words"]
    text, sound = body["messages"][1]["content"]
    assert json.loads(text["text"])["words"][1] == {"word": "think", "phones": ["θ", "ɪ", "ŋ", "k"]}
    assert sound["input_audio"]["format"] == "wav"
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(sound["input_audio"]["data"])))
    assert (len(samples), rate) == (len(audio.samples), audio.sample_rate)


def test_what_is_not_valid_is_asked_for_once_more(
    endpoint: Endpoint, assessment: Assessment, audio: Audio
) -> None:
    url, asked = endpoint
    result = with_second_ear(assessment, audio, Judge(f"{url}/mended/v1"))
    assert result.second_ear is not None
    assert len(asked) == 2
    assert "not valid" in asked[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    "case",
    [
        ("garbage", 2, "Invalid JSON"),
        ("above", 2, "score.overall"),
        ("others", 2, "the words are not those"),
        ("short", 2, "I has 1 sounds"),
        ("broken", 1, "500"),
        ("slow", 1, "timed out"),
    ],
)
def test_one_that_does_not_answer_costs_a_warning(
    endpoint: Endpoint, assessment: Assessment, audio: Audio, case: tuple[str, int, str]
) -> None:
    url, asked = endpoint
    kind, times, why = case
    since = time.monotonic()
    result = with_second_ear(assessment, audio, Judge(f"{url}/{kind}/v1", timeout_s=0.5))
    assert time.monotonic() - since < 1.9
    assert result.second_ear is None
    assert (result.score, result.words) == (assessment.score, assessment.words)
    *before, warning = result.warnings
    assert tuple(before) == assessment.warnings
    assert warning.startswith("There is no second ear: 127.0.0.1:")
    assert why in warning
    assert len(asked) == times
    with pytest.raises(InputError, match="did not judge"):
        judged_by(Judge(f"{url}/{kind}/v1", timeout_s=0.5), audio, assessment)


def test_a_recording_of_another_text_is_not_sent(
    endpoint: Endpoint, slipped: Assessment, audio: Audio
) -> None:
    url, asked = endpoint
    reading = slipped.reading.model_copy(update={"matches": False})  # type: ignore[union-attr]
    other = slipped.model_copy(update={"reading": reading})
    assert with_second_ear(other, audio, Judge(url)) == other
    assert asked == []
    with pytest.raises(InputError, match="no address of a chat endpoint"):
        Judge("ftp://a.example")


def test_the_command_shows_it(endpoint: Endpoint) -> None:
    url, asked = endpoint
    command = ["assess", str(PROMPT), "--text", TEXT, "--json"]
    told = CliRunner().invoke(app, command)
    assert json.loads(told.stdout)["second_ear"] is None
    assert asked == []
    told = CliRunner().invoke(app, [*command, "--judge", f"{url}/good/v1"])
    result = Assessment.model_validate_json(told.stdout)
    assert result.second_ear is not None
    console = Console(file=io.StringIO(), width=100)
    console.print(render(result))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"A second ear ({MODEL})" in shown
    assert "overall 70, “Your” 60" in shown
    refused = CliRunner().invoke(app, [*command, "--judge-model", "qwen"])
    assert (refused.exit_code, "--judge-model needs --judge" in refused.output) == (2, True)


def test_it_is_measured_as_we_are(
    endpoint: Endpoint,
    rated: Path,  # noqa: F811
    tone_index: PhoneIndex,
) -> None:
    url, asked = endpoint
    options = ["eval", "manifest", "--data", str(rated), "--index", str(tone_index.path), "--json"]
    done = CliRunner().invoke(app, [*options, "--judge", f"{url}/good/v1"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["system"]["calibration"] == f"second ear: {MODEL}"
    assert len(asked) == 12
    told = [json.loads(body["messages"][1]["content"][0]["text"])["words"] for body in asked]
    hums = sum(word["phones"].count("m") for words in told for word in words)
    counts = found["counts"]
    assert counts["true_rejections"] + counts["false_rejections"] == hums > 0
    assert found["measures"]["phone_pcc"]["value"] is not None


def test_the_service_asks_it_unless_a_request_forbids_it(endpoint: Endpoint, tmp_path: Any) -> None:
    url, asked = endpoint
    judge = Judge(f"{url}/good/v1")
    settings = ServiceSettings(
        database=f"sqlite:///{tmp_path / 'service.db'}", indexes=("en-US",), workers=1, judge=judge
    )
    with client_of(settings) as client:
        until = time.monotonic() + 120
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.2)
        assert client.get("/v1/me").json()["second_ear"] == url.removeprefix("http://")

        def ask(headers: dict[str, str] | None = None, **fields: str) -> Any:
            sent = {"audio": PROMPT.read_bytes()}
            data = {"text": TEXT, **fields}
            return client.post("/v1/assessments", files=sent, data=data, headers=headers).json()

        heard = ask()
        assert heard["second_ear"]["model"] == MODEL
        kept = client.get(f"/v1/assessments/{heard['id']}?detail=word").json()
        assert kept["second_ear"]["score"]["overall"] == 70
        assert ask(second_ear="false")["second_ear"] is None
        assert _streamed(client, second_ear=False)["second_ear"] is None
        assert len(asked) == 1
        assert _streamed(client)["second_ear"]["model"] == MODEL
        job = ask({"Prefer": "respond-async"})["job"]
        while (found := client.get(f"/v1/jobs/{job['id']}").json())["state"] != "done":
            assert time.monotonic() < until + 120, found
            time.sleep(0.2)
        assert found["result"]["second_ear"]["model"] == MODEL


def _streamed(client: TestClient, **fields: bool) -> Any:
    spoken = Audio.load(PROMPT)
    first = {"sample_rate": spoken.sample_rate, "text": TEXT, "partial": False, **fields}
    with client.websocket_connect("ws://localhost/v1/stream") as socket:
        socket.send_json(first)
        assert "ready" in socket.receive_json()
        socket.send_bytes((spoken.samples * 32767).astype("<i2").tobytes())
        socket.send_json({"end": True})
        return socket.receive_json()["final"]


def test_a_service_without_one_says_so(tmp_path: Any) -> None:
    database = f"sqlite:///{tmp_path / 'service.db'}"
    client = client_of(ServiceSettings(database=database, indexes=("none",)))
    data = {"text": TEXT, "second_ear": "true"}
    told = client.post("/v1/assessments", files={"audio": PROMPT.read_bytes()}, data=data)
    assert (told.status_code, told.json()["detail"]) == (422, "This service has no second ear.")
    assert client.get("/v1/me").json()["second_ear"] is None


def test_its_key_is_in_the_environment(
    endpoint: Endpoint, assessment: Assessment, audio: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = endpoint
    with_second_ear(assessment, audio, Judge(f"{url}/good/v1"))
    monkeypatch.setenv(API_KEY, "secret")
    with_second_ear(assessment, audio, Judge(f"{url}/good/v1"))
    assert [body["key"] for body in asked] == [None, "Bearer secret"]
