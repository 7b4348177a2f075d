"""Who asks, what they may do, and how often."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Annotated, Any, cast

from fastapi import Depends, Request, Response, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from nativeear.service.api.limits import TokenBucket
from nativeear.service.api.problems import ForbiddenError, TooManyRequestsError, UnauthorisedError
from nativeear.service.database.keys import KeyRecord
from nativeear.service.database.ownership import ALL
from nativeear.service.database.store import Store

ASSESS, READ, ADMIN = "assess", "read", "admin"
CALLER = "caller"
"""Name under which a request carries its caller."""

_CHECK_S = 5.0


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes
    ----------
    key
        The key that was shown; None while the service is open.
    """

    key: KeyRecord | None

    @property
    def key_id(self) -> Any:
        """Whose assessments are seen and written: those of the key, or those without any."""
        return None if self.key is None else self.key.id

    @property
    def sees(self) -> Any:
        """As `key_id`; a key that may administer sees everything."""
        return ALL if self.key is not None and ADMIN in self.key.scopes else self.key_id

    def may(self, scope: str) -> bool:
        """Whether the key allows a scope; `admin` allows all."""
        return self.key is None or bool({scope, ADMIN} & set(self.key.scopes))

    @property
    def max_audio_s(self) -> float | None:
        """Longest recording of this key; None for the service's own limit."""
        return None if self.key is None else self.key.max_audio_s

    @property
    def max_bytes(self) -> int | None:
        """Largest recording of this key; None for the service's own limit."""
        return None if self.key is None else self.key.max_bytes


class Authenticator:
    """Knows who may come in. Methods block; call them beside the event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._has_keys = False
        self._checked = -_CHECK_S
        self._buckets: dict[str, TokenBucket] = {}
        self._lock = threading.Lock()

    def authenticate(self, headers: Headers) -> Caller:
        """Tell who asks by the headers of a request or of a stream.

        Raises
        ------
        UnauthorisedError, AuthenticationError
            If no key, or none that is valid, was shown where one is needed.
        TooManyRequestsError
            If the key asks more often than it may.
        """
        return self.authenticate_secret(secret_of(headers))

    def authenticate_secret(self, secret: str | None) -> Caller:
        """Tell who asks by the secret alone; None if none was shown."""
        if secret is None:
            if self._keys_exist():
                raise UnauthorisedError(
                    "This service wants a key.",
                    fix="Send Authorization: Bearer nek_…; whoever runs the service makes one "
                    "with `nativeear keys create`.",
                )
            return Caller(None)
        key = self._store.authenticate(secret)
        self._count(key)
        return Caller(key)

    def _keys_exist(self) -> bool:
        # Once there is a key, it stays so: revoking the last one must not open the door.
        if not self._has_keys and monotonic() - self._checked >= _CHECK_S:
            self._has_keys = bool(self._store.keys())
            self._checked = monotonic()
        return self._has_keys

    def _count(self, key: KeyRecord) -> None:
        per_minute = key.requests_per_minute
        if per_minute is None:
            return
        with self._lock:
            bucket = self._buckets.get(key.id)
            if bucket is None or bucket.most != per_minute:
                bucket = self._buckets[key.id] = TokenBucket(per_minute, per_minute / 60)
            wait_s = bucket.take()
        if wait_s > 0:
            raise TooManyRequestsError(
                f"This key may ask {per_minute} times a minute.",
                fix=f"Try again in {wait_s:.0f} s.",
                headers={"Retry-After": f"{max(1, round(wait_s))}"},
            )


def secret_of(headers: Headers) -> str | None:
    """The key in the headers of a request, if there is one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("x-api-key") or None


def caller_of(connection: HTTPConnection) -> Caller:
    """Who asks, as the middleware found out."""
    return cast("Caller", connection.scope["state"][CALLER])


_BEARER = HTTPBearer(auto_error=False, scheme_name="key", description="A key, `nek_…`.")
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="key-header")


def allowed(*scopes: str) -> Callable[..., Caller]:
    """A dependency that gives the caller, and refuses one whose key allows none of `scopes`."""

    def caller(
        request: Request,
        _bearer: Annotated[object, Security(_BEARER)] = None,
        _header: Annotated[object, Security(_HEADER)] = None,
    ) -> Caller:
        asking = caller_of(request)
        refuse_unless(asking, *scopes)
        return asking

    caller.scopes = scopes  # type: ignore[attr-defined]
    return caller


class KeyedRoute(APIRoute):
    """A route that looks at the key before the body is read.

    FastAPI reads the body first, and the scope would be asked when it is on the disk.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers, after the scopes that its dependencies want."""
        answered = super().get_route_handler()
        wanted = tuple(_wanted(self.dependant))

        async def handle(request: Request) -> Response:
            for scopes in wanted:
                refuse_unless(caller_of(request), *scopes)
            return await answered(request)

        return handle


def _wanted(dependant: Dependant) -> Iterator[tuple[str, ...]]:
    for dependency in dependant.dependencies:
        if scopes := getattr(dependency.call, "scopes", None):
            yield scopes
        yield from _wanted(dependency)


def refuse_unless(caller: Caller, *scopes: str) -> None:
    """Refuse a caller whose key allows none of some scopes.

    Raises
    ------
    ForbiddenError
        With the scope that is missing.
    """
    if not any(caller.may(scope) for scope in scopes):
        raise ForbiddenError(
            f"This key does not allow that; it needs the scope {' or '.join(scopes)}.",
            fix="Ask whoever runs the service for a key with that scope.",
        )


Assessing = Annotated[Caller, Depends(allowed(ASSESS))]
Reading = Annotated[Caller, Depends(allowed(READ))]
Following = Annotated[Caller, Depends(allowed(READ, ASSESS))]
Administering = Annotated[Caller, Depends(allowed(ADMIN))]
