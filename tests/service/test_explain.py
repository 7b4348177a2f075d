import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.prosody.assessment import Contour, Prosody
from nativeear.service.explain import API_KEY, check_endpoint, with_explanation
from nativeear.speech.errors import InputError

GOOD = {"choices": [{"message": {"role": "assistant", "content": " Well said.\n"}}]}


class Endpoint(BaseHTTPRequestHandler):
    """Answers as its path says, and keeps what it was asked."""

    asked: ClassVar[list[tuple[str, dict[str, str], dict[str, Any]]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.path, dict(self.headers), json.loads(body)))
        kind = self.path.split("/")[1]
        if kind == "slow":
            time.sleep(1.0)
        self.send_response(500 if kind == "broken" else 200)
        self.end_headers()
        answers = {
            "garbage": b"<html>no</html>",
            "other": b'{"choices": []}',
            "empty": b'{"choices": [{"message": {"content": " "}}]}',
        }
        self.wfile.write(answers.get(kind, json.dumps(GOOD).encode()))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Endpoint.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as http:
        http.daemon_threads = True
        http.block_on_close = False
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_the_text_of_the_endpoint_stands_beside_ours(server: str, assessment: Assessment) -> None:
    result = with_explanation(assessment, f"{server}/v1/", model="tutor")
    assert result == assessment.model_copy(update={"explanation": "Well said."})
    ((path, _, body),) = Endpoint.asked
    assert path == "/v1/chat/completions"
    assert body["model"] == "tutor"
    assert json.loads(body["messages"][1]["content"])["words"][1]["phones"][0]["ipa"] == "θ"


def test_the_whole_address_may_be_given(server: str, assessment: Assessment) -> None:
    with_explanation(assessment, f"{server}/v1/chat/completions?version=1")
    assert Endpoint.asked[0][0] == "/v1/chat/completions?version=1"


def test_nothing_is_sent_but_what_was_measured(
    server: str, assessment: Assessment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(API_KEY, raising=False)
    contour = Contour(t_s=(0.0,), f0_hz=(123.25,), intensity_db=(60.0,))
    update = {"id": "Jane_Doe", "prosody": Prosody(contour=contour, stress_accuracy=50.0)}
    with_explanation(assessment.model_copy(update=update), f"{server}/v1")
    ((_, headers, body),) = Endpoint.asked
    assert "Authorization" not in headers
    sent = body["messages"][1]["content"]
    for left_out in ("Jane_Doe", "speaker", "evidence", "exemplar", "123.25"):
        assert left_out not in sent
    assert json.loads(sent)["prosody"]["stress_accuracy"] == 50.0


def test_a_key_comes_from_the_environment(
    server: str, assessment: Assessment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(API_KEY, "secret")
    result = with_explanation(assessment, f"{server}/v1")
    assert Endpoint.asked[0][1]["Authorization"] == "Bearer secret"
    assert "secret" not in result.model_dump_json()


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("broken", "500"),
        ("garbage", "no chat completion"),
        ("other", "no chat completion"),
        ("empty", "no chat completion"),
        ("slow", "timed out"),
    ],
)
def test_a_bad_answer_costs_one_warning(
    server: str, assessment: Assessment, kind: str, why: str
) -> None:
    patience_s = 0.3 if kind == "slow" else 60.0
    result = with_explanation(assessment, f"{server}/{kind}", timeout_s=patience_s)
    *before, warning = result.warnings
    assert tuple(before) == assessment.warnings
    assert warning.startswith("The result was not explained: 127.0.0.1:")
    assert why in warning
    assert result == assessment.model_copy(update={"warnings": result.warnings})


def test_a_dead_endpoint_costs_one_warning(assessment: Assessment) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result = with_explanation(assessment, f"http://127.0.0.1:{port}/v1")
    assert "refused" in result.warnings[-1]
    assert result.explanation is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "file:///etc/hosts",
        "ftp://x/v1",
        "http://",
        "http://x:y/v1",
        "http://me:secret@x/v1",
    ],
)
def test_only_web_addresses_are_asked(url: str, assessment: Assessment) -> None:
    with pytest.raises(InputError, match="no address"):
        check_endpoint(url)
    with pytest.raises(InputError):
        with_explanation(assessment, url)
