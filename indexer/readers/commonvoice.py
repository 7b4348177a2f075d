"""Mozilla Common Voice: sentences read by volunteers, one release and language a folder.

The tables have a header and are parted by tabs; quotation marks are part of the sentence. The
recordings lie in `clips/`. `validated.tsv` holds what two listeners approved, and contains
`train.tsv`, `dev.tsv` and `test.tsv`.
"""

from __future__ import annotations

from pathlib import Path

from nativeear.indexer.corpus import UNKNOWN_SPEAKER, Corpus, Sorter, Utterance, sex_of
from nativeear.indexer.readers.lines import first_line, numbered_lines
from nativeear.speech.errors import CorpusError

VALIDATED = "validated.tsv"
SPLITS = ("train.tsv", "dev.tsv", "test.tsv")
_NEEDED = ("client_id", "path", "sentence")


def fits(path: Path) -> bool:
    """Whether this is one of the tables, or a folder with one."""
    tables = [path] if path.is_file() else [path / name for name in (VALIDATED, *SPLITS)]
    return any(
        table.suffix.lower() == ".tsv"
        and set(_NEEDED) <= set(first_line(table).strip().split("\t"))
        and (table.parent / "clips").is_dir()
        for table in tables
    )


def read(path: str, *, language: str | None = None, name: str | None = None) -> Corpus:
    """Read a release of one language, or one table of it.

    A folder is read from `validated.tsv`, or without it from the three splits. The language is
    the `locale` of the sentences, where they agree. A volunteer (`client_id`) is a speaker.

    Raises
    ------
    CorpusError
        If there is no table, or one lacks a column that is needed.
    """
    tables = _tables(Path(path))
    sorter = Sorter()
    locales: set[str] = set()
    for table in tables:
        lines = numbered_lines(table)
        header = next(lines, (0, ""))[1].split("\t")
        if not set(_NEEDED) <= set(header):
            raise CorpusError(
                f"{table} is no table of Common Voice.",
                cause=f"Its first line is {', '.join(map(repr, header[:8])) or 'empty'}.",
                fix=f"It needs the columns {', '.join(_NEEDED)}, parted by tabs.",
            )
        for number, line in lines:
            place = f"{table.name}, line {number}"
            row = dict(zip(header, line.split("\t"), strict=False))
            clip = row.get("path", "").strip()
            if not clip or "sentence" not in row:
                sorter.refuse(clip or place, f"{place}: it names no clip or no sentence.")
                continue
            locales.add(row.get("locale", "").strip())
            # The first releases left the suffix out.
            clip = clip if Path(clip).suffix else f"{clip}.mp3"
            sorter.add(
                Utterance(
                    id=Path(clip).stem,
                    audio=table.parent / "clips" / clip,
                    text=row["sentence"].strip() or None,
                    speaker=row["client_id"].strip() or UNKNOWN_SPEAKER,
                    sex=sex_of(row.get("gender")),
                ),
                place,
            )
    locale = locales.pop() if len(locales) == 1 else ""
    release = tables[0].resolve().parent.name
    return sorter.corpus(
        name or (f"common-voice-{release}" if release == locale else release),
        language or locale or "und",
        "CC0 1.0",
    )


def _tables(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    names = (VALIDATED,) if (path / VALIDATED).is_file() else SPLITS
    found = [path / name for name in names if (path / name).is_file()]
    if not found:
        raise CorpusError(
            f"There is no Common Voice at {path}.",
            cause=f"Looked for {', '.join((VALIDATED, *SPLITS))}.",
            fix="Name the folder of one language, such as cv-corpus-17.0/de.",
        )
    return found
