"""LibriSpeech: read audiobooks in English, `SPEAKER/CHAPTER/SPEAKER-CHAPTER-UTTERANCE.flac`.

The texts of a chapter stand in `SPEAKER-CHAPTER.trans.txt` beside its recordings, one line
`id TEXT` each; `SPEAKERS.TXT` above the subsets gives the speakers' sexes.
"""

from __future__ import annotations

from pathlib import Path

from nativeear.indexer.corpus import Corpus, Sorter, Utterance
from nativeear.indexer.readers.beside import recording_of, sexes_of
from nativeear.indexer.readers.lines import numbered_lines
from nativeear.speech.errors import CorpusError

SPEAKERS = "SPEAKERS.TXT"


def fits(path: Path) -> bool:
    """Whether a folder holds a chapter's texts."""
    return path.is_dir() and next(path.rglob("*.trans.txt"), None) is not None


def read(path: str, *, language: str | None = None, name: str | None = None) -> Corpus:
    """Read the whole corpus, a subset (`dev-clean`), or any folder laid out like them.

    Raises
    ------
    CorpusError
        If there are no texts, or a file of them is damaged.
    """
    folder = Path(path)
    chapters = sorted(folder.rglob("*.trans.txt"))
    if not chapters:
        raise CorpusError(
            f"There is no LibriSpeech at {path}.",
            cause="Looked for SPEAKER/CHAPTER/*.trans.txt.",
            fix="Name the folder of a subset, such as dev-clean.",
        )
    tables = [place / SPEAKERS for place in (folder, folder.resolve().parent)]
    sexes = sexes_of(next((table for table in tables if table.is_file()), tables[0]))
    sorter = Sorter()
    for chapter in chapters:
        for number, line in numbered_lines(chapter):
            identity, _, text = line.partition(" ")
            speaker = identity.partition("-")[0]
            sorter.add(
                Utterance(
                    id=identity,
                    audio=recording_of(chapter.parent / identity, (".flac", ".wav")),
                    text=text.strip() or None,
                    speaker=speaker,
                    sex=sexes.get(speaker),
                ),
                f"{chapter.name}, line {number}",
            )
    return sorter.corpus(name or folder.resolve().name, language or "en-US", "CC BY 4.0")
