"""Assessing recordings, and what was kept of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, File, Form, Header, Path, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.authentication import Assessing, KeyedRoute, Reading
from nativeear.service.api.engine import Work
from nativeear.service.api.idempotency import claim_or_wait, released_on_failure
from nativeear.service.api.models import (
    EXAMPLES,
    AssessmentItem,
    AssessmentList,
    Calibration,
    FirstLanguage,
    JobCreated,
    Moment,
    Name,
    PathName,
    Plain,
    Tag,
    Text,
)
from nativeear.service.api.problems import NotKeptError, responses
from nativeear.service.api.quota import Reservation, reservation_of
from nativeear.service.api.recordings import audio_responses
from nativeear.service.api.routes.jobs import job_answer
from nativeear.service.api.state import Service, ServiceDep
from nativeear.service.api.submissions import Submission, save, target_of
from nativeear.service.api.tables import CSV_CONTENT, Format, csv_response
from nativeear.service.database.assessments import StoredAssessment
from nativeear.service.database.jobs import Job
from nativeear.service.database.requests import Claim
from nativeear.speech.audio import Audio

router = APIRouter(prefix="/v1/assessments", tags=["assessments"], route_class=KeyedRoute)

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
        **responses(400, 401, 403, 408, 409, 413, 415, 422, 429, 501, 503, 504),
    },
)
async def assess(
    *,
    request: Request,
    service: ServiceDep,
    caller: Assessing,
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
    }
    claim, digest = None, None
    if idempotency_key is not None:
        digest = _digest(await service.decoder.read(audio, caller), form)
        found = await claim_or_wait(service, request, caller, idempotency_key, digest)
        if not isinstance(found, Claim):
            return _replayed(found)
        claim = found
    async with released_on_failure(service, claim):
        data = await service.decoder.read(audio, caller)
        await audio.close()
        recording = await service.decoder.decode(data, caller)
        reservation = reservation_of(request)
        reservation.take(recording.samples.nbytes)
        target = await to_thread.run_sync(target_of, service, form)
        work = target.work(recording)
        submission = Submission(caller=caller, form=form, audio=data if keep_audio else None)
        later = recording.duration_s > service.settings.async_above_s
        if later or "respond-async" in (prefer or "").lower():
            headers = {} if later else {"Preference-Applied": "respond-async"}
            return await _accept_as_job(
                service, work, submission, claim=claim, reservation=reservation, headers=headers
            )
        future = service.engine.submit(work)
        result = await service.engine.answer(future, _gone(request))
        submission = replace(submission, idempotency_key=idempotency_key, digest=digest)
        stored = await to_thread.run_sync(save, service, work, submission, result)
        return _json(stored.result)


async def _accept_as_job(
    service: Service,
    work: Work,
    submission: Submission,
    *,
    claim: Claim | None,
    reservation: Reservation,
    headers: dict[str, str],
) -> Response:
    """Have a recording assessed as a job."""
    request = json.dumps(submission.form)
    create = partial(
        service.store.create_job,
        "assessment",
        request,
        key_id=submission.caller.key_id,
        claim=claim,
    )
    future = service.engine.submit(work)
    reservation.keep_until(future)
    try:
        job = await to_thread.run_sync(create)
    except BaseException:
        future.cancel()
        raise
    service.assessment_jobs.follow(
        job.id, future, lambda result: save(service, work, submission, result)
    )
    return _accepted(job, headers)


def _accepted(job: Job, headers: dict[str, str]) -> Response:
    created = JobCreated(job=job_answer(job))
    headers = {"Location": f"/v1/jobs/{job.id}", **headers}
    return JSONResponse(created.model_dump(mode="json"), 202, headers)


def _replayed(before: Job | StoredAssessment) -> Response:
    """Answer as the first time: with the assessment, or with the job."""
    headers = {"Idempotency-Replayed": "true"}
    if isinstance(before, Job):
        return _accepted(before, headers)
    return _json(before.result, headers)


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
    responses={200: {"content": CSV_CONTENT}, **responses(401, 403, 422, 429, 503)},
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
    found = AssessmentList.model_validate(page)
    if format == "csv":
        rows = ([getattr(item, column) for column in _COLUMNS] for item in found.items)
        return csv_response(_COLUMNS, rows, "assessments.csv")
    return found


@router.get(
    "/{id}",
    summary="Fetch an assessment",
    response_model=Assessment,
    responses=responses(401, 403, 404, 422, 429, 503),
)
def assessment(id: Id, service: ServiceDep, caller: Reading) -> Any:
    """The Assessment as it was answered."""
    stored = service.store.assessment(id, key_id=caller.sees)
    return _json(stored.result)


@router.delete(
    "/{id}",
    summary="Delete an assessment",
    status_code=204,
    response_class=Response,
    responses=responses(401, 403, 404, 422, 429, 503),
)
def delete(id: Id, service: ServiceDep, caller: Assessing) -> Response:
    """Delete an assessment and its recording for good."""
    service.store.delete_assessment(id, key_id=caller.sees)
    return Response(status_code=204)


@router.get(
    "/{id}/audio",
    summary="Hear what was assessed",
    response_class=Response,
    responses={**audio_responses("audio/*"), **responses(401, 403, 404, 422, 429, 503)},
)
def audio(id: Id, service: ServiceDep, caller: Reading) -> Response:
    """The recording as it was sent, if it was kept."""
    kept = service.store.audio(id, key_id=caller.sees)
    return Response(kept.bytes, media_type=kept.media_type)


@router.get(
    "/{id}/report.html",
    summary="An assessment as one HTML file",
    response_class=HTMLResponse,
    responses=responses(401, 403, 404, 409, 422, 429, 503),
)
def report(id: Id, service: ServiceDep, caller: Reading) -> HTMLResponse:
    """The report with the recording and native examples in it; the recording must be kept."""
    from nativeear.service.report.page import render_page

    stored = service.store.assessment(id, key_id=caller.sees)
    kept = service.store.audio(id, key_id=caller.sees)
    result = Assessment.model_validate_json(stored.result)
    reference = service.references.get(stored.index)
    _refuse_other_exemplars(result, reference.index)
    page = render_page(result, Audio.load(kept.bytes), reference.index)
    return HTMLResponse(page, headers={"Content-Security-Policy": REPORT_POLICY})


def _refuse_other_exemplars(result: Assessment, index: Any) -> None:
    """Refuse to show exemplars under rows that by now are those of others."""
    rows = index.manifest.counts.exemplars
    for phone in result.phones:
        for item in phone.evidence:
            known = index.exemplar(item.exemplar) if item.exemplar < rows else None
            if known is None or (known.phone, known.word, known.speaker) != (
                item.phone,
                item.word,
                item.speaker,
            ):
                raise NotKeptError(
                    "The index has changed since, so its examples no longer belong to this "
                    "assessment.",
                    fix="Assess the recording again for a report.",
                )


@router.get(
    "/{id}/textgrid",
    summary="An assessment as a TextGrid",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **responses(401, 403, 404, 422, 429, 503),
    },
)
def textgrid(id: Id, service: ServiceDep, caller: Reading) -> Response:
    """Words, phones, scores and verdicts as tiers, for Praat."""
    from nativeear.service.result_textgrid import to_textgrid

    stored = service.store.assessment(id, key_id=caller.sees)
    text = to_textgrid(Assessment.model_validate_json(stored.result)).to_text()
    return Response(
        text.encode("utf-8"),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{id}.TextGrid"'},
    )
