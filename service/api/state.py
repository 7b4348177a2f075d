"""What the routes of one application share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from nativeear.service.api.budget import Budget
from nativeear.service.api.builds import Builds
from nativeear.service.api.engine import Engine
from nativeear.service.api.keeping import Keeping
from nativeear.service.api.keys import Doorkeeper
from nativeear.service.api.metrics import Metrics
from nativeear.service.api.owed import Owed
from nativeear.service.api.pending import Pending
from nativeear.service.api.recordings import Decoder
from nativeear.service.api.references import References
from nativeear.service.api.seats import Seats
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
    doorkeeper: Doorkeeper
    builds: Builds
    pending: Pending
    owed: Owed
    keeping: Keeping
    uploads: Budget
    corpora: Budget
    streams: Seats
    recogniser: Recogniser | None = None
    ready: bool = False
    trouble: NativeEarError | None = None


def service_of(connection: HTTPConnection) -> Service:
    """The parts of the application that a connection belongs to."""
    return cast("Service", connection.app.state.service)


Parts = Annotated[Service, Depends(service_of)]
