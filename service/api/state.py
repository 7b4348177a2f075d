"""What the routes of one application share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, cast

from anyio import CapacityLimiter
from fastapi import Depends
from starlette.requests import HTTPConnection

from nativeear.service.api.assessment_jobs import AssessmentJobs
from nativeear.service.api.authentication import Authenticator
from nativeear.service.api.builds import Builds
from nativeear.service.api.engine import Engine
from nativeear.service.api.heartbeat import Heartbeat
from nativeear.service.api.limits import ConcurrencyLimit, GuessLimit
from nativeear.service.api.metrics import Metrics
from nativeear.service.api.outbox import Outbox
from nativeear.service.api.quota import ByteQuota
from nativeear.service.api.recordings import Decoder
from nativeear.service.api.references import References
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.api.usage import RequestCounts
from nativeear.service.database.people_store import People
from nativeear.service.database.store import Store
from nativeear.service.recording.opening import Recording
from nativeear.speech.errors import NativeEarError
from nativeear.speech.recogniser import Recogniser

JUDGED_AT_ONCE = 8


@dataclass(eq=False)
class Service:
    """The parts of a running service.

    Attributes
    ----------
    people
        Who there is, in the same database.
    guesses
        How often codes may be tried.
    uploads
        What all uploads and streams hold together.
    corpora
        What all unpacked corpora hold on the disk, until they are built.
    counts
        Requests by key, on their way into the database.
    recogniser
        Writes down the words of free speech; its sounds are taken without one.
    recording
        Where natives read for an index; nowhere if None.
    judging
        How many recordings or texts are asked about elsewhere at a time.
    ready
        Whether everything was run once.
    trouble
        Why it is not, if something is wrong.
    """

    settings: ServiceSettings
    store: Store
    people: People
    metrics: Metrics
    references: References
    engine: Engine
    decoder: Decoder
    authenticator: Authenticator
    builds: Builds
    assessment_jobs: AssessmentJobs
    outbox: Outbox
    heartbeat: Heartbeat
    counts: RequestCounts
    uploads: ByteQuota
    corpora: ByteQuota
    streams: ConcurrencyLimit
    guesses: GuessLimit = field(default_factory=GuessLimit)
    recogniser: Recogniser | None = None
    recording: Recording | None = None
    judging: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(JUDGED_AT_ONCE))
    ready: bool = False
    trouble: NativeEarError | None = None


def service_of(connection: HTTPConnection) -> Service:
    """The parts of the application that a connection belongs to."""
    return cast("Service", connection.app.state.service)


ServiceDep = Annotated[Service, Depends(service_of)]
