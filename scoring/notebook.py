"""A result as notebooks show it: one piece of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from nativeear.scoring.assessment import Assessment, PhoneAssessment, WordAssessment
from nativeear.scoring.grading import Quality, quality_of
from nativeear.scoring.verdicts import MEANINGS, SYMBOLS

_TINTS: dict[Quality, tuple[str, str, str]] = {
    "good": ("#00535e", "#d3f1f5", "#0093a5"),
    "fair": ("#5c4300", "#ffedb0", "#c79200"),
    "poor": ("#8c1717", "#ffdcd8", "#cf3030"),
    "unmeasured": ("#444444", "#eeeeee", "#888888"),
}
"""Colours of text, fill and edge, which stay apart for colour-blind eyes, on any page."""


def as_html(assessment: Assessment) -> str:
    """The scores, the words in colours with the sounds under each, remarks and warnings.

    Whatever comes from texts and labels is escaped. Marks say what colours say.
    """
    return f'<div style="max-width:60em;line-height:1.5">{"".join(_parts(assessment))}</div>'


def _parts(assessment: Assessment) -> Iterator[str]:
    scores = assessment.score.model_dump()
    told = (f"{name} <b>{_figure(score)}</b>" for name, score in scores.items())
    yield f"<p>{' · '.join(told)}</p>"
    yield f'<p lang="{escape(assessment.language)}">{"".join(map(_word, assessment.words))}</p>'
    given = {phone.verdict for phone in assessment.phones}
    legend = [
        f"<b>{mark}</b> {MEANINGS[verdict]}"
        for verdict, mark in SYMBOLS.items()
        if mark and verdict in given
    ]
    if legend:
        yield f"<p><small>{' · '.join(legend)}</small></p>"
    if assessment.remarks:
        items = "".join(f"<li>{escape(remark.text)}</li>" for remark in assessment.remarks)
        yield f"<p><b>Work on this first</b></p><ul>{items}</ul>"
    for warning in assessment.warnings:
        yield f"<p><small>Note: {escape(warning)}</small></p>"
    source = f"{assessment.index}, {assessment.encoder}, {assessment.calibration}"
    yield f"<p><small>{escape(source)}</small></p>"


def _word(word: WordAssessment) -> str:
    text, fill, edge = _TINTS[quality_of(word.score)]
    style = (
        f"display:inline-block;margin:2px;padding:2px 6px;border-radius:4px;color:{text};"
        f"background:{fill};border:1px solid {edge};text-align:center"
    )
    name = f"<s>{escape(word.word)}</s>" if word.omitted else escape(word.word)
    sounds = " ".join(map(_sound, word.phones))
    return (
        f'<span style="{style}"><b dir="auto">{name}</b> {_figure(word.score)}'
        f"<br><small>{sounds}</small></span>"
    )


def _sound(phone: PhoneAssessment) -> str:
    text, _, edge = _TINTS[quality_of(phone.score)]
    told = f"{_figure(phone.score)}, {MEANINGS[phone.verdict]}"
    if phone.feedback:
        told += f". {phone.feedback}"
    style = f"color:{text};border-bottom:2px solid {edge}"
    return (
        f'<span style="{style}" title="{escape(told)}">'
        f"{escape(phone.ipa)}{SYMBOLS[phone.verdict]}</span>"
    )


def _figure(score: float | None) -> str:
    return "–" if score is None else f"{score:.0f}"
