"""A phone's grade, and what words and recordings make of the grades of their phones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from nativeear.scoring.verdicts import FLAGGED, Verdict

FALSE_REJECTIONS = 0.04
"""Share of native phones that may be flagged, unless another is asked for."""

FLAGGED_SCORE = 50.0
"""Training-free score below which natives are as often as `FALSE_REJECTIONS` says."""

GOOD_SCORE = 75.0
"""From here on a score is shown as natives' own. Somewhat under their average of about 82."""

Quality = Literal["good", "fair", "poor", "unmeasured"]

LIKELY = 0.5
"""Probability of a mispronunciation from which one is spoken of: it is as likely as not."""

BELOW = 1.0
"""How far below a border what is flagged stays, so that rounding does not lift it over."""

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
    """A phone's score 0–100 and probability of having been mispronounced; None if uncertain.

    `expected` is what experts would give it, 0–2; None where that is not known.
    """

    score: float | None
    probability_mispronounced: float | None
    verdict: Verdict
    expected: float | None = None

    @classmethod
    def of(
        cls,
        score: float,
        probability_mispronounced: float | None,
        verdict: Verdict,
        *,
        border: float = FLAGGED_SCORE,
        expected: float | None = None,
    ) -> Grade:
        """Score, probability and verdict as one judgement.

        What is flagged scores below `border` and what is not scores at least that. That another
        sound was heard, or none, is said only where an error is as likely as not: what is flagged
        with less is accented. A sound that was not heard scores nothing.

        Parameters
        ----------
        score, probability_mispronounced
            As they were measured; the probability is None where nothing was meant.
        verdict
            What the evidence says of the kind of error; `correct` is not flagged.
        border
            The edge of a `Quality` that parts what is flagged from the rest.
        expected
            What experts would give.
        """
        if verdict not in FLAGGED:
            return cls(max(score, border), probability_mispronounced, verdict, expected)
        if probability_mispronounced is not None and probability_mispronounced < LIKELY:
            verdict = "accented"
        score = 0.0 if verdict == "deleted" else min(score, border - BELOW)
        return cls(score, probability_mispronounced, verdict, expected)


DELETED = Grade(0.0, 1.0, "deleted")
UNCERTAIN = Grade(None, None, "uncertain")


def combine(scores: list[float | None], *, flagged: bool = False) -> float | None:
    """Score of a syllable or word from its phones; None if no phone could be judged.

    With a `flagged` phone among them it is not shown as natives' own.
    """
    judged = [score for score in scores if score is not None]
    if not judged:
        return None
    score = (1 - WORST_WEIGHT) * sum(judged) / len(judged) + WORST_WEIGHT * min(judged)
    return min(score, GOOD_SCORE - BELOW) if flagged else score


def mean(scores: list[float | None]) -> float | None:
    """Plain mean of the scores that were measured; None if there is none."""
    judged = [score for score in scores if score is not None]
    return sum(judged) / len(judged) if judged else None


def quality_of(score: float | None) -> Quality:
    """What gives a score 0–100 its colour; nothing flagged is good, nothing poor is unflagged."""
    if score is None:
        return "unmeasured"
    if score >= GOOD_SCORE:
        return "good"
    return "fair" if score >= FLAGGED_SCORE else "poor"
