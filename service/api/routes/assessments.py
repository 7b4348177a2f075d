"""Assessing recordings, and what was kept of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import File, Form, Header, Path, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.access_log import TEXT
from nativeear.service.api.asking_elsewhere import (
    LanguageUseField,
    SecondEarField,
    TopicField,
    asked_elsewhere,
    said_of_elsewhere,
)
from nativeear.service.api.auditing import note, note_reading
from nativeear.service.api.authentication import Assessing, Caller, KeyedRouter, Reading
from nativeear.service.api.details import DetailQuery, told
from nativeear.service.api.idempotency import claim_or_wait, released_on_failure
from nativeear.service.api.models import (
    EXAMPLES,
    AssessmentItem,
    AssessmentList,
    Calibration,
    Detail,
    FirstLanguage,
    Moment,
    Name,
    PathName,
    Plain,
    Tag,
    Text,
)
from nativeear.service.api.problems import refusals, refusals_of_body
from nativeear.service.api.quota import reservation_of
from nativeear.service.api.recordings import audio_responses
from nativeear.service.api.routes.jobs import job_answer
from nativeear.service.api.shown_exemplars import refuse_other_exemplars
from nativeear.service.api.state import Service, ServiceDep
from nativeear.service.api.submissions import (
    Submission,
    asks_for_a_job,
    attributed,
    refuse_if_queue_full,
    save,
    target_of,
)
from nativeear.service.api.tables import CSV_CONTENT, Format, csv_response
from nativeear.service.api.work_models import JobCreated
from nativeear.service.database.assessments import StoredAssessment
from nativeear.service.database.jobs import Job
from nativeear.service.database.queue import Recording
from nativeear.service.database.requests import Claim
from nativeear.speech.audio import Audio

router = KeyedRouter(prefix="/v1/assessments", tags=["assessments"])

Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of an assessment.")]

REPORT_POLICY = "sandbox allow-scripts allow-downloads; frame-ancestors 'none'"
"""The report brings its own policy, by the hashes of its script and style; beside that, it runs
as a page of no origin: it cannot reach the service."""


@router.post(
    "",
    summary="Assess a recording",
    response_model=Assessment,
    response_description="The Assessment; its `id` names it from now on.",
    responses={
        202: {"model": JobCreated, "description": "A job that assesses it."},
        **refusals_of_body(409, 415, 501, 504),
    },
)
async def assess(
    *,
    request: Request,
    service: ServiceDep,
    caller: Assessing,
    detail: DetailQuery = "full",
    audio: Annotated[UploadFile, File(description="WAV, FLAC, Ogg, Opus, MP3, M4A, WebM …")],
    text: Annotated[
        Text | None, Form(description="What was meant to be said.", examples=EXAMPLES["text"])
    ] = None,
    phones: Annotated[
        Text | None,
        Form(
            description="Canonical phones instead, ARPAbet or IPA, ` | ` between words.",
            examples=EXAMPLES["phones"],
        ),
    ] = None,
    free: Annotated[
        bool,
        Form(
            description="No text is known: assess what is heard. Goes without `text`, `phones` and "
            "`accent`.",
            examples=EXAMPLES["free"],
        ),
    ] = False,
    language: Annotated[
        Tag | None, Form(description="BCP 47 tag.", examples=EXAMPLES["language"])
    ] = None,
    index: Annotated[
        Name | None, Form(description="Name of an index.", examples=EXAMPLES["index"])
    ] = None,
    accent: Annotated[
        Literal["auto"] | None,
        Form(
            description="With `language`: judge by the nearest of all indexes of that language, "
            "and tell how near each is."
        ),
    ] = None,
    l1: Annotated[
        FirstLanguage | None,
        Form(
            description="The learner's first language; of one that is not known, a warning tells.",
            examples=EXAMPLES["l1"],
        ),
    ] = None,
    learner_id: Annotated[
        PathName | None,
        Form(description="Whose history it belongs to.", examples=EXAMPLES["learner_id"]),
    ] = None,
    group: Annotated[
        PathName | None, Form(description="Whose summary it counts in.", examples=EXAMPLES["group"])
    ] = None,
    calibration: Annotated[Calibration, Form(description="How to grade.")] = "auto",
    keep_audio: Annotated[bool, Form(description="Keep the recording, to be heard again.")] = False,
    second_ear: SecondEarField = None,
    language_use: LanguageUseField = None,
    topic: TopicField = None,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=200, description="The same request is assessed once."),
    ] = None,
    prefer: Annotated[
        str | None, Header(max_length=200, description="`respond-async` asks for a job.")
    ] = None,
) -> Any:
    """Compare a learner's recording with native speech, phone by phone.

    What was meant is told by `text` or `phones`; with `free` nothing was, and `transcript` tells
    what was heard: words, where the service has a recogniser, or sounds.

    Long recordings, and those that are sent with `Prefer: respond-async`, are answered with 202
    and a job.
    """
    form = {
        "text": text or None,
        "phones": phones or None,
        "language": language,
        "index": index,
        "l1": l1,
        "learner_id": learner_id,
        "group": group,
        "calibration": calibration,
        "keep_audio": keep_audio,
        # Told only where it is asked for, so that keys of earlier releases stay valid.
        **({} if accent is None else {"accent": accent}),
        **({"free": True} if free else {}),
        **said_of_elsewhere(second_ear, language_use, (topic or "").strip()),
    }
    request.scope["state"][TEXT] = text or phones
    form = await to_thread.run_sync(attributed, service, caller, form)
    claim, digest = None, None
    if idempotency_key is not None:
        digest = _digest(await service.decoder.read(audio, caller), form)
        found = await claim_or_wait(service, request, caller, idempotency_key, digest)
        if not isinstance(found, Claim):
            return _replayed(found, detail)
        claim = found
    async with released_on_failure(service, claim):
        data = await service.decoder.read(audio, caller)
        await audio.close()
        recording = await service.decoder.decode(data, caller.max_audio_s)
        caller.refuse_speech(recording.duration_s)
        reservation_of(request).take(recording.samples.nbytes)
        target = await to_thread.run_sync(target_of, service, form)
        later = recording.duration_s > service.settings.async_above_s
        if later or asks_for_a_job(prefer):
            headers = {} if later else {"Preference-Applied": "respond-async"}
            job = await _accept_as_job(service, caller, form, data, claim)
            return _accepted(job, headers)
        work = target.work(recording)
        submission = Submission(caller.key_id, form, data if keep_audio else None)
        future = service.engine.submit(work)
        result = await service.engine.answer(future, _gone(request))
        result = await asked_elsewhere(service, work, result)
        submission = replace(submission, idempotency_key=idempotency_key, digest=digest)
        stored = await to_thread.run_sync(save, service, work, submission, result)
        return _json(told(stored.result, detail))


async def _accept_as_job(
    service: Service, caller: Caller, form: dict[str, Any], data: bytes, claim: Claim | None
) -> Job:
    """Keep a recording until some service has assessed it."""
    await to_thread.run_sync(refuse_if_queue_full, service, len(data))
    create = partial(
        service.store.create_job,
        "assessment",
        json.dumps(form),
        key_id=caller.key_id,
        claim=claim,
        recording=Recording(data, form["learner_id"], caller.max_audio_s),
    )
    job = await to_thread.run_sync(create)
    service.assessment_jobs.wake()
    return job


def _accepted(job: Job, headers: dict[str, str]) -> Response:
    created = JobCreated(job=job_answer(job))
    headers = {"Location": f"/v1/jobs/{job.id}", **headers}
    return JSONResponse(created.model_dump(mode="json"), 202, headers)


def _replayed(before: Job | StoredAssessment, detail: Detail) -> Response:
    """Answer as the first time: with the assessment, or with the job."""
    headers = {"Idempotency-Replayed": "true"}
    if isinstance(before, Job):
        return _accepted(before, headers)
    return _json(told(before.result, detail), headers)


def _digest(data: bytes, form: dict[str, Any]) -> str:
    """What tells a request from another under the same idempotency key."""
    digest = hashlib.sha256(json.dumps(form, sort_keys=True).encode("utf-8"))
    digest.update(hashlib.sha256(data).digest())
    return digest.hexdigest()


async def _gone(request: Request) -> None:
    """Wait until the client leaves. The body has been read: nothing else can come."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _json(text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(text.encode("utf-8"), media_type="application/json", headers=headers)


