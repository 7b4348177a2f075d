"""Praat's TextGrids: read in every text form that Praat writes, and written for Praat to open.

The reader keeps to Praat's own rule: in a text file only free-standing numbers, quoted strings and
flags in angle brackets count, everything else is decoration. So the long and the short format are
one format, whatever the indentation. (praatio was tried: it refuses Latin-1 and duplicate tier
names, and reads a grid indented with tabs as an empty one without a word.)
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nativeear.speech.alignment import SILENCE, Alignment
from nativeear.speech.errors import InputError

WORD_TIER = "words"
PHONE_TIER = "phones"
CONFIDENCE_TIER = "confidence"
"""Names of the three tiers that `from_alignment` makes."""

OVERLAP_S = 1e-4
"""Intervals may overlap by so much: grids are written with four decimals at times."""


@dataclass(frozen=True)
class Interval:
    """A labelled stretch of time."""

    start_s: float
    end_s: float
    label: str

    @property
    def middle_s(self) -> float:
        """Middle in seconds."""
        return (self.start_s + self.end_s) / 2


@dataclass(frozen=True)
class Tier:
    """One interval tier: intervals in order of time that do not overlap."""

    name: str
    intervals: tuple[Interval, ...]


@dataclass(frozen=True)
class TextGrid:
    """The interval tiers of a TextGrid. Point tiers are not kept.

    Attributes
    ----------
    start_s, end_s
        Span of the whole grid in seconds.
    tiers
        In the file's order; names need not be unique.
    """

    start_s: float
    end_s: float
    tiers: tuple[Tier, ...]

    @classmethod
    def load(cls, path: str | Path) -> TextGrid:
        """Read a file: long or short format; UTF-8, UTF-16 or Latin-1.

        Raises
        ------
        InputError
            If the file is missing, damaged, or of another kind; the line is named.
        """
        path = Path(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"The TextGrid {path} cannot be read.", cause=str(error), fix="Check the path."
            ) from error
        if data.startswith(b"ooBinaryFile"):
            raise InputError(
                f"{path} is a binary TextGrid.", fix="Save it in Praat as a text file."
            )
        return _Parser(path, decoded(data)).grid()

    @classmethod
    def from_alignment(cls, alignment: Alignment) -> TextGrid:
        """Tiers `words`, `phones` and `confidence` (0 to 1, two decimals) of an alignment.

        Silences are unlabelled; ARPAbet vowels carry their stress digit, so that reading the grid
        gives the alignment back.
        """
        phones, scores = [], []
        spans: dict[int, tuple[float, float]] = {}
        for phone in alignment.phones:
            label = phone.phone
            if label == SILENCE:
                label = ""
            elif phone.stress is not None and re.fullmatch("[A-Z]+", label):
                label += str(phone.stress)
            score = "" if phone.is_silence else f"{phone.score:.2f}"
            phones.append(Interval(phone.start_s, phone.end_s, label))
            scores.append(Interval(phone.start_s, phone.end_s, score))
            if not phone.is_silence:
                start_s, _ = spans.get(phone.word_index, (phone.start_s, 0.0))
                spans[phone.word_index] = (start_s, phone.end_s)
        words = [Interval(*span, alignment.words[index]) for index, span in spans.items()]
        tiers = {WORD_TIER: words, PHONE_TIER: phones, CONFIDENCE_TIER: scores}
        return cls(
            min((phone.start_s for phone in alignment.phones), default=0.0),
            max((phone.end_s for phone in alignment.phones), default=0.0),
            tuple(Tier(name, tuple(intervals)) for name, intervals in tiers.items()),
        )

    def save(self, path: str | Path) -> None:
        """Write in the long format as UTF-8; what no interval covers becomes an empty one."""
        try:
            Path(path).write_text(self.to_text(), encoding="utf-8", newline="\n")
        except OSError as error:
            raise InputError(
                f"The TextGrid {path} cannot be written.",
                cause=str(error),
                fix="Choose a folder that exists and may be written to.",
            ) from error

    def to_text(self) -> str:
        """The long format; what no interval covers becomes an empty one."""
        return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
        yield f"xmin = {self.start_s}\nxmax = {self.end_s}\n"
        yield f"tiers? <exists>\nsize = {len(self.tiers)}\nitem []:\n"
        for number, tier in enumerate(self.tiers, start=1):
            intervals = _without_gaps(tier.intervals, self.start_s, self.end_s)
            yield f'    item [{number}]:\n        class = "IntervalTier"\n'
            yield f"        name = {_quoted(tier.name)}\n"
            yield f"        xmin = {self.start_s}\n        xmax = {self.end_s}\n"
            yield f"        intervals: size = {len(intervals)}\n"
            for place, interval in enumerate(intervals, start=1):
                yield f"        intervals [{place}]:\n"
                yield f"            xmin = {interval.start_s}\n"
                yield f"            xmax = {interval.end_s}\n"
                yield f"            text = {_quoted(interval.label)}\n"


_TOKEN = re.compile(
    r"""
      "(?P<string>(?:[^"]|"")*)"
    | <(?P<flag>[a-z]+)>
    | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?!\S)
    | !.*                   # a comment
    | (?P<broken>")         # a quote that is never closed
    | =|[^\s"=]+            # decoration
    """,
    re.VERBOSE,
)
_KINDS = {"string": "a quoted text", "flag": "<exists>", "number": "a number"}


class _Parser:
    """Walks over the tokens that count; keeps the place for errors."""

    def __init__(self, path: Path, content: str) -> None:
        self._path = path
        self._content = content
        self._tokens = (found for found in _TOKEN.finditer(content) if found.lastgroup)
        self._at = 0

    def grid(self) -> TextGrid:
        """The whole file."""
        if "ooTextFile" not in self._content[:200] or "TextGrid" not in self._content[:200]:
            raise InputError(
                f"{self._path} is not a TextGrid.",
                cause=f"It begins with {self._content[:40]!r}."
                if self._content
                else "It is empty.",
                fix="Save it in Praat as a text file.",
            )
        self._next("string")
        self._next("string")
        start_s, end_s = self._number(), self._number()
        tiers = []
        if self._next("flag") == "exists":
            for _ in range(self._count()):
                tier = self._tier()
                if tier is not None:
                    tiers.append(tier)
        return TextGrid(start_s, end_s, tuple(tiers))

    def _tier(self) -> Tier | None:
        kind, name = self._next("string"), self._next("string")
        self._number(), self._number()
        size = self._count()
        if kind == "TextTier":
            for _ in range(size):
                self._number(), self._next("string")
            return None
        if kind != "IntervalTier":
            raise self._error(f"there is no kind of tier called {kind!r}")
        intervals: list[Interval] = []
        for _ in range(size):
            interval = Interval(self._number(), self._number(), self._next("string").strip())
            if interval.end_s < interval.start_s:
                raise self._error(
                    f"an interval of tier {name!r} ends ({interval.end_s:g} s) before it begins"
                    f" ({interval.start_s:g} s)"
                )
            if intervals and interval.start_s < intervals[-1].end_s - OVERLAP_S:
                raise self._error(
                    f"two intervals of tier {name!r} overlap at {interval.start_s:g} s"
                )
            if interval.end_s > interval.start_s:
                intervals.append(interval)
        return Tier(name, tuple(intervals))

    def _number(self) -> float:
        value = float(self._next("number"))
        if not math.isfinite(value):
            raise self._error(f"{value} is no time")
        return value

    def _count(self) -> int:
        value = self._number()
        if value < 0 or value != int(value):
            raise self._error(f"{value:g} is no number of items")
        return int(value)

    def _next(self, kind: str) -> str:
        token = next(self._tokens, None)
        if token is None:
            self._at = len(self._content)
            raise self._error(f"the file ends where {_KINDS[kind]} should come")
        self._at = token.start()
        if token.lastgroup != kind:
            raise self._error(f"{_KINDS[kind]} should come instead of {token[0][:30]!r}")
        return token[kind].replace('""', '"')

    def _error(self, cause: str) -> InputError:
        line = self._content.count("\n", 0, self._at) + 1
        return InputError(
            f"The TextGrid {self._path} is damaged.",
            cause=f"Line {line}: {cause}.",
            fix="Open it in Praat and save it again, or make it anew.",
        )


def decoded(data: bytes) -> str:
    """Text of a file in one of the encodings that Praat writes; a wrong byte is no error here."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if data.startswith(b"\0"):  # UTF-16 that lost its mark; a text file begins with ASCII
        return data.decode("utf-16-be", errors="replace")
    if b"\0" in data[1:2]:
        return data.decode("utf-16-le", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _quoted(label: str) -> str:
    return '"' + label.replace('"', '""') + '"'


def _without_gaps(intervals: Sequence[Interval], start_s: float, end_s: float) -> list[Interval]:
    """Intervals that fill the span and do not leave it: Praat's grids are without gaps."""
    filled: list[Interval] = []
    now_s = start_s
    for interval in intervals:
        from_s, to_s = max(now_s, interval.start_s), min(interval.end_s, end_s)
        if to_s > from_s:
            if from_s > now_s:
                filled.append(Interval(now_s, from_s, ""))
            filled.append(Interval(from_s, to_s, interval.label))
            now_s = to_s
    if end_s > now_s:
        filled.append(Interval(now_s, end_s, ""))
    return filled
