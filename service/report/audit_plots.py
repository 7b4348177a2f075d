"""The drawings of an audit: coverage, confusions, learning curves, and the map of exemplars."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nativeear.indexer.audit.coverage import SILENCE_CLASS, CoverageReport
from nativeear.indexer.audit.exemplar_map import ExemplarMap
from nativeear.indexer.audit.learning import LearningCurve
from nativeear.indexer.audit.report import ConfusionMatrix
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.report.clips import NativeClip
from nativeear.speech.alignment import SILENCE

Ipa = Callable[[str], str]

_CELL = 11
_ROW = 15
_LABEL = 44
_MAP = 620
_CURVE_WIDTH, _CURVE_HEIGHT, _EDGE = 168, 96, 26
_LEAST_ERROR = 0.002  # the foot of the curves' scale


@dataclass(frozen=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    kind: str = "guide"


@dataclass(frozen=True)
class Cell:
    """A rectangle with its title."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str
    opacity: float | None = None


@dataclass(frozen=True)
class Point:
    """A point with its title; one with a clip plays it."""

    x: float
    y: float
    radius: int
    kind: str
    title: str
    clip: str | None = None


@dataclass(frozen=True)
class Text:
    """Text at a place."""

    x: float
    y: float
    text: str
    anchor: str | None = "middle"
    kind: str | None = None


@dataclass
class Plot:
    """A drawing in pixels, of a fixed size or as wide as the page."""

    title: str
    width: float
    height: float
    fixed: bool = True
    lines: list[Line] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def shade(
        self, x: float, y: float, shade: float, title: str, *, width: int, kind: str = "cell"
    ) -> None:
        """Add a cell of a row; one of no shade is a frame around what is lacking."""
        if shade:
            self.cells.append(Cell(x, y, width, _ROW, kind, title, 0.08 + 0.92 * shade))
        else:
            self.cells.append(Cell(x + 1, y + 1, width - 2, _ROW - 2, "lacking", title))


def coverage_map(report: CoverageReport) -> Plot:
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
    height = 32 + len(report.phones) * _ROW
    plot = Plot("Exemplars by phone and context", _LABEL + len(used) * _CELL, height)
    for at, (i, j) in enumerate(used):
        x = _LABEL + at * _CELL
        if at == 0 or used[at - 1][0] != i:
            plot.texts.append(Text(x, 10, f"{_short(classes[i])} –", anchor="start"))
            plot.lines.append(Line(x, 2, x, height))
        plot.texts.append(Text(x + _CELL / 2, 22, _short(classes[j])[:1]))
    for row, phone in enumerate(report.phones):
        y = 28 + row * _ROW
        plot.texts.append(Text(_LABEL - 6, y + 11, phone.ipa, anchor="end"))
        unseen = set(phone.unseen or ())
        for at, (i, j) in enumerate(used):
            count = phone.contexts[i][j]
            if count or (classes[i], classes[j]) in unseen:
                title = f"{classes[i]} – {phone.ipa} – {classes[j]}: {count:,}"
                # with the logarithm: tens and thousands are told apart
                shade = math.log1p(count) / math.log1p(most) if count else 0.0
                plot.shade(_LABEL + at * _CELL, y, shade, title, width=_CELL)
    return plot


def confusion_map(matrix: ConfusionMatrix, ipa: Ipa) -> Plot:
    """Natives by their phone (row) and what they were nearest to (column)."""
    width, height = _LABEL + len(matrix.columns) * _ROW, 24 + len(matrix.rows) * _ROW
    plot = Plot("Confusions of left-out natives", width, height)
    for at, phone in enumerate(matrix.columns):
        name = ipa(phone) if phone != SILENCE else "#"
        plot.texts.append(Text(_LABEL + at * _ROW + _ROW / 2, 14, name))
    for row, (phone, counts) in enumerate(zip(matrix.rows, matrix.counts, strict=True)):
        y = 20 + row * _ROW
        plot.texts.append(Text(_LABEL - 6, y + 11, ipa(phone), anchor="end"))
        total = max(1, sum(counts))
        for at, (other, count) in enumerate(zip(matrix.columns, counts, strict=True)):
            if count:
                title = f"{ipa(phone)} taken for {ipa(other)}: {count / total:.0%} of {total}"
                kind = "right" if other == phone else "cell"
                shade = math.sqrt(count / total)
                plot.shade(_LABEL + at * _ROW, y, shade, title, width=_ROW, kind=kind)
    return plot


