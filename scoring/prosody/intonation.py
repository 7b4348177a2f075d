"""Whether the melody ends as the punctuation asks for: the finding, not a grade.

Statements and wh-questions fall, yes–no questions rise (Cruttenden, Intonation, 1997). Where the
index has several natives' sentences of the same type, they decide: the end does not fit if it moves
farther to the wrong side than 95 % of them. One voice's habit is no norm: the speaker of telephone
prompts falls so steeply that half of other natives' statements would not fit. So with fewer voices
a rule decides. A movement counts that is heard, one that exceeds 0.32 / T² semitones per second in
a stretch of T seconds (the glissando threshold of speech, Mertens 2004 after 't Hart 1976), and a
voice ends high a semitone or more above its median. Then

- a statement fits unless it rises to a high end: a fall may lie before the last 300 ms, and what
  rises at the bottom of the voice still sounds final;
- a yes–no question fits if it rises, or stays level and high;
- a wh-question fits if it does not rise. Whether a rise is wrong is not found, for a polite or
  echoed question rises as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.prosody.assessment import Movement
from nativeear.scoring.prosody.natives import MIN_NATIVES, NativeProsody
from nativeear.speech.languages import primary_subtag
from nativeear.speech.prosody.contour import FINAL_S
from nativeear.speech.prosody.profile import ProsodyProfile

GLISSANDO_THRESHOLD = 0.32 / FINAL_S**2
"""Semitones per second from which a final movement is heard as one."""
HIGH_SEMITONES = 1.0
"""How far above the median of the voice its end is a high one."""
END_POINTS = 3
"""Points of the contour that are its end: 150 ms. Chosen, as `HIGH_SEMITONES` was, on statements
of six US natives other than those that `docs/prosody.md` reports, with its questions in view."""
UNFIT_SHARE = 0.05
"""Share of natives beyond whom an end does not fit; so many of them are wronged."""

MIN_VOICES = 3
"""Native speakers below whom their sentences do not decide."""

RISING_QUESTIONS = frozenset({"de", "en", "es", "fr", "it", "nl"})
"""Languages whose yes–no questions end in a rise. Not so Russian, whose rise lies on the stressed
syllable and is over at the end, or Brazilian Portuguese: there natives alone decide."""


@dataclass(frozen=True)
class Ending:
    """How a melody ends, with the fields of `scoring.prosody.assessment.Intonation`."""

    observed: Movement | None
    expected: Movement | None = None
    fits: bool | None = None
    judged_by: Literal["natives", "rule"] | None = None


def judge_ending(
    learner: ProsodyProfile,
    text: str | None,
    language: str,
    natives: NativeProsody,
    exclusion: Exclusion,
) -> Ending | None:
    """What the end of the melody does, and whether it fits; None without a text.

    Parameters
    ----------
    learner
        The measured recording; its `sentence` is the type of its last sentence.
    text
        What was read. Without punctuation at its end nothing is expected, and nothing found.
    """
    if not text or not learner.sentence:
        return None
    observed = movement(learner.final_slope)
    if observed is None or not re.search(r"[.!?…？؟][\"'»”)\s]*$", text):
        return Ending(observed=observed)
    expected: Movement = "rise" if learner.sentence == "yes_no_question" else "fall"
    # The sign turns what is worse downwards: rises where a fall is due, falls where a rise is.
    sign = 1.0 if expected == "rise" else -1.0
    slopes, voices = natives.endings(learner.sentence, exclusion)
    if len(slopes) >= MIN_NATIVES and voices >= MIN_VOICES:
        fits = bool(sign * learner.final_slope >= np.quantile(sign * slopes, UNFIT_SHARE))
        return Ending(expected=expected, observed=observed, fits=fits, judged_by="natives")
    if expected == "rise" and primary_subtag(language) not in RISING_QUESTIONS:
        return Ending(observed=observed)
    high = float(np.median(learner.contour[-END_POINTS:])) >= HIGH_SEMITONES
    by_rule = fits_by_rule(learner.sentence, observed, high=high)
    return Ending(
        expected=expected,
        observed=observed,
        fits=by_rule,
        judged_by=None if by_rule is None else "rule",
    )


def movement(final_slope: float) -> Movement | None:
    """What is heard at the end, by its slope in semitones per second; None where it is NaN."""
    if np.isnan(final_slope):
        return None
    if abs(final_slope) < GLISSANDO_THRESHOLD:
        return "level"
    return "rise" if final_slope > 0 else "fall"


def fits_by_rule(sentence: str, observed: Movement, *, high: bool) -> bool | None:
    """Whether a movement fits a type of sentence; None where either would.

    Parameters
    ----------
    high
        Whether the voice ends high.
    """
    if sentence == "yes_no_question":
        return observed == "rise" or (observed == "level" and high)
    if sentence == "wh_question":
        return None if observed == "rise" else True
    return not (observed == "rise" and high)
