"""An endpoint of chat completions that takes audio, and answers as its path says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "a-model-that-hears"
SLOW_S = 2.0


class _Endpoint(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.asked.append({**body, "key": self.headers.get("Authorization")})
        kind = self.path.split("/")[1]
        if kind == "slow":
            time.sleep(SLOW_S)
        self.send_response(500 if kind == "broken" else 200)
        self.end_headers()
        content = _content(kind, body, len(server.asked))
        answer = {"model": MODEL, "choices": [{"message": {"content": content}}]}
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _content(kind: str, body: dict[str, Any], times: int) -> str:
    text, _ = body["messages"][1]["content"]
    words = json.loads(text["text"])["words"]
    heard = {
        "score": {"overall": 70, "fluency": None},
        "words": [
            {"word": word["word"], "score": 60, "phones": list(map(_score, word["phones"]))}
            for word in words
        ],
        "remarks": ["Well said."],
    }
    if kind == "garbage" or (kind == "mended" and times == 1):
        return "Certainly! Here is the JSON."
    if kind == "above":
        heard["score"] = {"overall": 700}
    if kind == "others":
        heard["words"] = [{"word": "something"}]
    if kind == "short":
        heard["words"] = [{**word, "phones": [1, 2, 3] * 9} for word in heard["words"]]
    told = json.dumps(heard)
    return f"```json\n{told}\n```" if kind == "fenced" else told


def _score(ipa: str) -> float | None:
    return None if ipa == "ɹ" else 40 if ipa == "m" else 90


@contextmanager
def judging() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Its address, and what it was asked."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint)
    server.asked, server.daemon_threads, server.block_on_close = [], True, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server.asked
    finally:
        server.shutdown()
        server.server_close()
