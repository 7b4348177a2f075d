"""What a service can be asked, method by method."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from math import inf
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import quote
from uuid import uuid4

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.models import (
    AssessmentItem,
    AssessmentList,
    Calibration,
    IndexDetail,
    IndexItem,
    IndexList,
    JobAnswer,
    JobCreated,
    LearnerList,
    Pronunciations,
    TextCheck,
)
from nativeear.service.client.connection import Connection, ProblemError, read
from nativeear.service.client.streaming import FinishedWord, stream
from nativeear.service.database.summaries import GroupSummary, LearnerProgress, LearnerSummary
from nativeear.speech.errors import AudioError

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Unpack

Recording = str | os.PathLike[str] | bytes
"""A file, or what is in one: any format that the service decodes."""

_ENDED = frozenset({"done", "failed", "cancelled"})
_POLL_S = 0.5


class AssessmentOptions(TypedDict, total=False):
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
    keep_audio
        Whether the service keeps the recording, for `audio` and `report`.
    idempotency_key
        The same request under the same key is assessed once; a new one by default, so that a
        request that is sent again because the service was busy counts once.
    """

    text: str | None
    phones: str | None
    free: bool
    language: str | None
    index: str | None
    l1: str | None
    learner_id: str | None
    group: str | None
    calibration: Calibration
    keep_audio: bool
    idempotency_key: str | None


class Client:
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
        timeout_s: float | None = 600.0,
        **options: Unpack[AssessmentOptions],
    ) -> Assessment:
        """Assess a recording, and wait for the result.

        Parameters
        ----------
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
        until = _after(timeout_s)
        response = self._send(audio, options, until=until)
        if response.status_code != 202:
            return read(Assessment, response)
        done = self._wait(read(JobCreated, response).job.id, until)
        if not isinstance(done.result, Assessment):
            raise ProblemError(f"The job {done.id} ended without an assessment.")
        return done.result

    def submit(self, audio: Recording, **options: Unpack[AssessmentOptions]) -> JobAnswer:
        """Hand in a recording to be assessed as a job, as `assess` does; see `wait`."""
        return read(JobCreated, self._send(audio, options, {"Prefer": "respond-async"})).job

    def job(self, id: str) -> JobAnswer:
        """How far a job is."""
        return self._connection.read(JobAnswer, _path("jobs", id))

    def cancel(self, id: str) -> JobAnswer:
        """Cancel a job; an assessment that has begun is finished."""
        return self._connection.read(JobAnswer, _path("jobs", id, "cancel"), method="POST")

    def wait(self, job: JobAnswer | str, *, timeout_s: float | None = None) -> JobAnswer:
        """Wait until a job is done.

        Raises
        ------
        ProblemError
            If it fails, is cancelled, or is not done within `timeout_s` seconds.
        """
        return self._wait(job if isinstance(job, str) else job.id, _after(timeout_s))

    def _wait(self, id: str, until: float) -> JobAnswer:
        while True:
            found = self._connection.read(JobAnswer, _path("jobs", id), until=until)
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

    def assessment(self, id: str) -> Assessment:
        """A kept assessment."""
        return self._connection.read(Assessment, _path("assessments", id))

    def delete(self, id: str) -> None:
        """Delete a kept assessment and its recording for good."""
        self._connection.ask("DELETE", _path("assessments", id))

    def audio(self, id: str) -> bytes:
        """The recording of an assessment, as it was sent, if it was kept."""
        return self._connection.ask("GET", _path("assessments", id, "audio")).content

    def report(self, id: str) -> str:
        """An assessment as one HTML file; its recording must have been kept."""
        return self._connection.ask("GET", _path("assessments", id, "report.html")).text

    def textgrid(self, id: str) -> str:
        """An assessment as a TextGrid for Praat."""
        return self._connection.ask("GET", _path("assessments", id, "textgrid")).text

    def learners(self) -> tuple[LearnerSummary, ...]:
        """Every learner of whom an assessment is kept."""
        return self._connection.read(LearnerList, "/v1/learners").items

    def progress(self, learner_id: str) -> LearnerProgress:
        """A learner's sentences over time, and every phone over the days."""
        return self._connection.read(LearnerProgress, _path("learners", learner_id, "progress"))

    def delete_learner(self, learner_id: str) -> None:
        """Delete all that is kept of a learner, for good."""
        self._connection.ask("DELETE", _path("learners", learner_id))

    def group(self, group: str) -> GroupSummary:
        """What a teacher sees of a group."""
        return self._connection.read(GroupSummary, _path("groups", group, "summary"))

    def indexes(self) -> tuple[IndexItem, ...]:
        """The indexes that are offered, the default first."""
        return self._connection.read(IndexList, "/v1/indexes").items

    def index(self, name: str) -> IndexDetail:
        """What an index is made of."""
        return self._connection.read(IndexDetail, _path("indexes", name))

    def validate(
        self, text: str, *, index: str | None = None, language: str | None = None
    ) -> TextCheck:
        """Which words of a text can be pronounced, and how."""
        body = {"text": text, "index": index, "language": language}
        return self._connection.read(TextCheck, "/v1/validate", method="POST", json=body)

    def pronunciations(
        self, text: str, *, index: str | None = None, language: str | None = None
    ) -> Pronunciations:
        """Every word of a text with all its pronunciations."""
        body = {"text": text, "index": index, "language": language}
        return self._connection.read(Pronunciations, "/v1/pronunciations", method="POST", json=body)

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
    ) -> Iterator[FinishedWord | Assessment]:
        """Have a recording assessed while it is spoken; needs websockets.

        Parameters
        ----------
        samples
            16-bit little-endian samples of one channel, about a tenth of a second at a time; taken
            in a thread of its own, as fast as they come.
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
        }
        return stream(self._connection, samples, options)

    def _send(
        self,
        audio: Recording,
        options: AssessmentOptions,
        headers: Mapping[str, str] | None = None,
        until: float = inf,
    ) -> httpx.Response:
        key = options.get("idempotency_key") or uuid4().hex
        return self._connection.ask(
            "POST",
            "/v1/assessments",
            data={
                name: str(value).lower() if isinstance(value, bool) else value
                for name, value in options.items()
                if value is not None and name != "idempotency_key"
            },
            files={"audio": ("recording", audio if isinstance(audio, bytes) else _content(audio))},
            headers={"Idempotency-Key": key, **(headers or {})},
            until=until,
        )


def _path(*parts: str) -> str:
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def _after(timeout_s: float | None) -> float:
    return inf if timeout_s is None else monotonic() + timeout_s


def _content(file: str | os.PathLike[str]) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise AudioError(
            f"The recording {os.fspath(file)} cannot be read.", cause=str(error)
        ) from error
