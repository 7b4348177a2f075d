"""A Python client of the service; it blocks, and needs httpx (`pip install "nativeear[client]"`).

from nativeear.service.client import Client

with Client("http://127.0.0.1:8000", key="nek_…") as client:
    result = client.assess("me.wav", text="I think so.")
    print(result.score.overall)
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from math import inf
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from nativeear.scoring.assessment import Assessment, WordAssessment
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
from nativeear.service.api.problem import Problem
from nativeear.service.database.summaries import GroupSummary, LearnerProgress, LearnerSummary
from nativeear.speech.errors import AudioError, MissingDependencyError, NativeEarError

if TYPE_CHECKING:
    import httpx

Recording = str | os.PathLike[str] | bytes
"""A file, or what is in one: any format that the service decodes."""

_ENDED = frozenset({"done", "failed", "cancelled"})
_WAITED_OUT = frozenset({429, 503})  # they say after which time to ask again
_RETRY_S = 1.0
_POLL_S = 0.5
_LEAST_TIMEOUT_S = 1.0  # a request that is sent at all is given so long

_Answer = TypeVar("_Answer")


class ProblemError(NativeEarError):
    """The service refused or failed; `status` and `code` say how, the rest is in its words.

    Attributes
    ----------
    status
        What HTTP calls it; 0 if no answer came.
    code
        Its kind, stable over releases, such as `no-pronunciation`.
    """

    status: int = 0

    @classmethod
    def told(cls, problem: Problem) -> ProblemError:
        """The error that a problem tells of."""
        error = cls(problem.detail, cause=problem.cause, fix=problem.fix)
        error.status = problem.status
        error.code = problem.type.rpartition(":")[2]
        return error

    def __reduce__(self) -> tuple[object, ...]:
        return (*super().__reduce__(), {"status": self.status, "code": self.code})


@dataclass(frozen=True)
class FinishedWord:
    """A word that was finished while a stream was still being spoken.

    Attributes
    ----------
    place
        Which word of the text it is, from 0.
    word
        What is known of it so far; the final Assessment may say it better.
    heard_s
        How much had been heard by then, in seconds.
    """

    place: int
    word: WordAssessment
    heard_s: float


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
        try:
            import httpx
        except ImportError as error:
            raise MissingDependencyError(
                "The client needs httpx, which is not installed.",
                cause=str(error),
                fix='Run: pip install "nativeear[client]"',
            ) from error
        self._url = url.rstrip("/")
        self._key = key
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=self._url, headers=headers, timeout=timeout_s)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def assess(
        self,
        audio: Recording,
        *,
        text: str | None = None,
        phones: str | None = None,
        free: bool = False,
        language: str | None = None,
        index: str | None = None,
        l1: str | None = None,
        learner_id: str | None = None,
        group: str | None = None,
        calibration: Calibration = "auto",
        keep_audio: bool = False,
        idempotency_key: str | None = None,
        timeout_s: float | None = 600.0,
    ) -> Assessment:
        """Assess a recording, and wait for the result.

        Parameters
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
            The same request under the same key is assessed once; a new one by default, so that
            a request that is sent again because the service was busy counts once.
        timeout_s
            How long all of it may take, the job of a long recording too; None for as long as it
            takes. What the service finishes later is kept there.

        Raises
        ------
        ProblemError
            What the service answers with, or that it does not answer, or not in time.
        """
        until = _after(timeout_s)
        answered = self._send(
            audio,
            {
                "text": text,
                "phones": phones,
                "free": "true" if free else None,
                "language": language,
                "index": index,
                "l1": l1,
                "learner_id": learner_id,
                "group": group,
                "calibration": calibration,
                "keep_audio": str(keep_audio).lower(),
            },
            {"Idempotency-Key": idempotency_key or uuid4().hex},
            until,
        )
        if answered.status_code != 202:
            return _read(Assessment, answered)
        done = self._wait(_read(JobCreated, answered).job.id, until)
        if not isinstance(done.result, Assessment):
            raise ProblemError(f"The job {done.id} ended without an assessment.")
        return done.result

    def submit(
        self,
        audio: Recording,
        *,
        text: str | None = None,
        phones: str | None = None,
        free: bool = False,
        language: str | None = None,
        index: str | None = None,
        l1: str | None = None,
        learner_id: str | None = None,
        group: str | None = None,
        calibration: Calibration = "auto",
        keep_audio: bool = False,
        idempotency_key: str | None = None,
    ) -> JobAnswer:
        """Hand in a recording to be assessed as a job; see `assess` for the fields, and `wait`."""
        answered = self._send(
            audio,
            {
                "text": text,
                "phones": phones,
                "free": "true" if free else None,
                "language": language,
                "index": index,
                "l1": l1,
                "learner_id": learner_id,
                "group": group,
                "calibration": calibration,
                "keep_audio": str(keep_audio).lower(),
            },
            {"Prefer": "respond-async", "Idempotency-Key": idempotency_key or uuid4().hex},
        )
        return _read(JobCreated, answered).job

    def job(self, id: str) -> JobAnswer:
        """How far a job is."""
        return self._job(id, inf)

    def _job(self, id: str, until: float) -> JobAnswer:
        return _read(JobAnswer, self._ask("GET", f"/v1/jobs/{quote(id, safe='')}", until=until))

    def cancel(self, id: str) -> JobAnswer:
        """Cancel a job; an assessment that has begun is finished."""
        return _read(JobAnswer, self._ask("POST", f"/v1/jobs/{id}/cancel"))

    def wait(self, job: JobAnswer | str, *, timeout_s: float | None = None) -> JobAnswer:
        """Wait until a job is done.

        Raises
        ------
        ProblemError
            If it fails, is cancelled, or is not done within `timeout_s` seconds.
        """
        return self._wait(job if isinstance(job, str) else job.id, _after(timeout_s))

    def _wait(self, id: str, until: float) -> JobAnswer:
        while (found := self._job(id, until)).state not in _ENDED:
            if monotonic() + _POLL_S > until:
                raise ProblemError(
                    f"The job {id} is not done in time: it is {found.state}.",
                    fix="Wait for it again.",
                )
            sleep(_POLL_S)
        if found.problem is not None:
            raise ProblemError.told(found.problem)
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
        asked = {
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
            listed = self._ask("GET", "/v1/assessments", params={**asked, "after": after})
            found = _read(AssessmentList, listed)
            yield from found.items
            if found.next is None:
                return
            after = found.next

    def assessment(self, id: str) -> Assessment:
        """A kept assessment."""
        return _read(Assessment, self._ask("GET", f"/v1/assessments/{id}"))

    def delete(self, id: str) -> None:
        """Delete a kept assessment and its recording for good."""
        self._ask("DELETE", f"/v1/assessments/{id}")

    def audio(self, id: str) -> bytes:
        """The recording of an assessment, as it was sent, if it was kept."""
        return self._ask("GET", f"/v1/assessments/{id}/audio").content

    def report(self, id: str) -> str:
        """An assessment as one HTML file; its recording must have been kept."""
        return self._ask("GET", f"/v1/assessments/{id}/report.html").text

    def textgrid(self, id: str) -> str:
        """An assessment as a TextGrid for Praat."""
        return self._ask("GET", f"/v1/assessments/{id}/textgrid").text

    def learners(self) -> tuple[LearnerSummary, ...]:
        """Every learner of whom an assessment is kept."""
        return _read(LearnerList, self._ask("GET", "/v1/learners")).items

    def progress(self, learner_id: str) -> LearnerProgress:
        """A learner's sentences over time, and every phone over the days."""
        path = f"/v1/learners/{quote(learner_id, safe='')}/progress"
        return _read(LearnerProgress, self._ask("GET", path))

    def delete_learner(self, learner_id: str) -> None:
        """Delete all that is kept of a learner, for good."""
        self._ask("DELETE", f"/v1/learners/{quote(learner_id, safe='')}")

    def group(self, group: str) -> GroupSummary:
        """What a teacher sees of a group."""
        return _read(GroupSummary, self._ask("GET", f"/v1/groups/{quote(group, safe='')}/summary"))

    def indexes(self) -> tuple[IndexItem, ...]:
        """The indexes that are offered, the default first."""
        return _read(IndexList, self._ask("GET", "/v1/indexes")).items

    def index(self, name: str) -> IndexDetail:
        """What an index is made of."""
        return _read(IndexDetail, self._ask("GET", f"/v1/indexes/{quote(name, safe='')}"))

    def validate(
        self, text: str, *, index: str | None = None, language: str | None = None
    ) -> TextCheck:
        """Which words of a text can be pronounced, and how."""
        asked = {"text": text, "index": index, "language": language}
        return _read(TextCheck, self._ask("POST", "/v1/validate", body=asked))

    def pronunciations(
        self, text: str, *, index: str | None = None, language: str | None = None
    ) -> Pronunciations:
        """Every word of a text with all its pronunciations."""
        asked = {"text": text, "index": index, "language": language}
        return _read(Pronunciations, self._ask("POST", "/v1/pronunciations", body=asked))

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
        """Have a recording assessed while it is spoken.

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
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        asked = {
            "sample_rate": sample_rate,
            "text": text,
            "phones": phones,
            "language": language,
            "index": index,
            "learner_id": learner_id,
            "group": group,
            "key": self._key,
        }
        address = f"ws{self._url.removeprefix('http')}/v1/stream"
        try:
            with connect(address, max_size=None) as socket:
                socket.send(json.dumps(asked))

                def speak() -> None:
                    with suppress(WebSocketException):  # whoever reads is told why it was closed
                        for part in samples:
                            socket.send(part)
                        socket.send(json.dumps({"end": True}))

                threading.Thread(target=speak, name="stream", daemon=True).start()
                for message in socket:
                    told = json.loads(message)
                    if "problem" in told:
                        raise ProblemError.told(Problem.model_validate(told["problem"]))
                    if "word" in told:
                        word = WordAssessment.model_validate(told["word"])
                        yield FinishedWord(told["place"], word, told["heard_s"])
                    if "final" in told:
                        yield Assessment.model_validate(told["final"])
        except (OSError, WebSocketException) as error:
            raise self._unreachable(error) from error

    def _send(
        self,
        audio: Recording,
        fields: Mapping[str, str | None],
        headers: Mapping[str, str],
        until: float = inf,
    ) -> httpx.Response:
        data = audio if isinstance(audio, bytes) else _content(audio)
        return self._ask(
            "POST",
            "/v1/assessments",
            data={name: value for name, value in fields.items() if value is not None},
            files={"audio": ("recording", data)},
            headers=headers,
            until=until,
        )

    def _ask(
        self,
        method: Literal["GET", "POST", "DELETE"],
        path: str,
        *,
        params: Mapping[str, str | None] | None = None,
        body: Mapping[str, str | None] | None = None,
        until: float = inf,
        **sent: Any,
    ) -> httpx.Response:
        """Send a request, again if the service says that it may be; problems are raised."""
        import httpx

        given = {name: value for name, value in (params or {}).items() if value is not None}
        patient_until = min(until, monotonic() + self._patience_s)
        while True:
            timeout_s = max(_LEAST_TIMEOUT_S, min(self._timeout_s, until - monotonic()))
            try:
                answered = self._http.request(
                    method, path, params=given, json=body, timeout=timeout_s, **sent
                )
            except httpx.TimeoutException as error:
                raise ProblemError(
                    f"The service at {self._url} did not answer within {timeout_s:.3g} s.",
                    cause=type(error).__name__,
                    fix="Ask again later, or wait longer: timeout_s.",
                ) from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise self._unreachable(error) from error
            if answered.is_success:
                return answered
            pause_s = _pause_s(answered)
            waits = answered.status_code in _WAITED_OUT or "Retry-After" in answered.headers
            if not waits or monotonic() + pause_s > patient_until:
                raise _problem(answered)
            sleep(pause_s)

    def _unreachable(self, error: Exception) -> ProblemError:
        return ProblemError(
            f"The service at {self._url} does not answer.",
            cause=str(error) or type(error).__name__,
            fix="Start it with `nativeear serve`, or give the address where it listens.",
        )


def _after(timeout_s: float | None) -> float:
    return inf if timeout_s is None else monotonic() + timeout_s


def _content(file: str | os.PathLike[str]) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise AudioError(
            f"The recording {os.fspath(file)} cannot be read.", cause=str(error)
        ) from error


def _pause_s(answered: httpx.Response) -> float:
    told = answered.headers.get("Retry-After", "")
    return float(told) if told.isdigit() else _RETRY_S


def _read(kind: type[_Answer], answered: httpx.Response) -> _Answer:
    try:
        return TypeAdapter(kind).validate_json(answered.content)
    except ValidationError as error:
        raise ProblemError(
            f"What answers at {answered.url} is no NativeEar of this release.",
            cause=str(error.errors()[0]["msg"]),
            fix="Give the address of the service, and install its release here.",
        ) from error


def _problem(answered: httpx.Response) -> ProblemError:
    try:
        return ProblemError.told(Problem.model_validate_json(answered.content))
    except ValidationError:
        error = ProblemError(
            f"The answer was {answered.status_code} {answered.reason_phrase}.",
            cause=answered.text[:200],
        )
        error.status = answered.status_code
        return error
