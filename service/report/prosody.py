"""Fluency and melody, as far as they were measured."""

from __future__ import annotations

import math
from itertools import groupby

from scoring.assessment import F0, Contour, Fluency, Prosody
from service.report.markup import Markup, element, joined

_WIDTH, _HEIGHT, _LEFT = 800.0, 160.0, 50.0


def fluency_section(fluency: Fluency) -> Markup | None:
    """What was measured of the flow; None if nothing was."""
    pauses = fluency.pauses
    return _section(
        "Fluency",
        (
            ("Syllables per second", fluency.syllables_per_s, ".1f"),
            ("Syllables per second without pauses", fluency.articulation_rate, ".1f"),
            ("Words per minute", fluency.words_per_minute, ".0f"),
            ("Correct words per minute", fluency.words_correct_per_minute, ".0f"),
            ("Pauses", pauses.count if pauses else None, "d"),
            ("Pauses over 0.4 s", pauses.long_count if pauses else None, "d"),
            ("Mean pause, s", pauses.mean_s if pauses else None, ".2f"),
            ("Share of pauses", pauses.ratio if pauses else None, ".0%"),
            ("nPVI of vowels", fluency.npvi_v, ".1f"),
            ("%V", fluency.percent_v, ".1f"),
            ("Varco of vowels", fluency.varco_v, ".1f"),
            ("Varco of consonants", fluency.varco_c, ".1f"),
        ),
        None,
    )


def prosody_section(prosody: Prosody, duration_s: float) -> Markup | None:
    """What was measured of melody and stress, with the pitch drawn; None if nothing was."""
    f0 = prosody.f0 or F0()
    return _section(
        "Melody and stress",
        (
            ("Median pitch, Hz", f0.median_hz, ".0f"),
            ("Pitch range, semitones", f0.range_semitones, ".1f"),
            ("Final slope, semitones per second", f0.final_slope_semitones_per_s, "+.1f"),
            ("Stress on the right syllable", prosody.stress_accuracy, ".0%"),
        ),
        pitch_drawing(prosody.contour, duration_s) if prosody.contour else None,
    )


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
    title: str, values: tuple[tuple[str, float | None, str], ...], drawing: Markup | None
) -> Markup | None:
    measured = [(name, format(value, form)) for name, value, form in values if value is not None]
    if not measured and drawing is None:
        return None
    terms = (element("div", element("dt", name), element("dd", value)) for name, value in measured)
    return element("section", element("h2", title), drawing, element("dl", *terms, class_="facts"))
