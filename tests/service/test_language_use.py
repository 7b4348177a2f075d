"""Grammar, vocabulary and relevance of recognised words, by an endpoint of its protocol."""

import io
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rich.console import Console
from typer.testing import CliRunner

from nativeear.scoring.assessment import Assessment, TranscribedWord, Transcript
from nativeear.service.api import application
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.cli import app
from nativeear.service.explain import with_explanation
from nativeear.service.language_use import API_KEY, TextJudge, with_language_use
from nativeear.service.terminal import render
from nativeear.speech.errors import InputError
from nativeear.speech.recogniser import RecognisedWord
from nativeear.speech.recognisers import whisper
from tests.scoring.free.test_recognised import Told
from tests.service.api.conftest import PROMPT, TEXT, client_of
from tests.service.api.test_batches import zipped

MODEL = "a-model-that-reads"
SAID = "Yesterday I go to the beach."
GOOD = {
    "grammar": 70,
    "vocabulary": None,
    "relevance": 90,
    "corrections": [{"said": "I go, to", "better": "I went to", "why": "It is over."}],
    "remarks": ["Well told."],
}
BAD: dict[str, Any] = {
    "above": {**GOOD, "grammar": 700},
    "unsaid": {**GOOD, "corrections": [{"said": "he goed", "better": "he went"}]},
    "nothing": {**GOOD, "corrections": [{"said": "…", "better": "he went"}]},
    "partial": {"grammar": 70},
}
Endpoint = tuple[str, list[dict[str, Any]]]


class _Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
        key = self.headers.get("Authorization")
        server.asked.append({**json.loads(sent), "sent": sent, "key": key})
        kind = self.path.split("/")[1]
        if kind == "slow":
            time.sleep(2)
        self.send_response(500 if kind == "broken" else 200)
        self.end_headers()
        told = json.dumps(BAD.get(kind, GOOD))
        if kind == "any":  # of whatever was said
            told = json.dumps({**GOOD, "corrections": []})
        if kind == "fenced":
            told = f"```json\n{told}\n```"
        if kind == "garbage" or (kind == "mended" and len(server.asked) == 1):
            told = "Certainly! Here is the JSON."
        answer = {"model": MODEL, "choices": [{"message": {"content": told}}]}
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    server.asked, server.daemon_threads, server.block_on_close = [], True, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", server.asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def free(assessment: Assessment) -> Assessment:
    """A result of recognised words, of which the last is unsure."""
    words = tuple(
        TranscribedWord(word=word, start_s=i, end_s=i + 1, confidence=0.3 if i == 5 else 0.9)
        for i, word in enumerate(SAID.split())
    )
    heard = Transcript(source="recognised", recogniser="told", text=SAID, words=words)
    return assessment.model_copy(update={"transcript": heard})


@pytest.mark.parametrize("kind", ["good", "fenced"])
def test_it_stands_beside_what_is_measured(endpoint: Endpoint, free: Assessment, kind: str) -> None:
    url, asked = endpoint
    result = with_language_use(free, TextJudge(f"{url}/{kind}/v1", "qwen"), "My holiday")
    assert result.model_copy(update={"language_use": None}) == free
    told = result.language_use
    assert told is not None
    assert (told.model, told.grammar, told.vocabulary, told.relevance) == (MODEL, 70, None, 90)
    assert (told.corrections[0].better, told.remarks) == ("I went to", ("Well told.",))
    (body,) = asked
    assert body["model"] == "qwen"
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["grammar", "vocabulary", "relevance"]


def test_words_are_sent_and_neither_sound_nor_scores(endpoint: Endpoint, free: Assessment) -> None:
    url, asked = endpoint
    with_language_use(free, TextJudge(f"{url}/good/v1"), "My holiday")
    (body,) = asked
    assert [type(message["content"]) for message in body["messages"]] == [str, str]
    assert json.loads(body["messages"][1]["content"]) == {
        "language": free.language,
        "topic": "My holiday",
        "text": SAID,
        "unsure": ["beach."],
    }
    assert "input_audio" not in body["sent"]
    assert len(body["sent"]) < 6_000  # too few for a second of sound


