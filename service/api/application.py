"""The application: its parts, its routes, and how it starts and stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timezone
from importlib.resources import files
from pathlib import Path

from anyio import to_thread
from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from nativeear.scoring.feedback.sentences import TEXTS
from nativeear.service.api.assessment_jobs import AssessmentJobs
from nativeear.service.api.authentication import Authenticator
from nativeear.service.api.builds import Builds
from nativeear.service.api.description import described, operation
from nativeear.service.api.engine import Engine
from nativeear.service.api.fields import refuse_unknown_fields
from nativeear.service.api.heartbeat import Heartbeat
from nativeear.service.api.job_worker import JobWorker
from nativeear.service.api.limits import ConcurrencyLimit
from nativeear.service.api.metrics import Metrics
from nativeear.service.api.middleware import FORM_BYTES, RequestMiddleware
from nativeear.service.api.outbox import Outbox
from nativeear.service.api.problems import handle_errors
from nativeear.service.api.quota import ByteQuota
from nativeear.service.api.recordings import Decoder
from nativeear.service.api.references import References
from nativeear.service.api.routes import (
    assessments,
    audit,
    batches,
    comments,
    compat,
    groups,
    health,
    indexes,
    jobs,
    labels,
    learners,
    me,
    native_speech,
    people,
    practice,
    recording,
    stream,
    teaching,
    texts,
    usage,
    webhooks,
)
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.api.state import Service
from nativeear.service.api.usage import RequestCounts
from nativeear.service.api.webhook_worker import WebhookWorker
from nativeear.service.browser import offering
from nativeear.service.database.people_store import People
from nativeear.service.database.retention import Retention
from nativeear.service.database.store import Store
from nativeear.service.recording.opening import Recording
from nativeear.service.version import RELEASE
from nativeear.speech.errors import InputError, NativeEarError
from nativeear.speech.recogniser import Recogniser
from nativeear.speech.recognisers.whisper import find_recogniser

logger = logging.getLogger("nativeear.service")

_PURGE_S = 600.0
_RETRY_S = 5.0
_BESIDE_AUDIO_BYTES = 4 << 20  # what deleting the largest recording writes, beside the recording

_ABOUT = """\
Hears a learner against native speech, phone by phone.

