"""LibriSpeech: read audiobooks in English, `SPEAKER/CHAPTER/SPEAKER-CHAPTER-UTTERANCE.flac`.

The texts of a chapter stand in `SPEAKER-CHAPTER.trans.txt` beside its recordings, one line
`id TEXT` each; `SPEAKERS.TXT` above the subsets gives the speakers' sexes.
"""

from __future__ import annotations

from pathlib import Path

from nativeear.indexer.corpus import Corpus, Sorter, Utterance, sex_of
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
    sexes = _sexes(folder)
    sorter = Sorter()
    for chapter in chapters:
        for number, line in numbered_lines(chapter):
            identity, _, text = line.partition(" ")
            speaker = identity.partition("-")[0]
            sorter.add(
                Utterance(
                    id=identity,
                    audio=_recording(chapter.parent / identity),
                    text=text.strip() or None,
                    speaker=speaker,
                    sex=sexes.get(speaker),
                ),
                f"{chapter.name}, line {number}",
            )
    return sorter.corpus(name or folder.resolve().name, language or "en-US", "CC BY 4.0")


def _recording(stem: Path) -> Path:
    """The FLAC file, or the WAV that people convert it to."""
    files = [stem.with_name(f"{stem.name}{suffix}") for suffix in (".flac", ".wav")]
    return next((file for file in files if file.is_file()), files[0])


def _sexes(folder: Path) -> dict[str, str | None]:
    """Sexes by speaker, from `SPEAKERS.TXT` in the folder or the one above."""
    for place in (folder, folder.resolve().parent):
        if (place / SPEAKERS).is_file():
            rows = (line.split("|") for _, line in numbered_lines(place / SPEAKERS))
            return {
                row[0].strip(): sex_of(row[1])
                for row in rows
                if len(row) > 1 and not row[0].startswith(";")
            }
    return {}
