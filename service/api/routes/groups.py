"""A teacher's groups: who is in them, and the code by which one joins."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Response

from nativeear.service.api.auditing import note
from nativeear.service.api.authentication import AsPerson, AsPersonOrOperator, KeyedRouter, Teaching
from nativeear.service.api.people_models import (
    Code,
    CodeRequest,
    GroupItem,
    GroupList,
    NewGroup,
)
from nativeear.service.api.problems import NotThereError, refusals, refusals_of_body
from nativeear.service.api.routes.people import PersonId
from nativeear.service.api.sessions import groups_of
from nativeear.service.api.state import ServiceDep
from nativeear.service.database.people import TEACHER
from nativeear.service.database.people_store import in_days

router = KeyedRouter(prefix="/v1/groups", tags=["people"])

GroupId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of a group.")]

_PROBLEMS = refusals(404)


@router.get("", summary="List groups", response_model=GroupList, responses=_PROBLEMS)
def groups(service: ServiceDep, caller: AsPersonOrOperator) -> Any:
    """Those that one teaches or is in; all of them for an operator."""
    return GroupList(items=groups_of(service, caller))


@router.post(
    "",
    summary="Make a group",
    status_code=201,
    response_model=GroupItem,
    responses=refusals_of_body(404, 409),
)
def create_group(asked: NewGroup, service: ServiceDep, caller: Teaching) -> Any:
    """Make a group; its code comes by itself, `POST /v1/groups/{group}/code`."""
    made = service.people.create_group(caller.key_id, asked.name)
    note(service, caller, "create", f"group {made.id}")
    return made


@router.delete(
    "/{group}",
    summary="Delete a group",
    status_code=204,
    response_class=Response,
    responses=_PROBLEMS,
)
def delete_group(group: GroupId, service: ServiceDep, caller: Teaching) -> Response:
    """Delete a group and its code. What was said in it stays its learners', seen by them alone."""
    service.people.delete_group(group, caller.key_id)
    note(service, caller, "delete", f"group {group}")
    return Response(status_code=204)


@router.post(
    "/{group}/code",
    summary="Make a group's code",
    response_model=Code,
    responses=refusals_of_body(404, 409),
)
def create_code(group: GroupId, asked: CodeRequest, service: ServiceDep, caller: Teaching) -> Any:
    """A code by which learners join, in the place of the one before."""
    service.people.group(group, caller.key_id)
    expires_at = in_days(asked.valid_days)
    code = service.people.make_code(group_id=group, expires_at=expires_at)
    note(service, caller, "make code", f"group {group}")
    return Code(code=code, expires_at=expires_at)


@router.delete(
    "/{group}/code",
    summary="End a group's code",
    status_code=204,
    response_class=Response,
    responses=_PROBLEMS,
)
def end_code(group: GroupId, service: ServiceDep, caller: Teaching) -> Response:
    """Let nobody join any more; who is in the group stays."""
    service.people.group(group, caller.key_id)
    if service.people.end_code(group_id=group):
        note(service, caller, "end code", f"group {group}")
    return Response(status_code=204)


@router.delete(
    "/{group}/members/{person}",
    summary="Take a learner out of a group",
    status_code=204,
    response_class=Response,
    responses=_PROBLEMS,
)
def remove_member(
    group: GroupId, person: PersonId, service: ServiceDep, caller: AsPerson
) -> Response:
    """A teacher takes a learner out, or a learner leaves; nothing that he said is deleted."""
    if caller.role == TEACHER:
        service.people.group(group, caller.key_id)
    elif person != caller.key_id:
        raise NotThereError(f"There is no group {group}.")
    service.people.remove_member(group, person)
    note(service, caller, "remove", f"member of group {group}", subject=person)
    return Response(status_code=204)
