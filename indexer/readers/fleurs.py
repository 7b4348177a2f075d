"""FLEURS: the same sentences read in about a hundred languages, `de_de`, `cmn_hans_cn`, ….

A split's table (`train.tsv`) has no header and seven columns: sentence id, file name, text as
written, text in lower case without punctuation, its characters, number of samples, gender. The
recordings lie in `audio/SPLIT/` or in `SPLIT/`. Who reads is not told.
"""

from __future__ import annotations

import re
from pathlib import Path

from nativeear.indexer.corpus import UNKNOWN_SPEAKER, Corpus, Sorter, Utterance, sex_of
from nativeear.indexer.readers.lines import first_line, numbered_lines
from nativeear.speech.errors import CorpusError

SPLITS = ("train", "dev", "test")
_COLUMNS = 7
_FOLDER = re.compile(r"([a-z]{2,3})(?:_([a-z]{4}))?_([a-z]{2}|\d{3})")


def fits(path: Path) -> bool:
    """Whether a folder has the table of a split."""
    return any(_is_row(first_line(path / f"{split}.tsv")) for split in SPLITS)


def read(path: str, *, language: str | None = None, name: str | None = None) -> Corpus:
    """Read all splits in the folder of one language.

    The text is the one with punctuation, capitals and digits: they tell how it is read.

    Raises
    ------
    CorpusError
        If there is no table of a split, or one is damaged.
    """
    folder = Path(path)
    splits = [split for split in SPLITS if (folder / f"{split}.tsv").is_file()]
    if not splits:
        raise CorpusError(
            f"There is no FLEURS at {path}.",
            cause=f"Looked for {', '.join(f'{split}.tsv' for split in SPLITS)}.",
            fix="Name the folder of one language, such as de_de.",
        )
    sorter = Sorter()
    for split in splits:
        places = [folder / "audio" / split, folder / split]
        recordings = next((place for place in places if place.is_dir()), places[0])
        for number, line in numbered_lines(folder / f"{split}.tsv"):
            cells = line.split("\t")
            place = f"{split}.tsv, line {number}"
            if len(cells) != _COLUMNS:
                identity = Path(cells[1]).stem if len(cells) > 1 else place
                sorter.refuse(identity, f"{place}: {len(cells)} columns instead of {_COLUMNS}.")
                continue
            sorter.add(
                Utterance(
                    id=Path(cells[1]).stem,
                    audio=recordings / cells[1],
                    text=cells[2].strip() or cells[3].strip() or None,
                    speaker=UNKNOWN_SPEAKER,
                    sex=sex_of(cells[6]),
                ),
                place,
            )
    place_name = folder.resolve().name
    return sorter.corpus(name or f"fleurs-{place_name}", language or _tag(place_name), "CC BY 4.0")


def _is_row(line: str) -> bool:
    cells = line.split("\t")
    return len(cells) == _COLUMNS and cells[0].isdigit() and cells[5].strip().isdigit()


def _tag(folder: str) -> str:
    """BCP 47 tag of a folder's name: `cmn_hans_cn` is cmn-Hans-CN."""
    match = _FOLDER.fullmatch(folder)
    if match is None:
        return "und"
    language, script, region = match.groups()
    return "-".join(filter(None, (language, (script or "").capitalize(), region.upper())))
