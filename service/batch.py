"""Many recordings from a manifest: CSV in, one JSON object per line out, in the same order."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nativeear.service.failures import attempt, error_object
from nativeear.service.result_rows import ResultRows
from nativeear.service.workers import Died, in_processes
from nativeear.speech.errors import InputError, NativeEarError
from nativeear.speech.first_languages import first_language

if TYPE_CHECKING:
    from nativeear.scoring.assessor import Assessor

REQUIRED_COLUMNS = ("id", "audio", "text")
STAGE = "Assessing"
COLUMNS = (*REQUIRED_COLUMNS, "phones")
_ALONE = "Assess the row alone; if it dies again, report it with the recording."
_SHAPE = f"The columns are {', '.join(REQUIRED_COLUMNS)} and, if wanted, phones."


@dataclass(frozen=True)
class Row:
    """One recording to assess.

    `audio` is resolved against the manifest's folder; a `problem` is why the row cannot be used.
    """

    id: str
    audio: Path | None
    text: str
    phones: str
    problem: str = ""


@dataclass(frozen=True)
class Manifest:
    """The rows of a manifest, and the columns that are none of ours."""

    rows: tuple[Row, ...]
    unused_columns: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """One line of the output."""

    json: str
    failed: bool = False


@dataclass(frozen=True)
class BatchReport:
    """What came of a batch."""

    out: Path
    rows: int
    failed: int
    unused_columns: tuple[str, ...] = ()


def read_manifest(manifest: Path) -> Manifest:
    """Read a whole manifest, before any work is done.

    Raises
    ------
    InputError
        If the file cannot be read, its header is another, a row has no id, two rows share one,
        or there is no row.
    """
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            header = [name.strip() for name in next(lines, [])]
            _check_header(manifest, header)
            rows: dict[str, Row] = {}
            for cells in lines:
                if not any(cell.strip() for cell in cells):
                    continue
                where = f"Line {lines.line_num} of {manifest}"
                row = _row(manifest.parent, header, cells, where)
                if row.id in rows:
                    raise InputError(
                        f"{where} repeats the id {row.id!r}.",
                        fix="Give every row an id of its own.",
                    )
                rows[row.id] = row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"The manifest {manifest} cannot be read.",
            cause=str(error),
            fix=f"Give a CSV file in UTF-8. {_SHAPE}",
        ) from error
    if not rows:
        raise InputError(f"The manifest {manifest} has no rows.", fix=_SHAPE)
    return Manifest(
        tuple(rows.values()), tuple(name for name in header if name and name not in COLUMNS)
    )


def assess_manifest(
    manifest: Path,
    out: Path,
    *,
    index: str | Path,
    encoder: str | None = None,
    calibration: str = "auto",
    false_rejections: float = 0.04,
    l1: str | None = None,
    workers: int = 1,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> BatchReport:
    """Assess every row of a manifest into a JSON Lines file, in the order of the rows.

    A row that fails is written as its id and its error; the others are complete. The lines grow in
    `OUT.partial` and become `out` only when all are there.

    Parameters
    ----------
    manifest
        CSV file; audio paths are relative to its folder.
    out
        File to write; replaced if it is there.
    index
        Name or folder of an index.
    encoder, calibration, false_rejections
        See `nativeear.load`.
    l1
        First language of the speakers, see `speech.first_languages.first_language`.
    workers
        Processes. The result does not depend on their number.
    progress
        Called with stage, done and total.

    Raises
    ------
    NativeEarError
        If the manifest is unusable, `out` cannot be written, the index cannot be loaded, or the
        first language is not known.
    """
    if l1 is not None:
        first_language(l1)
    found = read_manifest(manifest)
    if out.exists() and out.samefile(manifest):
        raise InputError(
            f"The results cannot be written to {out}.",
            cause="It is the manifest itself.",
            fix="Give another --out.",
        )
    load = partial(
        _load,
        l1,
        index=index,
        encoder=encoder,
        calibration=calibration,
        false_rejections=false_rejections,
    )
    failed = 0
    with (
        ResultRows(out, "nativeear assess") as results,
        closing(in_processes(load, found.rows, workers)) as lines,
    ):
        progress(STAGE, 0, len(found.rows))
        for done, (row, answer) in enumerate(zip(found.rows, lines, strict=True), 1):
            line = (
                _failure(row, answer.error("row", _ALONE)) if isinstance(answer, Died) else answer
            )
            results.write(line.json)
            failed += line.failed
            progress(STAGE, done, len(found.rows))
    return BatchReport(out, len(found.rows), failed, found.unused_columns)


def _check_header(manifest: Path, header: list[str]) -> None:
    missing = [name for name in REQUIRED_COLUMNS if name not in header]
    repeated = sorted({name for name in header if header.count(name) > 1})
    for names, fault in ((missing, "lacks"), (repeated, "repeats")):
        if names:
            raise InputError(
                f"The header of {manifest} {fault} {', '.join(map(repr, names))}.",
                cause=f"It reads: {', '.join(header) or 'nothing'}.",
                fix=_SHAPE,
            )


def _row(folder: Path, header: list[str], cells: list[str], where: str) -> Row:
    values = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
    if not values.get("id"):
        raise InputError(f"{where} has no id.", fix="Give every row an id of its own.")
    audio = values.get("audio", "")
    fits = len(cells) == len(header)
    return Row(
        id=values["id"],
        audio=folder / audio if audio else None,
        text=values.get("text", ""),
        phones=values.get("phones", ""),
        problem="" if fits else f"{where} has {len(cells)} cells under {len(header)} columns.",
    )


def _load(l1: str | None, **options: Any) -> Callable[[Row], Line]:
    import nativeear  # here: the parent process needs neither torch nor the index

    assessor = nativeear.load(**options)
    return partial(_assess, assessor, l1)


def _assess(assessor: Assessor, l1: str | None, row: Row) -> Line:
    result = attempt(lambda: _result(assessor, l1, row))
    return _failure(row, result) if isinstance(result, NativeEarError) else Line(result)


def _result(assessor: Assessor, l1: str | None, row: Row) -> str:
    if row.problem:
        raise InputError(row.problem, fix="Put a text that holds commas in double quotes.")
    if row.audio is None:
        raise InputError("The row names no recording.", fix="Fill in its column audio.")
    result = assessor.assess(
        row.audio, row.text or None, phones=row.phones or None, id=row.id, l1=l1
    )
    return result.model_dump_json()


def _failure(row: Row, error: NativeEarError) -> Line:
    answer = {"id": row.id, "error": error_object(error)}
    return Line(json.dumps(answer, ensure_ascii=False, separators=(",", ":")), failed=True)
