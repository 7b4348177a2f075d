"""An Assessment in the shape of SpeechAce's text scoring.

What is filled, and by what, is in `docs/migrate.md`. Bands of other examinations are never given.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from nativeear.scoring.assessment import Assessment, PhoneAssessment, WordAssessment
from nativeear.scoring.prosody.assessment import Segment

PER_S = 100
"""Extents are in hundredths of a second."""


def language_of(dialect: str) -> str:
    """The BCP 47 tag of a dialect: `en-us` is `en-US`."""
    language, _, region = dialect.replace("_", "-").partition("-")
    return f"{language.lower()}-{region.upper()}" if region else language.lower()


def answered(result: Assessment, text: str, *, fluency: bool = False) -> dict[str, Any]:
    """The whole answer; a recording that is not of its text has another, see the route."""
    scores = {"pronunciation": result.score.pronunciation}
    told: dict[str, Any] = {
        "text": text,
        "word_score_list": [_word(word) for word in result.words],
        "speechace_score": scores,
    }
    if fluency:
        scores |= {"fluency": result.score.fluency}
        told["fluency"] = _fluency(result)
    return {
        "status": "success",
        "quota_remaining": -1,
        "text_score": told,
        "nativeear": {"id": result.id, "warnings": list(result.warnings)},
    }


def _word(word: WordAssessment) -> dict[str, Any]:
    return {
        "word": word.word,
        "quality_score": _score(word.score),
        "phone_score_list": _phones(word),
        "syllable_score_list": [_syllable(word, i) for i in range(len(word.syllables))],
    }


def _phones(word: WordAssessment) -> list[dict[str, Any]]:
    lengths = [len(phone.grapheme or "") for phone in word.phones]
    ends = list(accumulate(lengths))
    known = all(phone.grapheme is not None for phone in word.phones)
    return [
        {
            "phone": phone.phone.lower(),
            "extent": _extent([phone]),
            "quality_score": _score(phone.score),
            "sound_most_like": _most_like(phone),
            **({"word_extent": [end - length, end]} if known else {}),
        }
        for phone, length, end in zip(word.phones, lengths, ends, strict=True)
    ]


def _most_like(phone: PhoneAssessment) -> str | None:
    """What was heard; None where nothing was, or that cannot be told."""
    if phone.verdict in {"deleted", "uncertain"}:
        return None
    if phone.verdict == "correct" or not phone.sounds_like:
        return phone.phone.lower()
    return phone.sounds_like[0].phone.lower()


def _syllable(word: WordAssessment, index: int) -> dict[str, Any]:
    syllable, stress = word.syllables[index], word.stress
    phones = word.phones[slice(*syllable.phones)]
    told: dict[str, Any] = {
        "phone_count": len(phones),
        "letters": syllable.grapheme,
        "quality_score": _score(syllable.score),
        "extent": _extent(phones),
    }
    if stress is not None:
        told["stress_level"] = int(stress.expected == index)
        told["predicted_stress_level"] = (
            None if stress.observed is None else int(stress.observed == index)
        )
        told["stress_score"] = stress.score
    return told


def _extent(phones: Sequence[PhoneAssessment]) -> list[int] | None:
    starts = [phone.start_s for phone in phones if phone.start_s is not None]
    ends = [phone.end_s for phone in phones if phone.end_s is not None]
    return [round(PER_S * min(starts)), round(PER_S * max(ends))] if starts and ends else None


def _score(score: float | None) -> float | None:
    return None if score is None else round(score, 2)


def _flow(start_s: float, end_s: float, pauses: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Pauses, and the runs of speech between them, in seconds."""
    bounds = [start_s, *(moment for pause in pauses for moment in pause), end_s]
    runs = [b - a for a, b in zip(bounds[::2], bounds[1::2], strict=True) if b > a]
    return {
        "articulation_length": sum(runs),
        "mean_length_run": sum(runs) / len(runs) if runs else None,
        "max_length_run": max(runs, default=None),
        "all_pause_count": len(pauses),
        "all_pause_duration": sum(end - start for start, end in pauses),
        "all_pause_list": [[round(PER_S * a), round(PER_S * b)] for a, b in pauses],
    }


def _pauses(result: Assessment, start_s: float, end_s: float) -> list[tuple[float, float]]:
    """Those that begin within."""
    breaks = result.fluency.breaks if result.fluency else ()
    spans = ((each.start_s, each.end_s) for each in breaks)
    return [(a, b) for a, b in spans if a is not None and b is not None and start_s <= a < end_s]


def _fluency(result: Assessment) -> dict[str, Any]:
    flow = result.fluency
    if flow is None or flow.pauses is None:
        return {"overall_metrics": None, "segment_metrics_list": []}
    starts = [word.start_s for word in result.words if word.start_s is not None]
    ends = [word.end_s for word in result.words if word.end_s is not None]
    start_s, end_s = min(starts, default=0.0), max(ends, default=result.duration_s)
    return {
        "overall_metrics": {
            "duration": result.duration_s,
            "word_count": len(result.words),
            "speech_rate": flow.syllables_per_s,
            "articulation_rate": flow.articulation_rate,
            "word_correct_per_minute": flow.words_correct_per_minute,
            **_flow(start_s, end_s, _pauses(result, start_s, end_s)),
        },
        "segment_metrics_list": [_segment(result, each) for each in flow.segments],
    }


def _segment(result: Assessment, segment: Segment) -> dict[str, Any]:
    start_s, end_s = segment.start_s, segment.end_s
    return {
        "segment": list(segment.words),
        "duration": end_s - start_s,
        "syllable_count": segment.syllables,
        "word_count": segment.words[1] - segment.words[0],
        "speech_rate": segment.syllables_per_s,
        "articulation_rate": segment.articulation_rate,
        **_flow(start_s, end_s, _pauses(result, start_s, end_s)),
    }
