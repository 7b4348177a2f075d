"""What the routes of one application share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from nativeear.service.api.assessment_jobs import AssessmentJobs
from nativeear.service.api.authentication import Authenticator
from nativeear.service.api.builds import Builds
from nativeear.service.api.engine import Engine
from nativeear.service.api.heartbeat import Heartbeat
from nativeear.service.api.limits import ConcurrencyLimit
from nativeear.service.api.metrics import Metrics
from nativeear.service.api.outbox import Outbox
from nativeear.service.api.quota import ByteQuota
from nativeear.service.api.recordings import Decoder
from nativeear.service.api.references import References
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.database.store import Store
from nativeear.speech.errors import NativeEarError
from nativeear.speech.recogniser import Recogniser


@dataclass(eq=False)
class Service:
    """The parts of a running service.

    Attributes
    ----------
    uploads
        What all uploads and streams hold together.
    corpora
        What all unpacked corpora hold on the disk, until they are built.
    recogniser
        Writes down the words of free speech; its sounds are taken without one.
    ready
        Whether everything was run once.
    trouble
        Why it is not, if something is wrong.
    """

    settings: ServiceSettings
    store: Store
    metrics: Metrics
    references: References
    engine: Engine
    decoder: Decoder
    authenticator: Authenticator
    builds: Builds
    assessment_jobs: AssessmentJobs
    outbox: Outbox
    heartbeat: Heartbeat
    uploads: ByteQuota
    corpora: ByteQuota
    streams: ConcurrencyLimit
    recogniser: Recogniser | None = None
    ready: bool = False
    trouble: NativeEarError | None = None


def service_of(connection: HTTPConnection) -> Service:
    """The parts of the application that a connection belongs to."""
    return cast("Service", connection.app.state.service)


ServiceDep = Annotated[Service, Depends(service_of)]
