"""What happens to every request before and after it is routed: limits, keys, headers, figures."""

from __future__ import annotations

from time import perf_counter
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nativeear.service.api.access_log import write_line
from nativeear.service.api.authentication import CALLER, refuse_forged, token_of
from nativeear.service.api.batches import MANIFEST_BYTES
from nativeear.service.api.body import Body
from nativeear.service.api.compat.keys import COMPAT, secret_of_app
from nativeear.service.api.problems import (
    ForbiddenError,
    answer,
    answer_error,
    internal_problem,
)
from nativeear.service.api.quota import RESERVATION, ByteQuota
from nativeear.service.api.request_ids import HEADER, REQUEST_ID, id_of
from nativeear.service.api.settings import LOOPBACK_NAMES
from nativeear.service.api.state import Service
from nativeear.service.api.submissions import asks_for_a_job
from nativeear.speech.errors import NativeEarError

API = "/v1/"
ASSESSMENTS = "/v1/assessments"
BATCHES = "/v1/batches"
INDEXES = "/v1/indexes"
TAKES = "/v1/recording/speakers/"
JOIN = "/v1/join"
"""Asked by those who are nobody yet."""

FORM_BYTES = 64 << 10
"""What a form may hold beside its file."""

JSON_BYTES = 256 << 10

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
WITH_WEBASSEMBLY = f"{POLICY}; script-src 'self' 'wasm-unsafe-eval'"

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


class RequestMiddleware:
    """Stands before the application.

    It refuses what comes from other web pages, finds out who asks, bounds bodies before and while
    they are read, and sets the headers that protect the page. What is refused is answered at once;
    what still comes is let come for a few seconds.

    Parameters
    ----------
    app
        The application.
    service
        The parts of the service.
    archives
        What all corpora hold while they are sent.
    """

    def __init__(self, app: ASGIApp, *, service: Service, archives: ByteQuota) -> None:
        self._app = app
        self._service = service
        self._settings = service.settings
        self._archives = archives
        self._protection = _HEADERS
        if service.settings.in_browser is not None:
            self._protection = {
                **_HEADERS,
                "content-security-policy": WITH_WEBASSEMBLY,
                "cross-origin-embedder-policy": "require-corp",  # so that it may have threads
            }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] in {"http", "websocket"}:
            REQUEST_ID.set(id_of(Headers(scope=scope)))
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
        body = Body(receive, Headers(scope=scope))

        async def out(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                begun = True
                status = message["status"]
                self._set_headers(scope, MutableHeaders(scope=message))
            elif body.is_left and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await body.linger()
                message = {"type": "http.response.body"}
            await send(message)

        try:
            await self._admit(scope, body)
            await self._app(scope, body.receive, out)
        except NativeEarError as error:
            await answer_error(error, scope["path"])(scope, receive, out)
        except Exception as error:
            problem = internal_problem(error, scope["path"])
            if not begun:
                await answer(problem)(scope, receive, out)
        finally:
            body.reservation.release()
            route = getattr(scope.get("route"), "path", "") or "other"
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._service.metrics.requests.labels(method, route, str(status)).inc()
            took_s = perf_counter() - started
            self._service.metrics.request_s.labels(route).observe(took_s)
            if self._settings.access_log:
                with_text = self._settings.log_text
                write_line(scope, route, status, took_s, with_text=with_text)

    async def _admit(self, scope: Scope, body: Body) -> None:
        headers = Headers(scope=scope)
        path: str = scope["path"]
        method: str = scope["method"]
        if not self._is_welcome(headers, unsafe=method not in _SAFE):
            raise ForbiddenError(
                "Other web pages may not ask this service.",
                cause="The request names another host or origin than the service's.",
                fix="Use the service's own page, or start it with --allow-origin for another page, "
                "or with --trusted-host for another name of its own.",
            )
        limit, quota = JSON_BYTES, self._service.uploads
        if path.startswith(COMPAT):
            secret = secret_of_app(scope)
            caller = await to_thread.run_sync(
                self._service.authenticator.authenticate_secret, secret, token_of(headers)
            )
            refuse_forged(caller, headers.get("x-csrf-token"))
            scope.setdefault("state", {})[CALLER] = caller
            self._service.engine.refuse_if_full()
            limit = (caller.max_bytes or self._settings.max_bytes) + FORM_BYTES
        elif path.startswith(API) and path != JOIN:
            caller = await to_thread.run_sync(self._service.authenticator.authenticate, headers)
            if method not in _SAFE:
                refuse_forged(caller, headers.get("x-csrf-token"))
            scope.setdefault("state", {})[CALLER] = caller
            if method == "POST" and path == ASSESSMENTS:
                if not asks_for_a_job(headers.get("prefer")):
                    self._service.engine.refuse_if_full()
                limit = (caller.max_bytes or self._settings.max_bytes) + FORM_BYTES
            elif method == "POST" and path.startswith(TAKES):
                limit = (caller.max_bytes or self._settings.max_bytes) + FORM_BYTES
            elif method == "POST" and path == BATCHES:
                limit = self._settings.max_batch_bytes + MANIFEST_BYTES + FORM_BYTES
                quota = self._archives
            elif method == "POST" and path == INDEXES:
                limit, quota = self._settings.max_corpus_bytes + FORM_BYTES, self._archives
        body.bound(limit, quota)
        scope.setdefault("state", {})[RESERVATION] = body.reservation

    def _is_welcome(self, headers: Headers, *, unsafe: bool = True) -> bool:
        """Whether it comes from the service's own page, from none, or from one that is allowed.

        A service on loopback answers to names of this machine, and to those that are trusted: a
        foreign web page that has its own name resolved to this machine must not reach it.
        """
        settings = self._settings
        host = headers.get("host", "").lower()
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        is_named = settings.on_loopback or settings.trusted_hosts
        if is_named and name and name not in LOOPBACK_NAMES and name not in settings.trusted_hosts:
            return False
        origin = headers.get("origin")
        if origin is None or not unsafe or origin in settings.allow_origins:
            return True
        asking = urlsplit(origin)
        return asking.netloc == host or (asking.hostname or "") in settings.trusted_hosts

    def _set_headers(self, scope: Scope, headers: MutableHeaders) -> None:
        headers.setdefault(HEADER, REQUEST_ID.get())
        caller = scope.get("state", {}).get(CALLER)
        for name, value in (caller.rate if caller else {}).items():
            headers.setdefault(name, value)
        self._protect(scope["path"], headers)

    def _protect(self, path: str, headers: MutableHeaders) -> None:
        for name, value in self._protection.items():
            headers.setdefault(name, value)
        headers.setdefault(
            "cache-control", "no-store" if path.startswith((API, COMPAT)) else "no-cache"
        )
