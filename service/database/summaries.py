"""How learners get on, as the service tells it and its client reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True)
class PhoneFigures:
    """How a phone is pronounced.

    Attributes
    ----------
    count
        How often it was to be said.
    mean_score
        0–100; None where it was never scored.
    flagged_share
        0–1; None where it was never judged.
    """

    language: str
    phone: str
    ipa: str
    count: int
    mean_score: float | None
    flagged_share: float | None


@dataclass(frozen=True)
class DayFigures:
    """As `PhoneFigures`, of one day in UTC."""

    day: date
    count: int
    mean_score: float | None
    flagged_share: float | None


@dataclass(frozen=True)
class PhoneProgress(PhoneFigures):
    """A phone over the days on which it was said."""

    days: tuple[DayFigures, ...]


@dataclass(frozen=True)
class Sentence:
    """An assessment on a learner's way; scores are 0–100, None where not measured."""

    id: str
    created_at: datetime
    language: str
    text: str | None
    transcript: str | None
    overall: float | None
    pronunciation: float | None
    fluency: float | None
    prosody: float | None
    completeness: float | None


@dataclass(frozen=True)
class LearnerProgress:
    """A learner's sentences, the oldest first, and phones by name."""

    learner_id: str
    sentences: tuple[Sentence, ...]
    phones: tuple[PhoneProgress, ...]


@dataclass(frozen=True)
class LearnerSummary:
    """How much a learner has said, and its mean overall score.

    Attributes
    ----------
    name
        Of a learner who signed in, whose `learner_id` is a number; None of others.
    """

    learner_id: str
    count: int
    mean_score: float | None
    first_at: datetime
    last_at: datetime
    name: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class GroupLearner(LearnerSummary):
    """A learner of a group with the phones that were said in it."""

    phones: tuple[PhoneFigures, ...]


@dataclass(frozen=True)
class GroupSummary:
    """Who of a group says which phones how well; `phones` are those of all of them together."""

    group: str
    count: int
    learners: tuple[GroupLearner, ...]
    phones: tuple[PhoneFigures, ...]
