"""What a service writes every few seconds: that it lives, and what it could not write before."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from anyio import to_thread

from nativeear.service.api.assessment_jobs import AssessmentJobs
from nativeear.service.api.builds import Builds
from nativeear.service.api.outbox import Outbox
from nativeear.service.api.usage import RequestCounts
from nativeear.service.database.errors import StorageError
from nativeear.service.database.jobs import LEASE
from nativeear.service.database.store import Store

logger = logging.getLogger("nativeear.service")

RENEW_S = LEASE.total_seconds() / 6
RETRY_S = 1.0  # while the database is away


class Heartbeat:
    """Keeps the jobs of a service, and looks after those of services that live no more.

    Attributes
    ----------
    trouble
        Why nothing could be written the last time, if it could not.
    """

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        builds: Builds,
        assessment_jobs: AssessmentJobs,
        counts: RequestCounts,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._builds = builds
        self._assessment_jobs = assessment_jobs
        self._counts = counts
        self._patient_until = 0.0
        self.trouble: StorageError | None = None

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await to_thread.run_sync(self.beat)
            await asyncio.sleep(RETRY_S if self.trouble else RENEW_S)

    def beat(self) -> None:
        """Tell the database once; what is wrong with it is told in `trouble`."""
        try:
            self._renew()
            self._outbox.flush()
            self._counts.flush()
            if monotonic() >= self._patient_until:
                self._settle_orphans()
        except StorageError as error:
            if self.trouble is None:
                logger.warning("the database cannot be written: %s (%s)", error, error.cause)
            self.trouble = error
            # Others could not write either, and are to be heard before their jobs are failed.
            self._patient_until = monotonic() + LEASE.total_seconds()
        else:
            if self.trouble is not None:
                logger.warning("the database can be written again")
            self.trouble = None

    def _renew(self) -> None:
        ours = {*self._assessment_jobs.jobs, *self._builds.jobs, *self._outbox.pending}
        for job in self._store.renew_jobs(ours):  # another service may have been asked to cancel it
            self._builds.cancel(job)
            self._assessment_jobs.cancel(job)

    def _settle_orphans(self) -> None:
        if orphans := self._store.queue_orphans():
            logger.warning("%d jobs of a service that died are begun again", orphans)
            self._assessment_jobs.wake()
        if lost := self._store.fail_orphans():
            logger.warning("%d jobs had been left by a service that died", lost)
