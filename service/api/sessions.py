"""The cookie of a session, and what is told to whoever has it."""

from __future__ import annotations

from datetime import datetime, timezone
from urllib.parse import urlsplit

from fastapi import Response
from starlette.requests import HTTPConnection

from nativeear.service.api.authentication import COOKIE, Caller
from nativeear.service.api.people_models import GroupItem, Me
from nativeear.service.api.state import Service
from nativeear.service.database.people import TEACHER, Group, Person
from nativeear.service.database.sessions import LASTS


def set_cookie(response: Response, connection: HTTPConnection, token: str, person: Person) -> None:
    """Sign a browser in: no script reads the cookie, and no other page has it sent."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=round(LASTS[person.role].total_seconds()),
        secure=connection.url.scheme == "https",  # as a trusted proxy tells it
        httponly=True,
        samesite="strict",
    )


def clear_cookie(response: Response, connection: HTTPConnection) -> None:
    """Let a browser forget who was signed in."""
    secure = connection.url.scheme == "https"
    response.delete_cookie(COOKIE, secure=secure, httponly=True, samesite="strict")


def me_of(service: Service, caller: Caller) -> Me:
    """What is told to somebody of himself."""
    until = service.people.disclosed_until(caller.key_id or "", datetime.now(timezone.utc))
    judge, text_judge = service.settings.judge, service.settings.text_judge
    second_ear = None if judge is None else urlsplit(judge.url).netloc
    language_use = None if text_judge is None else urlsplit(text_judge.url).netloc
    person, signed_in = caller.person, caller.signed_in
    if person is None or signed_in is None:
        return Me(
            role="open" if caller.key is None else "program",
            id=caller.key_id,
            name=None if caller.key is None else caller.key.name,
            scopes=tuple(sorted(caller.scopes)),
            disclosed_until=until,
            second_ear=second_ear,
            language_use=language_use,
        )
    return Me(
        role=person.role,
        id=person.id,
        name=person.name,
        scopes=tuple(sorted(caller.scopes)),
        groups=tuple(GroupItem.model_validate(group) for group in groups_of(service, caller)),
        csrf=signed_in.csrf,
        expires_at=signed_in.expires_at,
        disclosed_until=until,
        second_ear=second_ear,
        language_use=language_use,
    )


def groups_of(service: Service, caller: Caller) -> tuple[Group, ...]:
    """The groups that somebody teaches or is in; all of them for who looks after the service."""
    if caller.role == TEACHER:
        return service.people.groups(teacher_id=caller.key_id)
    if caller.role == "learner":
        return service.people.groups(person_id=caller.key_id)
    return service.people.groups()
