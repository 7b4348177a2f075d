"""Which jobs of the database this service works at."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import suppress

from nativeear.scoring.assessment import Assessment


class AssessmentJobs:
    """What this service has claimed. Its attributes may be read from any thread."""

    def __init__(self) -> None:
        self._futures: dict[str, Future[Assessment] | None] = {}
        self._news: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def jobs(self) -> tuple[str, ...]:
        """Ids of those that have not ended."""
        return tuple(self._futures)

    def begin(self, job: str) -> None:
        """Count one as ours from now on."""
        self._futures[job] = None

    def follow(self, job: str, future: Future[Assessment]) -> None:
        """Note what the engine was given for one."""
        self._futures[job] = future

    def end(self, job: str) -> None:
        """Forget one, whatever came of it."""
        self._futures.pop(job, None)
        self.wake()

    def cancel(self, job: str) -> None:
        """Take it out of the engine's queue; what runs already is finished."""
        if future := self._futures.get(job):
            future.cancel()

    def wake(self) -> None:
        """Tell that there may be something to do; from any thread."""
        if self._loop is not None and self._news is not None:
            self._loop.call_soon_threadsafe(self._news.set)

    async def news(self, within_s: float) -> None:
        """Wait until there may be something to do, or for some seconds."""
        if self._news is None:
            self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._news.wait(), within_s)
        self._news.clear()
