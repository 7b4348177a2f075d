"""Who asks, what they may do, and how often."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from hmac import compare_digest
from time import monotonic
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, cookie_parser

from nativeear.service.api.limits import TokenBucket
from nativeear.service.api.problems import (
    ForbiddenError,
    ForgedError,
    TooManyRequestsError,
    UnauthorisedError,
)
from nativeear.service.api.usage import RequestCounts, refuse_over_quota
from nativeear.service.database.keys import KeyRecord
from nativeear.service.database.ownership import ALL, PROGRAMS, Taught
from nativeear.service.database.people import LEARNER, OPERATOR, TEACHER, Person, Role
from nativeear.service.database.people_store import People
from nativeear.service.database.sessions import SignedIn
from nativeear.service.database.store import Store
from nativeear.service.database.usage import Allowance, Amount

ASSESS, READ, ADMIN = "assess", "read", "admin"
TEACH, OPERATE, PERSON = "teach", "operate", "person"
"""What goes with a role: to have groups, to look after people, and to be somebody at all."""

_SCOPES: dict[Role, frozenset[str]] = {
    LEARNER: frozenset({ASSESS, READ, PERSON}),
    TEACHER: frozenset({ASSESS, READ, PERSON, TEACH}),
    OPERATOR: frozenset({ASSESS, READ, PERSON, OPERATE, ADMIN}),
}
_OPEN = frozenset({ASSESS, READ, ADMIN})
_ALL_OF_A_KEY = _OPEN | {OPERATE}

COOKIE = "nativeear"
"""Name of the cookie of a session."""

CALLER = "caller"
"""Name under which a request carries its caller."""

_CHECK_S = 5.0


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes
    ----------
    key
        The key that was shown; None without one.
    signed_in
        Who is signed in by a cookie; None without one. The service is open to whoever asks with
        neither.
    discloses
        Whether an operator, or a key that may administer, asked to see what people say.
    rate
        Headers that tell how often it may ask, and how often it still may.
    allowance
        What it may have in a day and a month, and what it had; None if that is as it pleases.
    """

    key: KeyRecord | None
    signed_in: SignedIn | None = None
    discloses: bool = False
    rate: Mapping[str, str] = field(default_factory=dict)
    allowance: Allowance | None = None

    @property
    def person(self) -> Person | None:
        """Who it is; None of a program."""
        return None if self.signed_in is None else self.signed_in.person

    @property
    def is_open(self) -> bool:
        """Whether the service is open, and so nobody in particular asks."""
        return self.key is None and self.signed_in is None

    @property
    def role(self) -> str:
        """The role of a person, or `program`."""
        return "program" if self.person is None else self.person.role

    @property
    def scopes(self) -> frozenset[str]:
        """What may be asked for."""
        if self.person is not None:
            return _SCOPES[self.person.role]
        if self.key is None:
            return _OPEN
        return _ALL_OF_A_KEY if ADMIN in self.key.scopes else frozenset(self.key.scopes)

    @property
    def key_id(self) -> Any:
        """Under whose id is written: that of the person or the key, or None without any."""
        if self.person is not None:
            return self.person.id
        return None if self.key is None else self.key.id

    @property
    def sees(self) -> Any:
        """Whose assessments are seen, see `database.ownership.Owner`."""
        if self.discloses:
            return ALL
        if self.role == TEACHER:
            return Taught(self.key_id)
        return PROGRAMS if self.key is not None and ADMIN in self.key.scopes else self.key_id

    @property
    def deletes(self) -> Any:
        """Whose assessments may be deleted: a teacher reads what he may not delete."""
        return self.key_id if self.role == TEACHER else self.sees

    def refuse_speech(self, audio_s: float) -> None:
        """Refuse more speech than the key may have, with `QuotaExceededError`."""
        refuse_over_quota(self.allowance, Amount(audio_s=audio_s))

    def may(self, scope: str) -> bool:
        """Whether something may be asked for."""
        return scope in self.scopes

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

    def __init__(self, store: Store, people: People, counts: RequestCounts) -> None:
        self._store = store
        self._people = people
        self._counts = counts
        self._is_closed = False
        self._checked = -_CHECK_S
        self._buckets: dict[str, TokenBucket] = {}
        self._lock = threading.Lock()

    def authenticate(self, headers: Headers) -> Caller:
        """Tell who asks by the headers of a request or of a stream.

        Raises
        ------
        UnauthorisedError, AuthenticationError
            If no key, or none that is valid, was shown where one is needed.
        TooManyRequestsError, QuotaExceededError
            If the key asks more often than it may, or has had what it may have.
        """
        return self.authenticate_secret(secret_of(headers), token_of(headers))

    def authenticate_secret(self, secret: str | None, token: str | None = None) -> Caller:
        """Tell who asks by a key, or by the token of a cookie; None where none was shown."""
        caller = self._known(secret, token, datetime.now(timezone.utc))
        if caller.person is None:
            self._counts.note(caller.key_id)
        return caller

    def _known(self, secret: str | None, token: str | None, now: datetime) -> Caller:
        if secret is not None:
            key = self._store.authenticate(secret)
            rate, allowance = self._count(key), self._store.allowance(key.id, now)
            refuse_over_quota(allowance, Amount(requests=self._counts.of(key.id) + 1))
            return self._disclosing(Caller(key, rate=rate, allowance=allowance), now)
        if not self._closed():
            return Caller(None)
        if token is None:
            raise UnauthorisedError(
                "This service wants a key, or that you come in with a code.",
                fix="Send Authorization: Bearer nek_…, which whoever runs the service makes with "
                "`nativeear keys create`; or come in on its page.",
            )
        return self._disclosing(Caller(None, self._people.session(token, now)), now)

    def _disclosing(self, caller: Caller, now: datetime) -> Caller:
        if not caller.may(OPERATE) or self._people.disclosed_until(caller.key_id, now) is None:
            return caller
        return replace(caller, discloses=True)

    def _closed(self) -> bool:
        # Once there is a key or a person, it stays so: the last one to go must not open the door.
        if not self._is_closed and monotonic() - self._checked >= _CHECK_S:
            self._is_closed = bool(self._store.keys()) or self._people.exist()
            self._checked = monotonic()
        return self._is_closed

    def _count(self, key: KeyRecord) -> Mapping[str, str]:
        per_minute = key.requests_per_minute
        if per_minute is None:
            return {}
        with self._lock:
            bucket = self._buckets.get(key.id)
            if bucket is None or bucket.most != per_minute:
                bucket = self._buckets[key.id] = TokenBucket(per_minute, per_minute / 60)
            wait_s = bucket.take()
            rate = {
                "RateLimit-Limit": f"{per_minute}",
                "RateLimit-Remaining": f"{bucket.left}",
                "RateLimit-Reset": f"{math.ceil(bucket.full_in_s)}",
            }
        if wait_s > 0:
            raise TooManyRequestsError(
                f"This key may ask {per_minute} times a minute.",
                fix=f"Try again in {wait_s:.0f} s.",
                headers={"Retry-After": f"{max(1, math.ceil(wait_s))}", **rate},
            )
        return rate