def learning_plot(curve: LearningCurve) -> Plot:
    """Errors with less speech, and the line on to twice as much; both axes are logarithmic."""
    most = (curve.exemplars[-1] if curve.exemplars else 1) * 2
    least = min(curve.exemplars, default=1)
    span = math.log(most / least)

    def place(exemplars: float, error: float) -> tuple[float, float]:
        x = _EDGE + (_CURVE_WIDTH - 2 * _EDGE) * math.log(exemplars / least) / span
        depth = math.log(max(error, _LEAST_ERROR)) / math.log(_LEAST_ERROR)
        return x, 8 + (_CURVE_HEIGHT - 30) * depth

    plot = Plot("Error by exemplars, in percent", _CURVE_WIDTH, _CURVE_HEIGHT)
    for error in (0.01, 0.1, 1.0):
        _, y = place(least, error)
        plot.lines.append(Line(_EDGE, y, _CURVE_WIDTH - _EDGE, y))
        plot.texts.append(Text(_EDGE - 5, y + 4, f"{error:.0%}".rstrip("%"), anchor="end"))
    if curve.doubled is not None and curve.exponent is not None:
        start, end = (
            place(n, min(1.0, curve.doubled * (most / n) ** curve.exponent)) for n in (least, most)
        )
        plot.lines.append(Line(*start, *end, kind="pitch"))
    for exemplars, error in zip(curve.exemplars, curve.errors, strict=True):
        title = f"{exemplars:,} exemplars: {error:.1%} misheard"
        plot.points.append(Point(*place(exemplars, error), 3, "seen", title))
    for x, exemplars, anchor in ((_EDGE, least, "start"), (_CURVE_WIDTH - _EDGE, most, "end")):
        plot.texts.append(Text(x, _CURVE_HEIGHT - 4, f"{exemplars:,}", anchor=anchor))
    return plot


def exemplar_plot(
    drawn: ExemplarMap, clips: Mapping[int, NativeClip], index: PhoneIndex, ipa: Ipa
) -> Plot:
    """Exemplars as points; those with a ring can be heard."""
    low, high = drawn.places.min(axis=0), drawn.places.max(axis=0)
    scale = (_MAP - 40) / (float(max(high - low)) or 1.0)  # all may lie in one place

    def place(x: float, y: float) -> tuple[float, float]:
        return 20 + (x - float(low[0])) * scale, 20 + (y - float(low[1])) * scale

    height = 40 + (float(high[1]) - float(low[1])) * scale
    plot = Plot("Map of the exemplars", _MAP, height, fixed=False)
    kinds = list(dict.fromkeys(phone.kind for phone in index.inventory))
    for row, (x, y) in zip(drawn.rows.tolist(), drawn.places.tolist(), strict=True):
        exemplar, clip = index.exemplar(row), clips.get(row)
        kind = f"kind-{kinds.index(index.inventory.phone(exemplar.phone).kind)}"
        title = f"{ipa(exemplar.phone)} in “{exemplar.word}”, {exemplar.speaker}"
        if clip is None:
            plot.points.append(Point(*place(x, y), 2, kind, title))
        else:
            plot.points.append(Point(*place(x, y), 4, f"{kind} heard", title, clip.id))
    plot.points.sort(key=lambda point: point.clip is not None)  # these lie on top
    for phone, centre in drawn.centres.items():
        plot.texts.append(Text(*place(*centre), ipa(phone), anchor=None, kind="name ipa"))
    return plot


def _short(name: str) -> str:
    return "#" if name == SILENCE_CLASS else name
