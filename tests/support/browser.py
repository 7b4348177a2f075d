"""Chromium without a window, with a microphone and a host; the page's package beside Python."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.assessor import Assessor
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.compact import FOLDER, GRAPH
from nativeear.speech.encoders.sessions import open_session
from tests.support.served import ROOT

NODE = shutil.which("node")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
WEB = ROOT / "web"
needs_package = pytest.mark.skipif(
    NODE is None or not (WEB / "node_modules").is_dir(),
    reason="Node, or what `npm install` brings into web/, is not there",
)
"""For tests of what `web/` builds."""

MICROPHONE_RATE = 48_000
ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cache-Control": "max-age=31536000",
}
"""Headers that let a page have threads, and its files be kept."""

LOAD = """async (threads) => {
  const { NativeEar } = await import("/nativeear/nativeear.js");
  const started = performance.now();
  globalThis.ear = await NativeEar.load("/pack/", { threads });
  return (performance.now() - started) / 1000;
}"""
ASSESS = """async ([samples, text]) => {
  const started = performance.now();
  const result = await ear.assess(Float32Array.from(samples), text);
  return [(performance.now() - started) / 1000, result];
}"""


@contextmanager
def chromium(microphone: Path | None = None) -> Iterator[Any]:
    """Chromium by playwright; the test is skipped where either is not installed.

    Its microphone hears the recording `microphone` once.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    hearing = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}%noloop",
    )
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", *(hearing if microphone else ())]
        )
        yield opened
        opened.close()


def for_microphone(path: Path, recording: Path, gain: float = 1.0) -> Path:
    """Write a recording as a fake microphone reads it, silence before and behind."""
    audio = Audio.load(recording)
    speech = gain * soxr.resample(audio.samples, audio.sample_rate, MICROPHONE_RATE)
    around = [np.zeros(round(seconds * MICROPHONE_RATE)) for seconds in (0.4, 20)]
    whole = np.concatenate([around[0], speech, around[1]])
    soundfile.write(path, np.clip(whole, -1, 1), MICROPHONE_RATE, subtype="PCM_16")
    return path


class _Host(SimpleHTTPRequestHandler):
    """A static host that says nothing."""

    headers_sent: Mapping[str, str] = {}

    def end_headers(self) -> None:
        for name, value in self.headers_sent.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def hosted(folder: Path, headers: Mapping[str, str] = ISOLATED) -> Iterator[str]:
    """The address of a static host."""
    host = type("Host", (_Host,), {"headers_sent": headers})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(host, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def without_rounding(assessor: Assessor) -> Assessor:
    """The same assessor, whose encoder multiplies floats as a page does."""
    import onnx

    graph = onnx.load(FOLDER / GRAPH)
    for node in graph.graph.node:
        for attribute in node.attribute:
            if attribute.name == "accuracy_level":
                attribute.i = 1
    encoder: Any = assessor.encoder
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / GRAPH
        onnx.save(graph, changed)
        encoder._session = open_session(changed)
    return assessor


def apart(ours: Assessment, theirs: Assessment) -> tuple[list[bool], list[float], list[float]]:
    """Whether verdicts agree, and how far scores and times are apart, of the phones of both."""
    pairs = list(zip(ours.phones, theirs.phones, strict=True))
    scores = [abs((a.score or 0.0) - (b.score or 0.0)) for a, b in pairs]
    edges = [((a.start_s, b.start_s), (a.end_s, b.end_s)) for a, b in pairs]
    times = [
        abs(one - other)
        for both in edges
        for one, other in both
        if one is not None and other is not None
    ]
    return [a.verdict == b.verdict for a, b in pairs], scores, times
