"""LJSpeech, and the many single-voice corpora laid out like it.

`metadata.csv` has no header: `id|text|text with numbers written out`, the last often missing. The
recordings lie in `wavs/`. Quotation marks are part of the text.
"""

from __future__ import annotations

import re
from pathlib import Path

from nativeear.indexer.corpus import LICENCE_NOT_STATED, UNKNOWN_SPEAKER, Corpus, Sorter, Utterance
from nativeear.indexer.readers.lines import first_line, numbered_lines
from nativeear.speech.errors import CorpusError

METADATA = "metadata.csv"
_LJ = re.compile(r"LJ\d{3}-\d{4}")


def fits(path: Path) -> bool:
    """Whether a folder has the table without a header, and `wavs/`."""
    return (path / "wavs").is_dir() and "|" in first_line(path / METADATA)


def read(path: str, *, language: str | None = None, name: str | None = None) -> Corpus:
    """Read the folder that `metadata.csv` lies in.

    The voice of LJSpeech itself is called `LJ`; that of another corpus is `unknown`.

    Raises
    ------
    CorpusError
        If there is no such table, or it is damaged.
    """
    folder = Path(path)
    table = folder / METADATA
    if not table.is_file():
        raise CorpusError(
            f"There is no LJSpeech at {path}.", cause=f"Looked for {METADATA} and wavs/."
        )
    sorter = Sorter()
    lines = list(numbered_lines(table))
    ours = all(_LJ.match(line) for _, line in lines)
    for number, line in lines:
        identity, *texts = (cell.strip() for cell in line.split("|"))
        if not texts:
            sorter.refuse(identity, f"line {number}: there is no | between id and text.")
            continue
        sorter.add(
            Utterance(
                id=Path(identity).stem if identity.endswith(".wav") else identity,
                audio=folder / "wavs" / f"{identity.removesuffix('.wav')}.wav",
                text=(texts[1] if len(texts) > 1 else "") or texts[0],
                speaker="LJ" if ours else UNKNOWN_SPEAKER,
                sex="f" if ours else None,
            ),
            f"line {number}",
        )
    return sorter.corpus(
        name or folder.resolve().name,
        language or ("en-US" if ours else "und"),
        "public domain" if ours else LICENCE_NOT_STATED,
    )
