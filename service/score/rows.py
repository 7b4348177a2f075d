"""What is kept of one scored recording: one line of JSON, from which all tables are made."""

from __future__ import annotations

from statistics import fmean
from typing import NamedTuple

from pydantic import Field

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.frozen_model import FrozenModel
from nativeear.scoring.verdicts import FLAGGED


class PhoneRow(NamedTuple):
    """One phone; its fields are the columns of `phones.csv`, behind the recording's id."""

    word_index: int
    word: str
    phone: str
    ipa: str
    start_s: float | None
    end_s: float | None
    duration_s: float | None
    score: float | None
    verdict: str
    probability_mispronounced: float | None
    gop: float | None
    gop_margin: float | None
    margin: float | None
    nearest: str | None
    nearest_probability: float | None
    coverage: int
    boundary_doubt: float | None


class Problem(FrozenModel):
    """Why a recording could not be scored."""

    code: str
    message: str
    cause: str = ""
    fix: str = ""


class ScoredRow(FrozenModel):
    """One recording.

    `score` is the mean of its words, 0–100; None where too little of it could be judged, or where
    there was a `problem`. `unknown` counts labels that stand for no phone of the index.
    """

    key: str
    id: str
    duration_s: float = 0.0
    score: float | None = None
    worst_word: str | None = None
    worst_score: float | None = None
    phones: tuple[PhoneRow, ...] = ()
    unknown: dict[str, int] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: Problem | None = None

    @property
    def judged(self) -> int:
        """Phones that have a score."""
        return sum(phone.score is not None for phone in self.phones)

    @property
    def flagged(self) -> int:
        """Phones that were not heard as they were meant."""
        return sum(phone.verdict in FLAGGED for phone in self.phones)

    @property
    def boundary_doubt(self) -> float | None:
        """Mean doubt about boundaries, 0–1."""
        known = [p.boundary_doubt for p in self.phones if p.boundary_doubt is not None]
        return fmean(known) if known else None


def row_of(key: str, result: Assessment, unknown: dict[str, int]) -> ScoredRow:
    """What is kept of a result."""
    rated = [word for word in result.words if word.score is not None]
    worst = min(rated, key=lambda word: word.score or 0.0, default=None)
    return ScoredRow(
        key=key,
        id=result.id,
        duration_s=result.duration_s,
        score=result.score.pronunciation,
        worst_word=worst.word if worst else None,
        worst_score=worst.score if worst else None,
        phones=_phone_rows(result),
        unknown=unknown,
        notes=result.warnings,
    )


def _phone_rows(result: Assessment) -> tuple[PhoneRow, ...]:
    rows = []
    for word_index, word in enumerate(result.words):
        for phone in word.phones:
            nearest = phone.sounds_like[0] if phone.sounds_like else None
            laid = phone.start_s is not None and phone.end_s is not None
            rows.append(
                PhoneRow(
                    word_index=word_index,
                    word=word.word,
                    phone=phone.phone,
                    ipa=phone.ipa,
                    start_s=phone.start_s,
                    end_s=phone.end_s,
                    duration_s=(phone.end_s or 0.0) - (phone.start_s or 0.0) if laid else None,
                    score=phone.score,
                    verdict=phone.verdict,
                    probability_mispronounced=phone.probability_mispronounced,
                    gop=phone.gop.sf_sd,
                    gop_margin=phone.gop.margin,
                    margin=phone.knn.margin,
                    nearest=nearest.phone if nearest else None,
                    nearest_probability=nearest.probability if nearest else None,
                    coverage=phone.knn.coverage,
                    boundary_doubt=phone.boundary_doubt,
                )
            )
    return tuple(rows)