_COLUMNS = tuple(AssessmentItem.model_fields)


@router.get(
    "",
    summary="List assessments",
    response_model=AssessmentList,
    responses={200: {"content": CSV_CONTENT}, **refusals()},
)
def assessments(
    *,
    service: ServiceDep,
    caller: Reading,
    learner_id: Annotated[Name | None, Query()] = None,
    group: Annotated[Name | None, Query()] = None,
    language: Annotated[Tag | None, Query()] = None,
    index: Annotated[Name | None, Query()] = None,
    since: Annotated[Moment | None, Query(description="Not before; UTC without a zone.")] = None,
    until: Annotated[Moment | None, Query(description="Before.")] = None,
    after: Annotated[str | None, Query(max_length=200, description="`next` of a page."), Plain] = (
        None
    ),
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    format: Annotated[Format, Query()] = "json",
) -> Any:
    """Assessments, the newest first, a page at a time; as JSON or CSV."""
    page = service.store.assessments(
        key_id=caller.sees,
        learner_id=learner_id,
        group=group,
        language=language,
        index=index,
        since=since,
        until=until,
        after=after,
        limit=limit,
    )
    note_reading(service, caller, "assessments", {item.key_id for item in page.items})
    found = AssessmentList.model_validate(page)
    if format == "csv":
        rows = ([getattr(item, column) for column in _COLUMNS] for item in found.items)
        return csv_response(_COLUMNS, rows, "assessments.csv")
    return found


