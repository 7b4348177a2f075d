"""Assessments that outlast their request: the engine's results become those of jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import partial

from anyio import to_thread

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.outbox import Outbox
from nativeear.service.api.problems import internal_problem, problem_of
from nativeear.service.database.assessments import StoredAssessment
from nativeear.service.database.errors import StorageError
from nativeear.service.database.store import Store
from nativeear.speech.errors import NativeEarError

Save = Callable[[Assessment], StoredAssessment]


class AssessmentJobs:
    """Follows what the engine was given for a job."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox
        self._futures: dict[str, Future[Assessment]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def jobs(self) -> tuple[str, ...]:
        """Ids of those that are followed."""
        return tuple(self._futures)

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
        try:
            result = await asyncio.wrap_future(future)
        except (asyncio.CancelledError, CancelledError):
            end = partial(self._store.update_job, job, state="cancelled")
        except Exception as error:
            end = partial(self._fail, job, error)
        else:
            end = partial(self._done, job, save, result)
        await to_thread.run_sync(self._outbox.write, job, end)
        self._futures.pop(job, None)

    def _done(self, job: str, save: Save, result: Assessment) -> None:
        try:
            stored = save(result)
        except StorageError:
            raise
        except Exception as error:
            self._fail(job, error)
        else:
            self._store.update_job(job, state="done", done=1, total=1, result=stored.result)

    def _fail(self, job: str, error: Exception) -> None:
        if isinstance(error, NativeEarError):
            problem = problem_of(error)
        else:
            problem = internal_problem(error, f"job {job}")
        self._store.update_job(job, state="failed", problem=problem.model_dump_json())
