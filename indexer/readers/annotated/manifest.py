"""A table of rated recordings: `id, audio, text, phones, phone_scores`, and who speaks.

What teachers tell of a service's results comes as such a table, too: `GET /v1/labels/export`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from nativeear.indexer.annotated_corpus import (
    AnnotatedCorpus,
    AnnotatedPhone,
    AnnotatedUtterance,
    AnnotatedWord,
    Speaker,
    as_age,
)
from nativeear.indexer.corpus import UNKNOWN_SPEAKER, SetAside, sex_of
from nativeear.indexer.readers.lines import csv_rows, read_text
from nativeear.speech.errors import CorpusError

TABLE = "utterances.csv"
UNRATED = "-"
REQUIRED = ("id", "audio", "phones", "phone_scores")


def read(data: Path, split: str | None = None, *, l1: str | None = None) -> AnnotatedCorpus:
    """Read a CSV file, or `utterances.csv` in a folder.

    UTF-8; the columns `id`, `audio` (relative to the table), `phones` and `phone_scores` are
    needed, `text`, `heard`, `speaker`, `age`, `gender`, `l1` and `split` are read where they are.
    ` | ` stands between words. There is one score, 0–2, for each phone, or `-` where nobody rated
    it: it is not counted then. `heard` has what was heard of each phone, `<del>` for nothing, and
    `-` where that is not told.

    Parameters
    ----------
    split
        `train` or `test` keeps the rows whose column `split` says so; `all` and None keep all.
    l1
        First language of the speakers, where the table does not tell.

    Raises
    ------
    CorpusError
        If this is no such table. Single broken rows are set aside instead.
    """
    table = data / TABLE if data.is_dir() else data
    if not table.is_file():
        raise CorpusError(
            f"There is no table of rated recordings at {data}.",
            cause=f"Looked for {table}.",
            fix=f"Name a CSV file with the columns {', '.join(REQUIRED)}, or its folder.",
        )
    utterances: dict[str, AnnotatedUtterance] = {}
    set_aside: list[SetAside] = []
    notes: tuple[str, ...] = ()
    chosen = split if split in {"train", "test"} else None
    taken = chosen or "all"
    for line, row in _rows(table):
        if chosen and "split" not in row:
            notes = (f"{table.name} has no column split: all of it is taken.",)
            taken = "all"
        elif chosen and row["split"].lower() != chosen:
            continue
        identity = row["id"] or f"line {line}"
        reason = f"line {line}: the id is already taken." if identity in utterances else ""
        words: tuple[AnnotatedWord, ...] = ()
        try:
            words = _words(row)
        except ValueError as error:
            reason = reason or f"line {line}: {error}"
        if not row["audio"] or not (table.parent / row["audio"]).is_file():
            reason = reason or f"line {line}: there is no recording {row['audio']!r}."
        if reason:
            set_aside.append(SetAside(identity, reason))
            continue
        utterances[identity] = AnnotatedUtterance(
            id=identity,
            speaker=Speaker(
                row.get("speaker") or UNKNOWN_SPEAKER,
                as_age(row.get("age")),
                sex_of(row.get("gender")),
                row.get("l1") or l1,
            ),
            audio=table.parent / row["audio"],
            text=row.get("text", ""),
            words=words,
        )
    name = table.resolve().parent.name if table.name == TABLE else table.stem
    return AnnotatedCorpus(name, tuple(utterances.values()), tuple(set_aside), taken, notes)


def _rows(table: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """`(line number, cells by column)`; a row of another length is an empty one of its id."""
    rows = csv_rows(table, read_text(table))
    header = [title.strip().lower() for title in next(rows, (0, []))[1]]
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise CorpusError(
            f"{table} lacks the columns {', '.join(missing)}.",
            cause=f"Its first line is {', '.join(map(repr, header[:8])) or 'empty'}.",
            fix=f"Begin the table with {', '.join(REQUIRED)}; text, speaker, age, gender, l1"
            " and split are welcome too.",
        )
    for line, cells in rows:
        if any(cell.strip() for cell in cells):
            fits = len(cells) == len(header)
            padded = cells if fits else [*cells[: header.index("id") + 1], *[""] * len(header)]
            yield line, {key: cell.strip() for key, cell in zip(header, padded, strict=False)}


def _words(row: Mapping[str, str]) -> tuple[AnnotatedWord, ...]:
    """The words of a row with their rated phones.

    Raises
    ------
    ValueError
        In a plain sentence, if phones and scores do not fit.
    """
    groups = [group.split() for group in row["phones"].split("|")]
    if not all(groups):
        raise ValueError("there are no phones, or a word has none.")
    labels = [label for group in groups for label in group]
    scores, heard = _scores(row), _cells(row.get("heard", ""))
    if len(scores) != len(labels):
        raise ValueError(f"{len(labels)} phones have {len(scores)} scores.")
    if heard and len(heard) != len(labels):
        raise ValueError(f"{len(labels)} phones have {len(heard)} cells of what was heard.")
    if all(score is None for score in scores):
        raise ValueError("no phone is rated.")
    told = [None if cell == UNRATED else cell for cell in heard] or [None] * len(labels)
    phones = iter(
        [
            AnnotatedPhone(label, is_annotated=False)
            if score is None
            else AnnotatedPhone.rated(label, score, perceived)
            for label, score, perceived in zip(labels, scores, told, strict=True)
        ]
    )
    names = row.get("text", "").split()
    if len(names) != len(groups):
        names = [" ".join(names)] if len(groups) == 1 else [""] * len(groups)
    return tuple(
        AnnotatedWord(name, tuple(islice(phones, len(group))))
        for name, group in zip(names, groups, strict=True)
    )


def _cells(written: str) -> list[str]:
    return [cell for cell in written.split() if cell != "|"]


def _scores(row: Mapping[str, str]) -> list[float | None]:
    """The scores of a row; None of a phone that nobody rated."""
    try:
        scores = [None if c == UNRATED else float(c) for c in _cells(row["phone_scores"])]
    except ValueError:
        raise ValueError("a phone score is not a number.") from None
    if not all(score is None or 0.0 <= score <= 2.0 for score in scores):
        raise ValueError("a phone score is not between 0 and 2.")
    return scores
