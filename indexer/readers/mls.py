"""Multilingual LibriSpeech: read audiobooks in eight languages, `mls_LANGUAGE/SPLIT/`.

A split has `transcripts.txt` (`SPEAKER_BOOK_NUMBER`, a tab, the text) and the recordings in
`audio/SPEAKER/BOOK/`, FLAC or Opus. `metainfo.txt` above the splits gives the speakers' sexes.
"""

from __future__ import annotations

from pathlib import Path

from nativeear.indexer.corpus import Corpus, Sorter, Utterance
from nativeear.indexer.readers.beside import recording_of, sexes_of
from nativeear.indexer.readers.lines import first_line, numbered_lines
from nativeear.speech.errors import CorpusError

TRANSCRIPTS = "transcripts.txt"
SPLITS = ("train", "dev", "test")
LANGUAGES = {
    "dutch": "nl",
    "english": "en",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "polish": "pl",
    "portuguese": "pt",
    "spanish": "es",
}
"""Tags of the languages, by their names in `mls_german` or `mls_german_opus`."""


def fits(path: Path) -> bool:
    """Whether this is the folder of a language, or of one split."""
    return any(
        (split / "audio").is_dir() and "\t" in first_line(split / TRANSCRIPTS)
        for split in (path, *(path / name for name in SPLITS))
    )


def read(path: str, *, language: str | None = None, name: str | None = None) -> Corpus:
    """Read all splits of a language, or one of them.

    Raises
    ------
    CorpusError
        If there are no transcripts, or a file of them is damaged.
    """
    folder = Path(path)
    splits = [
        split
        for split in (folder, *(folder / each for each in SPLITS))
        if (split / TRANSCRIPTS).is_file()
    ]
    if not splits:
        raise CorpusError(
            f"There is no Multilingual LibriSpeech at {path}.",
            cause=f"Looked for {TRANSCRIPTS} here and in {', '.join(SPLITS)}.",
            fix="Name the folder of one language, such as mls_german.",
        )
    root = folder.resolve() if splits[0] != folder else folder.resolve().parent
    sexes = sexes_of(root / "metainfo.txt")
    sorter = Sorter()
    for split in splits:
        for number, line in numbered_lines(split / TRANSCRIPTS):
            place = f"{split.name}/{TRANSCRIPTS}, line {number}"
            identity, tab, text = line.partition("\t")
            parts = identity.split("_")
            if not tab or len(parts) != 3:
                sorter.refuse(
                    identity.strip(), f"{place}: it is not SPEAKER_BOOK_NUMBER, a tab, the text."
                )
                continue
            speaker, book, _ = parts
            sorter.add(
                Utterance(
                    id=identity,
                    audio=recording_of(
                        split / "audio" / speaker / book / identity, (".flac", ".opus", ".wav")
                    ),
                    text=text.strip() or None,
                    speaker=speaker,
                    sex=sexes.get(speaker),
                ),
                place,
            )
    spoken = next((tag for word, tag in LANGUAGES.items() if word in root.name.split("_")), "und")
    return sorter.corpus(name or root.name, language or spoken, "CC BY 4.0")
