"""Fluency and melody, as far as they were measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.prosody.assessment import Contour, MeasureGrade

MEASURES: dict[str, tuple[str, str]] = {
    "syllables_per_s": ("Syllables per second", ".1f"),
    "articulation_rate": ("Syllables per second without pauses", ".1f"),
    "words_per_minute": ("Words per minute", ".0f"),
    "words_correct_per_minute": ("Correct words per minute", ".0f"),
    "pause_count": ("Pauses", ".0f"),
    "pause_long_count": ("Pauses over 0.4 s", ".0f"),
    "pause_mean_s": ("Mean pause, s", ".2f"),
    "pause_ratio": ("Share of pauses", ".0%"),
    "npvi_v": ("nPVI of vowels", ".1f"),
    "percent_v": ("%V", ".1f"),
    "varco_v": ("Varco of vowels", ".1f"),
    "varco_c": ("Varco of consonants", ".1f"),
    "median_hz": ("Median pitch, Hz", ".0f"),
    "range_semitones": ("Pitch range, semitones", ".1f"),
    "final_slope": ("Final slope, semitones per second", "+.1f"),
    "stress_accuracy": ("Words stressed rightly, %", ".0f"),
    "native_contour_distance_semitones": ("Distance to a native reading, semitones", ".1f"),
}
"""How measures are called and written; one that is not here is written under its own name."""


@dataclass(frozen=True)
class Pitch:
    """A drawing of pitch: `guides` are frequencies with their height, `lines` are points."""

    low_hz: float
    high_hz: float
    guides: tuple[tuple[float, float], ...]
    lines: tuple[str, ...]
    width: int = 800
    height: int = 160
    left: int = 50


@dataclass(frozen=True)
class Measures:
    """A section of measures: those graded among natives as name, value, natives' and score."""

    title: str
    pitch: Pitch | None
    grades: tuple[tuple[str, str, str, float], ...]
    facts: tuple[tuple[str, str], ...]


def measures(assessment: Assessment) -> Iterator[Measures]:
    """What was measured of the flow, and of melody and stress."""
    if (fluency := assessment.fluency) is not None:
        values = fluency.model_dump(exclude={"pauses"})
        for name, value in fluency.pauses or ():
            values[f"pause_{name}"] = value
        yield from _section("Fluency", values, fluency.grades, None)
    if (prosody := assessment.prosody) is not None:
        values = prosody.model_dump()
        if prosody.f0:
            values |= prosody.f0.model_dump()
            values["final_slope"] = prosody.f0.final_slope_semitones_per_s
        drawn = pitch(prosody.contour, assessment.duration_s) if prosody.contour else None
        yield from _section("Melody, rhythm and stress", values, prosody.grades, drawn)


def pitch(contour: Contour, duration_s: float) -> Pitch | None:
    """Pitch over time on a logarithmic scale; None where nothing is voiced."""
    points = [
        (at, hz) for at, hz in zip(contour.t_s, contour.f0_hz, strict=True) if hz is None or hz > 0
    ]
    voiced = [hz for _, hz in points if hz is not None]
    if not voiced or duration_s <= 0:
        return None
    low, high = min(voiced) / 1.1, max(voiced) * 1.1

    def x(at_s: float) -> float:
        return Pitch.left + (Pitch.width - Pitch.left) * at_s / duration_s

    def y(hz: float) -> float:
        return Pitch.height * (1 - math.log(hz / low) / math.log(high / low))

    lines = (
        " ".join(f"{x(at):.1f},{y(hz):.1f}" for at, hz in stretch if hz is not None)
        for is_voiced, stretch in groupby(points, key=lambda point: point[1] is not None)
        if is_voiced
    )
    guides = tuple((hz, y(hz)) for hz in (min(voiced), max(voiced)))
    return Pitch(min(voiced), max(voiced), guides, tuple(lines))


def _section(
    title: str, values: Mapping[str, object], grades: Sequence[MeasureGrade], drawn: Pitch | None
) -> Iterator[Measures]:
    graded = {grade.measure for grade in grades}
    facts = tuple(
        (_label(name), _written(name, value))
        for name in MEASURES
        if isinstance(value := values.get(name), int | float) and name not in graded
    )
    if facts or grades or drawn:
        yield Measures(title, drawn, tuple(_among_natives(grade) for grade in grades), facts)


def _among_natives(grade: MeasureGrade) -> tuple[str, str, str, float]:
    """The learner beside the middle nine tenths of natives."""
    low, high = (
        _written(grade.measure, grade.native_low),
        _written(grade.measure, grade.native_high),
    )
    return (
        _label(grade.measure),
        _written(grade.measure, grade.value),
        f"{low} to {high}",
        grade.score,
    )


def _label(measure: str) -> str:
    return MEASURES[measure][0] if measure in MEASURES else measure.replace("_", " ")


def _written(measure: str, value: float) -> str:
    return format(value, MEASURES[measure][1] if measure in MEASURES else ".2f")
