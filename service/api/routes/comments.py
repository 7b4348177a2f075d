"""What teachers say of their learners' recordings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Response

from nativeear.service.api.auditing import note, note_reading
from nativeear.service.api.authentication import KeyedRouter, Reading, Teaching
from nativeear.service.api.people_models import CommentItem, CommentList, CommentRequest
from nativeear.service.api.problems import refusals, refusals_of_body
from nativeear.service.api.state import ServiceDep

router = KeyedRouter(prefix="/v1/assessments/{id}/comments", tags=["assessments"])

_PROBLEMS = refusals(404)

Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of an assessment.")]
CommentId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of a comment.")]


@router.get("", summary="List comments", response_model=CommentList, responses=_PROBLEMS)
def comments(id: Id, service: ServiceDep, caller: Reading) -> Any:
    """What was said of an assessment, the oldest first."""
    owner = service.store.assessment(id, key_id=caller.sees).key_id
    note_reading(service, caller, f"comments {id}", {owner})
    return CommentList(items=service.people.comments(id))


@router.post(
    "",
    summary="Comment on an assessment",
    status_code=201,
    response_model=CommentItem,
    responses=refusals_of_body(404, 409),
)
def create_comment(id: Id, asked: CommentRequest, service: ServiceDep, caller: Teaching) -> Any:
    """Say something of what a learner of one's groups said; he reads it."""
    owner = service.store.assessment(id, key_id=caller.sees).key_id
    made = service.people.comment(id, caller.key_id, asked.text)
    note(service, caller, "comment", f"assessment {id}", subject=owner)
    return made


@router.delete(
    "/{comment}",
    summary="Take back a comment",
    status_code=204,
    response_class=Response,
    responses=_PROBLEMS,
)
def delete_comment(id: Id, comment: CommentId, service: ServiceDep, caller: Teaching) -> Response:
    """Delete a comment of one's own."""
    service.people.delete_comment(id, comment, caller.key_id)
    note(service, caller, "delete", f"comment {comment}")
    return Response(status_code=204)
