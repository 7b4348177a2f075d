"""ISLE (Menzel et al., 2000; ELRA-S0083): German and Italian learners of English.

A folder for each session, which is one learner: `WAVS/*.WAV` and, of the same names, `MIL/*.txt`
with a line for each phone. Its columns are the first language (`G` or `I`), start and end, the word
(`.` where it goes on, `#` in silence), the phone that was expected, the British phone that was
heard, the stress that was expected and that was heard, and what was heard where it is no British
phone (`=` before it); a remark may follow. The corpus is not free: this reads the layout as other
readers of it describe it, and was tried on lines made by hand.
"""

from __future__ import annotations

from pathlib import Path

from nativeear.indexer.annotated_corpus import (
    DELETED,
    AnnotatedCorpus,
    AnnotatedInsertion,
    AnnotatedPhone,
    AnnotatedUtterance,
    AnnotatedWord,
    Speaker,
)
from nativeear.indexer.corpus import SetAside
from nativeear.indexer.readers.lines import numbered_lines
from nativeear.speech.errors import CorpusError, InputError

L1 = {"G": "de", "I": "it"}

COLUMNS = 9

BACKGROUND = "BCKGRD"
"""Expected and heard where there is other sound than the learner's."""

IN_ARPABET = {"OH": "AA"}
"""The one vowel of the British set that ARPAbet has no name for; Americans have AA in its words."""


def read(data: Path, split: str | None = None) -> AnnotatedCorpus:
    """Read every session below a folder: `ISLEDAT1/SESS0006/MIL/*.txt` and so on.

    No parts of it are published, so that all is read whatever the split.

    Raises
    ------
    CorpusError
        If there is none. Single broken utterances are set aside instead.
    """
    notes = (
        [] if split in {None, "all"} else [f"ISLE has no part called {split}: all of it is read."]
    )
    utterances: list[AnnotatedUtterance] = []
    set_aside: list[SetAside] = []
    for marks in sorted(data.rglob("MIL/*.txt")):
        try:
            utterances.append(_utterance(marks))
        except (ValueError, InputError) as error:
            set_aside.append(SetAside(marks.stem, f"{marks.name}: {error}"))
    if not utterances:
        raise CorpusError(
            f"{data} holds no usable utterance of ISLE.",
            cause=f"{len(set_aside)} were set aside. {set_aside[0].reason}" if set_aside else "",
            fix="Name the folder that holds ISLEDAT1, ISLEDAT2, …",
        )
    return AnnotatedCorpus("ISLE", tuple(utterances), tuple(set_aside), notes=tuple(notes))


def _utterance(marks: Path) -> AnnotatedUtterance:
    """One recording and its marks.

    Raises
    ------
    ValueError
        In a plain sentence, if something of it is missing or cannot be read.
    """
    session = marks.parent.parent
    audio = session / "WAVS" / f"{marks.stem}.WAV"
    if not audio.is_file():
        raise ValueError(f"there is no recording {audio}.")
    words: list[tuple[str, list[AnnotatedPhone]]] = []
    insertions: list[AnnotatedInsertion] = []
    spoken, language = 0, None
    for number, line in numbered_lines(marks):
        columns = line.split()
        if len(columns) < COLUMNS:
            raise ValueError(f"line {number} has {len(columns)} columns, not {COLUMNS}.")
        language, _, _, word, expected, heard = columns[:6]
        if BACKGROUND in {expected, heard}:
            continue
        if word[0] not in ".#":
            words.append((word, []))
        phone, more = _compared(_phones(expected), _phones(heard))
        if phone is not None:
            if not words:
                raise ValueError(f"line {number} has a phone before the first word.")
            words[-1][1].append(phone)
            spoken += 1
        insertions.extend(AnnotatedInsertion(spoken - 1 - before, p) for p, before in more)
    if not spoken:
        raise ValueError("it holds no phone.")
    return AnnotatedUtterance(
        id=marks.stem,
        speaker=Speaker(session.name, None, None, L1.get(language or "")),
        audio=audio,
        text=" ".join(word.lower() for word, _ in words),
        words=tuple(AnnotatedWord(word.lower(), tuple(phones)) for word, phones in words if phones),
        insertions=tuple(insertions),
    )


def _compared(
    expected: list[str], heard: list[str]
) -> tuple[AnnotatedPhone | None, list[tuple[str, int]]]:
    """The phone that was expected, and those that were added.

    Several phones may be heard for one: the right one among them, else the first, stands for it.
    With each added phone, 1 tells that it came before.
    """
    if not expected:
        return None, [(phone, 0) for phone in heard]
    meant = expected[0]
    if not heard:
        return AnnotatedPhone(meant, mispronounced=True, perceived=DELETED), []
    at = heard.index(meant) if meant in heard else 0
    added = [(phone, int(i < at)) for i, phone in enumerate(heard) if i != at]
    if heard[at] == meant:
        return AnnotatedPhone(meant), added
    return AnnotatedPhone(meant, mispronounced=True, perceived=heard[at]), added


def _phones(written: str) -> list[str]:
    """ARPAbet phones of a column such as `EH`, `AX-R` or, for none, `.` or `_`."""
    labels = ("".join(filter(str.isalpha, part)).upper() for part in written.split("-"))
    return [IN_ARPABET.get(label, label) for label in labels if label not in {"", "SIL", "SP"}]
