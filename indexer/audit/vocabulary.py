"""The words by which an index is measured where nobody says what is to be practised.

They tell which phones occur in which contexts in the language, and they are what natives can be
asked to say next.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from nativeear.indexer.audit.coverage import AuditModel, context_classes
from nativeear.indexer.audit.needs import Context, IndexContents, contexts_of
from nativeear.indexer.audit.script import Script, greedy_script
from nativeear.indexer.readers.lines import read_text
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.errors import NativeEarError
from nativeear.speech.languages import primary_subtag
from nativeear.speech.pronunciation import Pronouncer

MOST_WORDS = 5_000
"""Words of one source, the commonest first: the rest hardly brings a context that is new."""


@dataclass(frozen=True)
class Vocabulary:
    """Words of a language as they are said by themselves."""

    source: str  # where they come from, in words
    phones: dict[str, tuple[str, ...]]  # phones of every word
    contexts: Counter[Context]  # how many words have a phone in a context


class RecordNext(AuditModel):
    """What natives should say next, where nobody says what is to be practised."""

    # Whence the words come, and how many there are.
    source: str
    words: int
    # Different phones in contexts that they have, and how many of them are thin in the index.
    contexts: int
    thin_contexts: int
    script: Script  # what to say


def vocabulary_of(index: PhoneIndex) -> Vocabulary:
    """The words that an index itself has heard, those of its lexicon, and common ones.

    Of words with several pronunciations the first is taken, and those that nothing can pronounce
    are left out. Common words ship for English.
    """
    pronouncer = Pronouncer(
        index.language,
        lexicon=index.lexicon,
        g2p=index.manifest.g2p,
        inventory=index.inventory,
    )
    sources = {
        "its own": _words_of(index),
        "of its lexicon": [] if index.lexicon is None else lexicon_words(index.lexicon),
        f"common in {primary_subtag(index.language)}": _common(index.language),
    }
    phones: dict[str, tuple[str, ...]] = {}
    seen: set[str] = set()
    origins = []
    for source, words in sources.items():
        before = len(phones)
        for word, pronunciation in _pronounced(pronouncer, words[:MOST_WORDS]):
            if word.casefold() not in seen:
                seen.add(word.casefold())
                phones[word] = pronunciation
        if len(phones) > before:
            origins.append(source)
    class_of = context_classes(index.inventory)
    contexts: Counter[Context] = Counter()
    for pronunciation in phones.values():
        contexts.update(set(contexts_of(pronunciation, class_of)))
    return Vocabulary("; ".join(origins), phones, contexts)


def record_next(vocabulary: Vocabulary, held: IndexContents) -> RecordNext:
    """Choose words of a vocabulary that close the gaps of an index."""
    offers = [
        (word, held.offers(pronunciation)) for word, pronunciation in vocabulary.phones.items()
    ]
    wanted = dict.fromkeys(need for _, offer in offers for need in offer)
    return RecordNext(
        source=vocabulary.source,
        words=len(offers),
        contexts=len(vocabulary.contexts),
        thin_contexts=sum(held.is_thin(context) for context in vocabulary.contexts),
        script=greedy_script(offers, held.lacking(wanted)),
    )


def lexicon_words(path: Path) -> list[str]:
    """Words of a lexicon in the form that `Pronouncer` reads, each once.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    entries = (line.split()[0] for line in read_lines(path) if not line.startswith((";;;", "#")))
    return list(dict.fromkeys(re.sub(r"\(\d+\)$", "", entry) for entry in entries))


def read_lines(path: Path) -> list[str]:
    """Lines of a text that are not blank, each once.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    lines = (line.strip() for line in read_text(path).splitlines())
    return list(dict.fromkeys(line for line in lines if line))


def _words_of(index: PhoneIndex) -> list[str]:
    """Words of the index by how many phones of them it holds."""
    code, words = index.codes("word")
    order = np.argsort(-np.bincount(code, minlength=len(words)), kind="stable")
    return [words[place] for place in order.tolist() if words[place]]


def _common(language: str) -> list[str]:
    file = files("nativeear.speech") / "data" / f"common_words_{primary_subtag(language)}.csv"
    if not file.is_file():
        return []
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    return [row["word"] for row in rows]


def _pronounced(
    pronouncer: Pronouncer, words: Sequence[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Words and their phones; many at once, for a source of pronunciations may be slow to ask."""
    try:
        pronunciation = pronouncer.pronounce("\n".join(words)).words
    except NativeEarError:
        if len(words) > 1:  # one of them: which, halves tell
            middle = len(words) // 2
            yield from _pronounced(pronouncer, words[:middle])
            yield from _pronounced(pronouncer, words[middle:])
        return
    for word in pronunciation:
        if word.variants:
            yield word.word, word.variants[0].phones
