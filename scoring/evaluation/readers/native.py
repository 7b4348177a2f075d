"""Native speech of any layout that an index is built from, to be judged as it is and with errors
simulated; and the CMU Kids corpus (LDC97S63).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from nativeear.indexer.corpus import SetAside, Utterance, read_corpus
from nativeear.indexer.readers.lines import numbered_lines, read_text
from nativeear.scoring.evaluation.annotated import (
    AnnotatedCorpus,
    AnnotatedPhone,
    AnnotatedUtterance,
    AnnotatedWord,
    Speaker,
    as_age,
)
from nativeear.speech.aligners.textgrid import read_alignment, spans_alignment
from nativeear.speech.alignment import Alignment
from nativeear.speech.errors import CorpusError, NativeEarError
from nativeear.speech.inventory import PhoneInventory

_KIDS_AGE = re.compile(r"^(\w{4})\s.*?\d+/(\d+)")  # fabm  SIM95  3/9  100  62
_KIDS_MARKUP = re.compile(r"[\[\]<>/]")
_KIDS_CLEAN = "1"


def read(data: str, inventory: PhoneInventory) -> AnnotatedCorpus:
    """Read any native corpus; every phone of it counts as right.

    Where the corpus brings phones or an alignment these are the canonical ones; elsewhere the
    text is pronounced, and a variant that is heard counts.

    Parameters
    ----------
    data
        A path, or a short form: `asterisk:en`.
    inventory
        The phones of the language.

    Raises
    ------
    CorpusError
        If nothing of it can be used. Single broken utterances are set aside instead.
    """
    corpus = read_corpus(data, language=inventory.language)
    utterances: list[AnnotatedUtterance] = []
    set_aside = list(corpus.set_aside)
    for utterance in corpus.utterances:
        try:
            words = _words(utterance, inventory)
        except NativeEarError as error:
            set_aside.append(SetAside(utterance.id, " ".join((error.message, error.cause)).strip()))
            continue
        utterances.append(
            AnnotatedUtterance(
                id=utterance.id,
                speaker=Speaker(utterance.speaker, None, utterance.sex),
                audio=utterance.audio,
                text=utterance.text or "",
                words=words,
                start_s=utterance.start_s,
                end_s=utterance.end_s,
            )
        )
    return AnnotatedCorpus(corpus.name, tuple(utterances), tuple(set_aside))


def _words(utterance: Utterance, inventory: PhoneInventory) -> tuple[AnnotatedWord, ...]:
    """The canonical phones that the corpus itself tells; none where there is only a text."""
    if utterance.phones is not None:
        groups = [group.split() for group in utterance.phones.split("|") if group.split()]
        names = (utterance.text or "").split()
        if len(names) != len(groups):
            names = [""] * len(groups)
    elif utterance.textgrid is not None:
        names, groups = _aligned(read_alignment(utterance.textgrid, inventory))
    elif utterance.spans:
        end_s = max(span.end_s for span in utterance.spans)
        names, groups = _aligned(
            spans_alignment(
                utterance.spans,
                utterance.word_spans,
                inventory,
                duration_s=end_s,
                whence=utterance.id,
            )
        )
    else:
        return ()
    return tuple(
        AnnotatedWord(name, tuple(AnnotatedPhone(label) for label in group))
        for name, group in zip(names, groups, strict=True)
    )


def _aligned(alignment: Alignment) -> tuple[list[str], list[list[str]]]:
    """Words and their phones; words of which no phone is known are left out."""
    groups: dict[int, list[str]] = {}
    for phone in alignment.spoken:
        groups.setdefault(phone.word_index, []).append(phone.phone)
    return [alignment.words[index] for index in groups], list(groups.values())


def read_cmukids(data: str, inventory: PhoneInventory) -> AnnotatedCorpus:
    """Read CMU Kids as it is published, or any other native corpus by `read`.

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
        return read(data, inventory)
    root = roots[0]
    prompts, ages = _prompts(root / "tables" / "sentence.tbl"), _ages(root / "tables")
    utterances: list[AnnotatedUtterance] = []
    set_aside: list[SetAside] = []
    for audio in sorted(root.glob("kids/*/signal/*.sph")):
        identity, speaker = audio.stem, audio.parent.parent.name
        transcript = audio.parent.parent / "trans" / f"{identity}.trn"
        text = prompts.get(identity[len(speaker) : len(speaker) + 3], "")
        reason = ""
        if not identity.endswith(_KIDS_CLEAN):
            reason = "the child did not follow the prompt."
        elif not text and transcript.is_file():
            text = " ".join(read_text(transcript).split())
        if not reason and not text:
            reason = "there is neither a prompt nor a transcript."
        elif not reason and _KIDS_MARKUP.search(text):
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
    found = (_KIDS_AGE.match(line) for _, line in numbered_lines(table))
    return {match[1]: as_age(match[2]) for match in found if match}


def unheard(corpus: AnnotatedCorpus, held: Collection[str], split: str | None) -> AnnotatedCorpus:
    """The utterances that an index does not hold (`test`), holds (`train`), or all of them.

    Parameters
    ----------
    held
        Ids of the utterances of this corpus that the index holds.
    """
    if split is None or split == "all":
        return corpus
    kept = [u for u in corpus.utterances if (u.id in held) == (split == "train")]
    return replace(corpus, utterances=tuple(kept), split=split)
