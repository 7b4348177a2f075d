"""Requests and responses of teaching: sets, homework, members and labels."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from nativeear.scoring.verdicts import LabelVerdict
from nativeear.service.api.models import Answer, Asked, Plain, Tag
from nativeear.service.database.summaries import PhoneFigures

MOST_SENTENCES = 200


def _sayable(text: str) -> str:
    stripped = " ".join(text.split())
    if not any(map(str.isalnum, stripped)):
        raise ValueError("has nothing that can be said")
    return stripped


Sentence = Annotated[str, Field(max_length=500), Plain, AfterValidator(_sayable)]
Id = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class SetRequest(Asked):
    """Sentences that a teacher wants to have said."""

    title: Annotated[str, Field(max_length=100), Plain, AfterValidator(_sayable)]
    language: Annotated[Tag, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$")]
    sentences: Annotated[tuple[Sentence, ...], Field(min_length=1, max_length=MOST_SENTENCES)]


class SetItem(Answer):
    """A set of sentences."""

    id: str
    title: str
    language: str
    sentences: tuple[str, ...]
    created_at: datetime


class SetList(Answer):
    """Sets, the newest first."""

    items: tuple[SetItem, ...]
    next: None = None


class HomeworkRequest(Asked):
    """A set that a group is to say, and until which day; for ever if null."""

    set: Id
    due: date | None = None


class HomeworkLearner(Answer):
    """How far a learner is: the positions of the sentences that he has said since he was to."""

    id: str
    name: str
    said: tuple[int, ...]


class HomeworkItem(Answer):
    """What a group is to say; a learner sees himself alone in `learners`."""

    id: str
    group: str
    group_name: str
    set: str
    title: str
    language: str
    sentences: tuple[str, ...]
    due: date | None
    created_at: datetime
    learners: tuple[HomeworkLearner, ...]


class HomeworkList(Answer):
    """Homework, what is due first before the rest."""

    items: tuple[HomeworkItem, ...]
    next: None = None


class DayItem(Answer):
    """The mean overall score of a day in UTC."""

    day: date
    mean_score: float


class MemberItem(Answer):
    """A learner of a group; `costly` are the sounds that cost him most, `days` is his trend."""

    id: str
    name: str
    joined_at: datetime
    count: int
    last_at: datetime | None
    mean_score: float | None
    days: tuple[DayItem, ...]
    costly: tuple[PhoneFigures, ...]


class MemberList(Answer):
    """Learners by name."""

    items: tuple[MemberItem, ...]
    next: None = None


class LabelRequest(Asked):
    """What was heard of the phone at a position, counted through all words."""

    position: Annotated[int, Field(ge=0, le=100_000)]
    verdict: LabelVerdict
    heard: Annotated[str, Field(max_length=20, pattern=r"^[^\s<>|-]+$"), Plain] | None = Field(
        None, description="The phone that was heard instead, where one is told."
    )


class LabelsRequest(Asked):
    """All that a teacher tells of an assessment, in the place of what he told before."""

    labels: Annotated[tuple[LabelRequest, ...], Field(max_length=5_000)]


class LabelItem(Answer):
    """What a teacher heard of a phone; `judged` is the verdict that was shown."""

    position: int
    word: str
    phone: str
    ipa: str
    judged: str
    verdict: LabelVerdict
    heard: str | None
    author_id: str
    author: str
    created_at: datetime


class LabelList(Answer):
    """Labels by position."""

    items: tuple[LabelItem, ...]
    next: None = None
