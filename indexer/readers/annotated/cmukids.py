"""The CMU Kids corpus (LDC97S63): children who read sentences aloud."""

from __future__ import annotations

import re
from pathlib import Path

from nativeear.indexer.annotated_corpus import (
    AnnotatedCorpus,
    AnnotatedUtterance,
    Speaker,
    as_age,
)
from nativeear.indexer.corpus import SetAside
from nativeear.indexer.readers.annotated import native
from nativeear.indexer.readers.lines import numbered_lines, read_text
from nativeear.speech.errors import CorpusError
from nativeear.speech.inventory import PhoneInventory

_AGE = re.compile(r"^(\w{4})\s.*?\d+/(\d+)")  # fabm  SIM95  3/9  100  62
_MARKUP = re.compile(r"[\[\]<>/]")
_CLEAN = "1"


def read(data: str, inventory: PhoneInventory) -> AnnotatedCorpus:
    """Read CMU Kids as it is published, or any other native corpus.

    `kids/SPEAKER/signal/*.sph`, prompts in `tables/sentence.tbl`, else transcripts in
    `kids/SPEAKER/trans/*.trn`; ages in `tables/speaker.tbl`. The last digit of an id tells
    whether the child followed the prompt (1) or not (2): the others are set aside.

    Raises
    ------
    CorpusError
        If nothing of it can be used.
    """
    roots = [root for root in (Path(data), Path(data) / "cmu_kids") if (root / "kids").is_dir()]
    if not roots:
        return native.read(data, inventory)
    root = roots[0]
    prompts, ages = _prompts(root / "tables" / "sentence.tbl"), _ages(root / "tables")
    utterances: list[AnnotatedUtterance] = []
    set_aside: list[SetAside] = []
    for audio in sorted(root.glob("kids/*/signal/*.sph")):
        identity, speaker = audio.stem, audio.parent.parent.name
        transcript = audio.parent.parent / "trans" / f"{identity}.trn"
        text = prompts.get(identity[len(speaker) : len(speaker) + 3], "")
        reason = ""
        if not identity.endswith(_CLEAN):
            reason = "the child did not follow the prompt."
        elif not text and transcript.is_file():
            text = " ".join(read_text(transcript).split())
        if not reason and not text:
            reason = "there is neither a prompt nor a transcript."
        elif not reason and _MARKUP.search(text):
            reason = f"its transcript holds marks that are no words: {text}"
        if reason:
            set_aside.append(SetAside(identity, reason))
            continue
        utterances.append(
            AnnotatedUtterance(
                id=identity,
                speaker=Speaker(
                    speaker, ages.get(speaker), speaker[0] if speaker[0] in "fm" else None, "en"
                ),
                audio=audio,
                text=text,
            )
        )
    if not utterances:
        raise CorpusError(
            f"{data} holds no usable utterance of CMU Kids.",
            cause=f"{len(set_aside)} were set aside.",
            fix="Name the folder that holds kids and tables.",
        )
    return AnnotatedCorpus("CMU Kids", tuple(utterances), tuple(set_aside))


def _prompts(table: Path) -> dict[str, str]:
    """Prompt by its three-letter name; `sentence.tbl` holds name, count and text."""
    if not table.is_file():
        return {}
    rows = [line.split(maxsplit=2) for _, line in numbered_lines(table)]
    return {row[0]: row[2].strip() for row in rows if len(row) == 3}


def _ages(tables: Path) -> dict[str, int | None]:
    """Age by speaker; `speaker.tbl` holds name, place, grade/age and counts under a heading."""
    table = tables / "speaker.tbl"
    if not table.is_file():
        return {}
    found = (_AGE.match(line) for _, line in numbered_lines(table))
    return {match[1]: as_age(match[2]) for match in found if match}