def secret_of(headers: Headers) -> str | None:
    """The key in the headers of a request, if there is one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("x-api-key") or None


def token_of(headers: Headers) -> str | None:
    """The token in the cookie of a session, if there is one."""
    return cookie_parser(headers.get("cookie", "")).get(COOKIE) or None


def refuse_forged(caller: Caller, token: str | None) -> None:
    """Refuse a change in the name of somebody who is signed in that his page did not ask for.

    Raises
    ------
    ForgedError
        If the request does not carry the token of the session.
    """
    signed_in = caller.signed_in
    if signed_in is not None and not compare_digest(signed_in.csrf, token or ""):
        raise ForgedError(
            "The request does not carry the token of your session.",
            cause="Another page may have sent it.",
            fix="Send the `csrf` of GET /v1/me in X-CSRF-Token.",
        )


def caller_of(connection: HTTPConnection) -> Caller:
    """Who asks, as the middleware found out."""
    return cast("Caller", connection.scope["state"][CALLER])


_BEARER = HTTPBearer(auto_error=False, scheme_name="key", description="A key, `nek_…`.")
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="key-header")
_SESSION = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    scheme_name="session",
    description="A session of the page's; changes carry its token in X-CSRF-Token.",
)


def allowed(*scopes: str) -> Callable[..., Caller]:
    """A dependency that gives the caller, and refuses one whose key allows none of `scopes`."""

    def caller(
        request: Request,
        _bearer: Annotated[object, Security(_BEARER)] = None,
        _header: Annotated[object, Security(_HEADER)] = None,
        _session: Annotated[object, Security(_SESSION)] = None,
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


class KeyedRouter(APIRouter):
    """A router whose routes are all such."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=KeyedRoute, **options)


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
        if caller.person is not None:
            article = "an" if caller.role == OPERATOR else "a"
            raise ForbiddenError(f"That is not for {article} {caller.role} to do.")
        if not {TEACH, PERSON}.isdisjoint(scopes):
            raise ForbiddenError(
                "That is for people who are signed in.", fix="Come in with a code: POST /v1/join."
            )
        raise ForbiddenError(
            f"This key does not allow that; it needs the scope {' or '.join(scopes)}.",
            fix="Ask whoever runs the service for a key with that scope.",
        )


Assessing = Annotated[Caller, Depends(allowed(ASSESS))]
Reading = Annotated[Caller, Depends(allowed(READ))]
Following = Annotated[Caller, Depends(allowed(READ, ASSESS))]
Teaching = Annotated[Caller, Depends(allowed(TEACH))]
Operating = Annotated[Caller, Depends(allowed(OPERATE))]
Overseeing = Annotated[Caller, Depends(allowed(TEACH, OPERATE))]
AsPerson = Annotated[Caller, Depends(allowed(PERSON))]
AsPersonOrOperator = Annotated[Caller, Depends(allowed(PERSON, OPERATE))]
AsAnybody = Annotated[Caller, Depends(allowed(READ, ASSESS, ADMIN))]
Administering = Annotated[Caller, Depends(allowed(ADMIN))]
