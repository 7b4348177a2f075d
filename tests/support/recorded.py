"""What a client asks, written down by something that refuses nearly everything."""

from __future__ import annotations

import json
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nativeear.service.api.application import create_application
from nativeear.service.api.description import described
from nativeear.service.api.settings import ServiceSettings

Asked = tuple[str, str]

NOT_FOR_CLIENTS = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/v1/jobs/{id}/events"),  # for browsers' EventSource; clients wait
}

BATCH = {"id": "a", "state": "done", "created_at": "2026-01-31T10:00:00Z", "total": 0}


class _Refusing(BaseHTTPRequestHandler):
    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0]
        self.server.asked.append((self.command, path))  # type: ignore[attr-defined]
        is_batch = (self.command, path) == ("GET", "/v1/batches/a")  # it is asked for first
        body = json.dumps(BATCH).encode() if is_batch else b""
        self.send_response(200 if is_batch else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def recorded() -> Iterator[tuple[str, list[Asked]]]:
    """An address, and what was asked there: methods and paths."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server.asked
    finally:
        server.shutdown()
        server.server_close()


def routes() -> set[Asked]:
    """What the service answers to clients, as its description has it."""
    with tempfile.TemporaryDirectory() as folder:
        settings = ServiceSettings(database=f"sqlite:///{Path(folder) / 'service.db'}")
        application = create_application(settings)
        paths = described(application)["paths"]
        application.state.service.store.close()
    ours = {path: methods for path, methods in paths.items() if not path.startswith("/compat/")}
    found = {(method.upper(), path) for path, methods in ours.items() for method in methods}
    return found - NOT_FOR_CLIENTS


def asked_for(asked: list[Asked], known: set[Asked]) -> set[Asked]:
    """The routes that were asked; what is none stays as it was asked."""
    plainest_first = sorted(known, key=lambda route: route[1].count("{"))
    found = set()
    for method, path in asked:
        fits = (route for route in plainest_first if route[0] == method and _fits(route[1], path))
        found.add(next(fits, (method, path)))
    return found


def _fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None
