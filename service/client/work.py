"""Work that outlasts a request, as a client asks for it: jobs, batches, and what was used."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic, sleep
from typing import TYPE_CHECKING, TypedDict
from uuid import uuid4

from nativeear.service.api.models import Calibration, Detail
from nativeear.service.api.work_models import (
    BatchAnswer,
    BatchCreated,
    BatchLine,
    BatchList,
    JobAnswer,
    JobItem,
    JobKind,
    JobList,
    JobState,
    UsageList,
    WebhookCreated,
    WebhookItem,
    WebhookList,
)
from nativeear.service.client.connection import Connection, ProblemError, path_of, read
from nativeear.service.client.sending import Recording, bytes_of, fields_of, moment_after

if TYPE_CHECKING:
    from typing_extensions import Unpack

_ENDED = frozenset({"done", "failed", "cancelled"})
_POLL_S = 0.5


class BatchOptions(TypedDict, total=False):
    """What is said of all recordings of a batch that its manifest does not say; see there."""

    text: str | None
    free: bool
    language: str | None
    index: str | None
    l1: str | None
    learner_id: str | None
    group: str | None
    calibration: Calibration
    keep_audio: bool
    second_ear: bool | None
    language_use: bool | None
    topic: str | None
    idempotency_key: str | None


class WorkClient:
    """The part of `Client` that asks for work."""

    _connection: Connection

    def job(self, id: str) -> JobAnswer:
        """How far a job is."""
        return self._connection.read(JobAnswer, path_of("jobs", id))

    def jobs(
        self, *, kind: JobKind | None = None, state: JobState | None = None, page: int = 50
    ) -> Iterator[JobItem]:
        """Jobs without their results, the newest first; fetched `page` at a time."""
        wanted = {"kind": kind, "state": state, "limit": str(page)}
        after: str | None = None
        while True:
            params = {**wanted, "after": after}
            found = self._connection.read(JobList, "/v1/jobs", params=params)
            yield from found.items
            if found.next is None:
                return
            after = found.next

    def cancel(self, id: str) -> JobAnswer:
        """Cancel a job; an assessment that has begun is finished."""
        return self._connection.read(JobAnswer, path_of("jobs", id, "cancel"), method="POST")

    def wait(self, job: JobAnswer | str, *, timeout_s: float | None = None) -> JobAnswer:
        """Wait until a job is done.

        Raises
        ------
        ProblemError
            If it fails, is cancelled, or is not done within `timeout_s` seconds.
        """
        return self._wait(job if isinstance(job, str) else job.id, moment_after(timeout_s))

    def _wait(self, id: str, until: float, detail: Detail = "full") -> JobAnswer:
        while True:
            path, params = path_of("jobs", id), {"detail": detail}
            found = self._connection.read(JobAnswer, path, params=params, until=until)
            if found.state in _ENDED:
                break
            if monotonic() + _POLL_S > until:
                raise ProblemError(
                    f"The job {id} is not done in time: it is {found.state}.",
                    fix="Wait for it again.",
                )
            sleep(_POLL_S)
        if found.problem is not None:
            raise ProblemError.of(found.problem)
        if found.state == "cancelled":
            raise ProblemError(f"The job {id} was cancelled.")
        return found

    def submit_batch(
        self,
        archive: Recording,
        *,
        manifest: Recording | None = None,
        **options: Unpack[BatchOptions],
    ) -> BatchAnswer:
        """Hand in many recordings in a zip archive; see `batch_results`.

        Parameters
        ----------
        archive
            With its manifest, or texts, in it where `manifest` is none.
        manifest
            CSV or JSON lines with `audio`, a name in the archive, and `id`, `text`, …
        options
            What is said of all recordings.
        """
        files = {"archive": ("archive.zip", bytes_of(archive))}
        if manifest is not None:
            files["manifest"] = ("manifest", bytes_of(manifest))
        headers = {"Idempotency-Key": options.get("idempotency_key") or uuid4().hex}
        answer = self._connection.ask(
            "POST", "/v1/batches", data=fields_of(options), files=files, headers=headers
        )
        return read(BatchCreated, answer).batch

    def batch(self, id: str) -> BatchAnswer:
        """How far a batch is."""
        return self._connection.read(BatchAnswer, path_of("batches", id))

    def batches(self, *, page: int = 50) -> Iterator[BatchAnswer]:
        """Batches, the newest first; fetched `page` at a time."""
        after: str | None = None
        while True:
            params = {"limit": str(page), "after": after}
            found = self._connection.read(BatchList, "/v1/batches", params=params)
            yield from found.items
            if found.next is None:
                return
            after = found.next

    def cancel_batch(self, id: str) -> BatchAnswer:
        """Cancel what waits of a batch; what has begun is finished."""
        return self._connection.read(BatchAnswer, path_of("batches", id, "cancel"), method="POST")

    def batch_results(
        self,
        id: str,
        *,
        after: int = -1,
        detail: Detail = "full",
        timeout_s: float | None = None,
    ) -> Iterator[BatchLine]:
        """What came of each recording of a batch, in order, as they end.

        Parameters
        ----------
        after
            Position of the last line that is known already.
        timeout_s
            How long to wait for all of them; None for as long as it takes.

        Raises
        ------
        ProblemError
            What the service answers with, or that it is not done in time.
        """
        until, where = moment_after(timeout_s), path_of("batches", id, "results")
        while True:
            is_done = self.batch(id).state == "done"
            params = {"after": str(after), "detail": detail}
            for line in self._connection.ask("GET", where, params=params).iter_lines():
                found = BatchLine.model_validate_json(line)
                after = found.position
                yield found
            if is_done:
                return
            if monotonic() + _POLL_S > until:
                raise ProblemError(f"The batch {id} is not done in time.", fix="Wait for it again.")
            sleep(_POLL_S)

    def add_webhook(self, url: str) -> WebhookCreated:
        """Have an address told when jobs and batches of this key end; its secret is told once."""
        return self._connection.read(
            WebhookCreated, "/v1/webhooks", method="POST", json={"url": url}
        )

    def webhooks(self) -> tuple[WebhookItem, ...]:
        """The addresses that are told."""
        return self._connection.read(WebhookList, "/v1/webhooks").items

    def delete_webhook(self, id: str) -> None:
        """Tell an address no more."""
        self._connection.ask("DELETE", path_of("webhooks", id))

    def usage(self, month: str | None = None) -> UsageList:
        """What was asked with the key in a month, such as `2026-01`; this month by default."""
        return self._connection.read(UsageList, "/v1/usage", params={"month": month})
