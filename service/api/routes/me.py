"""Coming in by a code, who one is, and what one may do with one's own data."""

from __future__ import annotations

from functools import partial
from typing import IO, Any

from fastapi import Request, Response
from starlette.datastructures import Headers

from nativeear.service.api.archives import ARCHIVE, archive_response
from nativeear.service.api.auditing import note
from nativeear.service.api.authentication import AsAnybody, AsPerson, Caller, KeyedRouter, token_of
from nativeear.service.api.connections import network_of
from nativeear.service.api.people_models import GroupCode, Joined, JoinRequest, Me, ReceiptAnswer
from nativeear.service.api.problems import refusals, refusals_of_body
from nativeear.service.api.sessions import clear_cookie, me_of, set_cookie
from nativeear.service.api.state import ServiceDep
from nativeear.service.database import export
from nativeear.service.database.people import LEARNER
from nativeear.speech.errors import InputError

router = KeyedRouter(prefix="/v1", tags=["people"])

_PROBLEMS = refusals()


@router.post(
    "/join",
    summary="Come in by a code",
    response_model=Joined,
    responses=refusals_of_body(409),
)
def join(asked: JoinRequest, request: Request, response: Response, service: ServiceDep) -> Any:
    """Sign in with a code of one's own, or join a group with its code and a name.

    The answer sets the cookie of a session. Wrong codes are counted, and too many refused.
    """
    address = network_of(request.client.host) if request.client else ""
    with service.guesses.counted(address):
        joined = service.people.join(asked.code, asked.name)
    set_cookie(response, request, joined.token, joined.person)
    caller = Caller(None, service.people.session_of(joined.token))
    note(service, caller, "join" if joined.code else "sign in", "session", subject=caller.key_id)
    return Joined(**me_of(service, caller).model_dump(), code=joined.code)


@router.get("/me", summary="Who asks", response_model=Me, responses=_PROBLEMS)
def me(service: ServiceDep, caller: AsAnybody) -> Any:
    """Who is signed in, or whose key it is, and what may be asked for."""
    return me_of(service, caller)


@router.post(
    "/me/groups",
    summary="Join one more group",
    response_model=Me,
    responses=refusals_of_body(404, 409),
)
def join_group(asked: GroupCode, request: Request, service: ServiceDep, caller: AsPerson) -> Any:
    """Be in a group from now on, by its code."""
    if caller.role != LEARNER:
        raise InputError("Learners alone are in groups.", fix="Come in as a learner.")
    address = network_of(request.client.host) if request.client else ""
    with service.guesses.counted(address):
        service.people.join_also(caller.key_id, asked.code)
    return me_of(service, caller)


@router.post(
    "/me/sign-out",
    summary="Sign out",
    status_code=204,
    response_class=Response,
    responses=_PROBLEMS,
)
def sign_out(request: Request, service: ServiceDep, caller: AsPerson) -> Response:
    """End the session of this browser."""
    if token := token_of(Headers(scope=request.scope)):
        service.people.end_session(token)
    note(service, caller, "sign out", "session", subject=caller.key_id)
    response = Response(status_code=204)
    clear_cookie(response, request)
    return response


@router.get(
    "/me/export",
    summary="All that is kept of oneself",
    response_class=Response,
    responses={**ARCHIVE, **_PROBLEMS},
)
def export_me(service: ServiceDep, caller: AsPerson) -> Response:
    """A zip: `person.json`, each result as JSON with its comments, and kept recordings."""
    note(service, caller, "export", "person", subject=caller.key_id)
    return archive_response(partial(_export, service, caller.key_id), "nativeear.zip")


def _export(service: ServiceDep, person_id: str, out: IO[bytes]) -> None:
    export.export_person(service.store, person_id, out)


@router.delete(
    "/me",
    summary="Erase oneself",
    response_model=ReceiptAnswer,
    responses=refusals(404),
)
def erase_me(request: Request, response: Response, service: ServiceDep, caller: AsPerson) -> Any:
    """Delete all that is kept of oneself, for good; the answer is the receipt."""
    receipt = service.people.erase(caller.key_id, caller.key_id, caller.role)
    clear_cookie(response, request)
    return receipt
