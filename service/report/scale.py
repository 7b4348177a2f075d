"""How scores, verdicts and sounds are written and coloured throughout a report."""

from __future__ import annotations

from nativeear.scoring.assessment import PhoneAssessment
from nativeear.scoring.verdicts import SYMBOLS
from nativeear.service.report.markup import Markup, element, joined

LEARNER = "learner"
"""Name of the learner's recording among the clips."""


def short_score(score: float | None) -> Markup:
    """A score without decimals; a dash, spoken as what it means, where there is none."""
    if score is not None:
        return joined(f"{score:.0f}")
    return joined(
        element("span", "–", aria_hidden="true"), element("span", "not measured", class_="spoken")
    )


def marked(phone: PhoneAssessment) -> str:
    """A sound in IPA with the mark of its verdict."""
    return phone.ipa + SYMBOLS[phone.verdict]


def play_list(*stretches: tuple[str, float, float]) -> str:
    """What a button plays, as the script reads it: clip, start and end in seconds, in turn."""
    return " ".join(f"{clip},{start:.3f},{end:.3f}" for clip, start, end in stretches)
