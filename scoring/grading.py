"""A phone's grade, and what words and recordings make of the grades of their phones."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scoring.assessment import Verdict

FALSE_REJECTIONS = 0.04
"""Share of native phones that may be flagged, unless another is asked for."""

FLAGGED_SCORE = 50.0
"""Training-free score below which natives are as often as `FALSE_REJECTIONS` says."""

WORST_WEIGHT = 0.3
"""Weight of a word's worst phone beside the mean of all: experts mark a word down for one bad
phone. To be learnt where word scores exist."""


_EXPONENT = math.log(FLAGGED_SCORE / 100) / math.log(FALSE_REJECTIONS)


def score_of(log_quantile: float) -> float:
    """Score 0–100 of a native quantile q: 100 · q^a, where a puts the score 50 at q = 4 %.

    For what has no other scale than how many natives have less of it.
    """
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