def test_nothing_is_relevant_to_no_topic(endpoint: Endpoint, free: Assessment) -> None:
    result = with_language_use(free, TextJudge(f"{endpoint[0]}/good/v1"))
    assert result.language_use is not None
    assert (result.language_use.grammar, result.language_use.relevance) == (70, None)


def test_what_is_not_valid_is_asked_for_once_more(endpoint: Endpoint, free: Assessment) -> None:
    url, asked = endpoint
    assert with_language_use(free, TextJudge(f"{url}/mended/v1")).language_use is not None
    assert len(asked) == 2
    assert "not valid" in asked[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("kind", "times", "why"),
    [
        ("garbage", 2, "Invalid JSON"),
        ("above", 2, "grammar"),
        ("unsaid", 2, "corrections.0.said: no words of the text"),
        ("nothing", 2, "corrections.0.said: no words of the text"),
        ("partial", 2, "vocabulary: Field required"),
        ("broken", 1, "500"),
        ("slow", 1, "timed out"),
    ],
)
def test_one_that_does_not_answer_costs_a_warning(
    endpoint: Endpoint, free: Assessment, kind: str, times: int, why: str
) -> None:
    url, asked = endpoint
    since = time.monotonic()
    result = with_language_use(free, TextJudge(f"{url}/{kind}/v1", timeout_s=0.5))
    assert time.monotonic() - since < 1.9
    *before, warning = result.warnings
    assert result == free.model_copy(update={"warnings": (*before, warning)})
    assert tuple(before) == free.warnings
    assert warning.startswith("Nothing is told of the use of language: 127.0.0.1:")
    assert why in warning
    assert len(warning.splitlines()) == 1
    assert len(asked) == times


def test_only_recognised_words_are_sent(
    endpoint: Endpoint, assessment: Assessment, free: Assessment
) -> None:
    url, asked = endpoint
    judge = TextJudge(f"{url}/good/v1")
    assert with_language_use(assessment, judge) == assessment
    sounds = free.model_copy(update={"transcript": Transcript(source="phones", text="ðɪs")})
    assert "no words were recognised" in with_language_use(sounds, judge).warnings[-1]
    assert asked == []
    with pytest.raises(InputError, match="no address of a chat endpoint"):
        TextJudge("ftp://a.example")


def test_an_explanation_is_not_led_by_it(endpoint: Endpoint, free: Assessment) -> None:
    url, asked = endpoint
    result = with_language_use(free, TextJudge(f"{url}/good/v1"))
    with_explanation(result, f"{url}/good/v1")
    assert "language_use" not in asked[1]["sent"]
    assert "I went to" not in asked[1]["sent"]


def _told(text: str) -> Told:
    words = text.split()
    return Told(tuple(RecognisedWord(w, 0.3 * i, 0.3 * i + 0.3, 0.9) for i, w in enumerate(words)))


def test_the_command_shows_it(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    url, asked = endpoint
    monkeypatch.setattr(whisper, "find_recogniser", lambda _: _told(TEXT))
    command = ["assess", str(PROMPT), "--free", "--json"]
    assert json.loads(CliRunner().invoke(app, command).stdout)["language_use"] is None
    assert asked == []
    asks = ["--language-use", f"{url}/any/v1", "--topic", "A message"]
    told = CliRunner().invoke(app, [*command, *asks])
    result = Assessment.model_validate_json(told.stdout)
    assert result.language_use is not None
    assert result.language_use.relevance == 90
    console = Console(file=io.StringIO(), width=100)
    console.print(render(result))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"Use of language (by {MODEL}, from the recognised words alone)" in shown
    assert "grammar 70, relevance 90" in shown


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--text", "a", "--language-use", "http://a/v1"), "--language-use goes with --free only"),
        (("--free", "--topic", "a"), "--topic goes with --language-use only"),
        (("--free", "--language-use-model", "m"), "--language-use-model needs --language-use"),
    ],
)
def test_what_does_not_go_together_is_refused(more: tuple[str, ...], told: str) -> None:
    refused = CliRunner().invoke(app, ["assess", str(PROMPT), *more])
    assert (refused.exit_code, told in refused.output) == (2, True)


