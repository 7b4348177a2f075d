"""Assessing recordings, and what was kept of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Literal
from uuid import uuid4

from anyio import to_thread
from fastapi import APIRouter, File, Form, Header, Path, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse

from scoring.assessment import Assessment
from scoring.feedback.first_language import first_language
from service.api.engine import Work
from service.api.keys import Assessing, Caller, Reading
from service.api.models import (
    EXAMPLES,
    AssessmentItem,
    AssessmentList,
    Calibration,
    JobCreated,
    Name,
    Plain,
    Tag,
    Text,
)
from service.api.problems import NotKeptError, responses
from service.api.recordings import media_type_of
from service.api.references import Reference
from service.api.routes.jobs import job_answer
from service.api.state import Parts, Service
from service.api.tables import CSV_CONTENT, Format, csv_response
from service.database.store import NewAssessment, StoredAssessment
from speech.audio import Audio
from speech.errors import InputError
from speech.recogniser import Recogniser

router = APIRouter(prefix="/v1/assessments", tags=["assessments"])

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
        **responses(400, 401, 403, 409, 413, 415, 422, 429, 501, 503, 504),
    },
)
async def assess(
    *,
    request: Request,
    parts: Parts,
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
        Tag | None, Form(description="The learner's first language.", examples=EXAMPLES["l1"])
    ] = None,
    learner_id: Annotated[
        Name | None,
        Form(description="Whose history it belongs to.", examples=EXAMPLES["learner_id"]),
    ] = None,
    group: Annotated[
        Name | None, Form(description="Whose summary it counts in.", examples=EXAMPLES["group"])
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
    data = await parts.decoder.read(audio, caller)
    meant = {
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
    digest = _digest(data, meant)
    if idempotency_key is not None:
        before = await to_thread.run_sync(
            parts.store.replayed, caller.key_id, idempotency_key, digest
        )
        if before is not None:
            return _json(before.result, {"Idempotency-Replayed": "true"})
    recording = await parts.decoder.decode(data, caller)
    order = await to_thread.run_sync(order_of, parts, meant)
    work = order.work(recording)
    kept = Kept(
        caller=caller,
        meant=meant,
        audio=data if keep_audio else None,
        idempotency_key=idempotency_key,
        digest=digest if idempotency_key is not None else None,
    )
    later = recording.duration_s > parts.settings.async_above_s
    if later or "respond-async" in (prefer or "").lower():
        future = parts.engine.submit(work)
        job = await to_thread.run_sync(_create_job, parts, meant, caller)
        parts.pending.follow(job.id, future, lambda result: save(parts, work, kept, result))
        headers = {"Location": f"/v1/jobs/{job.id}"}
        if not later:
            headers["Preference-Applied"] = "respond-async"
        created = JobCreated(job=job_answer(job))
        return JSONResponse(created.model_dump(mode="json"), 202, headers)
    future = parts.engine.submit(work)
    result = await parts.engine.answer(future, _gone(request))
    stored = await to_thread.run_sync(save, parts, work, kept, result)
    return _json(stored.result)


@dataclass(frozen=True, eq=False)
class Kept:
    """What is stored beside a result."""

    caller: Caller
    meant: dict[str, Any]
    audio: bytes | None = None
    idempotency_key: str | None = None
    digest: str | None = None


@dataclass(frozen=True, eq=False)
class Order:
    """What a recording is to be assessed against."""

    reference: Reference
    meant: dict[str, Any]
    accents: tuple[Reference, ...] = ()
    recogniser: Recogniser | None = None

    def work(self, recording: Audio) -> Work:
        """What the engine is given."""
        return Work(
            reference=self.reference,
            audio=recording,
            text=self.meant["text"],
            phones=self.meant["phones"],
            id=uuid4().hex,
            l1=self.meant["l1"],
            calibration=self.meant["calibration"],
            accents=self.accents,
            free=self.meant.get("free", False),
            recogniser=self.recogniser,
        )


def order_of(parts: Service, meant: dict[str, Any]) -> Order:
    """Find the index that is meant; all that can be refused early is refused here.

    Raises
    ------
    InputError
        If nothing was meant, what was contradicts itself, or a word has no pronunciation.
    """
    free = meant.get("free", False)
    is_meant = any((meant[name] or "").strip() for name in ("text", "phones"))
    if free and (is_meant or meant.get("accent") is not None):
        raise InputError(
            "free goes with neither text, phones nor accent.",
            fix="Send free=true alone where no text is known, or the text without it.",
        )
    if not free and not is_meant:
        raise InputError(
            "There is neither a text nor phones to assess against.",
            fix="Send the field text, or phones, or free=true where no text is known.",
        )
    if meant["l1"] is not None:
        first_language(meant["l1"])
    if meant.get("accent") is not None:
        return _order_of_accents(parts, meant)
    reference = parts.references.get(parts.references.choose(meant["index"], meant["language"]))
    reference.assessor_of(meant["calibration"])
    if free:
        return Order(reference, meant, recogniser=parts.recogniser)
    reference.assessor.pronounce(meant["text"], meant["phones"])
    return Order(reference, meant)


def _order_of_accents(parts: Service, meant: dict[str, Any]) -> Order:
    if meant["index"] or not meant["language"]:
        raise InputError(
            "accent goes with language, and not with index.",
            fix="Send the field language, or no accent.",
        )
    accents = parts.references.accents(meant["language"])
    for reference in accents:
        reference.assessor_of(meant["calibration"])
    return Order(accents[0], meant, accents)


def save(parts: Service, work: Work, kept: Kept, result: Assessment) -> StoredAssessment:
    """Store a result; under an idempotency key that is known, the one that is there."""
    retain = parts.settings.retain_days
    now = datetime.now(timezone.utc)
    return parts.store.save_assessment(
        NewAssessment(
            id=work.id,
            key_id=kept.caller.key_id,
            learner_id=kept.meant["learner_id"],
            group=kept.meant["group"],
            language=result.language,
            index=work.answered_by(result).name,
            text=work.text,
            result=result.model_dump_json(),
            duration_s=result.duration_s,
            audio=kept.audio,
            audio_type=media_type_of(kept.audio) if kept.audio is not None else None,
            expires_at=now + timedelta(days=retain) if retain is not None else None,
            idempotency_key=kept.idempotency_key,
            request_digest=kept.digest,
        )
    )


def _create_job(parts: Service, meant: dict[str, Any], caller: Caller) -> Any:
    return parts.store.create_job("assessment", json.dumps(meant), key_id=caller.key_id)


def _digest(data: bytes, meant: dict[str, Any]) -> str:
    """What tells a request from another under the same idempotency key."""
    told = hashlib.sha256(json.dumps(meant, sort_keys=True).encode("utf-8"))
    told.update(hashlib.sha256(data).digest())
    return told.hexdigest()


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
async def assessments(
    *,
    parts: Parts,
    caller: Reading,
    learner_id: Annotated[Name | None, Query()] = None,
    group: Annotated[Name | None, Query()] = None,
    language: Annotated[Tag | None, Query()] = None,
    index: Annotated[Name | None, Query()] = None,
    since: Annotated[datetime | None, Query(description="Not before.")] = None,
    until: Annotated[datetime | None, Query(description="Before.")] = None,
    after: Annotated[str | None, Query(max_length=200, description="`next` of a page."), Plain] = (
        None
    ),
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    format: Annotated[Format, Query()] = "json",
) -> Any:
    """Assessments, the newest first, a page at a time; as JSON or CSV."""

    def listed() -> AssessmentList:
        page = parts.store.assessments(
            key_id=caller.sees,
            learner_id=learner_id,
            group=group,
            language=language,
            index=index,
            since=_utc(since),
            until=_utc(until),
            after=after,
            limit=limit,
        )
        items = tuple(AssessmentItem.model_validate(item) for item in page.items)
        return AssessmentList(items=items, next=page.next)

    found = await to_thread.run_sync(listed)
    if format == "csv":
        rows = ([getattr(item, column) for column in _COLUMNS] for item in found.items)
        return csv_response(_COLUMNS, rows, "assessments.csv")
    return found


def _utc(moment: datetime | None) -> datetime | None:
    """A moment with a time zone; UTC where none was told."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=timezone.utc)


