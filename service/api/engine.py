"""Inference beside the event loop: a queue with an end, and few threads that don't fight.

A request is handed in with `Engine.submit` and waited for with `Engine.answer`. Whoever waits may
give up; what has not been begun by then is never begun.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections import deque
from collections.abc import Awaitable
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic, perf_counter
from typing import Any

from nativeear.scoring.accents import Accents
from nativeear.scoring.assessment import Assessment
from nativeear.scoring.assessor import Assessor
from nativeear.service.api.freed import give_back
from nativeear.service.api.metrics import Metrics
from nativeear.service.api.problems import BusyError, ClientGoneError, TookTooLongError
from nativeear.service.api.references import AUTO, Reference
from nativeear.service.api.settings import ServiceSettings
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.catalogue import has_gpu
from nativeear.speech.recogniser import Recogniser
from nativeear.speech.steadying import steadied
from nativeear.speech.threads import limit_sessions

logger = logging.getLogger("nativeear.service")

_IN_TIME = 0.75
"""Share of the time-out that a recording may be expected to wait: beyond, it is refused at once."""

BATCH = 4
"""Recordings that go through an encoder on a GPU together."""

LONGEST_RETRY_S = 60
"""Longest wait that a refused client is asked for."""


@dataclass(frozen=True, eq=False)
class Work:
    """One recording that waits to be assessed.

    Attributes
    ----------
    reference
        The version of the index that answers, whatever takes its place meanwhile.
    audio, text, phones, id, l1
        As for `scoring.assessor.Assessor.assess`.
    calibration
        See `scoring.calibration`.
    accents
        All indexes of the language, where the nearest accent is to judge; `reference` is the first.
    free
        Whether what is heard is assessed, for no text is known.
    second_ear
        Whether it may be sent to the second ear, where there is one.
    language_use, topic
        Whether its recognised words may be sent to a language model, where there is one, and what
        was to be spoken of.
    recogniser
        As for `scoring.assessor.Assessor.assess_free`.
    """

    reference: Reference
    audio: Audio
    text: str | None
    phones: str | None = None
    id: str = ""
    l1: str | None = None
    calibration: str = AUTO
    accents: tuple[Reference, ...] = ()
    free: bool = False
    recogniser: Recogniser | None = None
    second_ear: bool = True
    language_use: bool = True
    topic: str | None = None

    @property
    def heard(self) -> Audio:
        """What is encoded of it."""
        return steadied(self.audio).audio

    def run(self, assessor: Assessor) -> Assessment:
        """Assess it; called in an inference thread."""
        if self.free:
            return assessor.assess_free(
                self.audio, recogniser=self.recogniser, id=self.id, l1=self.l1
            )
        if self.accents:
            accents = Accents([one.assessor_of(self.calibration) for one in self.accents])
            return accents.assess(self.audio, self.text, phones=self.phones, id=self.id, l1=self.l1)
        return assessor.assess(self.audio, self.text, phones=self.phones, id=self.id, l1=self.l1)

    def answered_by(self, result: Assessment) -> Reference:
        """The index that judged."""
        named = (one for one in self.accents if one.index.name == result.index)
        return next(named, self.reference)


@dataclass(frozen=True, eq=False)
class _Ticket:
    work: Work
    from_queue: bool = False
    future: Future[Assessment] = field(default_factory=Future)
    since: float = field(default_factory=perf_counter)


class Engine:
    """Assesses recordings, a few at a time. Methods may be called from any thread.

    Parameters
    ----------
    settings
        Numbers of threads, of waiting requests and of recordings that are encoded together.
    metrics
        Where times are told.
    """

    def __init__(self, settings: ServiceSettings, metrics: Metrics) -> None:
        self._settings = settings
        # All inference threads share those of a graph, beside which each of them computes, too.
        limit_sessions(max(1, settings.cores - settings.workers + 1))
        self._batch = 1
        self._metrics = metrics
        self._waiting: deque[_Ticket] = deque()
        self._running = 0
        self._seconds = 0.5  # what one assessment took lately
        self._stopping = False
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    def start(self, warm: Reference) -> None:
        """Start the threads, and wait until each has run an index once."""
        self._batch = self._settings.batch or (BATCH if has_gpu() else 1)
        ready = threading.Barrier(self._settings.workers + 1)
        self._threads = [
            threading.Thread(
                target=self._serve, args=(warm, ready), name=f"inference-{n}", daemon=True
            )
            for n in range(self._settings.workers)
        ]
        for thread in self._threads:
            thread.start()
        ready.wait()

    @property
    def is_full(self) -> bool:
        """Whether another request would be refused."""
        with self._changed:
            return self._stopping or self._unfinished() >= self._capacity

    @property
    def is_stopping(self) -> bool:
        """Whether new requests are refused for good."""
        return self._stopping

    def refuse_if_full(self) -> None:
        """Refuse what could not be taken anyway, before its body is read.

        Raises
        ------
        BusyError
            With the time after which it may be tried again.
        """
        if self.is_full:
            raise self._busy()

    @property
    def at_once(self) -> int:
        """How many recordings are assessed at a time."""
        return self._settings.workers * self._batch

    def submit(self, work: Work, *, from_queue: bool = False) -> Future[Assessment]:
        """Hand in a recording.

        Parameters
        ----------
        from_queue
            Whether it has waited elsewhere already: it is taken however many wait here.

        Raises
        ------
        BusyError
            If the queue is full, or the service stops.
        """
        ticket = _Ticket(work, from_queue)
        with self._changed:
            full = not from_queue and self._unfinished() >= self._capacity
            if self._stopping or full:
                raise self._busy()
            self._waiting.append(ticket)
            self._tell()
            self._changed.notify()
        return ticket.future

    async def answer(
        self, future: Future[Assessment], gone: Awaitable[None] | None = None
    ) -> Assessment:
        """Wait for what was handed in, for as long as the settings allow.

        Parameters
        ----------
        gone
            Ends when nobody waits any more.

        Raises
        ------
        BusyError, TookTooLongError, ClientGoneError
            The recording leaves the queue. Busy is told to one that had not even been begun.
        NativeEarError
            What the assessment raised.
        """
        wrapped: asyncio.Future[Assessment] = asyncio.wrap_future(future)
        awaited: set[asyncio.Future[Any]] = {wrapped}
        left = asyncio.ensure_future(gone) if gone is not None else None
        if left is not None:
            awaited.add(left)
        try:
            done, _ = await asyncio.wait(
                awaited,
                timeout=self._settings.timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if wrapped in done:
                return wrapped.result()
            if left is not None and left in done:
                raise ClientGoneError("The client left before its recording was assessed.")
            if future.cancel():
                raise self._busy()
            raise TookTooLongError(
                f"The recording was not assessed within {self._settings.timeout_s:g} s.",
                fix="Try again later, send a shorter recording, or ask with Prefer: respond-async.",
            )
        finally:
            wrapped.cancel()
            if left is not None:
                left.cancel()

    def refuse_new(self) -> None:
        """Take nothing from now on; what waits or runs is finished."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def stop(self, within_s: float) -> bool:
        """Finish what was taken and end the threads.

        Returns
        -------
        bool
            False if something was still running after `within_s` seconds.
        """
        self.refuse_new()
        until = monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))
        with self._changed:
            for ticket in self._waiting:
                ticket.future.cancel()
            self._waiting.clear()
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def _capacity(self) -> int:
        """How many may be unfinished: what may wait, and no more than lately comes in time."""
        settings = self._settings
        in_time = int(_IN_TIME * settings.timeout_s * settings.workers / self._seconds)
        return settings.workers + min(settings.queue, max(1, in_time))

    def _unfinished(self) -> int:
        """How many wait or run, without those whose client gave up or that waited elsewhere."""
        if any(ticket.future.cancelled() for ticket in self._waiting):
            self._waiting = deque(t for t in self._waiting if not t.future.cancelled())
        return sum(not ticket.from_queue for ticket in self._waiting) + self._running

    def _busy(self) -> BusyError:
        if self._stopping:
            return BusyError("The service is stopping.", fix="Try again in a minute.")
        with self._changed:
            waiting = len(self._waiting)
        estimate_s = round(self._seconds * waiting / self._settings.workers / 4)
        wait_s = min(max(1, estimate_s), LONGEST_RETRY_S)
        return BusyError(
            "The service is busy.",
            cause=f"{waiting} recordings are waiting already.",
            fix=f"Try again in {wait_s} s.",
            headers={"Retry-After": str(wait_s)},
        )

    def _serve(self, warm: Reference, ready: threading.Barrier) -> None:
        _share_cores(self._settings.cores, self._settings.workers)
        try:
            warm.warm()
        except Exception:  # it was warmed by whoever opened it: only this thread starts cold
            logger.exception("an inference thread starts cold")
        ready.wait()
        while tickets := self._take():
            started = perf_counter()
            _share_cores(self._settings.cores, self._settings.workers)  # an index may be new
            try:
                self._assess(tickets)
            finally:
                with self._changed:
                    self._running -= len(tickets)
                    took = (perf_counter() - started) / len(tickets)
                    self._seconds += 0.1 * (took - self._seconds)
                    self._tell()
                    idle = not self._waiting
            if idle:
                give_back()

    def _take(self) -> list[_Ticket]:
        """Wait for work; several recordings for one index if more wait than there are threads."""
        with self._changed:
            while not self._waiting:
                if self._stopping:
                    return []
                self._changed.wait()
            share = -(-len(self._waiting) // self._settings.workers)
            reference = self._waiting[0].work.reference
            taken: list[_Ticket] = []
            while self._waiting and len(taken) < max(1, min(share, self._batch)):
                if self._waiting[0].work.reference is not reference:
                    break
                taken.append(self._waiting.popleft())
            self._running += len(taken)
            self._tell()
            return taken

    def _assess(self, tickets: list[_Ticket]) -> None:
        alive = [ticket for ticket in tickets if ticket.future.set_running_or_notify_cancel()]
        if not alive:
            return
        now = perf_counter()
        for ticket in alive:
            self._metrics.stage_s.labels("wait").observe(now - ticket.since)
        self._metrics.batch.observe(len(alive))
        if len(alive) == 1:
            self._assess_one(alive[0])
            return
        try:
            with alive[0].work.reference.encoder.ahead([t.work.heard for t in alive]):
                for ticket in alive:
                    self._assess_one(ticket)
        except Exception:  # one that cannot be encoded must not cost the others theirs
            logger.exception("a batch could not be encoded; its recordings go one by one")
            for ticket in alive:
                self._assess_one(ticket)

    def _assess_one(self, ticket: _Ticket) -> None:
        work = ticket.work
        if ticket.future.done():
            return
        try:
            with self._metrics.stage("assess"):
                result = work.run(work.reference.assessor_of(work.calibration))
        except Exception as error:  # whoever waits is told, and the thread goes on
            ticket.future.set_exception(error)
        else:
            self._metrics.audio_s.inc(work.audio.duration_s)
            ticket.future.set_result(result)

    def _tell(self) -> None:
        self._metrics.waiting.set(len(self._waiting))
        self._metrics.running.set(self._running)


def _share_cores(cores: int, workers: int) -> None:
    """Give this thread its share of the cores in FAISS and torch, which both take all.

    Where an index needs them, they are loaded with it.
    """
    share = max(1, cores // workers)
    if "faiss" in sys.modules:
        import faiss

        faiss.omp_set_num_threads(share)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(share)
