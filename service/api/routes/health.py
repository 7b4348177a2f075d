"""Whether the service lives, whether it is ready, and its figures."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from nativeear.service.api.metrics import MEDIA_TYPE
from nativeear.service.api.models import Health
from nativeear.service.api.problems import BusyError, responses
from nativeear.service.api.state import ServiceDep
from nativeear.service.version import RELEASE

router = APIRouter(tags=["service"])


@router.get("/healthz", summary="Whether it lives", response_model=Health, responses=responses())
async def healthz() -> Any:
    """Answers as long as the process does."""
    return Health(status="ok", version=RELEASE or "0")


@router.get(
    "/readyz",
    summary="Whether it is ready",
    response_model=Health,
    responses=responses(503),
)
def readyz(service: ServiceDep) -> Any:
    """Whether everything is loaded and was run once, and the database can be read and written."""
    if service.engine.is_stopping:
        raise BusyError("The service is stopping.")
    if not service.ready:
        why = service.trouble
        raise BusyError(
            "The service is starting.",
            cause="" if why is None else why.message,
            fix="" if why is None else why.fix,
            headers={"Retry-After": "2"},
        )
    service.store.ping()
    if service.heartbeat.trouble is not None:
        raise service.heartbeat.trouble.with_traceback(None)
    return Health(status="ok", version=RELEASE or "0")


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **responses(),
    },
)
async def metrics(service: ServiceDep) -> Response:
    """Requests, times by stage, the queue and sizes, in Prometheus' text format."""
    return Response(service.metrics.text(), media_type=MEDIA_TYPE)
