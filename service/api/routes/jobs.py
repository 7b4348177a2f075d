"""Work that outlasts a request, and how far it is; building indexes."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import File, Form, Path, Query, UploadFile
from fastapi.responses import JSONResponse, Response, StreamingResponse

from nativeear.indexes.catalogue import home
from nativeear.scoring.assessment import Assessment
from nativeear.service.api.auditing import note_reading
from nativeear.service.api.authentication import Administering, Caller, Following, KeyedRouter
from nativeear.service.api.builds import BuildSpec
from nativeear.service.api.details import DetailQuery, told
from nativeear.service.api.models import Detail, Name, Plain, Tag
from nativeear.service.api.problem import Problem
from nativeear.service.api.problems import ForbiddenError, refusals, refusals_of_body
from nativeear.service.api.quota import Reservation
from nativeear.service.api.state import Service, ServiceDep
from nativeear.service.api.unpacking import discard, unpack
from nativeear.service.api.work_models import (
    JobAnswer,
    JobCreated,
    JobItem,
    JobKind,
    JobList,
    JobState,
)
from nativeear.service.database.errors import NotFoundError, StorageError
from nativeear.service.database.jobs import Job, JobSummary
from nativeear.speech.errors import InputError

router = KeyedRouter(prefix="/v1", tags=["jobs"])

Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of a job.")]

ENDED = frozenset({"done", "failed", "cancelled"})
_POLL_S = 0.3
_ALIVE_S = 15.0  # proxies close what is silent for longer

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def job_item(job: JobSummary) -> JobItem:
    """A job as it is listed."""
    problem = Problem.model_validate_json(job.problem) if job.problem else None
    return JobItem.model_validate(asdict(job) | {"problem": problem})


def job_answer(job: Job) -> JobAnswer:
    """A job as it is told."""
    result = json.loads(job.result) if job.result else None
    problem = Problem.model_validate_json(job.problem) if job.problem else None
    return JobAnswer.model_validate(asdict(job) | {"result": result, "problem": problem})


def _json(job: Job, detail: Detail) -> str:
    answer = job_answer(job)
    if detail == "full" or not isinstance(answer.result, Assessment) or job.result is None:
        return answer.model_dump_json()
    fields = answer.model_dump(mode="json", exclude={"result"})
    return json.dumps(fields | {"result": json.loads(told(job.result, detail))})


@router.get(
    "/jobs",
    summary="List jobs",
    response_model=JobList,
    responses=refusals(),
)
def jobs(
    *,
    service: ServiceDep,
    caller: Following,
    kind: Annotated[JobKind | None, Query()] = None,
    state: Annotated[JobState | None, Query()] = None,
    after: Annotated[str | None, Query(max_length=200, description="`next` of a page."), Plain] = (
        None
    ),
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Any:
    """Jobs without their results, the newest first, a page at a time."""
    page = service.store.jobs(key_id=caller.sees, kind=kind, state=state, after=after, limit=limit)
    return JobList(items=tuple(job_item(job) for job in page.items), next=page.next)


@router.get(
    "/jobs/{id}",
    summary="How far a job is",
    response_model=JobAnswer,
    responses=refusals(404),
)
def job(id: Id, service: ServiceDep, caller: Following, detail: DetailQuery = "full") -> Any:
    """The state of a job, and its result once it is done."""
    found = service.store.job(id, key_id=caller.sees)
    note_reading(service, caller, f"job {id}", {found.key_id})
    return Response(_json(found, detail), media_type="application/json")


@router.get(
    "/jobs/{id}/events",
    summary="Follow a job",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        **refusals(404),
    },
)
async def events(
    id: Id, service: ServiceDep, caller: Following, detail: DetailQuery = "full"
) -> StreamingResponse:
    """Server-sent events: the job whenever it changes, the last time when it has ended."""
    first = await _fetch(service, id, caller)
    await to_thread.run_sync(note_reading, service, caller, f"job {id}", {first.key_id})
    return StreamingResponse(
        _events(service, first, caller, detail),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _fetch(service: Service, id: str, caller: Caller) -> Job:
    return await to_thread.run_sync(lambda: service.store.job(id, key_id=caller.sees))


async def _events(service: Service, job: Job, caller: Caller, detail: Detail) -> AsyncIterator[str]:
    sent: Job | None = None
    silent_s = 0.0
    while True:
        if job != sent:
            sent, silent_s = job, 0.0
            yield f"event: {job.state}\ndata: {_json(job, detail)}\n\n"
        elif silent_s >= _ALIVE_S:
            silent_s = 0.0
            yield ": still here\n\n"
        if job.state in ENDED or service.engine.is_stopping:
            return
        await asyncio.sleep(_POLL_S)
        silent_s += _POLL_S
        try:
            job = await _fetch(service, job.id, caller)
        except StorageError:
            continue  # whoever follows is told when the database is back
        except NotFoundError:
            return  # it was deleted


@router.post(
    "/jobs/{id}/cancel",
    summary="Cancel a job",
    response_model=JobAnswer,
    responses=refusals(404, 409),
)
async def cancel(id: Id, service: ServiceDep, caller: Following) -> Any:
    """Take a job out of the queue, or kill it if it builds an index.

    An assessment that has begun is finished.
    """

    def cancelled() -> Job:
        if not service.store.cancel_queued(id, key_id=caller.sees):
            service.store.request_cancel(id, key_id=caller.sees)
            service.builds.cancel(id)
        return service.store.job(id, key_id=caller.sees)

    asked = await to_thread.run_sync(cancelled)
    service.assessment_jobs.cancel(id)
    return job_answer(asked)


@router.post(
    "/indexes",
    summary="Build an index",
    status_code=202,
    response_model=JobCreated,
    responses=refusals_of_body(409),
)
async def build(
    *,
    service: ServiceDep,
    caller: Administering,
    name: Annotated[Name, Form(description="Name of the new index.", examples=["my-natives"])],
    language: Annotated[Tag, Form(description="BCP 47 tag.", examples=["de-DE"])],
    corpus: Annotated[
        Name | None, Form(description="Folder of a mounted corpus, relative to --corpora.")
    ] = None,
    archive: Annotated[UploadFile | None, File(description="Or a corpus as a zip archive.")] = None,
    licence: Annotated[Name | None, Form(description="Licence of the corpus.")] = None,
    reader: Annotated[Name, Form(description="Kind of corpus; found out by default.")] = "auto",
    encoder: Annotated[Name, Form(description="A name of /v1/encoders.")] = "default",
    aligner: Annotated[Name, Form()] = "auto",
    clips: Annotated[
        Literal["flac", "opus"] | None, Form(description="Keep the recordings, to be heard.")
    ] = None,
) -> JSONResponse:
    """Build an index from native speech, as a job; follow its events."""
    unpacked: FilePath | None = None
    reservation = service.corpora.reserve()
    out = await to_thread.run_sync(_new_folder, name)
    if (corpus is None) == (archive is None):
        raise InputError(
            "An index is built from one corpus.",
            fix="Send either corpus, the name of a mounted folder, or archive, a zip file.",
        )
    if archive is not None:
        unpacked = await to_thread.run_sync(_unpacked, service, archive, reservation)
        folder = unpacked / "corpus"
    else:
        folder = await to_thread.run_sync(_mounted, service, corpus or "")
    try:
        spec = BuildSpec(
            corpus=str(folder),
            language=language,
            out=str(out),
            name=name,
            aligner=aligner,
            encoder=_named_encoder(encoder),
            licence=licence,
            clips=clips,
            reader=reader,
            within=str(unpacked) if unpacked else None,
        )
        request = json.dumps({"name": name, "language": language, "corpus": corpus})
        created = await to_thread.run_sync(
            lambda: service.store.create_job("index", request, key_id=caller.key_id)
        )
    except BaseException:
        if unpacked is not None:
            discard(unpacked)
            reservation.release()
        raise
    service.builds.start(created.id, spec, unpacked, reservation)
    answer = JobCreated(job=job_answer(created))
    return JSONResponse(answer.model_dump(mode="json"), 202, {"Location": f"/v1/jobs/{created.id}"})


def _new_folder(name: str) -> FilePath:
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot be the name of an index.",
            fix="Use letters, digits, dots, dashes and underscores.",
        )
    folder = home() / name
    if folder.exists():
        raise InputError(f"There is an index called {name} already.", fix="Choose another name.")
    return folder


def _named_encoder(name: str) -> str:
    """An encoder by its name: never a folder of this machine, nor something to be downloaded."""
    from nativeear.speech.encoders.catalogue import list_encoders

    known = ["default", *(info.name for info in list_encoders() if info.local)]
    if name not in known:
        raise InputError(
            f"The encoder {name!r} is not on this machine.", fix=f"Choose: {', '.join(known)}."
        )
    return name


def _mounted(service: Service, corpus: str) -> FilePath:
    """The folder of a mounted corpus, wherever links in its path may lead."""
    allowed = service.settings.corpora
    if allowed is None:
        raise ForbiddenError(
            "This service builds from uploaded corpora only.",
            fix="Start it with --corpora DIR, or send the corpus as a zip archive.",
        )
    root = allowed.resolve()
    folder = (root / corpus).resolve()
    if not folder.is_relative_to(root) or not folder.exists():
        raise InputError(
            f"There is no corpus {corpus!r}.", fix="Name a folder inside that of --corpora."
        )
    return folder


def _unpacked(service: Service, archive: UploadFile, reservation: Reservation) -> FilePath:
    """A private folder with the corpus in `corpus`; a single folder in the archive is entered."""
    jobs = service.settings.jobs_dir
    if jobs is not None:
        jobs.mkdir(parents=True, exist_ok=True)
    private = FilePath(tempfile.mkdtemp(prefix="nativeear-corpus-", dir=jobs))
    try:
        into = private / "unpacked"
        into.mkdir()
        unpack(
            archive.file, into, max_bytes=service.settings.max_corpus_bytes, take=reservation.take
        )
        archive.file.close()
        inside = list(into.iterdir())
        only = inside[0] if len(inside) == 1 and inside[0].is_dir() else into
        only.rename(private / "corpus")
    except BaseException:
        discard(private)
        reservation.release()
        raise
    return private
