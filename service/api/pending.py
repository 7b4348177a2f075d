"""Assessments that outlast their request: the engine's results become those of jobs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Future

from anyio import to_thread

from scoring.assessment import Assessment
from service.api.problems import internal_problem, problem_of
from service.database.store import Store, StoredAssessment
from speech.errors import NativeEarError

logger = logging.getLogger("nativeear.service")

Save = Callable[[Assessment], StoredAssessment]


class Pending:
    """Follows what the engine was given for a job."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._futures: dict[str, Future[Assessment]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, job: str, future: Future[Assessment], save: Save) -> None:
        """Write the result of `future` into a job as soon as it is there."""
        self._futures[job] = future
        task = asyncio.get_running_loop().create_task(self._finish(job, future, save))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self, job: str) -> None:
        """Take it out of the queue; what runs already is finished."""
        if future := self._futures.get(job):
            future.cancel()

    async def finish(self) -> None:
        """Wait until nothing is pending."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _finish(self, job: str, future: Future[Assessment], save: Save) -> None:
        update = self._store.update_job
        try:
            result = await asyncio.wrap_future(future)
            stored = await to_thread.run_sync(save, result)
            await to_thread.run_sync(
                lambda: update(job, state="done", done=1, total=1, result=stored.result)
            )
        except (asyncio.CancelledError, CancelledError):
            await to_thread.run_sync(lambda: update(job, state="cancelled"))
        except Exception as error:
            problem = (
                problem_of(error)
                if isinstance(error, NativeEarError)
                else internal_problem(error, f"job {job}")
            ).model_dump_json()
            try:
                await to_thread.run_sync(lambda: update(job, state="failed", problem=problem))
            except NativeEarError:
                logger.exception("what became of job %s could not be kept", job)
        finally:
            self._futures.pop(job, None)