@router.get(
    "/{id}",
    summary="Fetch an assessment",
    response_model=Assessment,
    responses=responses(401, 403, 404, 422, 429, 503),
)
async def assessment(id: Id, parts: Parts, caller: Reading) -> Any:
    """The Assessment as it was answered."""
    stored = await to_thread.run_sync(lambda: parts.store.assessment(id, key_id=caller.sees))
    return _json(stored.result)


@router.delete(
    "/{id}",
    summary="Delete an assessment",
    status_code=204,
    response_class=Response,
    responses=responses(401, 403, 404, 422, 429, 503),
)
async def delete(id: Id, parts: Parts, caller: Assessing) -> Response:
    """Delete an assessment and its recording for good."""
    await to_thread.run_sync(lambda: parts.store.delete_assessment(id, key_id=caller.sees))
    return Response(status_code=204)


@router.get(
    "/{id}/audio",
    summary="Hear what was assessed",
    response_class=Response,
    responses={
        200: {"content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}}},
        **responses(401, 403, 404, 422, 429, 503),
    },
)
async def audio(id: Id, parts: Parts, caller: Reading) -> Response:
    """The recording as it was sent, if it was kept."""
    kept = await to_thread.run_sync(lambda: parts.store.audio(id, key_id=caller.sees))
    return Response(kept.bytes, media_type=kept.media_type)


@router.get(
    "/{id}/report.html",
    summary="An assessment as one HTML file",
    response_class=HTMLResponse,
    responses=responses(401, 403, 404, 409, 422, 429, 503),
)
async def report(id: Id, parts: Parts, caller: Reading) -> HTMLResponse:
    """The report with the recording and native examples in it; the recording must be kept."""

    def rendered() -> str:
        from service.report.page import render_page

        stored = parts.store.assessment(id, key_id=caller.sees)
        kept = parts.store.audio(id, key_id=caller.sees)
        result = Assessment.model_validate_json(stored.result)
        reference = parts.references.get(stored.index)
        _refuse_other_exemplars(result, reference.index)
        return render_page(result, Audio.load(kept.bytes), reference.index)

    page = await to_thread.run_sync(rendered)
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
async def textgrid(id: Id, parts: Parts, caller: Reading) -> Response:
    """Words, phones, scores and verdicts as tiers, for Praat."""

    def written() -> str:
        from service.result_textgrid import to_textgrid

        stored = parts.store.assessment(id, key_id=caller.sees)
        return to_textgrid(Assessment.model_validate_json(stored.result)).to_text()

    text = await to_thread.run_sync(written)
    return Response(
        text.encode("utf-8"),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{id}.TextGrid"'},
    )
