"""What a result says against itself: sounds that its index cannot judge, or an index of no use."""

from __future__ import annotations

from collections.abc import Sequence

from nativeear.indexes.manifest import Manifest
from nativeear.scoring.assessment import PhoneAssessment

MOSTLY = 0.5
"""Share of sounds that cannot be judged above which the whole is not scored."""


USUAL_ACCURACY = (0.88, 0.96)
"""Shares of left-out natives that five indexes of some twenty minutes of one voice each, built with
the shipped encoder, hear right (docs/languages.md)."""

LEAST_ACCURACY = 0.75
"""Share below which nothing that an index says can be trusted. One with plain spectra for encoder
has 82 to 84 % (docs/corpora.md), one with untrained weights about 60 %."""


def usefulness(accuracy: float) -> str:
    """What the share of an index's left-out natives that are heard right says of it."""
    least, most = USUAL_ACCURACY
    usual = (
        f"the shipped encoder reaches {least:.0%} to {most:.0%} with twenty minutes of one voice"
    )
    if accuracy < LEAST_ACCURACY:
        return (
            f"Nothing that it says can be trusted: {usual}. Check that texts, recordings and "
            "alignment belong together, and that the encoder suits."
        )
    if accuracy < least:
        return f"That is less than usual: {usual}."
    return f"That is as it should be: {usual}."


def mostly_unjudged(phones: Sequence[PhoneAssessment]) -> bool:
    """Whether most sounds of a recording cannot be judged, so that a headline would mislead."""
    unknown = sum(phone.verdict == "uncertain" for phone in phones)
    return unknown > MOSTLY * len(phones)


def reliability_warnings(manifest: Manifest, phones: Sequence[PhoneAssessment]) -> list[str]:
    """Warnings that a reader needs before any score.

    Parameters
    ----------
    manifest
        Of the index.
    phones
        The sounds that it was asked to judge.
    """
    warnings = []
    accuracy = manifest.decision.native_accuracy
    if accuracy < LEAST_ACCURACY:
        warnings.append(
            f"The index {manifest.name} hears {accuracy:.0%} of its own left-out natives right. "
            f"{usefulness(accuracy)}"
        )
    unknown = [phone for phone in phones if phone.verdict == "uncertain"]
    if phones and len(unknown) == len(phones):
        warnings.append(
            "The index can judge no sound of this recording, so that nothing is scored."
        )
    elif mostly_unjudged(phones):
        warnings.append(
            f"The index cannot judge {len(unknown)} of the {len(phones)} sounds of this recording, "
            "so that the whole is not scored."
        )
    if unknown:
        named = ", ".join(sorted({phone.ipa for phone in unknown}))
        warnings.append(
            f"The index cannot judge {named}: it has too few exemplars, or mishears its own."
        )
    return warnings
