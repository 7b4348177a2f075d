# Written by packages/client/asynchronous.py: change the module that blocks, and run it.
"""Requests to one service: sent again where it asks for patience, and read or raised."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Mapping
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from nativeear.service.client.connection import ProblemError, problem_in, read
from nativeear.speech.extras import needing

if TYPE_CHECKING:
    import httpx
_RETRIED = frozenset({429, 503})
_RETRY_S = 1.0
_LEAST_TIMEOUT_S = 1.0
_Answer = TypeVar("_Answer")


class AsyncConnection:
    """HTTP to a service; see `Client` for the parameters."""

    def __init__(self, url: str, key: str | None, *, timeout_s: float, patience_s: float) -> None:
        with needing("client", "The client"):
            import httpx
        if key is not None and (not (key.isascii() and key.isprintable())):
            raise ProblemError(
                "A key is made of letters, digits and signs of ASCII alone.",
                fix="Give it whole, as `nativeear keys create` showed it.",
            )
        self.url = url.rstrip("/")
        self.key = key
        self.csrf: str | None = None
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=timeout_s)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def sign_in(self, csrf: str) -> None:
        """Send the token of a session, whose cookie was set, with all that follows."""
        self.csrf = csrf
        self._http.headers["X-CSRF-Token"] = csrf

    @property
    def cookies(self) -> str:
        """The cookies of this service, as a header has them."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._http.cookies.jar)

    async def read(
        self,
        kind: type[_Answer],
        path: str,
        *,
        method: Literal["GET", "POST", "PUT"] = "GET",
        **sent: Any,
    ) -> _Answer:
        """Send a request as `ask` does, and read what is answered."""
        return read(kind, await self.ask(method, path, **sent))

    async def ask(
        self,
        method: Literal["GET", "POST", "PUT", "DELETE"],
        path: str,
        *,
        params: Mapping[str, str | float | None] | None = None,
        until: float = inf,
        **sent: Any,
    ) -> httpx.Response:
        """Send a request, again if the service says that it may be.

        Raises
        ------
        ProblemError
            What the service answers with, or that it does not answer before `until`, by
            `time.monotonic`.
        """
        import httpx

        given = {name: value for name, value in (params or {}).items() if value is not None}
        patient_until = min(until, monotonic() + self._patience_s)
        while True:
            timeout_s = max(_LEAST_TIMEOUT_S, min(self._timeout_s, until - monotonic()))
            try:
                response = await self._http.request(
                    method, path, params=given, timeout=timeout_s, **sent
                )
            except httpx.TimeoutException as error:
                raise ProblemError(
                    f"The service at {self.url} did not answer within {timeout_s:.3g} s.",
                    cause=type(error).__name__,
                    fix="Ask again later, or wait longer: timeout_s.",
                ) from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise self.unreachable(error) from error
            if response.is_success:
                return response
            retry_after = response.headers.get("Retry-After", "")
            pause_s = float(retry_after) if retry_after.isdigit() else _RETRY_S
            waits = response.status_code in _RETRIED or "Retry-After" in response.headers
            if not waits or monotonic() + pause_s > patient_until:
                raise problem_in(response)
            await sleep(pause_s)

    def unreachable(self, error: Exception) -> ProblemError:
        """That nothing answers."""
        return ProblemError(
            f"The service at {self.url} does not answer.",
            cause=str(error) or type(error).__name__,
            fix="Start it with `nativeear serve`, or give the address where it listens.",
        )
