"""A table of recordings that examiners rated with bands."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from nativeear.speech.errors import InputError

COLUMNS = ("audio", "speaker", "band")
CEFR = ("A1", "A2", "B1", "B2", "C1", "C2")
_SHAPE = "The columns are audio, speaker, band and, where something was read, text."


@dataclass(frozen=True)
class RatedRecording:
    """One recording, who speaks, and the examiners' band; `text` is empty for free speech."""

    audio: Path
    text: str
    speaker: str
    band: str


def read_ratings(path: Path) -> tuple[RatedRecording, ...]:
    """Read a CSV file in UTF-8: `audio` (relative to it), `speaker`, `band`, perhaps `text`.

    Raises
    ------
    InputError
        If it cannot be read, a column or a cell is missing, or there is no row.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise InputError(f"{path} has no column {', '.join(missing)}.", fix=_SHAPE)
            found = []
            for row in rows:
                cells = {name: (row.get(name) or "").strip() for name in (*COLUMNS, "text")}
                empty = [name for name in COLUMNS if not cells[name]]
                if empty:
                    raise InputError(
                        f"Line {rows.line_num} of {path} has no {', '.join(empty)}.", fix=_SHAPE
                    )
                audio = path.parent / cells["audio"]
                found.append(RatedRecording(audio, cells["text"], cells["speaker"], cells["band"]))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read.", cause=str(error), fix=_SHAPE) from error
    if not found:
        raise InputError(f"{path} has no rows.", fix=_SHAPE)
    return tuple(found)


def scale_of(bands: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """The scale that bands are of, and those that occur, lowest first.

    Raises
    ------
    InputError
        If they are neither CEFR levels nor numbers from 0 to 9.
    """
    if set(bands) <= set(CEFR):
        return "CEFR", tuple(band for band in CEFR if band in set(bands))
    try:
        numbers = {band: float(band) for band in set(bands)}
    except ValueError:
        numbers = {}
    if not numbers or not all(0 <= number <= 9 for number in numbers.values()):
        raise InputError(
            f"The bands {', '.join(sorted(set(bands)))} are of no known scale.",
            fix=f"Rate with {', '.join(CEFR)}, or with IELTS bands from 0 to 9.",
        )
    if len(set(numbers.values())) < len(numbers):
        raise InputError("A band is written in two ways.", fix="Write 6 or 6.0, not both.")
    return "IELTS", tuple(sorted(numbers, key=numbers.__getitem__))
