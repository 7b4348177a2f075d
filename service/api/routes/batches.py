"""Many recordings in one request."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import File, Form, Header, Path, Query, UploadFile
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy.exc import IntegrityError

from nativeear.service.api.asking_elsewhere import (
    LanguageUseField,
    SecondEarField,
    TopicField,
    said_of_elsewhere,
)
from nativeear.service.api.auditing import note_reading
from nativeear.service.api.authentication import Assessing, Caller, KeyedRouter, Reading
from nativeear.service.api.batches import (
    MANIFEST_BYTES,
    Bounds,
    Entry,
    entries_of,
    items_of,
    opened,
)
from nativeear.service.api.details import DetailQuery, told
from nativeear.service.api.models import (
    EXAMPLES,
    Calibration,
    Detail,
    FirstLanguage,
    Name,
    PathName,
    Plain,
    Tag,
    Text,
)
from nativeear.service.api.problem import Problem
from nativeear.service.api.problems import TooLargeError, refusals, refusals_of_body
from nativeear.service.api.state import Service, ServiceDep
from nativeear.service.api.submissions import attribution, refuse_if_queue_full, refuse_meaningless
from nativeear.service.api.tables import cell
from nativeear.service.api.work_models import BatchAnswer, BatchCreated, BatchLine, BatchList
from nativeear.service.database.batches import Batch, BatchResult, NewBatch
from nativeear.speech.errors import InputError

router = KeyedRouter(prefix="/v1/batches", tags=["batches"])

Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of a batch.")]

JSON_LINES = "application/x-ndjson"
_PAGE = 50
_SCORES = ("overall", "pronunciation", "fluency", "prosody", "completeness")
_COLUMNS = ("position", "id", "state", "assessment_id", *_SCORES, "problem")


def batch_answer(batch: Batch) -> BatchAnswer:
    """A batch as it is told."""
    states = {state: batch.states[state] for state in BatchAnswer.STATES}
    return BatchAnswer(
        id=batch.id,
        state="done" if batch.is_done else "running",
        created_at=batch.created_at,
        total=batch.total,
        **states,
    )


@dataclass(frozen=True, eq=False)
class _Sent:
    """What came in a request."""

    archive: UploadFile
    manifest: bytes | None
    form: dict[str, Any]
    idempotency_key: str | None


@router.post(
    "",
    summary="Assess many recordings",
    status_code=202,
    response_model=BatchCreated,
    responses=refusals_of_body(),
)
async def send_batch(
    *,
    service: ServiceDep,
    caller: Assessing,
    archive: Annotated[UploadFile, File(description="A zip archive of recordings.")],
    manifest: Annotated[
        UploadFile | None,
        File(
            description="CSV or JSON lines with `audio`, a name in the archive, and of `id`, "
            "`text`, `phones`, `free`, `language`, `index`, `l1`, `learner_id`, `group`, "
            "`second_ear`, `language_use` and `topic` what is to be said."
        ),
    ] = None,
    text: Annotated[
        Text | None,
        Form(description="What was meant in all that have no text.", examples=EXAMPLES["text"]),
    ] = None,
    free: Annotated[bool, Form(description="No text of them is known.")] = False,
    language: Annotated[Tag | None, Form(examples=EXAMPLES["language"])] = None,
    index: Annotated[Name | None, Form(examples=EXAMPLES["index"])] = None,
    l1: Annotated[FirstLanguage | None, Form(examples=EXAMPLES["l1"])] = None,
    learner_id: Annotated[PathName | None, Form(examples=EXAMPLES["learner_id"])] = None,
    group: Annotated[PathName | None, Form(examples=EXAMPLES["group"])] = None,
    calibration: Annotated[Calibration, Form()] = "auto",
    keep_audio: Annotated[bool, Form()] = False,
    second_ear: SecondEarField = None,
    language_use: LanguageUseField = None,
    topic: TopicField = None,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=200, description="The same request is one batch."),
    ] = None,
) -> JSONResponse:
    """Take many recordings at once; each becomes a job, and waits behind those of others.

    Each has the fields of its row in the manifest, and of the request what that does not say. The
    manifest may lie in the archive, as `manifest.csv` or `manifest.jsonl`; without any, each file
    is a recording, and its text, if there is one, the file of its name that ends with `.txt`.
    """
    form = {
        "text": text or None,
        "phones": None,
        "free": free,
        "language": language,
        "index": index,
        "l1": l1,
        "learner_id": learner_id,
        "group": group,
        "calibration": calibration,
        "keep_audio": keep_audio,
        **said_of_elsewhere(second_ear, language_use, (topic or "").strip()),
    }
    listed = None if manifest is None else await manifest.read(MANIFEST_BYTES + 1)
    if listed is not None and len(listed) > MANIFEST_BYTES:
        raise TooLargeError(f"The manifest has more than {MANIFEST_BYTES:,} bytes.")
    sent = _Sent(archive, listed, form, idempotency_key)
    batch, replayed = await to_thread.run_sync(_stored, service, caller, sent)
    service.assessment_jobs.wake()
    headers = {"Location": f"/v1/batches/{batch.id}"}
    headers |= {"Idempotency-Replayed": "true"} if replayed else {}
    created = BatchCreated(batch=batch_answer(batch))
    return JSONResponse(created.model_dump(mode="json"), 202, headers)


def _stored(service: Service, caller: Caller, sent: _Sent) -> tuple[Batch, bool]:
    """Store a batch, or find it; whether it was there before."""
    settings = service.settings
    new = NewBatch(caller.key_id, _digest(sent), sent.idempotency_key)
    if (before := service.store.find_sent(new)) is not None:
        return before, True
    caller.refuse_speech(0.0)
    bounds = Bounds(
        recordings=settings.max_batch,
        bytes_each=caller.max_bytes or settings.max_bytes,
        bytes=settings.max_batch_bytes,
    )
    with opened(sent.archive.file) as archive:
        attribute = attribution(service, caller)
        entries = tuple(
            replace(entry, form=attribute(entry.form))
            for entry in entries_of(archive, sent.manifest, sent.form, bounds)
        )
        for entry in entries:
            _refuse_meaningless(service, entry)
        size = sum(entry.member.file_size for entry in entries)
        refuse_if_queue_full(service, size, len(entries))
        items = items_of(archive, entries, bounds, caller.max_audio_s)
        try:
            return service.store.insert_batch(new, items), False
        except IntegrityError:  # the same came at the same time
            before = service.store.find_sent(new)
            if before is None:
                raise
            return before, True


def _refuse_meaningless(service: Service, entry: Entry) -> None:
    try:
        refuse_meaningless(service, entry.form)
    except InputError as error:
        raise InputError(f"{entry.name!r}: {error.message}", fix=error.fix) from error


def _digest(sent: _Sent) -> str:
    """What tells a request from another under the same idempotency key."""
    digest = hashlib.sha256(json.dumps(sent.form, sort_keys=True).encode("utf-8"))
    digest.update(hashlib.sha256(sent.manifest or b"").digest())
    sent.archive.file.seek(0)
    while block := sent.archive.file.read(1 << 20):
        digest.update(block)
    sent.archive.file.seek(0)
    return digest.hexdigest()


@router.get(
    "",
    summary="List batches",
    response_model=BatchList,
    responses=refusals(),
)
def batches(
    service: ServiceDep,
    caller: Reading,
    after: Annotated[str | None, Query(max_length=200, description="`next` of a page."), Plain] = (
        None
    ),
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Any:
    """Batches, the newest first, a page at a time."""
    page = service.store.list_batches(key_id=caller.sees, after=after, limit=limit)
    return BatchList(items=tuple(map(batch_answer, page.items)), next=page.next)


@router.get(
    "/{id}",
    summary="How far a batch is",
    response_model=BatchAnswer,
    responses=refusals(404),
)
def batch(id: Id, service: ServiceDep, caller: Reading) -> Any:
    """How many of its recordings wait, are worked at, and have ended how."""
    return batch_answer(service.store.find_batch(id, key_id=caller.sees))


@router.post(
    "/{id}/cancel",
    summary="Cancel a batch",
    response_model=BatchAnswer,
    responses=refusals(404),
)
def cancel_batch(id: Id, service: ServiceDep, caller: Assessing) -> Any:
    """Cancel what waits of it; what has begun is finished."""
    return batch_answer(service.store.cancel_batch(id, key_id=caller.sees))


@router.get(
    "/{id}/results",
    summary="What came of a batch",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {
                JSON_LINES: {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            }
        },
        **refusals(404),
    },
)
def batch_results(
    *,
    id: Id,
    service: ServiceDep,
    caller: Reading,
    after: Annotated[
        int, Query(ge=-1, le=1 << 31, description="Position of the last line that you have.")
    ] = -1,
    format: Annotated[Literal["jsonl", "csv"], Query()] = "jsonl",
    detail: DetailQuery = "full",
) -> StreamingResponse:
    """A line for each recording in the order of the manifest, up to the first that has not ended.

    Whoever was interrupted, or comes before the end, asks again with `after`.
    """
    owner = service.store.find_batch(id, key_id=caller.sees).key_id
    note_reading(service, caller, f"batch {id}", {owner})
    first = service.store.batch_results(id, key_id=caller.sees, after=after, limit=_PAGE)
    found = _all(service, caller, id, first)
    if format == "csv":
        return StreamingResponse(_table(found), media_type="text/csv; charset=utf-8")
    return StreamingResponse((_line(one, detail) for one in found), media_type=JSON_LINES)


def _all(
    service: Service, caller: Caller, id: str, page: tuple[BatchResult, ...]
) -> Iterator[BatchResult]:
    while page:
        yield from page
        after = page[-1].position
        page = service.store.batch_results(id, key_id=caller.sees, after=after, limit=_PAGE)


def _line(found: BatchResult, detail: Detail) -> str:
    line = BatchLine(
        position=found.position,
        id=found.name,
        state=found.state,
        problem=Problem.model_validate_json(found.problem) if found.problem else None,
    )
    assessment = None if found.result is None else json.loads(told(found.result, detail))
    fields = line.model_dump(mode="json") | {"assessment": assessment}
    return json.dumps(fields, ensure_ascii=False) + "\n"


def _table(results: Iterator[BatchResult]) -> Iterator[str]:
    yield _cells(_COLUMNS)
    for found in results:
        made = json.loads(found.result) if found.result else {}
        scores = [made.get("score", {}).get(name) for name in _SCORES]
        problem = json.loads(found.problem)["detail"] if found.problem else None
        yield _cells((found.position, found.name, found.state, made.get("id"), *scores, problem))


def _cells(row: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([cell(value) for value in row])
    return out.getvalue()
