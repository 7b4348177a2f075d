"""Jobs through services that are killed and a database that goes away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from typing import TypeVar

import numpy as np

from nativeear.service.client import Client, ProblemError
from nativeear.service.database.errors import StorageError
from nativeear.service.database.ownership import ALL
from nativeear.service.database.paging import Page
from nativeear.service.database.store import Store
from tests.support.served import Served, serving

T = TypeVar("T")

SEED = 0
_PATIENCE_S = 3600.0
_LOOK_S = 0.2


@dataclass(frozen=True)
class Trial:
    """What the services are put through.

    Attributes
    ----------
    away
        Takes the database away inside.
    away_s
        For how long each time.
    killed
        Is called after each kill, before the service is started again.
    """

    database: str
    away: Callable[[], AbstractContextManager[None]]
    jobs: int
    kills: int
    outages: int
    away_s: float
    services: int = 1
    killed: Callable[[], None] = lambda: None


@dataclass
class Survived:
    """What came of the jobs.

    Attributes
    ----------
    states
        How many jobs there are in each state.
    learners
        How many assessments there are of each recording, by its learner.
    told
        How often the client was told what, instead of a job.
    """

    kills: int = 0
    outages: int = 0
    seconds: float = 0.0
    states: Counter[str] = field(default_factory=Counter)
    learners: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)

    def is_whole(self, jobs: int) -> bool:
        """Whether every job was done, and each of them once."""
        once = len(self.learners) == jobs and set(self.learners.values()) == {1}
        return self.states == Counter(done=jobs) and once


def survive(folder: Path, trial: Trial, recording: bytes, text: str, seed: int = SEED) -> Survived:
    """Hand in jobs, kill and take away at drawn moments, and count at the end.

    A moment is drawn as the number of jobs that are done by then, of the first three quarters.

    Parameters
    ----------
    folder
        Empty folder to work in.
    recording, text
        What is handed in each time.
    """
    rng = np.random.default_rng(seed)
    moments = sorted(
        [(int(done), "kill") for done in rng.integers(0, 3 * trial.jobs // 4, trial.kills)]
        + [((n + 1) * trial.jobs // (trial.outages + 1), "away") for n in range(trial.outages)]
    )
    survived, over, started = Survived(), Event(), monotonic()
    store = Store.open(trial.database)
    with ExitStack() as stack:
        stack.callback(store.close)
        services = [_Service(folder / f"{n}", trial.database) for n in range(trial.services)]
        for service in services:
            stack.callback(service.stop)
            service.start()
        stack.callback(over.set)
        each = partial(_hand_in, services, recording, text, survived.told)
        sender = Thread(target=lambda: [each(n, over) for n in range(trial.jobs)])
        sender.start()
        while (done := _done(store)) < trial.jobs or moments:
            assert monotonic() - started < _PATIENCE_S, "the jobs do not come to their end"
            while moments and moments[0][0] <= done:
                if moments.pop(0)[1] == "away":
                    survived.outages += 1
                    with trial.away():
                        sleep(trial.away_s)
                else:
                    survived.kills += 1
                    one = services[int(rng.integers(len(services)))]
                    sleep(float(rng.uniform(0.0, 1.0)))
                    one.kill()
                    trial.killed()
                    one.start()
            sleep(_LOOK_S)
        sender.join()
        survived.seconds = monotonic() - started
        survived.states = Counter(job.state for job in _pages(store.jobs))
        survived.learners = Counter(item.learner_id or "" for item in _pages(store.assessments))
    return survived


class _Service:
    """A service that is started again, as a supervisor does."""

    def __init__(self, folder: Path, database: str) -> None:
        folder.mkdir()
        self._folder = folder
        self._database = database
        self._open: ExitStack | None = None
        self.served: Served | None = None

    def start(self) -> None:
        """Start it, again and again if need be."""
        until = monotonic() + _PATIENCE_S
        while self.served is None:
            assert monotonic() < until, "the service does not start"
            stack = ExitStack()
            serving_it = serving(
                self._folder, "--workers", "1", database=self._database, until_ready=False
            )
            with suppress(RuntimeError):  # its database is away
                self.served = stack.enter_context(serving_it)
                self._open = stack

    def kill(self) -> None:
        """End it as a crash would."""
        if self.served is not None:
            self.served.process.kill()
            self.served.process.wait()
        self.stop()

    def stop(self) -> None:
        """Let it end."""
        self.served = None
        if self._open is not None:
            self._open.close()
            self._open = None


def _hand_in(  # noqa: PLR0917
    services: Sequence[_Service],
    recording: bytes,
    text: str,
    told: Counter[str],
    number: int,
    over: Event,
) -> None:
    """Hand in a job under a key of its own, until it is taken."""
    options = {"learner_id": f"learner {number}", "idempotency_key": f"job {number}"}
    while not over.is_set():
        served = services[number % len(services)].served
        try:
            if served is not None:
                with Client(served.url, patience_s=0.0) as client:
                    client.submit(recording, text=text, **options)
                    return
        except ProblemError as problem:
            told[f"{problem.status} {problem.code}"] += 1
        sleep(_LOOK_S)


def _done(store: Store) -> int:
    """How many jobs are done; as many as there were when it was last asked if it is away."""
    with suppress(StorageError):
        return len([job for job in _pages(store.jobs) if job.state == "done"])
    return 0


def _pages(ask: Callable[..., Page[T]]) -> Iterator[T]:
    after: str | None = None
    while True:
        page = ask(key_id=ALL, after=after, limit=500)
        yield from page.items
        after = page.next
        if after is None:
            return
