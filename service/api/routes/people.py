"""Looking after people: an operator makes teachers, a teacher learners of his groups."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Annotated, Any

from fastapi import Path, Response

from nativeear.service.api.archives import ARCHIVE, archive_response
from nativeear.service.api.auditing import note
from nativeear.service.api.authentication import (
    AsAnybody,
    Caller,
    KeyedRouter,
    Operating,
    Overseeing,
)
from nativeear.service.api.people_models import (
    Code,
    CodeRequest,
    Disclosure,
    DisclosureRequest,
    NewPerson,
    PersonItem,
    PersonList,
    PersonMade,
    ReceiptAnswer,
)
from nativeear.service.api.problems import ForbiddenError, NotThereError, refusals, refusals_of_body
from nativeear.service.api.state import Service, ServiceDep
from nativeear.service.database import export
from nativeear.service.database.people import LEARNER, TEACHER, Person
from nativeear.service.database.people_store import in_days
from nativeear.speech.errors import InputError

router = KeyedRouter(prefix="/v1", tags=["people"])

PersonId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of a person.")]

_PROBLEMS = refusals(404)


@router.get("/people", summary="List people", response_model=PersonList, responses=_PROBLEMS)
def people(service: ServiceDep, caller: Overseeing) -> Any:
    """The learners of a teacher; everybody for an operator."""
    return PersonList(items=service.people.all(caller.key_id if caller.role == TEACHER else None))


@router.post(
    "/people",
    summary="Make a person",
    status_code=201,
    response_model=PersonMade,
    responses=refusals_of_body(404, 409),
)
def create_person(asked: NewPerson, service: ServiceDep, caller: Overseeing) -> Any:
    """Make an operator or a teacher, or a learner of a group of one's own."""
    _refuse_role(caller, asked)
    if asked.group is not None:
        service.people.group(asked.group, caller.key_id)
    expires_at = in_days(asked.valid_days)
    person, code = service.people.create(
        asked.role, asked.name, group_id=asked.group, expires_at=expires_at
    )
    note(service, caller, "create", asked.role, subject=person.id)
    return PersonMade(
        person=PersonItem.model_validate(person), code=Code(code=code, expires_at=expires_at)
    )


def _refuse_role(caller: Caller, asked: NewPerson) -> None:
    teaches = caller.role == TEACHER
    if teaches != (asked.role == LEARNER):
        raise ForbiddenError(
            "An operator makes operators and teachers, a teacher learners of his groups."
        )
    if teaches != (asked.group is not None):
        raise InputError("A learner is made in a group, and nobody else is.", fix="See `group`.")


@router.post(
    "/people/{id}/code",
    summary="Give somebody a new code",
    response_model=Code,
    responses=refusals_of_body(404, 409),
)
def renew_code(id: PersonId, asked: CodeRequest, service: ServiceDep, caller: Overseeing) -> Any:
    """A new code in the place of one that was lost; he is signed out wherever he was signed in."""
    person = _looked_after(service, caller, id)
    expires_at = in_days(asked.valid_days)
    code = service.people.renew_code(person.id, expires_at=expires_at)
    note(service, caller, "renew code", person.role, subject=person.id)
    return Code(code=code, expires_at=expires_at)


def _looked_after(service: Service, caller: Caller, id: str) -> Person:
    """A learner of a teacher's, or an operator or a teacher for an operator.

    With a learner's code an operator would come in as he, and see what he says.
    """
    person = service.people.person(id)
    if caller.role == TEACHER:
        if not service.people.is_taught(caller.key_id, id):
            raise NotThereError(f"There is nobody {id}.")
    elif person.role == LEARNER:
        raise ForbiddenError(
            "A learner's code is his teacher's to renew.", fix="Ask a teacher of his."
        )
    return person


@router.get(
    "/people/{id}/export",
    summary="All that is kept of somebody",
    response_class=Response,
    responses={**ARCHIVE, **_PROBLEMS},
)
def export_person(id: PersonId, service: ServiceDep, caller: Operating) -> Response:
    """As `/v1/me/export`, for an operator who asked to see what people say."""
    service.people.person(id)
    if not caller.discloses:
        raise ForbiddenError(
            "What people say is not shown to an operator.",
            fix="Ask to see it, with a reason: POST /v1/disclosure. That is written down.",
        )
    note(service, caller, "export", "person", subject=id)
    return archive_response(partial(export.export_person, service.store, id), "nativeear.zip")


@router.delete(
    "/people/{id}",
    summary="Erase somebody",
    response_model=ReceiptAnswer,
    responses=_PROBLEMS,
)
def erase_person(id: PersonId, service: ServiceDep, caller: Operating) -> Any:
    """Delete all that is kept of somebody, for good; the answer is the receipt."""
    return service.people.erase(id, caller.key_id, caller.role)


@router.get(
    "/receipts/{id}",
    summary="A receipt of an erasure",
    response_model=ReceiptAnswer,
    responses=_PROBLEMS,
)
def receipt(
    id: Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of a receipt.")],
    service: ServiceDep,
    _caller: AsAnybody,
) -> Any:
    """Whoever knows its number may see it: it says who was erased to nobody who does not know."""
    return service.people.receipt(id)


@router.post(
    "/disclosure",
    summary="Ask to see what people say",
    response_model=Disclosure,
    responses=refusals_of_body(404, 409),
)
def disclose(asked: DisclosureRequest, service: ServiceDep, caller: Operating) -> Any:
    """Let an operator see what people say for some time; the reason is written down first."""
    now = datetime.now(timezone.utc)
    until = now + timedelta(minutes=asked.minutes)
    note(service, caller, "disclose", f"until {until:%Y-%m-%dT%H:%MZ}", detail=asked.reason)
    service.people.disclose(caller.key_id, asked.reason, until, now)
    return Disclosure(until=until)


@router.delete(
    "/disclosure",
    summary="See no longer what people say",
    status_code=204,
    response_class=Response,
    responses=_PROBLEMS,
)
def end_disclosure(service: ServiceDep, caller: Operating) -> Response:
    """End it before its time."""
    if service.people.end_disclosure(caller.key_id):
        note(service, caller, "end disclosure", "now")
    return Response(status_code=204)