def test_the_service_asks_it_unless_a_request_forbids_it(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = endpoint
    settings = ServiceSettings(
        database=f"sqlite:///{tmp_path / 'service.db'}",
        indexes=("en-US",),
        workers=1,
        text_judge=TextJudge(f"{url}/any/v1"),
    )
    with pytest.raises(InputError, match="needs the words of a recogniser"):
        application.create_application(settings)
    monkeypatch.setattr(application, "find_recogniser", lambda _: _told(TEXT))
    with client_of(settings) as client:
        until = time.monotonic() + 120
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.2)
        assert client.get("/v1/me").json()["language_use"] == url.removeprefix("http://")
        heard = _sent(client, free="true", topic="A message")
        assert heard["language_use"]["relevance"] == 90
        kept = client.get(f"/v1/assessments/{heard['id']}?detail=word").json()
        assert kept["language_use"]["model"] == MODEL
        assert _sent(client, free="true", language_use="false")["language_use"] is None
        assert _sent(client, text=TEXT)["language_use"] is None
        assert len(asked) == 1
        refused = _sent(client, text=TEXT, topic="A message")
        assert refused["detail"] == "language_use and topic go with free speech only."
        job = _sent(client, {"Prefer": "respond-async"}, free="true", topic="A message")["job"]
        while (found := client.get(f"/v1/jobs/{job['id']}").json())["state"] != "done":
            assert time.monotonic() < until + 120, found
            time.sleep(0.2)
        assert found["result"]["language_use"]["relevance"] == 90
        of_batch = _of_batch(client, "audio,language_use\nme.wav,\nalso.wav,false\n", until + 240)
        assert [told and told["relevance"] for told in of_batch] == [90, None]
        assert len(asked) == 3


def _of_batch(client: TestClient, manifest: str, until: float) -> list[Any]:
    file = zipped(("me.wav", PROMPT.read_bytes()), ("also.wav", PROMPT.read_bytes()))
    files = {"archive": file, "manifest": manifest}
    sent = client.post("/v1/batches", files=files, data={"free": "true", "topic": "A message"})
    where = sent.headers["location"]
    while client.get(where).json()["state"] != "done":
        assert time.monotonic() < until
        time.sleep(0.2)
    lines = client.get(f"{where}/results?detail=word").text.splitlines()
    return [json.loads(line)["assessment"].get("language_use") for line in lines]


def _sent(client: TestClient, headers: dict[str, str] | None = None, **fields: str) -> Any:
    sent = {"audio": PROMPT.read_bytes()}
    return client.post("/v1/assessments", files=sent, data=fields, headers=headers).json()


@pytest.mark.parametrize("field", ["topic", "language_use"])
def test_a_service_without_one_says_so(tmp_path: Path, field: str) -> None:
    settings = ServiceSettings(database=f"sqlite:///{tmp_path / 'service.db'}", indexes=("none",))
    client = client_of(settings)
    told = _sent(client, free="true", **{field: "true"})
    assert told["status"] == 422
    assert told["detail"] == "This service tells nothing of the use of language."
    assert client.get("/v1/me").json()["language_use"] is None


def test_its_key_is_in_the_environment(
    endpoint: Endpoint, free: Assessment, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = endpoint
    with_language_use(free, TextJudge(f"{url}/good/v1"))
    monkeypatch.setenv(API_KEY, "secret")
    with_language_use(free, TextJudge(f"{url}/good/v1"))
    assert [body["key"] for body in asked] == [None, "Bearer secret"]
