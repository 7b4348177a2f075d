"""The drawings of an audit: coverage, confusions, learning curves, and the map of exemplars."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from nativeear.indexer.audit.coverage import SILENCE_CLASS, CoverageReport
from nativeear.indexer.audit.exemplar_map import ExemplarMap
from nativeear.indexer.audit.learning import LearningCurve
from nativeear.indexer.audit.report import ConfusionMatrix
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.report.clips import NativeClip
from nativeear.service.report.markup import Markup, element
from nativeear.speech.alignment import SILENCE

Ipa = Callable[[str], str]

_CELL = 11
_ROW = 15
_LABEL = 44
_MAP = 620
_CURVE_WIDTH, _CURVE_HEIGHT, _EDGE = 168, 96, 26
_LEAST_ERROR = 0.002  # the foot of the curves' scale


def coverage_map(report: CoverageReport) -> Markup:
    """Phones by the classes before and after them; the darker, the more exemplars."""
    classes = report.context_classes
    used = [
        (i, j)
        for i in range(len(classes))
        for j in range(len(classes))
        if any(phone.contexts[i][j] for phone in report.phones)
        or any((classes[i], classes[j]) in (phone.unseen or ()) for phone in report.phones)
    ]
    most = max((n for phone in report.phones for row in phone.contexts for n in row), default=1)
    parts: list[Markup] = []
    for at, (i, j) in enumerate(used):
        x = _LABEL + at * _CELL
        if at == 0 or used[at - 1][0] != i:
            parts.append(_text(x, 10, f"{_short(classes[i])} –", anchor="start"))
            parts.append(element("line", x1=x, x2=x, y1=2, y2=_height(report), class_="guide"))
        parts.append(_text(x + _CELL / 2, 22, _short(classes[j])[:1]))
    for row, phone in enumerate(report.phones):
        y = 28 + row * _ROW
        parts.append(_text(_LABEL - 6, y + 11, phone.ipa, anchor="end"))
        unseen = set(phone.unseen or ())
        for at, (i, j) in enumerate(used):
            count = phone.contexts[i][j]
            if not count and (classes[i], classes[j]) not in unseen:
                continue
            told = f"{classes[i]} – {phone.ipa} – {classes[j]}: {count:,}"
            parts.append(_cell(_LABEL + at * _CELL, y, _shade(count, most), told))
    return _drawing(
        _LABEL + len(used) * _CELL, _height(report), parts, "Exemplars by phone and context"
    )


def confusion_map(matrix: ConfusionMatrix, ipa: Ipa) -> Markup:
    """Natives by their phone (row) and what they were nearest to (column)."""
    parts = [
        _text(_LABEL + at * _ROW + _ROW / 2, 14, ipa(phone) if phone != SILENCE else "#")
        for at, phone in enumerate(matrix.columns)
    ]
    for row, (phone, counts) in enumerate(zip(matrix.rows, matrix.counts, strict=True)):
        y = 20 + row * _ROW
        parts.append(_text(_LABEL - 6, y + 11, ipa(phone), anchor="end"))
        total = max(1, sum(counts))
        for at, (other, count) in enumerate(zip(matrix.columns, counts, strict=True)):
            if not count:
                continue
            told = f"{ipa(phone)} taken for {ipa(other)}: {count / total:.0%} of {total}"
            share = math.sqrt(count / total)
            right = other == phone
            parts.append(_cell(_LABEL + at * _ROW, y, share, told, _ROW, right=right))
    width = _LABEL + len(matrix.columns) * _ROW
    return _drawing(width, 24 + len(matrix.rows) * _ROW, parts, "Confusions of left-out natives")


def learning_plot(curve: LearningCurve) -> Markup:
    """Errors with less speech, and the line on to twice as much; both axes are logarithmic."""
    most = (curve.exemplars[-1] if curve.exemplars else 1) * 2
    least = min(curve.exemplars, default=1)
    span = math.log(most / least)

    def place(exemplars: float, error: float) -> tuple[float, float]:
        x = _EDGE + (_CURVE_WIDTH - 2 * _EDGE) * math.log(exemplars / least) / span
        depth = math.log(max(error, _LEAST_ERROR)) / math.log(_LEAST_ERROR)
        return x, 8 + (_CURVE_HEIGHT - 30) * depth

    parts = []
    for error in (0.01, 0.1, 1.0):
        _, y = place(least, error)
        parts.append(element("line", x1=_EDGE, x2=_CURVE_WIDTH - _EDGE, y1=y, y2=y, class_="guide"))
        parts.append(_text(_EDGE - 5, y + 4, f"{error:.0%}".rstrip("%"), anchor="end"))
    if curve.doubled is not None and curve.exponent is not None:
        ends = [
            place(n, min(1.0, curve.doubled * (most / n) ** curve.exponent)) for n in (least, most)
        ]
        (x1, y1), (x2, y2) = ends
        parts.append(element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="pitch"))
    for exemplars, error in zip(curve.exemplars, curve.errors, strict=True):
        x, y = place(exemplars, error)
        told = element("title", f"{exemplars:,} exemplars: {error:.1%} misheard")
        parts.append(element("circle", told, cx=x, cy=y, r=3, class_="seen"))
    parts.append(_text(_EDGE, _CURVE_HEIGHT - 4, f"{least:,}", anchor="start"))
    parts.append(_text(_CURVE_WIDTH - _EDGE, _CURVE_HEIGHT - 4, f"{most:,}", anchor="end"))
    return _drawing(_CURVE_WIDTH, _CURVE_HEIGHT, parts, "Error by exemplars, in percent")


def exemplar_plot(
    laid: ExemplarMap, clips: Mapping[int, NativeClip], index: PhoneIndex, ipa: Ipa
) -> Markup:
    """Exemplars as points; those with a ring can be heard."""
    low, high = laid.places.min(axis=0), laid.places.max(axis=0)
    scale = (_MAP - 40) / (float(max(high - low)) or 1.0)  # all may lie in one place

    def place(x: float, y: float) -> tuple[float, float]:
        return 20 + (x - float(low[0])) * scale, 20 + (y - float(low[1])) * scale

    kinds = list(dict.fromkeys(phone.kind for phone in index.inventory))
    silent, sounding = [], []
    for row, (x, y) in zip(laid.rows.tolist(), laid.places.tolist(), strict=True):
        exemplar = index.exemplar(row)
        kind = f"kind-{kinds.index(index.inventory.phone(exemplar.phone).kind)}"
        cx, cy = place(x, y)
        told = f"{ipa(exemplar.phone)} in “{exemplar.word}”, {exemplar.speaker}"
        clip = clips.get(row)
        if clip is None:
            point = element("circle", element("title", told), cx=cx, cy=cy, r=2, class_=kind)
            silent.append(point)
            continue
        sounding.append(
            element(
                "circle",
                element("title", told),
                cx=cx,
                cy=cy,
                r=4,
                class_=f"{kind} heard",
                role="button",
                tabindex="0",
                aria_label=f"Play {told}",
                data_clip=clip.id,
            )
        )
    names = []
    for phone, centre in laid.centres.items():
        x, y = place(*centre)
        names.append(element("text", ipa(phone), x=x, y=y, class_="name ipa"))
    height = 40 + (float(high[1]) - float(low[1])) * scale
    return element(
        "svg",
        *silent,
        *sounding,
        *names,
        viewBox=f"0 0 {_MAP} {height:.0f}",
        class_="map",
        role="group",
        aria_label="Map of the exemplars",
    )


def _height(report: CoverageReport) -> float:
    return 32 + len(report.phones) * _ROW


def _shade(count: int, most: int) -> float:
    """0 for nothing, and from there with the logarithm: tens and thousands are told apart."""
    return math.log1p(count) / math.log1p(most) if count else 0.0


def _cell(
    x: float, y: float, shade: float, told: str, width: float = _CELL, *, right: bool = False
) -> Markup:
    if not shade:
        return element(
            "rect",
            element("title", told),
            x=x + 1,
            y=y + 1,
            width=width - 2,
            height=_ROW - 2,
            class_="lacking",
        )
    return element(
        "rect",
        element("title", told),
        x=x,
        y=y,
        width=width,
        height=_ROW,
        class_="right" if right else "cell",
        fill_opacity=0.08 + 0.92 * shade,
    )


def _text(x: float, y: float, text: str, *, anchor: str = "middle") -> Markup:
    return element("text", text, x=x, y=y, text_anchor=anchor)


def _short(name: str) -> str:
    return "#" if name == SILENCE_CLASS else name


def _drawing(width: float, height: float, parts: list[Markup], told: str) -> Markup:
    return element(
        "svg",
        *parts,
        width=width,
        height=height,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        class_="plot",
        role="img",
        aria_label=told,
    )
