"""Works at the recordings that wait in the database, a few at a time beside those of requests."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import CancelledError
from datetime import datetime, timezone
from functools import partial

from anyio import to_thread

from nativeear.service.api.asking_elsewhere import asked_elsewhere
from nativeear.service.api.engine import Work
from nativeear.service.api.outbox import Write
from nativeear.service.api.problems import BusyError, internal_problem, problem_of
from nativeear.service.api.quota import Reservation
from nativeear.service.api.state import Service
from nativeear.service.api.submissions import Submission, new_assessment, target_of
from nativeear.service.api.usage import refuse_over_quota
from nativeear.service.database.errors import StorageError
from nativeear.service.database.queue import ClaimedJob
from nativeear.service.database.usage import Amount
from nativeear.speech.errors import NativeEarError

_LOOK_S = 1.0  # how often it looks for what other services took, or gave up
_PAUSE_S = 1.0  # where memory is short


class JobWorker:
    """Claims jobs as long as the service takes new work."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._jobs = service.assessment_jobs
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def run(self) -> None:
        """Work until told to stop, and then until nothing is left."""
        while not self._stopping:
            if not await self._claim():
                await self._jobs.news(_LOOK_S)
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def stop(self) -> None:
        """Claim no more."""
        self._stopping = True
        self._jobs.wake()

    async def _claim(self) -> bool:
        """Take what can be worked at now; whether there was any."""
        service = self._service
        free = service.engine.at_once + 1 - len(self._tasks)  # one is decoded meanwhile
        if not service.ready or service.engine.is_stopping or free <= 0:
            return False
        try:
            claimed = await to_thread.run_sync(service.store.claim_jobs, free)
        except StorageError:
            return False  # the heartbeat tells of it
        for one in claimed:
            self._jobs.begin(one.id)
            task = asyncio.create_task(self._work_at(one))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return bool(claimed)

    async def _work_at(self, claimed: ClaimedJob) -> None:
        reservation = self._service.uploads.reserve()
        try:
            end = await self._ended(claimed, reservation)
            await to_thread.run_sync(self._service.outbox.write, claimed.id, end)
        finally:
            reservation.release()
            self._jobs.end(claimed.id)

    async def _ended(self, claimed: ClaimedJob, reservation: Reservation) -> Write:
        """Assess it, and return what writes down what became of it."""
        store = self._service.store
        try:
            work, submission = await self._prepared(claimed, reservation)
            future = self._service.engine.submit(work, from_queue=True)
            self._jobs.follow(claimed.id, future)
            result = await asyncio.wrap_future(future)
            result = await asked_elsewhere(self._service, work, result)
            new = new_assessment(self._service, work, submission, result)
            return partial(store.end_with, claimed, new)
        except (asyncio.CancelledError, CancelledError):
            if self._service.engine.is_stopping:
                return partial(store.hand_back, claimed)
            return partial(store.end_without, claimed, "cancelled")
        except (BusyError, StorageError):
            await asyncio.sleep(0 if self._stopping else _PAUSE_S)
            return partial(store.hand_back, claimed)
        except Exception as error:
            problem = (
                problem_of(error)
                if isinstance(error, NativeEarError)
                else internal_problem(error, f"job {claimed.id}")
            )
            return partial(store.end_without, claimed, "failed", problem.model_dump_json())

    async def _prepared(
        self, claimed: ClaimedJob, reservation: Reservation
    ) -> tuple[Work, Submission]:
        service, recording = self._service, claimed.recording
        form = json.loads(claimed.request)
        reservation.take(len(recording.data))
        target = await to_thread.run_sync(target_of, service, form)
        audio = await service.decoder.decode(recording.data, recording.max_audio_s)
        reservation.take(audio.samples.nbytes)
        if claimed.key_id is not None:  # it may have had as much since the job was taken
            now = datetime.now(timezone.utc)
            allowance = await to_thread.run_sync(service.store.allowance, claimed.key_id, now)
            refuse_over_quota(allowance, Amount(audio_s=audio.duration_s))
        kept = recording.data if form["keep_audio"] else None
        return target.work(audio), Submission(claimed.key_id, form, kept)
