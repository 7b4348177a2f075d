"""How verdicts and scores are shown wherever people read them: marks, meanings and bands."""

from __future__ import annotations

from typing import Literal

from nativeear.scoring.assessment import Verdict
from nativeear.scoring.grading import FLAGGED_SCORE, GOOD_SCORE

Band = Literal["good", "fair", "poor", "unmeasured"]

MARKS: dict[Verdict, str] = {
    "correct": "",
    "accented": "~",
    "substituted": "×",
    "deleted": "−",
    "uncertain": "?",
}
"""Stands behind a sound, so that no verdict is told by colour alone."""

MEANINGS: dict[Verdict, str] = {
    "correct": "as natives say it",
    "accented": "understood, but unlike natives",
    "substituted": "another sound was heard",
    "deleted": "not heard",
    "uncertain": "cannot be judged",
}


def band_of(score: float | None) -> Band:
    """The band of a score 0–100 that gives it its colour.

    Nothing flagged is good and nothing poor is unflagged, see `scoring.grading.Grade.of`.
    """
    if score is None:
        return "unmeasured"
    if score >= GOOD_SCORE:
        return "good"
    return "fair" if score >= FLAGGED_SCORE else "poor"
