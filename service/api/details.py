"""How much of an Assessment is told: a phone wants less than a laboratory."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.models import Detail

DetailQuery = Annotated[
    Detail,
    Query(
        description="How much is told: scores of words and what to work on, or of phones, too, or "
        "all of it with its evidence."
    ),
]

_ALWAYS = dict.fromkeys(
    (
        *("id", "language", "index", "encoder", "calibration", "duration_s", "score"),
        *("transcript", "reading", "accent", "second_ear", "language_use", "warnings"),
    ),
    True,
)
_WORD = dict.fromkeys(("word", "start_s", "end_s", "score", "omitted"), True)
_PHONE = dict.fromkeys(
    (
        *("phone", "ipa", "grapheme", "start_s", "end_s", "score", "verdict"),
        *("probability_mispronounced", "sounds_like", "feedback"),
    ),
    True,
)
_TOLD: dict[Detail, dict[str, Any]] = {
    "word": {
        **_ALWAYS,
        "words": {"__all__": _WORD},
        "remarks": {"__all__": dict.fromkeys(("text", "phone", "ipa", "places"), True)},
    },
    "phone": {
        **_ALWAYS,
        "words": {
            "__all__": {
                **_WORD,
                "stress": True,
                "variant": True,
                "syllables": True,
                "phones": {"__all__": _PHONE},
            }
        },
        "false_rejections": True,
        "insertions": True,
        "remarks": True,
        "fluency": True,
        "prosody": {
            "f0": True,
            "stress_accuracy": True,
            "sentence_type": True,
            "intonation": True,
            "prominent_word": True,
            "grades": True,
        },
        "level": True,
    },
}


def told(result: str, detail: Detail) -> str:
    """An Assessment as JSON, with as much of it as is wanted.

    What is left out may be left out of an `Assessment`, so that it can be read as one.
    """
    if detail == "full":
        return result
    whole = Assessment.model_validate_json(result)
    return whole.model_dump_json(include=_TOLD[detail], exclude_defaults=True)