@router.get(
    "/{id}",
    summary="Fetch an assessment",
    response_model=Assessment,
    responses=refusals(404),
)
def assessment(id: Id, service: ServiceDep, caller: Reading, detail: DetailQuery = "full") -> Any:
    """The Assessment as it was answered, or less of it."""
    stored = _read(service, caller, id, "assessment")
    return _json(told(stored.result, detail))


def _read(service: Service, caller: Caller, id: str, what: str) -> StoredAssessment:
    """An assessment that somebody may see; if it is another's, that he saw it is written down."""
    stored = service.store.assessment(id, key_id=caller.sees)
    note_reading(service, caller, f"{what} {id}", {stored.key_id})
    return stored


@router.delete(
    "/{id}",
    summary="Delete an assessment",
    status_code=204,
    response_class=Response,
    responses=refusals(404),
)
def delete(id: Id, service: ServiceDep, caller: Assessing) -> Response:
    """Delete an assessment and its recording for good."""
    owner = service.store.assessment(id, key_id=caller.deletes).key_id
    service.store.delete_assessment(id, key_id=caller.deletes)
    note(service, caller, "delete", f"assessment {id}", subject=owner)
    return Response(status_code=204)


@router.get(
    "/{id}/audio",
    summary="Hear what was assessed",
    response_class=Response,
    responses={**audio_responses("audio/*"), **refusals(404)},
)
def audio(id: Id, service: ServiceDep, caller: Reading) -> Response:
    """The recording as it was sent, if it was kept."""
    _read(service, caller, id, "recording")
    kept = service.store.audio(id, key_id=caller.sees)
    return Response(kept.bytes, media_type=kept.media_type)


@router.get(
    "/{id}/report.html",
    summary="An assessment as one HTML file",
    response_class=HTMLResponse,
    responses=refusals(404, 409),
)
def report(id: Id, service: ServiceDep, caller: Reading) -> HTMLResponse:
    """The report with the recording and native examples in it; the recording must be kept."""
    from nativeear.service.report.page import render_page

    stored = _read(service, caller, id, "report")
    kept = service.store.audio(id, key_id=caller.sees)
    result = Assessment.model_validate_json(stored.result)
    reference = service.references.get(stored.index)
    refuse_other_exemplars(result, reference.index)
    page = render_page(result, Audio.load(kept.bytes), reference.index)
    return HTMLResponse(page, headers={"Content-Security-Policy": REPORT_POLICY})


@router.get(
    "/{id}/textgrid",
    summary="An assessment as a TextGrid",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **refusals(404),
    },
)
def textgrid(id: Id, service: ServiceDep, caller: Reading) -> Response:
    """Words, phones, scores and verdicts as tiers, for Praat."""
    from nativeear.service.result_textgrid import to_textgrid

    stored = _read(service, caller, id, "textgrid")
    text = to_textgrid(Assessment.model_validate_json(stored.result)).to_text()
    return Response(
        text.encode("utf-8"),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{id}.TextGrid"'},
    )
