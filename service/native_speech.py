"""What can be heard of an index's natives: words, sentences, and examples of a sound.

An index may also hold flawless phones of rated learners. They are no natives, and nothing here is
theirs: `PhoneIndex.native_utterances` tells the two apart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.alignment import SILENCE

LONGEST_WORD_S = 1.5
"""A longer stretch of one word holds a pause, or the word twice."""

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_Row = dict[str, Any]


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text in lower case, without what stands between them."""
    return tuple(_WORD.findall(text.lower().replace("’", "'")))


@dataclass(frozen=True)
class SpokenWord:
    """A word as a native says it: where it lies in the recording of an utterance, in seconds."""

    word: str
    corpus: str
    utterance: str
    speaker: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Example:
    """A sound in a native's word; `start_s` and `end_s` are the sound's."""

    exemplar: int
    phone: str
    start_s: float
    end_s: float
    within: SpokenWord


@dataclass(frozen=True, eq=False)
class NativeSpeech:
    """Native recordings that an index keeps, by what is said in them.

    Attributes
    ----------
    words
        The clearest recording of each word, by the word in lower case.
    examples
        Examples of each phone, the most typical first, each word once.
    sentences
        Utterances by their words in lower case, joined by spaces.
    """

    words: Mapping[str, SpokenWord]
    examples: Mapping[str, tuple[Example, ...]]
    sentences: Mapping[str, SpokenWord]

    @classmethod
    def of(cls, index: PhoneIndex) -> NativeSpeech:
        """Find what is said, in one pass over the playable natives of an index."""
        words: dict[str, SpokenWord] = {}
        examples: dict[str, dict[str, tuple[float, Example]]] = {}
        for spoken, rows in _spoken(index):
            best = words.get(spoken.word)
            if best is None or _clearness(spoken) > _clearness(best):
                words[spoken.word] = spoken
            for row in rows:
                example = Example(row["row"], row["phone"], row["start_s"], row["end_s"], spoken)
                by_word = examples.setdefault(row["phone"], {})
                margin = -math.inf if math.isnan(row["margin"]) else row["margin"]
                if spoken.word not in by_word or margin > by_word[spoken.word][0]:
                    by_word[spoken.word] = (margin, example)
        return cls(
            words=words,
            examples={
                phone: tuple(e for _, e in sorted(found.values(), key=lambda item: -item[0]))
                for phone, found in examples.items()
            },
            sentences=_sentences(index),
        )

    def said(self, text: str) -> tuple[SpokenWord | None, tuple[SpokenWord, ...]]:
        """The native reading of a whole text, if there is one, and its words that natives say."""
        pieces = words_of(text)
        found = (self.words.get(word) for word in dict.fromkeys(pieces))
        return self.sentences.get(" ".join(pieces)), tuple(word for word in found if word)

    def examples_of(self, phone: str, words: Iterable[str] = ()) -> Iterator[Example]:
        """Examples of a phone, those in the wanted words first."""
        found, wanted = self.examples.get(phone, ()), frozenset(words)
        yield from (example for example in found if example.within.word in wanted)
        yield from (example for example in found if example.within.word not in wanted)


def _clearness(spoken: SpokenWord) -> float:
    """Words that are said slowly are said clearly."""
    return spoken.end_s - spoken.start_s


def _spoken(index: PhoneIndex) -> Iterator[tuple[SpokenWord, list[_Row]]]:
    """Every word of every native recording that is kept, with its exemplars in order."""
    natives = index.native_utterances & index.clips.keys()
    columns = ("phone", "word", "speaker", "utterance", "corpus", "start_s", "end_s", "margin")
    rows = (
        {**row, "row": number}
        for number, row in enumerate(index.table.select(list(columns)).to_pylist())
        if row["word"] and row["phone"] != SILENCE and (row["corpus"], row["utterance"]) in natives
    )
    ordered = sorted(rows, key=lambda row: (row["corpus"], row["utterance"], row["start_s"]))
    for (corpus, utterance, word), group in groupby(
        ordered, key=lambda row: (row["corpus"], row["utterance"], row["word"].lower())
    ):
        members = list(group)
        start_s, end_s = members[0]["start_s"], members[-1]["end_s"]
        if end_s - start_s <= LONGEST_WORD_S:
            speaker = members[0]["speaker"]
            yield SpokenWord(word, corpus, utterance, speaker, start_s, end_s), members


def _sentences(index: PhoneIndex) -> dict[str, SpokenWord]:
    """Whole recordings; they begin at 0 and end where they end."""
    lengths = {
        (row["corpus"], row["utterance"]): row["end_s_max"]
        for row in index.table.group_by(["corpus", "utterance"])
        .aggregate([("end_s", "max")])
        .to_pylist()
    }
    found: dict[str, SpokenWord] = {}
    for row in index.prosody.select(["corpus", "utterance", "speaker", "text"]).to_pylist():
        name = (row["corpus"], row["utterance"])
        if row["text"] and name in index.clips:
            said = " ".join(words_of(row["text"]))
            found.setdefault(
                said,
                SpokenWord(row["text"], *name, row["speaker"], 0.0, lengths.get(name, 0.0)),
            )
    return found
