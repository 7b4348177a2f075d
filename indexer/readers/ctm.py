"""CTM files: who said which label when, one line `id channel start duration label [score]` each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nativeear.indexer.corpus import Span
from nativeear.indexer.readers.lines import numbered_lines
from nativeear.speech.errors import CorpusError

SILENCES = frozenset({"sil", "sp", "spn", "nsn", "<eps>", "<sil>", "!sil"})
"""Labels of silence and of noise, in lower case."""

_POSITION = re.compile(r"_[BIES]$")


def read_ctm(file: Path, symbols: Path | None = None) -> dict[str, list[Span]]:
    """Spans by the id in the first column, in order of time, as the file counts time.

    Parameters
    ----------
    symbols
        Kaldi's `phones.txt` (`label number` a line), for files that name labels by number.

    Raises
    ------
    CorpusError
        If a line is no CTM line, or labels are numbers that nothing explains.
    """
    names = _names(symbols) if symbols is not None else {}
    spans: dict[str, list[Span]] = {}
    for number, line in numbered_lines(file):
        if line.startswith(";;"):
            continue
        cells = line.split()
        try:
            start_s, duration_s = float(cells[2]), float(cells[3])
            label = cells[4]
        except (IndexError, ValueError) as error:
            raise CorpusError(
                f"{file}, line {number}: this is no line of a CTM file.",
                cause=line[:100],
                fix="Lines are: id channel start duration label [score], times in seconds.",
            ) from error
        spans.setdefault(cells[0], []).append(
            Span(names.get(label, label), start_s, round(start_s + duration_s, 6))
        )
    every = [span.label for each in spans.values() for span in each]
    if every and all(label.isdigit() for label in every):
        raise CorpusError(
            f"{file} names its labels by number.",
            cause=f"There is no {symbols.name if symbols else 'phones.txt'} that tells them.",
            fix="Put phones.txt of the lang folder beside it, or convert it with int2sym.pl -f 5.",
        )
    return {
        identity: sorted(each, key=lambda span: span.start_s) for identity, each in spans.items()
    }


def within(spans: Iterable[Span], start_s: float, end_s: float | None) -> tuple[Span, ...]:
    """Those of a recording's spans that lie in an utterance, counted from its start."""
    past = math.inf if end_s is None else end_s
    return tuple(
        Span(span.label, max(0.0, span.start_s - start_s), max(0.0, span.end_s - start_s))
        for span in spans
        if start_s <= (span.start_s + span.end_s) / 2 < past
    )


def without_positions(
    spans: Sequence[Span], text: str | None
) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Phones without Kaldi's marks of their place in the word, and the words that these tell.

    Returns
    -------
    phones
        `HH_B` is `HH`.
    words
        From each phone marked `B` or `S` to the next one marked `E` or `S`; empty where the
        marks do not make as many words as the text has.
    """
    phones = tuple(Span(_POSITION.sub("", span.label), *span[1:]) for span in spans)
    names = (text or "").split()
    words = list(_runs(spans))
    if len(words) != len(names):
        return phones, ()
    return phones, tuple(
        Span(name, start_s, end_s) for name, (start_s, end_s) in zip(names, words, strict=True)
    )


def is_silence(label: str) -> bool:
    """Whether a label is one of `SILENCES`, with or without a mark of its place."""
    return _POSITION.sub("", label).lower() in SILENCES


def _runs(spans: Iterable[Span]) -> Iterator[tuple[float, float]]:
    start_s: float | None = None
    for span in spans:
        mark = span.label[-2:]
        if is_silence(span.label):
            continue
        if mark in {"_B", "_S"}:
            start_s = span.start_s
        if mark in {"_E", "_S"} and start_s is not None:
            yield start_s, span.end_s
            start_s = None


def _names(symbols: Path) -> dict[str, str]:
    rows = (line.split() for _, line in numbered_lines(symbols))
    return {row[1]: row[0] for row in rows if len(row) == 2}
