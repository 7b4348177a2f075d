"""What a service can be asked, method by method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.models import (
    AssessmentItem,
    AssessmentList,
    Detail,
    LearnerList,
)
from nativeear.service.api.work_models import JobAnswer, JobCreated
from nativeear.service.client.connection import Connection, ProblemError, path_of, read
from nativeear.service.client.people import PeopleOfService
from nativeear.service.client.references import ReferenceClient
from nativeear.service.client.sending import Recording, bytes_of, fields_of, moment_after
from nativeear.service.client.streaming import FinishedWord, stream
from nativeear.service.client.work import BatchOptions, WorkClient
from nativeear.service.database.summaries import GroupSummary, LearnerProgress, LearnerSummary

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Unpack


class AssessmentOptions(BatchOptions, total=False):
    """How a recording is to be assessed.

    Attributes
    ----------
    text, phones
        What was meant to be said, or its phones, ` | ` between words; one of both.
    free
        Instead of them: no text is known, and what is heard is assessed.
    language, index
        What speaks it natively; the service's first index if neither is given.
    l1
        The learner's first language.
    learner_id, group
        Whose history and summary it belongs to.
    calibration
        How to grade.
    second_ear
        Whether the model elsewhere hears it, too, where the service has one; true by default.
    language_use, topic
        Of free speech: whether the language model elsewhere reads the recognised words, where the
        service has one (true by default), and what was to be spoken of.
    keep_audio
        Whether the service keeps the recording, for `audio` and `report`.
    idempotency_key
        The same request under the same key is assessed once; a new one by default, so that a
        request that is sent again because the service was busy counts once.
    """

    phones: str | None


class Client(WorkClient, ReferenceClient):
    """Asks a service. Safe to share between threads.

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
        self._connection = Connection(url, key, timeout_s=timeout_s, patience_s=patience_s)
        self.people = PeopleOfService(self._connection)

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def assess(
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
        response = self._send(audio, options, until=until, detail=detail)
        if response.status_code != 202:
            return read(Assessment, response)
        done = self._wait(read(JobCreated, response).job.id, until, detail)
        if not isinstance(done.result, Assessment):
            raise ProblemError(f"The job {done.id} ended without an assessment.")
        return done.result

    def submit(self, audio: Recording, **options: Unpack[AssessmentOptions]) -> JobAnswer:
        """Hand in a recording to be assessed as a job, as `assess` does; see `wait`."""
        return read(JobCreated, self._send(audio, options, {"Prefer": "respond-async"})).job

    def assessments(
        self,
        *,
        learner_id: str | None = None,
        group: str | None = None,
        language: str | None = None,
        index: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        page: int = 50,
    ) -> Iterator[AssessmentItem]:
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
            found = self._connection.read(AssessmentList, "/v1/assessments", params=params)
            yield from found.items
            if found.next is None:
                return
            after = found.next

    def assessment(self, id: str, *, detail: Detail = "full") -> Assessment:
        """A kept assessment, or as much of it as is wanted, see `assess`."""
        params = {"detail": detail}
        return self._connection.read(Assessment, path_of("assessments", id), params=params)

    def delete(self, id: str) -> None:
        """Delete a kept assessment and its recording for good."""
        self._connection.ask("DELETE", path_of("assessments", id))

    def audio(self, id: str) -> bytes:
        """The recording of an assessment, as it was sent, if it was kept."""
        return self._connection.ask("GET", path_of("assessments", id, "audio")).content

    def report(self, id: str) -> str:
        """An assessment as one HTML file; its recording must have been kept."""
        return self._connection.ask("GET", path_of("assessments", id, "report.html")).text

    def textgrid(self, id: str) -> str:
        """An assessment as a TextGrid for Praat."""
        return self._connection.ask("GET", path_of("assessments", id, "textgrid")).text

    def learners(self) -> tuple[LearnerSummary, ...]:
        """Every learner of whom an assessment is kept."""
        return self._connection.read(LearnerList, "/v1/learners").items

    def progress(self, learner_id: str) -> LearnerProgress:
        """A learner's sentences over time, and every phone over the days."""
        return self._connection.read(LearnerProgress, path_of("learners", learner_id, "progress"))

    def today(self, learner_id: str, language: str) -> Mapping[str, Any]:
        """What a learner is to practise today: the sounds that are due, with words to say."""
        path, params = path_of("learners", learner_id, "today"), {"language": language}
        return self._connection.read(dict[str, Any], path, params=params)

    def delete_learner(self, learner_id: str) -> None:
        """Delete all that is kept of a learner, for good."""
        self._connection.ask("DELETE", path_of("learners", learner_id))

    def export_learner(self, learner_id: str) -> bytes:
        """All that is kept of a learner, as a zip."""
        return self._connection.ask("GET", path_of("learners", learner_id, "export")).content

    def group(self, group: str) -> GroupSummary:
        """What a teacher sees of a group."""
        return self._connection.read(GroupSummary, path_of("groups", group, "summary"))

    def stream(
        self,
        samples: Iterable[bytes],
        sample_rate: int,
        *,
        text: str | None = None,
        phones: str | None = None,
        language: str | None = None,
        index: str | None = None,
        learner_id: str | None = None,
        group: str | None = None,
        second_ear: bool | None = None,
    ) -> Iterator[FinishedWord | Assessment]:
        """Have a recording assessed while it is spoken; needs websockets.

        Parameters
        ----------
        samples
            16-bit little-endian samples of one channel, about a tenth of a second at a time; taken
            as fast as they come, in a thread of its own.
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

    def _send(
        self,
        audio: Recording,
        options: AssessmentOptions,
        headers: Mapping[str, str] | None = None,
        *,
        until: float = inf,
        detail: Detail = "full",
    ) -> httpx.Response:
        key = options.get("idempotency_key") or uuid4().hex
        return self._connection.ask(
            "POST",
            "/v1/assessments",
            params={"detail": detail},
            data=fields_of(options),
            files={"audio": ("recording", bytes_of(audio))},
            headers={"Idempotency-Key": key, **(headers or {})},
            until=until,
        )
