"""An assessment as a TextGrid, for Praat: tiers words, phones, scores and verdicts.

A fifth tier, `reading`, has what was said beside the text, where there is any.
"""

from __future__ import annotations

from collections.abc import Callable

from nativeear.scoring.assessment import Assessment, PhoneAssessment
from nativeear.speech.alignment import Alignment
from nativeear.speech.textgrid import PHONE_TIER, WORD_TIER, Interval, TextGrid, Tier

SCORE_TIER = "scores"
VERDICT_TIER = "verdicts"
READING_TIER = "reading"

_LABELS: dict[str, Callable[[PhoneAssessment], str]] = {
    PHONE_TIER: lambda phone: phone.phone,
    SCORE_TIER: lambda phone: "" if phone.score is None else f"{phone.score:.0f}",
    VERDICT_TIER: lambda phone: phone.verdict,
}


def to_textgrid(assessment: Assessment) -> TextGrid:
    """Lay an assessment out in time; words and phones that were not found are left out."""
    words = tuple(
        Interval(word.start_s, word.end_s, word.word)
        for word in assessment.words
        if word.start_s is not None and word.end_s is not None
    )
    tiers = [Tier(WORD_TIER, words)]
    for name, label in _LABELS.items():
        intervals = tuple(
            Interval(phone.start_s, phone.end_s, label(phone))
            for phone in assessment.phones
            if phone.start_s is not None and phone.end_s is not None
        )
        tiers.append(Tier(name, intervals))
    beside = tuple(
        Interval(event.start_s, event.end_s, f"{event.kind}: {event.heard}")
        for event in sorted(
            assessment.reading.events if assessment.reading else (), key=lambda e: e.start_s or 0.0
        )
        if event.start_s is not None and event.end_s is not None
    )
    if beside:
        tiers.append(Tier(READING_TIER, beside))
    return TextGrid(0.0, assessment.duration_s, tuple(tiers))


def score_tiers(assessment: Assessment, laid: Alignment) -> tuple[Tier, ...]:
    """Tiers `scores` and `verdicts` alone, to the very boundaries of the alignment judged."""
    phones = list(zip(laid.spoken, assessment.phones, strict=True))
    return tuple(
        Tier(name, tuple(Interval(at.start_s, at.end_s, _LABELS[name](p)) for at, p in phones))
        for name in (SCORE_TIER, VERDICT_TIER)
    )