Problems are `application/problem+json` with a plain sentence (`detail`), what lies behind it
(`cause`) and what to do (`fix`). Where the service wants a key, send `Authorization: Bearer nek_…`.
`WS /v1/stream` takes 16-bit samples while they are spoken; see the documentation.
"""


def create_application(settings: ServiceSettings) -> FastAPI:
    """Make the application that answers for a service.

    Raises
    ------
    InputError
        If it would listen beyond this machine without a key, or the recogniser is none.
    StorageError
        If the database cannot be opened.
    """
    recogniser = find_recogniser(settings.asr)
    if settings.text_judge is not None and recogniser is None:
        raise InputError(
            "--language-use needs the words of a recogniser.", fix="Give --asr FOLDER, too."
        )
    store = Store.open(settings.database, reserve_bytes=settings.max_bytes + _BESIDE_AUDIO_BYTES)
    try:
        _refuse_open_door(settings, store)
    except NativeEarError:
        store.close()
        raise
    service = _service(settings, store, recogniser)
    application = FastAPI(
        title="NativeEar",
        version=RELEASE or "0",
        description=_ABOUT,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,  # it would load scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
        generate_unique_id_function=operation,
    )
    application.state.service = service
    handle_errors(application)
    known_only = [Depends(refuse_unknown_fields)]
    for routes in (
        *(
            assessments,
            batches,
            comments,
            labels,
            texts,
            indexes,
            native_speech,
            practice,
            learners,
            jobs,
            usage,
            webhooks,
        ),
        *(me, people, groups, teaching, audit, health),
    ):
        application.include_router(routes.router, dependencies=known_only)
    pages = Path(str(files("nativeear.service")))
    if settings.record is not None:
        application.include_router(recording.router, dependencies=known_only)
        record_page = StaticFiles(directory=pages / "record_page", html=True)
        application.mount("/record", record_page, name="record page")
    application.include_router(compat.router)  # apps send fields that mean nothing here
    application.include_router(stream.router)
    if settings.in_browser is not None:
        application.router.routes.append(offering.mount(settings.in_browser))
    application.mount("/advice", StaticFiles(directory=TEXTS), name="advice")
    application.mount(
        "/",
        StaticFiles(directory=pages / "page", html=True),
        name="page",
    )
    _add_middleware(application, service)
    application.openapi = lambda: described(application)  # type: ignore[method-assign]
    return application


def _service(settings: ServiceSettings, store: Store, recogniser: Recogniser | None) -> Service:
    """The parts of a service, put together."""
    metrics = Metrics()
    outbox = Outbox()
    people = People(store)
    builds, assessment_jobs = Builds(store, outbox), AssessmentJobs()
    counts = RequestCounts(store)
    references = References(settings.indexes, metrics)
    return Service(
        settings=settings,
        store=store,
        people=people,
        metrics=metrics,
        references=references,
        engine=Engine(settings, metrics),
        decoder=Decoder(settings, metrics),
        authenticator=Authenticator(store, people, counts),
        builds=builds,
        assessment_jobs=assessment_jobs,
        outbox=outbox,
        heartbeat=Heartbeat(store, outbox, builds, assessment_jobs, counts),
        counts=counts,
        uploads=ByteQuota(max(settings.max_held_bytes, settings.max_bytes + FORM_BYTES)),
        corpora=ByteQuota(2 * settings.max_corpus_bytes),
        streams=ConcurrencyLimit(
            "streams", most=settings.streams, most_per_client=settings.streams_per_client
        ),
        recogniser=recogniser,
        recording=None
        if settings.record is None
        else Recording(settings.record, settings.record_dir, settings.record_minutes, references),
    )


def _add_middleware(application: FastAPI, service: Service) -> None:
    settings, metrics = service.settings, service.metrics
    # Audio, weights, and what is streamed, is left as it is.
    application.add_middleware(
        GZipMiddleware,
        minimum_size=1000,
        compresslevel=6,
        exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream"),
    )
    application.add_middleware(
        RequestMiddleware,
        service=service,
        archives=ByteQuota(settings.max_corpus_bytes + FORM_BYTES),
    )
    metrics.held.set_function(lambda: service.uploads.held)
    if settings.allow_origins:
        application.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.allow_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=[
                "Authorization",
                "X-API-Key",
                "Ocp-Apim-Subscription-Key",
                "Pronunciation-Assessment",
                "Idempotency-Key",
                "Prefer",
                "X-Request-ID",
            ],
            expose_headers=[
                "Location",
                "Retry-After",
                "Idempotency-Replayed",
                "X-Request-ID",
                "RateLimit-Limit",
                "RateLimit-Remaining",
                "RateLimit-Reset",
            ],
        )


def _refuse_open_door(settings: ServiceSettings, store: Store) -> None:
    if not settings.is_private and not store.keys() and not People(store).exist():
        raise InputError(
            "Without a key or a person, the service is for this machine only: not for other "
            "addresses than 127.0.0.1, nor behind a proxy.",
            cause="Anybody who reaches it could use it.",
            fix="Make a key with `nativeear keys create --name NAME --scope assess --scope read`, "
            "or a first person with `nativeear people create --role operator --name NAME`, "
            "or listen on 127.0.0.1 without --trusted-host and --forwarded-allow-ips.",
        )


@asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncIterator[None]:
    service: Service = application.state.service
    heartbeat = asyncio.create_task(service.heartbeat.run())
    telling = WebhookWorker(service.store, service.settings.webhook_networks)
    tasks = [
        asyncio.create_task(work) for work in (_start(service), _purge(service), telling.run())
    ]
    worker = JobWorker(service)
    working = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        service.engine.refuse_new()
        worker.stop()
        for task in tasks:
            await _end(task)
        within_s = service.settings.drain_s
        if not await to_thread.run_sync(service.engine.stop, within_s):
            logger.warning("something was still running after %g s and is given up", within_s)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(working, 5.0)
        await to_thread.run_sync(service.builds.stop)
        if service.recording is not None:
            await to_thread.run_sync(service.recording.stop)
        await _end(heartbeat)
        await to_thread.run_sync(service.heartbeat.beat)
        if lost := service.outbox.pending:
            logger.error("the database was not told what became of %s", ", ".join(lost))
        try:
            await to_thread.run_sync(service.store.hand_back_all)
            await to_thread.run_sync(service.store.abandon_jobs)
        except NativeEarError as error:
            logger.warning("its jobs could not be given up: %s", error)
        await to_thread.run_sync(service.store.close)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _start(service: Service) -> None:
    """Load and run everything once, then look for changed indexes for ever."""
    while not service.ready:
        try:
            await to_thread.run_sync(_warm, service)
        except NativeEarError as error:  # a person may mend the index meanwhile
            service.trouble = error
            logger.error("not ready: %s %s", error.message, error.fix)  # noqa: TRY400
            await asyncio.sleep(_RETRY_S)
        else:
            service.ready = True
            logger.info("ready")
    while True:
        await asyncio.sleep(service.settings.reload_s)
        try:
            await to_thread.run_sync(service.references.reload_changed)
        except Exception:
            logger.exception("looking for changed indexes failed")


def _warm(service: Service) -> None:
    names = service.settings.indexes or (service.references.default_name,)
    opened = [service.references.get(name) for name in names]
    if service.recording is not None:
        service.recording.get()
    service.engine.start(opened[0])


async def _purge(service: Service) -> None:
    """Delete what has expired, or is kept no longer, at the start and now and then."""
    settings = service.settings
    retention = Retention(settings.keep_audio_days, settings.keep_results_days)
    while True:
        try:
            await to_thread.run_sync(service.store.purge, datetime.now(timezone.utc), retention)
        except NativeEarError as error:
            logger.warning("what has expired could not be deleted: %s", error)
        await asyncio.sleep(_PURGE_S)
