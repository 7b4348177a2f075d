"""The service as people run it: `nativeear serve` in a process of its own."""

import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
import soundfile

from nativeear.service.demo import PROMPT as DEMO
from tests.service.api.conftest import DATA, PROMPT, TEXT

ROOT = DATA.parents[1]


class Served:
    def __init__(self, folder: Path, *options: str, files: int | None = None) -> None:
        self.log: list[str] = []
        limited = ("bash", "-c", f'ulimit -n {files} && exec "$0" "$@"') if files else ()
        self.process = subprocess.Popen(
            [
                *limited,
                *(sys.executable, "-m", "nativeear", "serve", "--port", "0", "--workers", "1"),
                *("--index", "en-US", "--database", f"sqlite:///{folder / 'served.db'}", *options),
            ],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(folder)},
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log += iter(self.process.stderr.readline, "")

    @property
    def url(self) -> str:
        until = time.monotonic() + 120
        while time.monotonic() < until and self.process.poll() is None:
            if found := re.search(r"listening on (http://\S+)", "".join(self.log)):
                return found[1]
            time.sleep(0.1)
        pytest.fail("".join(self.log))

    def ready(self) -> str:
        url = self.url
        until = time.monotonic() + 120
        while httpx.get(f"{url}/readyz", timeout=30).status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.2)
        return url


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.process.kill()
    served.process.wait()


def long_recording() -> bytes:
    samples, rate = soundfile.read(PROMPT, dtype="int16")
    out = io.BytesIO()
    soundfile.write(out, np.tile(samples, 8), rate, format="WAV", subtype="PCM_16")
    return out.getvalue()


def test_it_streams_words_and_finishes_what_runs_when_it_is_told_to_stop(
    served: Served, tmp_path: Path
) -> None:
    url = served.ready()
    words, final = streamed(url)
    assert words == [word["word"] for word in final["words"][: len(words)]]
    assert words
    answers: list[httpx.Response] = []

    def send() -> None:
        answers.append(
            httpx.post(
                f"{url}/v1/assessments",
                files={"audio": long_recording()},
                data={"text": " ".join([TEXT] * 8)},
                timeout=240,
            )
        )

    asking = threading.Thread(target=send)
    asking.start()
    while "nativeear_in_flight 1.0" not in httpx.get(f"{url}/metrics", timeout=30).text:
        assert asking.is_alive()
        time.sleep(0.02)
    served.process.send_signal(signal.SIGTERM)
    asking.join(240)
    assert answers[0].status_code == 200
    assert served.process.wait(120) in {0, -signal.SIGTERM}
    assert "Traceback" not in "".join(served.log)
    assert not list(tmp_path.glob("nativeear-*"))


def test_a_client_that_waits_before_it_asks_again_finds_its_connection_open(
    served: Served,
) -> None:
    connection = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=30)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    time.sleep(6)  # uvicorn by itself closes after 5 s, and Retry-After may be longer
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()


def test_a_refusal_is_read_by_whoever_still_sends_and_the_connection_goes_on(
    tmp_path: Path,
) -> None:
    served = Served(tmp_path, "--queue", "1")
    over = threading.Event()
    try:
        url = served.ready()
        job = {"files": {"audio": long_recording()}, "data": {"text": " ".join([TEXT] * 8)}}
        others = [threading.Thread(target=ask_on, args=(url, job, over)) for _ in range(4)]
        for other in others:
            other.start()
        whole = httpx.Request("POST", f"{url}/v1/assessments", **job)
        body = whole.read()
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=240)
        for wish in ("keep-alive", "keep-alive", "close"):
            status = None
            while status != 503:
                connection.putrequest("POST", "/v1/assessments")
                for name in ("Content-Type", "Content-Length"):
                    connection.putheader(name, whole.headers[name])
                connection.putheader("Connection", wish)
                connection.endheaders()
                for at in range(0, len(body), len(body) // 10 + 1):
                    connection.send(body[at : at + len(body) // 10 + 1])
                    time.sleep(0.03)
                answer = connection.getresponse()
                told = json.loads(answer.read())
                status = answer.status
                assert status in {200, 202, 503}
                assert (connection.sock is None) == (wish == "close")
            assert told["type"] == "urn:nativeear:problem:busy"
            assert int(answer.headers["Retry-After"]) >= 1
        connection.close()
    finally:
        over.set()
        served.process.kill()
        served.process.wait()


def ask_on(url: str, job: dict, over: threading.Event) -> None:
    """Keep a queue full."""
    with suppress(httpx.HTTPError):
        while not over.is_set():
            httpx.post(f"{url}/v1/assessments", **job, timeout=240)


def streamed(url: str) -> tuple[list[str], dict]:
    """Speak three prompts at the pace of speech; the words told meanwhile, and the Assessment."""
    from websockets.sync.client import connect

    names = ("vm-msgsaved", "priv-introsaved", "vm-msgsaved")
    parts = [soundfile.read(DATA / f"{name}.flac", dtype="int16") for name in names]
    samples, rate = np.concatenate([part for part, _ in parts]), parts[0][1]
    words: list[str] = []
    final: dict = {}
    with connect(url.replace("http", "ws") + "/v1/stream") as socket:

        def read() -> None:
            for message in socket:
                told = json.loads(message)
                if "word" in told:
                    words.append(told["word"]["word"])
                    assert told["word"]["end_s"] <= told["heard_s"] - 0.5
                final.update(told.get("final", {}))

        text = f"{TEXT} {DEMO[1]} {TEXT}"
        socket.send(json.dumps({"sample_rate": rate, "text": text}))
        reading = threading.Thread(target=read)
        reading.start()
        for at in range(0, len(samples), rate // 10):
            socket.send(samples[at : at + rate // 10].tobytes())
            time.sleep(0.1)
        until = time.monotonic() + 120
        while not words and time.monotonic() < until:
            time.sleep(0.1)
        socket.send('{"end": true}')
        reading.join(120)
    return words, final


def test_a_client_that_leaves_costs_nothing_more(served: Served) -> None:
    url = served.ready()
    for _ in range(4):
        with pytest.raises(httpx.TimeoutException):
            httpx.post(
                f"{url}/v1/assessments",
                files={"audio": long_recording()},
                data={"text": " ".join([TEXT] * 8)},
                timeout=0.3,
            )
    until = time.monotonic() + 120
    done = ("nativeear_queue_waiting 0.0", "nativeear_in_flight 0.0", 'status="499"')
    while True:
        figures = httpx.get(f"{url}/metrics", timeout=30).text
        if all(part in figures for part in done):
            break
        assert time.monotonic() < until
        time.sleep(0.1)
    assert re.search(r'requests_total{.*status="499"} [1-4]', figures)
    assert httpx.get(f"{url}/v1/assessments", timeout=30).json()["items"] == []


def test_it_does_not_start_where_it_may_not(tmp_path: Path) -> None:
    refused = subprocess.run(
        [
            *(sys.executable, "-m", "nativeear", "serve", "--host", "0.0.0.0"),  # noqa: S104
            *("--database", f"sqlite:///{tmp_path / 'served.db'}"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert refused.returncode == 2
    assert "nativeear keys create" in refused.stderr
    assert "Traceback" not in refused.stderr
