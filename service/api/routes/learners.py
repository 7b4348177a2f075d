"""Histories of learners, and what a teacher sees of a group."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import IO, Annotated, Any

from fastapi import Path, Query
from fastapi.responses import Response

from nativeear.service.api.archives import ARCHIVE, archive_response
from nativeear.service.api.auditing import note, note_reading
from nativeear.service.api.authentication import Assessing, KeyedRouter, Reading
from nativeear.service.api.models import LearnerList, Plain, Tag
from nativeear.service.api.problems import refusals
from nativeear.service.api.state import ServiceDep
from nativeear.service.api.tables import CSV_CONTENT, Format, csv_response
from nativeear.service.database import export
from nativeear.service.database.summaries import GroupSummary, LearnerProgress
from nativeear.service.today import Today, today

router = KeyedRouter(prefix="/v1", tags=["learners"])

_PROBLEMS = refusals(404)
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
    note_reading(service, caller, "learners", service.store.owners(key_id=caller.sees))
    if format == "csv":
        columns = ("learner_id", "count", "mean_score", "first_at", "last_at", "name")
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
    owners = service.store.owners(key_id=caller.sees, learner_id=learner_id)
    note_reading(service, caller, "progress", owners)
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


@router.get(
    "/learners/{learner_id:path}/today",
    summary="What a learner is to practise today",
    response_model=Today,
    responses=_PROBLEMS,
)
def practise_today(
    learner_id: Learner,
    service: ServiceDep,
    caller: Reading,
    language: Annotated[Tag, Query(description="BCP 47 tag.", examples=["en-US"])],
) -> Any:
    """The sounds that cost most of those that are due, each with words and pairs to say."""
    found = service.store.learner_progress(learner_id, key_id=caller.sees)
    owners = service.store.owners(key_id=caller.sees, learner_id=learner_id)
    note_reading(service, caller, "progress", owners)
    reference = service.references.get(service.references.choose(None, language))
    day = datetime.now(timezone.utc).date()
    return today(found, reference.index.inventory, day, reference.native_speech.words)


@router.delete(
    "/learners/{learner_id:path}",
    summary="Delete a learner",
    status_code=204,
    response_class=Response,
    responses=_PROBLEMS,
)
def forget(learner_id: Learner, service: ServiceDep, caller: Assessing) -> Response:
    """Delete all assessments that are kept of a learner, for good.

    Where the service is not open, `Erasure-Receipt` names the receipt at `/v1/receipts`.
    """
    count = service.store.delete_learner(learner_id, key_id=caller.deletes)
    if caller.is_open:
        return Response(status_code=204)
    deleted = {"assessments": count}
    receipt = service.people.write_receipt(learner_id, caller.key_id, caller.role, deleted)
    return Response(status_code=204, headers={"Erasure-Receipt": receipt.id})


@router.get(
    "/learners/{learner_id:path}/export",
    summary="All that is kept of a learner",
    response_class=Response,
    responses={**ARCHIVE, **_PROBLEMS},
)
def export_learner(learner_id: Learner, service: ServiceDep, caller: Reading) -> Response:
    """A zip of results as JSON and recordings as they were sent."""
    mine = caller.deletes
    owners = service.store.owners(key_id=mine, learner_id=learner_id)

    def write(out: IO[bytes]) -> None:
        export.export_learner(service.store, learner_id, out, key_id=mine)

    answer = archive_response(write, "learner.zip")
    for owner in owners:
        note(service, caller, "export", "learner", subject=owner)
    return answer


@router.get(
    "/groups/{group:path}/summary",
    summary="What a teacher sees of a group",
    response_model=GroupSummary,
    responses=_LISTED,
)
def group_summary(group: Group, service: ServiceDep, caller: Reading, format: As = "json") -> Any:
    """Learners and phones of a group; as CSV a row per learner and phone."""
    found = service.store.group_summary(group, key_id=caller.sees)
    owners = service.store.owners(key_id=caller.sees, group=group)
    note_reading(service, caller, "group summary", owners)
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
