"""Alignments as other programs write them: TextGrids, gentle's JSON, MFA's JSON.

All become TextGrids, so that what is written beside them has one form.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nativeear.speech.aligners.textgrid import (
    UNKNOWN_SPEECH,
    grid_alignment,
    is_phone,
    phone_tier,
    word_tier,
)
from nativeear.speech.alignment import Alignment
from nativeear.speech.errors import InputError
from nativeear.speech.notation import Notation
from nativeear.speech.textgrid import PHONE_TIER, WORD_TIER, Interval, TextGrid, Tier

SUFFIXES = (".textgrid", ".json")
"""Of files that are alignments of one recording, in lower case, the preferred one first."""

_PLACE = re.compile(r"_[BIES]$")
_STRESS = re.compile(r"([0-2])(?:_[BIES])?$")
_WRONG = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading JSON of any shape raises; the last where it is nested without end."""

_WRITES = "A gentle or MFA alignment has words with phones, or tiers."


@dataclass(frozen=True)
class LaidPhones:
    """An alignment in the phones of an inventory, and the labels that nobody could read."""

    alignment: Alignment
    unknown: Counter[str]


def load_alignment(path: Path) -> TextGrid:
    """Read an alignment of one recording as a TextGrid.

    Raises
    ------
    InputError
        If it is missing, damaged or of another kind.
    """
    if path.suffix.lower() != ".json":
        return TextGrid.load(path)
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
        return _of_mfa(found) if "tiers" in found else _of_gentle(found)
    except _WRONG as error:
        raise InputError(
            f"{path} is no alignment.", cause=f"{type(error).__name__}: {error}", fix=_WRITES
        ) from error


def grid_of_spans(phones: Iterable[Interval], words: Iterable[Interval]) -> TextGrid:
    """Labelled spans, as a CTM file has them, as a TextGrid."""
    tiers = tuple(
        Tier(name, _in_order(spans)) for name, spans in ((WORD_TIER, words), (PHONE_TIER, phones))
    )
    ends = [tier.intervals[-1].end_s for tier in tiers if tier.intervals]
    return TextGrid(0.0, max(ends, default=0.0), tuple(tier for tier in tiers if tier.intervals))


def transcript_of(grid: TextGrid, whence: str | Path) -> str:
    """The words of a grid; empty where it has no tier of words."""
    tier = word_tier(grid, whence)
    return " ".join(each.label for each in tier.intervals if is_phone(each.label)) if tier else ""


def grid_labels(grid: TextGrid, whence: str | Path) -> list[str]:
    """Labels of the phones in a grid, in order, without silences and unknown speech."""
    tier = phone_tier(grid, whence)
    return [each.label for each in tier.intervals if is_phone(each.label)]


def laid_phones(
    grid: TextGrid, notation: Notation, *, duration_s: float, whence: str | Path
) -> LaidPhones:
    """Read a grid in the phones of an inventory.

    A label that stands for several phones is parted evenly; speech whose label is unknown is left
    out like any that nobody has transcribed.

    Parameters
    ----------
    grid
        From `load_alignment`.
    notation
        How its labels are read.
    duration_s
        Length of the recording in seconds.
    whence
        Its name, for errors.

    Raises
    ------
    InputError
        If it has no phones, or belongs to a longer recording.
    """
    tier = phone_tier(grid, whence)
    unknown: Counter[str] = Counter()
    read = Tier(tier.name, tuple(_read(tier.intervals, notation, unknown)))
    whole = replace(grid, tiers=tuple(read if each is tier else each for each in grid.tiers))
    inventory = notation.inventory
    scheme = None if inventory.notation == "letters" else inventory.notation
    alignment = grid_alignment(whole, whence, inventory, duration_s, scheme)
    return LaidPhones(alignment, unknown)


def _read(
    intervals: Iterable[Interval], notation: Notation, unknown: Counter[str]
) -> Iterator[Interval]:
    """The intervals, labelled with the inventory's symbols; stress digits stay."""
    for interval in intervals:
        if not is_phone(interval.label):
            yield interval
            continue
        symbols = notation.read(interval.label)
        if symbols is None:
            unknown[interval.label] += 1
        if not symbols:
            yield replace(interval, label=UNKNOWN_SPEECH)
            continue
        stress = _STRESS.search(interval.label) if notation.scheme == "arpabet" else None
        if len(symbols) == 1 and stress:
            symbols = (symbols[0] + stress[1],)
        part_s = (interval.end_s - interval.start_s) / len(symbols)
        for i, symbol in enumerate(symbols):
            start_s = interval.start_s + i * part_s
            last = i == len(symbols) - 1
            yield Interval(start_s, interval.end_s if last else start_s + part_s, symbol)


def _of_gentle(found: dict[str, Any]) -> TextGrid:
    """Words with a start, whose phones have durations alone; words not found have no place."""
    words, phones = [], []
    for word in found["words"]:
        if word.get("case", "success") != "success" or "start" not in word:
            continue
        at_s = float(word["start"])
        words.append(Interval(at_s, float(word["end"]), str(word["word"])))
        for phone in word["phones"]:
            end_s = round(at_s + float(phone["duration"]), 6)
            label = _PLACE.sub("", str(phone["phone"]))
            phones.append(Interval(at_s, end_s, UNKNOWN_SPEECH if label == "oov" else label))
            at_s = end_s
    return grid_of_spans(phones, words)


def _of_mfa(found: dict[str, Any]) -> TextGrid:
    """Tiers of `[start, end, label]`."""
    tiers = tuple(
        Tier(str(name), _in_order(_intervals(tier["entries"])))
        for name, tier in found["tiers"].items()
    )
    return TextGrid(float(found.get("start", 0.0)), float(found["end"]), tiers)


def _in_order(spans: Iterable[Interval]) -> tuple[Interval, ...]:
    return tuple(sorted(spans, key=lambda span: span.start_s))


def _intervals(entries: Sequence[Any]) -> Iterator[Interval]:
    for start_s, end_s, label in entries:
        yield Interval(float(start_s), float(end_s), str(label))
