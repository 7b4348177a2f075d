"""What is answered of work: jobs, batches, and how much of it was done."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.models import Answer
from nativeear.service.api.problem import Problem


class BuildResult(Answer):
    """What came of building an index."""

    index: str
    utterances: int
    exemplars: int
    silences: int = Field(0, description="How many of the exemplars are silences.")
    set_aside: tuple[tuple[str, str], ...] = ()
    audio_s: float
    seconds: float
    native_accuracy: float
    judged_phones: int | None = None
    inventory_phones: int | None = None


JobKind = Literal["assessment", "index"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class JobItem(Answer):
    """One line of the list of jobs.

    Attributes
    ----------
    state
        Done, failed and cancelled jobs change no more.
    assessment_id
        The assessment that it made.
    """

    id: str
    kind: JobKind
    state: JobState
    stage: str = ""
    done: int = 0
    total: int = 0
    created_at: datetime
    updated_at: datetime
    assessment_id: str | None = None
    problem: Problem | None = None


class JobList(Answer):
    """A page of jobs, the newest first; `next` is the `after` of the next page."""

    items: tuple[JobItem, ...]
    next: str | None = None


class JobAnswer(JobItem):
    """Work that outlasts a request; `result` is the Assessment, or what came of a build."""

    result: Assessment | BuildResult | None = None


class JobCreated(Answer):
    """A job that was taken; ask for it at the `Location`, or follow its events."""

    job: JobAnswer


class BatchAnswer(Answer):
    """Recordings that were sent together, counted by the states of their jobs.

    Attributes
    ----------
    state
        `done` where nothing of it waits or is worked at.
    deleted
        Those whose result, or job, was deleted.
    """

    STATES: ClassVar = ("queued", "running", "done", "failed", "cancelled", "deleted")

    id: str
    state: Literal["running", "done"]
    created_at: datetime
    total: int
    queued: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0
    deleted: int = 0


class BatchCreated(Answer):
    """A batch that was taken; ask for it at the `Location`."""

    batch: BatchAnswer


class BatchList(Answer):
    """A page of batches, the newest first; `next` is the `after` of the next page."""

    items: tuple[BatchAnswer, ...]
    next: str | None = None


class BatchLine(Answer):
    """What came of one recording; `id` is that of the manifest."""

    position: int
    id: str
    state: str
    assessment: Assessment | None = None
    problem: Problem | None = None


class WebhookRequest(BaseModel):
    """An address that is to be told when work has ended."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"url": "https://school.example/nativeear"}}
    )

    url: str = Field(min_length=1, max_length=2000)


class WebhookItem(Answer):
    """An address that is told; `last_problem` is why it was not told something in the end."""

    id: str
    url: str
    created_at: datetime
    last_problem: str | None = None


class WebhookCreated(WebhookItem):
    """An address that is told from now on; `secret` proves what comes, and is shown this once."""

    secret: str


class WebhookList(Answer):
    """The addresses that are told, the oldest first."""

    items: tuple[WebhookItem, ...]
    next: None = None


class DayUsage(Answer):
    """What was asked on one day, in UTC; speech in seconds."""

    day: date
    requests: int
    assessments: int
    audio_s: float


class QuotaAnswer(Answer):
    """What a key may have; null is any amount."""

    requests_per_day: int | None = None
    requests_per_month: int | None = None
    audio_s_per_day: float | None = None
    audio_s_per_month: float | None = None


class KeyUsage(Answer):
    """What was asked with a key; null is without any."""

    key_id: str | None = None
    name: str | None = None
    requests: int
    assessments: int
    audio_s: float
    quota: QuotaAnswer | None = None
    days: tuple[DayUsage, ...] = ()


class UsageList(Answer):
    """What was asked in a month, by key."""

    month: str
    items: tuple[KeyUsage, ...]
    next: None = None
