"""What one native should read in a recording session of some minutes, for what an index lacks.

First come the sentences and words that close the most gaps for the time that they take
(`indexer.audit.script`), each once: another native reads them again. What is left of the time goes
to the sentences whose phones in context the index has least of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from nativeear.indexer.audit.coverage import AuditModel, coverage
from nativeear.indexer.audit.needs import IndexContents, Need
from nativeear.indexer.audit.script import greedy_script
from nativeear.indexer.audit.vocabulary import vocabulary_of
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.alignment import SILENCE
from nativeear.speech.errors import InputError, NativeEarError
from nativeear.speech.pronunciation import Pronouncer

BETWEEN_S = 2.0
"""Between two lines: to look at the next one, and the silence around it."""

USUAL_PHONE_S = 0.09
"""Length of a phone where an index has none."""


class SessionLine(AuditModel):
    """A line to read."""

    text: str
    seconds: float  # that it should take, with the pause after it
    fills: int  # gaps that it closes and that lines before it leave open


class Session(AuditModel):
    """A recording session for one native."""

    index: str
    language: str
    seconds: float  # that all lines should take
    gaps: int  # exemplars that the index lacks, as far as the lines that there are could bring them
    left: int  # gaps that are still open after one such session
    lines: tuple[SessionLine, ...]


def session(index: PhoneIndex, sentences: Sequence[str], minutes: float) -> Session:
    """Choose what to read.

    Parameters
    ----------
    sentences
        Sentences to choose from; those that cannot be pronounced are passed over.
    minutes
        How long the session should be.

    Raises
    ------
    InputError
        If the session has no length, or there is nothing to read.
    """
    if not minutes > 0:
        raise InputError(f"A session of {minutes:g} minutes is none.", fix="Give more minutes.")
    vocabulary = vocabulary_of(index)
    pronouncer = Pronouncer(
        index.language, lexicon=index.lexicon, g2p=index.manifest.g2p, inventory=index.inventory
    )
    words = {
        word.lower() if word.isupper() else word: phones
        for word, phones in vocabulary.phones.items()
        if len(word) > 1  # a letter by itself is read by its name
    }
    phones = words | _said(pronouncer, sentences)
    if not phones:
        raise InputError(
            f"There is nothing to read for {index.name}.",
            cause="Neither its words nor the sentences can be pronounced.",
            fix="Give sentences with --from FILE.",
        )
    held = IndexContents.of(coverage(index, vocabulary.contexts or None), index.inventory)
    offers = {text: held.offers(said) for text, said in phones.items()}
    wanted = dict.fromkeys(need for offer in offers.values() for need in offer)
    lacking = held.lacking(wanted)
    phone_s = _phone_s(index)
    script = greedy_script([*offers.items()], lacking, overhead=round(BETWEEN_S / phone_s))
    first = [line.text for line in script.lines]
    then = sorted(
        (text for text in sentences if text in offers and text not in set(first)),
        key=lambda text: -_rarity(offers[text], held) / _seconds(phones[text], 1.0),
    )
    lines: list[SessionLine] = []
    left, spent_s = dict(lacking), 0.0
    for text in dict.fromkeys([*first, *then]):
        seconds = _seconds(phones[text], phone_s)
        if spent_s + seconds > 60 * minutes and lines:
            continue
        spent_s += seconds
        lines.append(
            SessionLine(text=text, seconds=round(seconds, 1), fills=_fill(left, offers[text]))
        )
    return Session(
        index=index.name,
        language=index.language,
        seconds=round(spent_s, 1),
        gaps=sum(lacking.values()),
        left=sum(left.values()),
        lines=tuple(lines),
    )


def _said(pronouncer: Pronouncer, sentences: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Phones of every sentence that can be pronounced, its words by their first form."""
    found = {}
    for sentence in sentences:
        try:
            words = pronouncer.pronounce(sentence).words
        except NativeEarError:
            continue
        found[sentence] = tuple(p for word in words for p in word.variants[0].phones)
    return found


def _phone_s(index: PhoneIndex) -> float:
    """Mean length of a phone of the index."""
    spoken = slice(0, index.manifest.counts.spoken)
    return float(np.mean(index.durations_s[spoken])) if spoken.stop else USUAL_PHONE_S


def _seconds(phones: Sequence[str], phone_s: float) -> float:
    return BETWEEN_S + phone_s * sum(phone != SILENCE for phone in phones)


def _rarity(offers: Counter[Need], held: IndexContents) -> float:
    """How little the index has of the phones in context of a line."""
    return sum(count / (1 + held.contexts[need]) for need, count in offers.items() if len(need) > 1)


def _fill(left: dict[Need, int], offers: Counter[Need]) -> int:
    """Close gaps, and tell how many."""
    filled = 0
    for need, count in offers.items():
        closed = min(count, left.get(need, 0))
        if closed:
            left[need] -= closed
            filled += closed
    return filled
