"""What words and sentences are judged by: how a recording flows, and what its phones come to.

Experts give a word or a sentence one mark for all they heard. These are the numbers behind it, each
under a name; what was not measured is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.scoring.assessment import EventKind, Reading, WordAssessment
from nativeear.scoring.fusion.features import LOW_SHARE
from nativeear.scoring.fusion.phone_model import BEST
from nativeear.scoring.prosody.assessment import Contour, Fluency, MeasureGrade, Prosody

FloatArray = NDArray[np.float64]

FAULT = 1.0
"""Expert score below which a phone counts as a fault."""

_SPANS = ("filled_pauses", "restarts", "repetitions")
_EVENTS: tuple[EventKind, ...] = ("omitted", "repeated", "restart", "extra")


def flow_measures(
    fluency: Fluency | None, prosody: Prosody | None, reading: Reading | None, duration_s: float
) -> dict[str, float]:
    """How a recording of so many seconds flows, sings and keeps to its text."""
    measures = {"duration_s": duration_s}
    grades: list[MeasureGrade] = []
    if fluency is not None:
        for name in (
            "syllables_per_s",
            "articulation_rate",
            "words_per_minute",
            "npvi_v",
            "percent_v",
            "varco_v",
            "varco_c",
            "rpvi_c",
            "delta_c",
        ):
            measures[name] = _number(getattr(fluency, name))
        for name in _SPANS:
            spans = getattr(fluency, name)
            measures[name] = float(len(spans))
            measures[f"{name}_s"] = float(sum(end_s - start_s for start_s, end_s in spans))
        if fluency.pauses is not None:
            for name in ("count", "mean_s", "ratio", "long_count", "between_phrases"):
                measures[f"pauses_{name}"] = _number(getattr(fluency.pauses, name))
        grades += fluency.grades
    if prosody is not None:
        measures["stress_accuracy"] = _number(prosody.stress_accuracy)
        measures["native_contour_distance"] = _number(prosody.native_contour_distance_semitones)
        if prosody.f0 is not None:
            measures["f0_range"] = _number(prosody.f0.range_semitones)
            measures["f0_final_slope"] = _number(prosody.f0.final_slope_semitones_per_s)
            measures["f0_declination"] = _number(prosody.f0.declination_semitones_per_s)
        if prosody.contour is not None:
            measures |= _contour_measures(prosody.contour)
        grades += prosody.grades
    measures |= {f"grade_{grade.measure}": grade.score for grade in grades}
    if reading is not None:
        kinds = [event.kind for event in reading.events]
        measures |= {f"read_{kind}": float(kinds.count(kind)) for kind in _EVENTS}
        measures["read_likelihood"] = reading.likelihood
    return measures


def _contour_measures(contour: Contour) -> dict[str, float]:
    """How far melody and loudness move, in semitones and decibels, from first to last voice.

    What lies around the voice is not the speaker's: silence of a file has −300 dB.
    """
    f0_hz = np.array([np.nan if f0 is None else f0 for f0 in contour.f0_hz], dtype=np.float64)
    level_db = np.array(
        [np.nan if level is None else level for level in contour.intensity_db], dtype=np.float64
    )
    voiced = np.flatnonzero(np.isfinite(f0_hz))
    if len(voiced):
        f0_hz, level_db = (each[voiced[0] : voiced[-1] + 1] for each in (f0_hz, level_db))
    measures = {}
    if np.isfinite(f0_hz).sum() > 1:
        semitones = 12 * np.log2(f0_hz / np.nanmedian(f0_hz))
        low, high = np.nanpercentile(semitones, [25, 75])
        steps = np.abs(np.diff(semitones))
        measures["f0_deviation"] = float(np.nanstd(semitones))
        measures["f0_quartiles"] = float(high - low)
        measures["f0_step"] = float(np.nanmean(steps)) if np.isfinite(steps).any() else np.nan
        measures["voiced_share"] = float(np.isfinite(f0_hz).mean())
    if np.isfinite(level_db).sum() > 1:
        low, high = np.nanpercentile(level_db, [5, 95])
        measures["level_deviation"] = float(np.nanstd(level_db))
        measures["level_range"] = float(high - low)
    return measures


def phone_measures(expected: FloatArray, words: NDArray[np.int64]) -> dict[str, float]:
    """What the phones of a recording come to.

    Parameters
    ----------
    expected
        float64 `[N]`, the expert score 0–2 that each is expected to get; NaN where it is unjudged.
    words
        int64 `[N]`, the word that each belongs to.
    """
    judged = ~np.isnan(expected)
    expected, words = expected[judged], words[judged]
    if not len(expected):
        return {}
    means = np.array([expected[words == word].mean() for word in np.unique(words)])
    return {
        "phones": float(len(expected)),
        "words": float(len(means)),
        "phone_mean": float(expected.mean()),
        "phone_low": float(np.quantile(expected, LOW_SHARE)),
        "phone_least": float(expected.min()),
        "phone_loss": float(((BEST - expected) ** 2).mean()),
        "phone_faults": float((expected < FAULT).mean()),
        "word_mean": float(means.mean()),
        "word_least": float(means.min()),
        "word_deviation": float(means.std()),
    }


WORD_MEASURES = (
    "mean",
    "least",
    "second_least",
    "loss",
    "phones",
    "place",
    "words_after",
    "syllables",
    "stress_kept",
    "stress_score",
    "omitted",
    "recording_mean",
    "recording_low",
    "before",
    "after",
    "duration",
)
"""Columns of `word_measures`."""


@dataclass(frozen=True)
class WordFacts:
    """What is known of a word, whatever its phones come to; None where it is not known.

    `stress_kept` is whether it was stressed on the right syllable.
    """

    start_s: float | None
    end_s: float | None
    phones: int
    syllables: int
    stress_kept: bool | None
    stress_score: float | None
    omitted: bool

    @classmethod
    def of(cls, word: WordAssessment) -> WordFacts:
        """Those of an assessed word."""
        stress = word.stress
        return cls(
            word.start_s,
            word.end_s,
            len(word.phones),
            len(word.syllables),
            None if stress is None else stress.observed == stress.expected,
            None if stress is None else stress.score,
            word.omitted,
        )


def word_measures(
    expected: FloatArray, words: NDArray[np.int64], facts: Sequence[WordFacts]
) -> FloatArray:
    """What is known of each of W words, `[W, len(WORD_MEASURES)]`.

    Parameters
    ----------
    expected, words
        As in `phone_measures`.
    facts
        What else is known of the words.
    """
    whole = expected[~np.isnan(expected)]
    recording = (whole.mean(), np.quantile(whole, LOW_SHARE)) if len(whole) else (np.nan, np.nan)
    means = np.full(len(facts), np.nan)
    rows = []
    for number, word in enumerate(facts):
        own = expected[words == number]
        own = np.sort(own[~np.isnan(own)])
        if len(own):
            means[number] = own.mean()
        spoken_s = np.nan
        if word.start_s is not None and word.end_s is not None and word.phones:
            spoken_s = (word.end_s - word.start_s) / word.phones
        rows.append(
            [
                means[number],
                own[0] if len(own) else np.nan,
                own[1] if len(own) > 1 else np.nan,
                float(((BEST - own) ** 2).mean()) if len(own) else np.nan,
                float(word.phones),
                float(number),
                float(len(facts) - 1 - number),
                float(word.syllables),
                _number(word.stress_kept),
                _number(word.stress_score),
                float(word.omitted),
                *recording,
                np.nan,
                np.nan,
                spoken_s,
            ]
        )
    table = np.array(rows, dtype=np.float64).reshape(len(facts), len(WORD_MEASURES))
    before, after = WORD_MEASURES.index("before"), WORD_MEASURES.index("after")
    table[1:, before], table[:-1, after] = means[:-1], means[1:]
    return table


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
