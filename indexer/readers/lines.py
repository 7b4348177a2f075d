"""Text files that corpora keep their lists in: UTF-8, plain or gzipped, read whole."""

from __future__ import annotations

import gzip
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


def first_line(file: Path) -> str:
    """The first line of a plain file, as far as 4,096 bytes tell; '' where it cannot be read."""
    try:
        with file.open("rb") as stream:
            return stream.read(4096).decode("utf-8-sig", errors="replace").partition("\n")[0]
    except OSError:
        return ""
