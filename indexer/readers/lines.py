"""Text files that corpora keep their lists in: UTF-8, plain or gzipped, read whole."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from nativeear.speech.errors import CorpusError


def read_text(file: Path) -> str:
    """The content of a file; a byte order mark is dropped.

    Raises
    ------
    CorpusError
        If it cannot be read, or is not UTF-8; the line is named.
    """
    try:
        data = file.read_bytes()
        return (gzip.decompress(data) if file.suffix == ".gz" else data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CorpusError(
            f"{file}, line {line}: this is not UTF-8.",
            cause=str(error),
            fix="Save the file as UTF-8.",
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise CorpusError(f"{file} cannot be read.", cause=str(error)) from error


def numbered_lines(file: Path) -> Iterator[tuple[int, str]]:
    """`(line number, line)` of every line that is not blank, without its end.

    Raises
    ------
    CorpusError
        See `read_text`.
    """
    # Not splitlines: it would also break lines at characters that texts may hold, such as U+2028.
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if line.strip():
            yield number, line.rstrip("\r")


def id_pairs(file: Path) -> dict[str, str]:
    """Kaldi's mappings: an id, spaces, the rest of the line. Nothing where there is no file.

    Raises
    ------
    CorpusError
        If an id stands there twice.
    """
    if not file.is_file():
        return {}
    pairs: dict[str, str] = {}
    for number, line in numbered_lines(file):
        identity, *rest = line.split(maxsplit=1)
        if identity in pairs:
            raise CorpusError(
                f"{file}, line {number}: the id {identity} is already taken.",
                cause="Which of the lines holds cannot be told.",
                fix="Give every id once (utils/fix_data_dir.sh).",
            )
        pairs[identity] = rest[0].strip() if rest else ""
    return pairs


def csv_rows(file: Path, content: str, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """`(line number, cells)` of every row of a table, the header first.

    Raises
    ------
    CorpusError
        If the content of the file is no CSV.
    """
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise CorpusError(
            f"{file}, line {reader.line_num}: this is not CSV.",
            cause=str(error),
            fix="Quote cells that hold quotes or line ends, and double the quotes inside.",
        ) from error


def first_line(file: Path) -> str:
    """The first line of a plain file, as far as 4,096 bytes tell; '' where it cannot be read."""
    try:
        with file.open("rb") as stream:
            return stream.read(4096).decode("utf-8-sig", errors="replace").partition("\n")[0]
    except OSError:
        return ""
