"""Requests to one service: sent again where it asks for patience, and read or raised."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from nativeear.service.api.problem import Problem
from nativeear.speech.errors import NativeEarError
from nativeear.speech.extras import needing

if TYPE_CHECKING:
    import httpx

_RETRIED = frozenset({429, 503})  # they say after which time to ask again
_RETRY_S = 1.0
_LEAST_TIMEOUT_S = 1.0  # a request that is sent at all is given so long

_Answer = TypeVar("_Answer")


class ProblemError(NativeEarError):
    """The service refused or failed; `status` and `code` say how, the rest is in its words.

    Attributes
    ----------
    status
        What HTTP calls it; 0 if no answer came.
    code
        Its kind, stable over releases, such as `no-pronunciation`.
    """

    status: int = 0

    @classmethod
    def of(cls, problem: Problem) -> ProblemError:
        """The error that a problem tells of."""
        error = cls(problem.detail, cause=problem.cause, fix=problem.fix)
        error.status = problem.status
        error.code = problem.type.rpartition(":")[2]
        return error

    def __reduce__(self) -> tuple[object, ...]:
        return (*super().__reduce__(), {"status": self.status, "code": self.code})


class Connection:
    """HTTP to a service; see `Client` for the parameters."""

    def __init__(self, url: str, key: str | None, *, timeout_s: float, patience_s: float) -> None:
        with needing("client", "The client"):
            import httpx
        if key is not None and not (key.isascii() and key.isprintable()):
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
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def sign_in(self, csrf: str) -> None:
        """Send the token of a session, whose cookie was set, with all that follows."""
        self.csrf = csrf
        self._http.headers["X-CSRF-Token"] = csrf

    @property
    def cookies(self) -> str:
        """The cookies of this service, as a header has them."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._http.cookies.jar)

    def read(
        self,
        kind: type[_Answer],
        path: str,
        *,
        method: Literal["GET", "POST", "PUT"] = "GET",
        **sent: Any,
    ) -> _Answer:
        """Send a request as `ask` does, and read what is answered."""
        return read(kind, self.ask(method, path, **sent))

    def ask(
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
                response = self._http.request(method, path, params=given, timeout=timeout_s, **sent)
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
            sleep(pause_s)

    def unreachable(self, error: Exception) -> ProblemError:
        """That nothing answers."""
        return ProblemError(
            f"The service at {self.url} does not answer.",
            cause=str(error) or type(error).__name__,
            fix="Start it with `nativeear serve`, or give the address where it listens.",
        )


def path_of(*parts: str | int) -> str:
    """The path of something in the interface."""
    return "/v1/" + "/".join(quote(str(part), safe="") for part in parts)


def read(kind: type[_Answer], response: httpx.Response) -> _Answer:
    """A response as what it should be.

    Raises
    ------
    ProblemError
        If it is something else.
    """
    try:
        return TypeAdapter(kind).validate_json(response.content)
    except ValidationError as error:
        raise ProblemError(
            f"What answers at {response.url} is no NativeEar of this release.",
            cause=str(error.errors()[0]["msg"]),
            fix="Give the address of the service, and install its release here.",
        ) from error


def problem_in(response: httpx.Response) -> ProblemError:
    """What a response says went wrong."""
    try:
        return ProblemError.of(Problem.model_validate_json(response.content))
    except ValidationError:
        error = ProblemError(
            f"The answer was {response.status_code} {response.reason_phrase}.",
            cause=response.text[:200],
        )
        error.status = response.status_code
        return error
