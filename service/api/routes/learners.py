"""Histories of learners, and what a teacher sees of a group."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from nativeear.service.api.authentication import Assessing, Reading
from nativeear.service.api.models import LearnerList, Plain
from nativeear.service.api.problems import responses
from nativeear.service.api.state import ServiceDep
from nativeear.service.api.tables import CSV_CONTENT, Format, csv_response
from nativeear.service.database.summaries import GroupSummary, LearnerProgress

router = APIRouter(prefix="/v1", tags=["learners"])

_PROBLEMS = responses(401, 403, 404, 422, 429, 503)
_LISTED: dict[int | str, dict[str, Any]] = {200: {"content": CSV_CONTENT}, **_PROBLEMS}

Learner = Annotated[
    str, Path(min_length=1, max_length=200, description="The learner_id that was sent."), Plain
]
Group = Annotated[
    str, Path(min_length=1, max_length=200, description="The group that was sent."), Plain
]
As = Annotated[Format, Query(description="CSV for spreadsheets.")]


@router.get("/learners", summary="List learners", response_model=LearnerList, responses=_LISTED)
def learners(service: ServiceDep, caller: Reading, format: As = "json") -> Any:
    """Every learner of whom an assessment is kept."""
    found = service.store.learners(key_id=caller.sees)
    if format == "csv":
        columns = ("learner_id", "count", "mean_score", "first_at", "last_at")
        rows = ([getattr(item, column) for column in columns] for item in found)
        return csv_response(columns, rows, "learners.csv")
    return LearnerList(items=found)


@router.get(
    "/learners/{learner_id:path}/progress",
    summary="A learner's history",
    response_model=LearnerProgress,
    responses=_LISTED,
)
def progress(learner_id: Learner, service: ServiceDep, caller: Reading, format: As = "json") -> Any:
    """Sentences over time, and every phone over the days; as CSV a row per phone and day."""
    found = service.store.learner_progress(learner_id, key_id=caller.sees)
    if format == "csv":
        columns = ("language", "phone", "ipa", "day", "count", "mean_score", "flagged_share")
        rows = (
            (
                *(phone.language, phone.phone, phone.ipa, day.day, day.count),
                *(day.mean_score, day.flagged_share),
            )
            for phone in found.phones
            for day in phone.days
        )
        return csv_response(columns, rows, "progress.csv")
    return found


@router.delete(
    "/learners/{learner_id:path}",
    summary="Delete a learner",
    status_code=204,
    response_class=Response,
    responses=_PROBLEMS,
)
def forget(learner_id: Learner, service: ServiceDep, caller: Assessing) -> Response:
    """Delete all that is kept of a learner, for good."""
    service.store.delete_learner(learner_id, key_id=caller.sees)
    return Response(status_code=204)


@router.get(
    "/groups/{group:path}/summary",
    summary="What a teacher sees of a group",
    response_model=GroupSummary,
    responses=_LISTED,
)
def group_summary(group: Group, service: ServiceDep, caller: Reading, format: As = "json") -> Any:
    """Learners and phones of a group; as CSV a row per learner and phone."""
    found = service.store.group_summary(group, key_id=caller.sees)
    if format == "csv":
        columns = (
            *("learner_id", "language", "phone", "ipa"),
            *("count", "mean_score", "flagged_share"),
        )
        rows = (
            (
                *(learner.learner_id, phone.language, phone.phone, phone.ipa),
                *(phone.count, phone.mean_score, phone.flagged_share),
            )
            for learner in found.learners
            for phone in learner.phones
        )
        return csv_response(columns, rows, "group.csv")
    return found
