"""Native speech of any layout that an index is built from; every phone of it counts as right."""

from __future__ import annotations

from nativeear.indexer.annotated_corpus import (
    AnnotatedCorpus,
    AnnotatedPhone,
    AnnotatedUtterance,
    AnnotatedWord,
    Speaker,
)
from nativeear.indexer.corpus import SetAside, Utterance, read_corpus
from nativeear.speech.aligners.textgrid import read_alignment, spans_alignment
from nativeear.speech.alignment import Alignment
from nativeear.speech.errors import NativeEarError
from nativeear.speech.inventory import PhoneInventory


def read(data: str, inventory: PhoneInventory) -> AnnotatedCorpus:
    """Read any native corpus.

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
