"""What happens to every request before and after it is routed: limits, keys, headers, figures."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import perf_counter
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.engine import Engine
from service.api.keys import CALLER, Doorkeeper
from service.api.metrics import Metrics
from service.api.problems import (
    ForbiddenError,
    ServiceError,
    TooLargeError,
    answer,
    internal_problem,
    problem_of,
)
from service.api.settings import LOOPBACK_NAMES, ServiceSettings
from speech.errors import NativeEarError

API = "/v1/"
ASSESSMENTS = "/v1/assessments"
INDEXES = "/v1/indexes"

FORM_BYTES = 64 << 10
"""What a form may hold beside its file."""

JSON_BYTES = 256 << 10

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

_LINGER_S = 5.0

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = _SAFE | {"POST", "PUT", "PATCH", "DELETE"}  # anybody can think of more


class Edge:
    """Stands before the application.

    It refuses what comes from other web pages, finds out who asks, refuses bodies above the limit
    before or while they are read, and sets the headers that protect the page.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: ServiceSettings,
        doorkeeper: Doorkeeper,
        engine: Engine,
        metrics: Metrics,
    ) -> None:
        self._app = app
        self._settings = settings
        self._doorkeeper = doorkeeper
        self._engine = engine
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket" and not self._is_welcome(Headers(scope=scope)):
            await send({"type": "websocket.close", "code": 1008, "reason": "another web page"})
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        status = 500
        begun = False
        reading = _Reading(receive, Headers(scope=scope))

        async def out(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                await reading.finish()
                begun = True
                status = message["status"]
                self._protect(scope["path"], MutableHeaders(scope=message))
            await send(message)

        try:
            limited = await self._admit(scope, reading.receive)
            await self._app(scope, limited, out)
        except NativeEarError as error:
            headers = dict(error.headers) if isinstance(error, ServiceError) else {}
            problem = problem_of(error, scope["path"])
            if problem.status == 401:
                headers.setdefault("WWW-Authenticate", "Bearer")
            if problem.status == 503:
                headers.setdefault("Retry-After", "5")
            await answer(problem, headers)(scope, receive, out)
        except Exception as error:
            problem = internal_problem(error, scope["path"])
            if not begun:
                await answer(problem)(scope, receive, out)
        finally:
            route = getattr(scope.get("route"), "path", "") or "other"
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(method, route, str(status)).inc()
            self._metrics.request_s.labels(route).observe(perf_counter() - started)

    async def _admit(self, scope: Scope, receive: Receive) -> Receive:
        headers = Headers(scope=scope)
        path: str = scope["path"]
        method: str = scope["method"]
        if not self._is_welcome(headers, unsafe=method not in _SAFE):
            raise ForbiddenError(
                "Other web pages may not ask this service.",
                cause="The request names another host or origin than the service's.",
                fix="Use the service's own page, or start it with --allow-origin.",
            )
        limit = JSON_BYTES
        if path.startswith(API):
            caller = await to_thread.run_sync(self._doorkeeper.admit, headers)
            scope.setdefault("state", {})[CALLER] = caller
            if method == "POST" and path == ASSESSMENTS:
                self._engine.refuse_if_full()
                limit = (caller.max_bytes or self._settings.max_bytes) + FORM_BYTES
            elif method == "POST" and path == INDEXES:
                limit = self._settings.max_corpus_bytes + FORM_BYTES
        return _limited(receive, headers, limit)

    def _is_welcome(self, headers: Headers, *, unsafe: bool = True) -> bool:
        """Whether it comes from the service's own page, from none, or from one that is allowed.

        A service without keys answers to names of this machine only: a foreign web page that has
        its own name resolved to this machine must not reach it.
        """
        host = headers.get("host", "")
        if self._settings.on_loopback and host:
            name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
            if name not in LOOPBACK_NAMES and name not in self._settings.trusted_hosts:
                return False
        origin = headers.get("origin")
        if origin is None or not unsafe or origin in self._settings.allow_origins:
            return True
        return urlsplit(origin).netloc == host

    def _protect(self, path: str, headers: MutableHeaders) -> None:
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("cache-control", "no-store" if path.startswith(API) else "no-cache")


class _Reading:
    """The body of a request, of which an answer may leave something unread.

    A connection that is closed over an unread body is reset, and the answer may be lost with it:
    a client would be told nothing of why it was refused.
    """

    def __init__(self, receive: Receive, headers: Headers) -> None:
        self._receive = receive
        has_body = "content-length" in headers or "transfer-encoding" in headers
        self._done = not has_body or "expect" in headers  # this one waits to be asked for it

    async def receive(self) -> Message:
        """What comes next."""
        message = await self._receive()
        self._done = not message.get("more_body", False)
        return message

    async def finish(self) -> None:
        """Let the rest come, for a few seconds, and forget it."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._rest(), _LINGER_S)

    async def _rest(self) -> None:
        while not self._done:
            await self.receive()


def _limited(receive: Receive, headers: Headers, limit: int) -> Receive:
    told = headers.get("content-length", "")
    if told.isdigit() and int(told) > limit:
        raise TooLargeError(*_too_large(limit))
    had = 0

    async def counted() -> Message:
        nonlocal had
        message = await receive()
        had += len(message.get("body", b""))
        if had > limit:
            # Only this kind passes through the reading of a form unchanged.
            raise HTTPException(413, _too_large(limit)[0])
        return message

    return counted


def _too_large(limit: int) -> tuple[str]:
    return (f"More than {limit:,} bytes were sent.",)
