"""A table of recordings: CSV with a header, one row per utterance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nativeear.indexer.corpus import UNKNOWN_SPEAKER, Corpus, Sorter, Utterance, sex_of
from nativeear.indexer.readers.lines import csv_rows, read_text
from nativeear.indexer.remote_files import corpus_path
from nativeear.speech.errors import CorpusError, MissingDependencyError

TABLES = ("utterances.csv", "metadata.csv", "utterances.tsv", "metadata.tsv")
"""Tables that make a folder a corpus, the first one found."""

COLUMNS = {
    "id": ("id", "utterance"),
    "audio": ("audio", "path", "file", "file_name", "filename"),
    "text": ("text", "sentence", "transcript", "transcription"),
    "speaker": ("speaker", "speaker_id", "client_id"),
    "phones": ("phones",),
    "textgrid": ("textgrid",),
    "sex": ("sex", "gender"),
    "ratings": ("phone_scores", "ratings"),
}
"""What the columns may be called, in any case."""


def fits(path: Path) -> bool:
    """Whether this is a table, or a folder with one of the usual names."""
    if path.is_file():
        return path.suffix.lower() in {".csv", ".tsv", ".txt"}
    return any((path / table).is_file() for table in TABLES)


def read(path: str, *, language: str | None = None, name: str | None = None) -> Corpus:
    """Read a CSV file, or the one in a folder (`utterances.csv`, `metadata.csv`).

    UTF-8 with or without a byte order mark; columns parted by comma, tab or semicolon. `audio` and
    one of `text`, `phones`, `textgrid` are needed; files are relative to the table, and the table
    and they may be addresses that fsspec opens (`s3://…`). Without an
    `id` the audio's stem is one. Without a `speaker` all rows belong to one speaker called
    `unknown`: taking each for a speaker of its own would let a voice be compared with itself.
    `phone_scores` rates each of the `phones`; ` | ` may stand between words in both.

    Raises
    ------
    CorpusError
        If the file is no such table.
    """
    table = _table(corpus_path(path))
    rows = _rows(table)
    header = next(rows, (0, []))[1]
    places = _places(header, table)
    sorter = Sorter()
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        field = {key: row[i].strip() for key, i in places.items() if i < len(row)}
        audio = field.get("audio", "")
        grid = field.get("textgrid")
        identity = field.get("id") or Path(audio).stem or f"line {line}"
        if len(row) != len(header):
            sorter.refuse(identity, f"line {line}: {len(row)} columns instead of {len(header)}.")
        elif not audio:
            sorter.refuse(identity, f"line {line}: no recording is named.")
        elif (ratings := _ratings(field)) == ():
            sorter.refuse(identity, f"line {line}: the phone scores are not one number a phone.")
        else:
            try:
                recording = corpus_path(audio, table.parent)
                alignment = corpus_path(grid, table.parent) if grid else None
            except MissingDependencyError as error:
                sorter.refuse(identity, f"line {line}: {error} {error.cause}")
                continue
            sorter.add(
                Utterance(
                    id=identity,
                    audio=recording,
                    text=field.get("text") or None,
                    speaker=field.get("speaker") or UNKNOWN_SPEAKER,
                    phones=field.get("phones") or None,
                    textgrid=alignment,
                    sex=sex_of(field.get("sex")),
                    ratings=ratings,
                ),
                f"line {line}",
            )
    return sorter.corpus(name or _name(table), language or "und")


def _ratings(field: dict[str, str]) -> tuple[float, ...] | None:
    """One number per phone; None where there is no rating, empty where they do not fit."""
    if not field.get("ratings"):
        return None
    cells = [cell for cell in field["ratings"].split() if cell != "|"]
    phones = [phone for phone in field.get("phones", "").split() if phone != "|"]
    try:
        ratings = tuple(float(cell) for cell in cells)
    except ValueError:
        return ()
    return ratings if len(ratings) == len(phones) else ()


def _table(path: Path) -> Path:
    if path.is_dir():
        found = next((path / table for table in TABLES if (path / table).is_file()), None)
        if found is None:
            raise CorpusError(
                f"There is no table in {path}.",
                cause=f"Looked for {', '.join(TABLES)}.",
                fix="Name the CSV file itself.",
            )
        return found
    if not path.is_file():
        raise CorpusError(f"There is no table {path}.", fix="Check the path.")
    return path


def _name(table: Path) -> str:
    """A table of the usual name is called after its folder."""
    return table.resolve().parent.name if table.name in TABLES else table.stem


def _rows(table: Path) -> Iterator[tuple[int, list[str]]]:
    """`(line number, cells)` of every row; the header comes first."""
    content = read_text(table)
    head = content.partition("\n")[0].lower()
    titles_known = {title for titles in COLUMNS.values() for title in titles}

    def fit(delimiter: str) -> int:
        return len(titles_known & {cell.strip().strip('"') for cell in head.split(delimiter)})

    return csv_rows(table, content, max((",", "\t", ";"), key=fit))


def _places(header: list[str], table: Path) -> dict[str, int]:
    """Index of each known column."""
    titles = [title.strip().lower() for title in header]
    places = {
        key: titles.index(title)
        for key, aliases in COLUMNS.items()
        for title in reversed(aliases)
        if title in titles
    }
    if "audio" not in places or not places.keys() & {"text", "phones", "textgrid"}:
        raise CorpusError(
            f"{table} lacks the columns of a corpus.",
            cause=f"Its first line is {', '.join(map(repr, header[:8])) or 'empty'}.",
            fix="Begin the table with the line id,audio,text (phones, speaker, sex and textgrid"
            " are welcome too).",
        )
    return places
