"""Verdicts that teachers put right, and the corpus that they make."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Response

from nativeear.service.api.archives import ARCHIVE, archive_response
from nativeear.service.api.auditing import note, note_reading
from nativeear.service.api.authentication import KeyedRouter, Reading, Teaching
from nativeear.service.api.problems import NotThereError, refusals, refusals_of_body
from nativeear.service.api.state import ServiceDep
from nativeear.service.api.teaching_models import LabelList, LabelsRequest
from nativeear.service.database.labels import NewLabel, export_labels

router = KeyedRouter(prefix="/v1", tags=["teaching"])

Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of an assessment.")]

_PROBLEMS = refusals(404)


@router.get(
    "/assessments/{id}/labels",
    summary="List what a teacher heard",
    response_model=LabelList,
    responses=_PROBLEMS,
)
def labels(id: Id, service: ServiceDep, caller: Reading) -> Any:
    """The phones of which a teacher told what he heard; the result stays as it was judged."""
    owner = service.store.assessment(id, key_id=caller.sees).key_id
    note_reading(service, caller, f"labels {id}", {owner})
    return LabelList.model_validate({"items": service.people.labels(id)})


@router.put(
    "/assessments/{id}/labels",
    summary="Tell what was heard",
    response_model=LabelList,
    responses=refusals_of_body(404, 409),
)
def put_labels(id: Id, asked: LabelsRequest, service: ServiceDep, caller: Teaching) -> Any:
    """Put verdicts right, or agree with them: all labels of an assessment at once.

    They take the place of those before; none take all back.
    """
    owner = service.store.assessment(id, key_id=caller.sees).key_id
    told = [NewLabel(**label.model_dump()) for label in asked.labels]
    found = service.people.label(id, caller.key_id, told)
    note(service, caller, "label", f"assessment {id}", subject=owner)
    return LabelList.model_validate({"items": found})


@router.get(
    "/labels/export",
    summary="Labels as a corpus",
    response_class=Response,
    responses={**ARCHIVE, **_PROBLEMS},
)
def labels_corpus(service: ServiceDep, caller: Reading) -> Response:
    """A zip for `nativeear eval manifest`: a folder for each language, a table and recordings.

    It has what is seen, labelled and kept to be heard. Speakers are numbers.
    """
    chosen = service.people.labelled(caller.sees)
    if not chosen:
        raise NotThereError(
            "Nothing is labelled yet that was kept to be heard.",
            fix="Put a verdict right in a result whose recording is kept.",
        )
    note_reading(service, caller, "labels", {owner for _, _, owner in chosen})
    return archive_response(lambda out: export_labels(service.store, chosen, out), "labels.zip")
