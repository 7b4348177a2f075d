# Written by packages/client/asynchronous.py: change the module that blocks, and run it.
"""What a service can be asked, method by method."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.models import AssessmentItem, AssessmentList, Detail, LearnerList
from nativeear.service.api.work_models import JobAnswer, JobCreated
from nativeear.service.client.asynchronous.connection import AsyncConnection
from nativeear.service.client.asynchronous.people import AsyncPeopleOfService
from nativeear.service.client.asynchronous.references import AsyncReferenceClient
from nativeear.service.client.asynchronous.streaming import stream
from nativeear.service.client.asynchronous.work import AsyncWorkClient
from nativeear.service.client.client import AssessmentOptions
from nativeear.service.client.connection import ProblemError, path_of, read
from nativeear.service.client.sending import Recording, bytes_of, fields_of, moment_after
from nativeear.service.client.streaming import FinishedWord
from nativeear.service.database.summaries import GroupSummary, LearnerProgress, LearnerSummary

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Unpack


class AsyncClient(AsyncWorkClient, AsyncReferenceClient):
    """Asks a service. Safe to share between tasks.

    Parameters
    ----------
    url
        Where it listens, such as `http://127.0.0.1:8000`.
    key
        `nek_…`, where it wants one.
    timeout_s
        How long one answer may take.
    patience_s
        How long to go on asking a service that says it is busy (503) or that this key asks too
        often (429); the pause is what it says in `Retry-After`.

    Attributes
    ----------
    people
        Coming in by a code in the place of a key, groups, comments, and one's own data.

    Raises
    ------
    MissingDependencyError
        If httpx is not installed.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout_s: float = 120.0,
        patience_s: float = 60.0,
    ) -> None:
        self._connection = AsyncConnection(url, key, timeout_s=timeout_s, patience_s=patience_s)
        self.people = AsyncPeopleOfService(self._connection)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connection.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def assess(
        self,
        audio: Recording,
        *,
        detail: Detail = "full",
        timeout_s: float | None = 600.0,
        **options: Unpack[AssessmentOptions],
    ) -> Assessment:
        """Assess a recording, and wait for the result.

        Parameters
        ----------
        detail
            How much is told: with `word` no phones, with `phone` no evidence; what is left out is
            empty in the Assessment.
        timeout_s
            How long all of it may take, the job of a long recording too; None for as long as it
            takes. What the service finishes later is kept there.
        options
            See `AssessmentOptions`.

        Raises
        ------
        ProblemError
            What the service answers with, or that it does not answer, or not in time.
        """
        until = moment_after(timeout_s)
        response = await self._send(audio, options, until=until, detail=detail)
        if response.status_code != 202:
            return read(Assessment, response)
        done = await self._wait(read(JobCreated, response).job.id, until, detail)
        if not isinstance(done.result, Assessment):
            raise ProblemError(f"The job {done.id} ended without an assessment.")
        return done.result

    async def submit(self, audio: Recording, **options: Unpack[AssessmentOptions]) -> JobAnswer:
        """Hand in a recording to be assessed as a job, as `assess` does; see `wait`."""
        return read(JobCreated, await self._send(audio, options, {"Prefer": "respond-async"})).job

    async def assessments(
        self,
        *,
        learner_id: str | None = None,
        group: str | None = None,
        language: str | None = None,
        index: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        page: int = 50,
    ) -> AsyncIterator[AssessmentItem]:
        """Kept assessments, the newest first; fetched `page` at a time as they are asked for."""
        wanted = {
            "learner_id": learner_id,
            "group": group,
            "language": language,
            "index": index,
            "since": None if since is None else since.isoformat(),
            "until": None if until is None else until.isoformat(),
            "limit": str(page),
        }
        after: str | None = None
        while True:
            params = {**wanted, "after": after}
            found = await self._connection.read(AssessmentList, "/v1/assessments", params=params)
            for item in found.items:
                yield item
            if found.next is None:
                return
            after = found.next

    async def assessment(self, id: str, *, detail: Detail = "full") -> Assessment:
        """A kept assessment, or as much of it as is wanted, see `assess`."""
        params = {"detail": detail}
        return await self._connection.read(Assessment, path_of("assessments", id), params=params)

    async def delete(self, id: str) -> None:
        """Delete a kept assessment and its recording for good."""
        await self._connection.ask("DELETE", path_of("assessments", id))

    async def audio(self, id: str) -> bytes:
        """The recording of an assessment, as it was sent, if it was kept."""
        return (await self._connection.ask("GET", path_of("assessments", id, "audio"))).content

    async def report(self, id: str) -> str:
        """An assessment as one HTML file; its recording must have been kept."""
        return (await self._connection.ask("GET", path_of("assessments", id, "report.html"))).text

    async def textgrid(self, id: str) -> str:
        """An assessment as a TextGrid for Praat."""
        return (await self._connection.ask("GET", path_of("assessments", id, "textgrid"))).text

    async def learners(self) -> tuple[LearnerSummary, ...]:
        """Every learner of whom an assessment is kept."""
        return (await self._connection.read(LearnerList, "/v1/learners")).items

    async def progress(self, learner_id: str) -> LearnerProgress:
        """A learner's sentences over time, and every phone over the days."""
        return await self._connection.read(
            LearnerProgress, path_of("learners", learner_id, "progress")
        )

    async def today(self, learner_id: str, language: str) -> Mapping[str, Any]:
        """What a learner is to practise today: the sounds that are due, with words to say."""
        path, params = (path_of("learners", learner_id, "today"), {"language": language})
        return await self._connection.read(dict[str, Any], path, params=params)

    async def delete_learner(self, learner_id: str) -> None:
        """Delete all that is kept of a learner, for good."""
        await self._connection.ask("DELETE", path_of("learners", learner_id))

    async def export_learner(self, learner_id: str) -> bytes:
        """All that is kept of a learner, as a zip."""
        return (
            await self._connection.ask("GET", path_of("learners", learner_id, "export"))
        ).content

    async def group(self, group: str) -> GroupSummary:
        """What a teacher sees of a group."""
        return await self._connection.read(GroupSummary, path_of("groups", group, "summary"))

    def stream(
        self,
        samples: AsyncIterable[bytes],
        sample_rate: int,
        *,
        text: str | None = None,
        phones: str | None = None,
        language: str | None = None,
        index: str | None = None,
        learner_id: str | None = None,
        group: str | None = None,
        second_ear: bool | None = None,
    ) -> AsyncIterator[FinishedWord | Assessment]:
        """Have a recording assessed while it is spoken; needs websockets.

        Parameters
        ----------
        samples
            16-bit little-endian samples of one channel, about a tenth of a second at a time; taken
            as fast as they come.
        sample_rate
            Samples per second.

        Yields
        ------
        FinishedWord | Assessment
            Each word once it is finished, and at last the Assessment of the whole.

        Raises
        ------
        ProblemError
            What the service answers with, or that it does not answer.
        """
        options = {
            "sample_rate": sample_rate,
            "text": text,
            "phones": phones,
            "language": language,
            "index": index,
            "learner_id": learner_id,
            "group": group,
            "second_ear": second_ear,
        }
        return stream(self._connection, samples, options)

    async def _send(
        self,
        audio: Recording,
        options: AssessmentOptions,
        headers: Mapping[str, str] | None = None,
        *,
        until: float = inf,
        detail: Detail = "full",
    ) -> httpx.Response:
        key = options.get("idempotency_key") or uuid4().hex
        return await self._connection.ask(
            "POST",
            "/v1/assessments",
            params={"detail": detail},
            data=fields_of(options),
            files={"audio": ("recording", bytes_of(audio))},
            headers={"Idempotency-Key": key, **(headers or {})},
            until=until,
        )
