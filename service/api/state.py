"""What the routes of one application share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from service.api.budget import Budget
from service.api.builds import Builds
from service.api.engine import Engine
from service.api.keeping import Keeping
from service.api.keys import Doorkeeper
from service.api.metrics import Metrics
from service.api.owed import Owed
from service.api.pending import Pending
from service.api.recordings import Decoder
from service.api.references import References
from service.api.seats import Seats
from service.api.settings import ServiceSettings
from service.database.store import Store
from speech.errors import NativeEarError
from speech.recogniser import Recogniser


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
