"""Tables of a scored folder: its phones, its utterances, and what is worst in it."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nativeear.service.score.rows import PhoneRow, ScoredRow

PHONES = "phones.csv"
UTTERANCES = "utterances.csv"

WORST = 10
"""Utterances that the summary names."""

COLUMNS = (
    "id",
    "score",
    "worst_word",
    "worst_score",
    "phones",
    "judged",
    "flagged",
    "boundary_doubt",
    "duration_s",
    "unknown_labels",
    "notes",
    "problem",
)


@dataclass(frozen=True)
class Summary:
    """What `service.score.run.ScoringReport` says of all rows."""

    failed: int
    phones: int
    flagged: int
    audio_s: float
    unknown: dict[str, int]
    problems: tuple[tuple[str, str], ...]
    worst: tuple[tuple[str, float, str], ...]
    doubted: tuple[tuple[str, float], ...]


class RowReader:
    """The rows of a file, one at a time: ten thousand need not be in memory at once."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __iter__(self) -> Iterator[ScoredRow]:
        with self._file.open(encoding="utf-8") as lines:
            for line in lines:
                yield ScoredRow.model_validate_json(line)


def write_tables(rows: Iterable[ScoredRow], out: Path) -> Summary:
    """Write `phones.csv`, in the order of the rows, and `utterances.csv`, the worst first.

    Each takes its place whole. Utterances without a score come last, those with a problem behind
    them.
    """
    lines: list[tuple[tuple[int, float], dict[str, object]]] = []
    problems = []
    unknown: Counter[str] = Counter()
    phones = flagged = 0
    audio_s = 0.0
    place = out / f".{PHONES}.{os.getpid()}.partial"
    with place.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("id", *PhoneRow._fields))
        for row in rows:
            table.writerows((row.id, *map(_cell, phone)) for phone in row.phones)
            lines.append((_order(row), _line(row)))
            unknown.update(row.unknown)
            phones += row.judged
            flagged += row.flagged
            audio_s += row.duration_s
            if row.problem is not None:
                problems.append((row.id, f"{row.problem.message} {row.problem.cause}".strip()))
    place.replace(out / PHONES)
    lines.sort(key=lambda line: line[0])
    _write_utterances([line for _, line in lines], out)
    scored = [line for _, line in lines if line["score"] is not None]
    doubts = [(str(x["id"]), _number(x["boundary_doubt"])) for x in scored]
    return Summary(
        failed=len(problems),
        phones=phones,
        flagged=flagged,
        audio_s=audio_s,
        unknown=dict(unknown.most_common()),
        problems=tuple(problems),
        worst=tuple(
            (str(x["id"]), _number(x["score"]), str(x["worst_word"] or "")) for x in scored[:WORST]
        ),
        doubted=tuple(sorted(doubts, key=lambda each: -each[1])[:WORST]),
    )


def _order(row: ScoredRow) -> tuple[int, float]:
    if row.problem is not None:
        return 2, 0.0
    return (1, 0.0) if row.score is None else (0, row.score)


def _line(row: ScoredRow) -> dict[str, object]:
    labels = " ".join(f"{label}:{count}" for label, count in sorted(row.unknown.items()))
    values = (
        row.id,
        row.score,
        row.worst_word,
        row.worst_score,
        len(row.phones),
        row.judged,
        row.flagged,
        row.boundary_doubt,
        row.duration_s,
        labels,
        " ".join(row.notes),
        row.problem.message if row.problem else "",
    )
    return dict(zip(COLUMNS, values, strict=True))


def _write_utterances(lines: Iterable[dict[str, object]], out: Path) -> None:
    place = out / f".{UTTERANCES}.{os.getpid()}.partial"
    with place.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for line in lines:
            table.writerow({name: _cell(value) for name, value in line.items()})
    place.replace(out / UTTERANCES)


def _cell(value: object) -> object:
    """A number with as many digits as mean something; what is not known is empty."""
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def _number(value: object) -> float:
    return value if isinstance(value, float) else 0.0
