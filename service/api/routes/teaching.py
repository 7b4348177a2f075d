"""What a teacher gives his groups to say, and how far they are."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import Path, Query, Response

from nativeear.service.api.auditing import note, note_reading
from nativeear.service.api.authentication import AsPerson, KeyedRouter, Teaching
from nativeear.service.api.problems import refusals, refusals_of_body
from nativeear.service.api.routes.groups import GroupId
from nativeear.service.api.sessions import groups_of
from nativeear.service.api.state import ServiceDep
from nativeear.service.api.tables import CSV_CONTENT, Format, csv_response
from nativeear.service.api.teaching_models import (
    HomeworkItem,
    HomeworkList,
    HomeworkRequest,
    MemberItem,
    MemberList,
    SetItem,
    SetList,
    SetRequest,
)
from nativeear.service.database.members import Member
from nativeear.service.database.people import LEARNER, OPERATOR
from nativeear.service.database.sentence_sets import NewSet
from nativeear.service.today import costly

router = KeyedRouter(prefix="/v1", tags=["teaching"])

SetId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of a set.")]
HomeworkId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of homework.")]

_PROBLEMS = refusals(404)
_PROBLEMS_OF_BODY = refusals_of_body(404, 409)


@router.get("/sets", summary="List one's sets", response_model=SetList, responses=_PROBLEMS)
def sets(service: ServiceDep, caller: Teaching) -> Any:
    """The sentences that a teacher wrote, the newest set first."""
    return SetList.model_validate({"items": service.people.sets(caller.key_id)})


@router.post(
    "/sets",
    summary="Make a set",
    status_code=201,
    response_model=SetItem,
    responses=_PROBLEMS_OF_BODY,
)
def create_set(asked: SetRequest, service: ServiceDep, caller: Teaching) -> Any:
    """Keep sentences of one's own under a title."""
    service.references.check_spoken(asked.language)
    made = service.people.create_set(caller.key_id, NewSet(**asked.model_dump()))
    note(service, caller, "create", f"set {made.id}")
    return made


@router.put(
    "/sets/{set}", summary="Change a set", response_model=SetItem, responses=_PROBLEMS_OF_BODY
)
def change_set(set: SetId, asked: SetRequest, service: ServiceDep, caller: Teaching) -> Any:
    """Put something else in its place; homework of it is of that from then on."""
    service.references.check_spoken(asked.language)
    made = service.people.change_set(caller.key_id, set, NewSet(**asked.model_dump()))
    note(service, caller, "change", f"set {set}")
    return made


@router.delete(
    "/sets/{set}",
    summary="Delete a set",
    status_code=204,
    response_class=Response,
    responses=_PROBLEMS,
)
def delete_set(set: SetId, service: ServiceDep, caller: Teaching) -> Response:
    """Delete a set and the homework of it; what learners said of it stays."""
    service.people.delete_set(caller.key_id, set)
    note(service, caller, "delete", f"set {set}")
    return Response(status_code=204)


@router.get("/homework", summary="List homework", response_model=HomeworkList, responses=_PROBLEMS)
def homework(service: ServiceDep, caller: AsPerson) -> Any:
    """What a learner is to say and has said, or a teacher's groups; what is due first."""
    if caller.role == OPERATOR:
        return HomeworkList(items=())  # what people say is not his to see
    own = caller.key_id if caller.role == LEARNER else None
    groups = [group.id for group in groups_of(service, caller)]
    found = service.people.homework(groups, own)
    learners = {learner.id for each in found for learner in each.learners}
    note_reading(service, caller, "homework", learners)
    return HomeworkList.model_validate({"items": found})


@router.post(
    "/groups/{group}/homework",
    summary="Set homework",
    status_code=201,
    response_model=HomeworkItem,
    responses=_PROBLEMS_OF_BODY,
)
def set_homework(
    group: GroupId, asked: HomeworkRequest, service: ServiceDep, caller: Teaching
) -> Any:
    """Let a group say a set of one's own by a day."""
    made = service.people.set_homework(caller.key_id, group, asked.set, asked.due)
    note(service, caller, "create", f"homework {made.id}")
    return made


@router.delete(
    "/groups/{group}/homework/{homework}",
    summary="Take homework back",
    status_code=204,
    response_class=Response,
    responses=_PROBLEMS,
)
def delete_homework(
    group: GroupId, homework: HomeworkId, service: ServiceDep, caller: Teaching
) -> Response:
    """Take it back; what learners said of it stays."""
    service.people.delete_homework(caller.key_id, group, homework)
    note(service, caller, "delete", f"homework {homework}")
    return Response(status_code=204)


@router.get(
    "/groups/{group}/members",
    summary="List the learners of a group",
    response_model=MemberList,
    responses={200: {"content": CSV_CONTENT}, **_PROBLEMS},
)
def members(
    group: GroupId,
    service: ServiceDep,
    caller: Teaching,
    format: Annotated[Format, Query(description="CSV for spreadsheets.")] = "json",
) -> Any:
    """Everybody in it: when he spoke last, how his scores went, and which sounds cost him most."""
    found = [_item(member) for member in service.people.members(group, caller.key_id)]
    note_reading(service, caller, "group members", {member.id for member in found})
    if format == "csv":
        columns = ("id", "name", "joined_at", "count", "last_at", "mean_score", "costly")
        rows = (
            [
                *(getattr(member, column) for column in columns[:-1]),
                " ".join(phone.ipa for phone in member.costly),
            ]
            for member in found
        )
        return csv_response(columns, rows, "learners.csv")
    return MemberList(items=tuple(found))


def _item(member: Member) -> MemberItem:
    """A member with the sounds that cost him most, of the language that he said most in."""
    said: Counter[str] = Counter()
    for phone in member.phones:
        said[phone.language] += phone.count
    language = max(said, key=lambda tag: (said[tag], tag), default="")
    told = {name: getattr(member, name) for name in MemberItem.model_fields if name != "costly"}
    return MemberItem.model_validate({**told, "costly": costly(member.phones, language)})
