"""Fluency and melody, as far as they were measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby

from nativeear.scoring.assessment import F0, Contour, Fluency, MeasureGrade, Prosody
from nativeear.scoring.grading import quality_of
from nativeear.service.report.markup import Markup, element, joined

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

_WIDTH, _HEIGHT, _LEFT = 800.0, 160.0, 50.0


def fluency_section(fluency: Fluency) -> Markup | None:
    """What was measured of the flow, among natives; None if nothing was."""
    pauses = fluency.pauses
    values = {
        "syllables_per_s": fluency.syllables_per_s,
        "articulation_rate": fluency.articulation_rate,
        "words_per_minute": fluency.words_per_minute,
        "words_correct_per_minute": fluency.words_correct_per_minute,
        "pause_count": pauses.count if pauses else None,
        "pause_long_count": pauses.long_count if pauses else None,
        "pause_mean_s": pauses.mean_s if pauses else None,
        "pause_ratio": pauses.ratio if pauses else None,
        "npvi_v": fluency.npvi_v,
        "percent_v": fluency.percent_v,
        "varco_v": fluency.varco_v,
        "varco_c": fluency.varco_c,
    }
    return _section("Fluency", values, fluency.grades, None)


def prosody_section(prosody: Prosody, duration_s: float) -> Markup | None:
    """What was measured of melody and stress, with the pitch drawn; None if nothing was."""
    f0 = prosody.f0 or F0()
    values = {
        "median_hz": f0.median_hz,
        "range_semitones": f0.range_semitones,
        "final_slope": f0.final_slope_semitones_per_s,
        "stress_accuracy": prosody.stress_accuracy,
        "native_contour_distance_semitones": prosody.native_contour_distance_semitones,
    }
    drawing = pitch_drawing(prosody.contour, duration_s) if prosody.contour else None
    return _section("Melody, rhythm and stress", values, prosody.grades, drawing)


def pitch_drawing(contour: Contour, duration_s: float) -> Markup | None:
    """Draw pitch over time on a logarithmic scale; None where nothing is voiced."""
    points = [
        (at, hz) for at, hz in zip(contour.t_s, contour.f0_hz, strict=True) if hz is None or hz > 0
    ]
    voiced = [hz for _, hz in points if hz is not None]
    if not voiced or duration_s <= 0:
        return None
    low, high = min(voiced) / 1.1, max(voiced) * 1.1

    def x(at_s: float) -> float:
        return _LEFT + (_WIDTH - _LEFT) * at_s / duration_s

    def y(hz: float) -> float:
        return _HEIGHT * (1 - math.log(hz / low) / math.log(high / low))

    lines = [
        element(
            "polyline",
            points=" ".join(f"{x(at):.1f},{y(hz):.1f}" for at, hz in stretch if hz is not None),
            class_="pitch",
        )
        for is_voiced, stretch in groupby(points, key=lambda point: point[1] is not None)
        if is_voiced
    ]
    labels = [
        joined(
            element("line", x1=_LEFT, x2=_WIDTH, y1=y(hz), y2=y(hz), class_="guide"),
            element("text", f"{hz:.0f} Hz", x=_LEFT - 5, y=y(hz) + 4, text_anchor="end"),
        )
        for hz in (min(voiced), max(voiced))
    ]
    return element(
        "svg",
        *labels,
        *lines,
        viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}",
        class_="melody",
        role="img",
        aria_label=f"Pitch over time, from {min(voiced):.0f} to {max(voiced):.0f} Hz",
    )


def _section(
    title: str,
    values: Mapping[str, float | None],
    grades: Sequence[MeasureGrade],
    drawing: Markup | None,
) -> Markup | None:
    graded = {grade.measure for grade in grades}
    facts = [
        element("div", element("dt", _label(name)), element("dd", _written(name, value)))
        for name, value in values.items()
        if value is not None and name not in graded
    ]
    if not facts and not grades and drawing is None:
        return None
    return element(
        "section",
        element("h2", title),
        element("div", drawing, class_="scroller") if drawing else None,
        _grade_table(grades) if grades else None,
        element("dl", *facts, class_="facts") if facts else None,
    )


def _grade_table(grades: Sequence[MeasureGrade]) -> Markup:
    """The learner beside the middle nine tenths of natives."""
    rows = (
        element(
            "tr",
            element("th", _label(grade.measure), scope="row"),
            element("td", _written(grade.measure, grade.value)),
            element(
                "td",
                f"{_written(grade.measure, grade.native_low)} to "
                f"{_written(grade.measure, grade.native_high)}",
            ),
            element("td", f"{grade.score:.0f}", class_=f"graded {quality_of(grade.score)}"),
        )
        for grade in grades
    )
    head = (element("th", name, scope="col") for name in ("", "Learner", "Most natives", "Score"))
    return element(
        "table",
        element("thead", element("tr", *head)),
        element("tbody", *rows),
        class_="ruled",
    )


def _label(measure: str) -> str:
    return MEASURES[measure][0] if measure in MEASURES else measure.replace("_", " ")


def _written(measure: str, value: float) -> str:
    return format(value, MEASURES[measure][1] if measure in MEASURES else ".2f")
