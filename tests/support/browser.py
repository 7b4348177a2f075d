"""The page's package in Chromium beside Python: its host, its scripts, how far both are apart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.assessor import Assessor
from nativeear.speech.encoders.compact import FOLDER, GRAPH

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


class _Isolated(SimpleHTTPRequestHandler):
    """A static host that lets a page have threads, and its files be kept."""

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "max-age=31536000")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """The address of a static host."""
    handler = partial(_Isolated, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def without_rounding(assessor: Assessor) -> Assessor:
    """The same assessor, whose encoder multiplies floats as a page does."""
    import onnx
    import onnxruntime

    graph = onnx.load(FOLDER / GRAPH)
    for node in graph.graph.node:
        for attribute in node.attribute:
            if attribute.name == "accuracy_level":
                attribute.i = 1
    encoder: Any = assessor.encoder
    encoder._session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
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
