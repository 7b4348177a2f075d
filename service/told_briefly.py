"""A result in a few lines of text, as a language model reads it: what was heard, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nativeear.scoring.assessment import Assessment, PhoneAssessment
from nativeear.scoring.verdicts import MEANINGS
from nativeear.speech.errors import InputError

_SUMMARY: dict[str, Any] = {
    "id": True,
    "language": True,
    "duration_s": True,
    "score": True,
    "words": {"__all__": {"word", "score", "omitted"}},
    "remarks": {"__all__": {"text", "minimal_pairs"}},
    "reading": True,
    "transcript": {"source", "text"},
    "warnings": True,
}
_MAX_NATIVES = 3


def summary(assessment: Assessment) -> dict[str, Any]:
    """The scores of the whole and of its words, and what to work on."""
    return assessment.model_dump(mode="json", include=_SUMMARY, exclude_defaults=True)


def explanation(assessment: Assessment, word: int | None = None) -> str:
    """Why each sound was judged as it was, line by line.

    Parameters
    ----------
    word
        Which word of the text, from 0: all of its sounds are told. Otherwise those that were not
        heard as they were meant, of all words.

    Raises
    ------
    InputError
        If there is no such word.
    """
    if assessment.of_another_text:
        return " ".join(assessment.warnings[:1])
    words = assessment.words
    if word is not None and not 0 <= word < len(words):
        raise InputError(
            f"There is no word {word}.", fix=f"Give a number from 0 to {len(words) - 1}."
        )
    lines = []
    for place, found in enumerate(words):
        if word not in {None, place}:
            continue
        if found.omitted:
            lines.append(f"{found.word}: was left out.")
            continue
        told = [phone for phone in found.phones if word is not None or phone.needs_work]
        lines += [f"{found.word}: {line}" for phone in told for line in _lines(phone)]
    return "\n".join(lines) or "Every sound that can be judged was heard as it was meant."


def _lines(phone: PhoneAssessment) -> Iterator[str]:
    said = [MEANINGS[phone.verdict]]
    if phone.score is not None:
        said.append(f"score {phone.score:.0f} of 100")
    if phone.probability_mispronounced is not None:
        said.append(f"{100 * phone.probability_mispronounced:.0f} % likely mispronounced")
    if heard := [f"/{one.ipa}/ {100 * one.probability:.0f} %" for one in phone.sounds_like]:
        said.append(f"sounds like {', '.join(heard)}")
    if natives := [f"/{one.phone}/ in “{one.word}”" for one in phone.evidence[:_MAX_NATIVES]]:
        said.append(f"nearest natives: {', '.join(natives)}")
    yield f"/{phone.ipa}/ {'; '.join(said)}."
    if phone.feedback:
        yield phone.feedback
