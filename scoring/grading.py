"""Margins → 0–100 scores, probabilities and verdicts, from native speech alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from indexes.natives import NativeMargins
from indexes.phone_index import PhoneIndex
from retriever.evidence import PhoneEvidence
from scoring.assessment import Verdict
from speech.alignment import SILENCE

CALIBRATION = "training-free"
FLAGGED_QUANTILE = 0.04
"""Share of native realisations that are flagged: the false-rejection rate among natives."""

FLAGGED_SCORE = 50.0
"""Score at `FLAGGED_QUANTILE`; everything flagged is below it."""

MIN_COVERAGE = 10
"""Exemplars of a phone below which it is `uncertain`."""

WORST_WEIGHT = 0.3
"""Weight of a word's worst phone beside the mean of all: experts mark a word down for one bad
phone. To be learnt where word scores exist."""

_EXPONENT = math.log(FLAGGED_SCORE / 100) / math.log(FLAGGED_QUANTILE)


def score_of(log_quantile: float) -> float:
    """Score 0–100 of a native quantile q: 100 · q^a, where a puts the score 50 at q = 4 %."""
    return 100.0 * math.exp(_EXPONENT * log_quantile)


@dataclass(frozen=True)
class Grade:
    """A phone's score 0–100 and probability of having been mispronounced; None if uncertain."""

    score: float | None
    probability_mispronounced: float | None
    verdict: Verdict


FLAGGED: frozenset[Verdict] = frozenset({"accented", "substituted", "deleted"})
"""Verdicts that say a phone was not heard as it was meant."""

DELETED = Grade(0.0, 1.0, "deleted")
UNCERTAIN = Grade(None, None, "uncertain")


class NativeScale:
    """The training-free calibration of one index.

    The score is `score_of` the quantile of the margin among native realisations of the same
    phone, each judged with its own utterance left out; see `NativeMargins` for the tail. Natives
    are below 50 four times in a hundred, and score 100 / (1 + a) ≈ 82 on average.
    """

    def __init__(self, index: PhoneIndex) -> None:
        self._index = index

    @cached_property
    def _natives(self) -> dict[str, NativeMargins]:
        return {
            phone: NativeMargins.fit(self._index.native_margins[self._index.rows_of(phone)])
            for phone in self._index.classes
            if phone != SILENCE
        }

    def log_quantile(self, evidence: PhoneEvidence) -> float:
        """ln of the share of natives with no larger margin; NaN where there are too few."""
        natives = self._natives.get(evidence.phone)
        if natives is None or min(evidence.coverage, len(natives)) < MIN_COVERAGE:
            return math.nan
        return float(natives.log_quantile(np.array(evidence.margin)))

    def grade(self, evidence: PhoneEvidence, *, deleted: bool) -> Grade:
        """Grade one canonical phone."""
        log_quantile = self.log_quantile(evidence)
        if math.isnan(log_quantile):
            return UNCERTAIN
        if deleted:
            return DELETED
        decision = self._index.manifest.decision
        logit = decision.error_slope * log_quantile + decision.error_intercept
        verdict: Verdict = "correct"
        if log_quantile < math.log(FLAGGED_QUANTILE):
            verdict = "substituted" if evidence.margin < 0 else "accented"
        return Grade(
            score=score_of(log_quantile),
            probability_mispronounced=1 / (1 + math.exp(-logit)),
            verdict=verdict,
        )


def combine(scores: list[float | None]) -> float | None:
    """Score of a syllable or word from its phones; None if no phone could be judged."""
    judged = [score for score in scores if score is not None]
    if not judged:
        return None
    return (1 - WORST_WEIGHT) * sum(judged) / len(judged) + WORST_WEIGHT * min(judged)


def mean(scores: list[float | None]) -> float | None:
    """Plain mean of the scores that were measured; None if there is none."""
    judged = [score for score in scores if score is not None]
    return sum(judged) / len(judged) if judged else None
