"""How full or reduced a vowel sounds: which of the natives' vowels it lies nearer to.

A reduced vowel gives an unstressed syllable away. Retrieval tells without a rule for any language:
the exemplars carry the stress of the lexicon, so a vowel that resembles those of unstressed
syllables more than those of stressed ones is a reduced one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.phone_index import IntArray, Name, PhoneIndex
from nativeear.indexes.similarity import class_similarities
from nativeear.retriever.neighbours import Exclusion

FloatArray = NDArray[np.float32]

TOP_M = 10
"""Exemplars that speak for either kind, as many as speak for a class in a margin. Tried 5, 10, 20
and 40 on words of the shipped index's native."""
MAX_EXEMPLARS = 4000
"""Of either kind; more would only cost time."""


class VowelFullness:
    """The full and the reduced vowels of an index. Safe to share between threads.

    Only natives count, that is utterances with a row in `prosody.parquet`: of rated speech it is
    not known whether a syllable was stressed as it should be.
    """

    def __init__(self, index: PhoneIndex) -> None:
        self._index = index

    @cached_property
    def _vowels(self) -> IntArray:
        """Rows of the natives' vowels whose stress is known."""
        inventory = self._index.inventory
        rows = [
            np.arange(own.start, own.stop)
            for phone in inventory.symbols
            if inventory.is_syllabic(phone) and (own := self._index.rows_of(phone)).stop > own.start
        ]
        vowels = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
        utterance, pairs = self._index.utterances
        native = np.array([pair in self._index.native_utterances for pair in pairs], dtype=bool)[
            utterance[vowels]
        ]
        known: IntArray = vowels[native & (self._stress[vowels] >= 0)]
        return known

    @cached_property
    def _stress(self) -> IntArray:
        stress: IntArray = self._index.values("stress").astype(np.int64)
        return stress

    @cached_property
    def pool(self) -> tuple[IntArray, IntArray]:
        """Rows that answer, full ones first, and where each kind begins and ends."""
        full = self._stress[self._vowels] > 0
        kinds = [_thinned(self._vowels[full]), _thinned(self._vowels[~full])]
        return np.concatenate(kinds), np.array([0, len(kinds[0]), len(kinds[0]) + len(kinds[1])])

    @cached_property
    def _words(self) -> tuple[IntArray, Mapping[str, int]]:
        codes, words = self._index.codes("word")
        return codes, {word: code for code, word in enumerate(words)}

    def of(
        self, vectors: FloatArray, words: Sequence[str], exclusion: Exclusion | None = None
    ) -> NDArray[np.float64]:
        """Fullness of N vowels: similarity to full vowels less that to reduced ones.

        Exemplars of the same word do not answer: they would tell the word and not the vowel.

        Parameters
        ----------
        vectors
            Unit vectors in the index's space, float32 `[N, d]`.
        words
            The N words that the vowels are in.

        Returns
        -------
        NDArray
            float64 `[N]`, NaN where the index has too few vowels of either kind.
        """
        rows, bounds = self.pool
        if exclusion:
            left = ~exclusion.rows(self._index)[rows]
            bounds = np.concatenate([[0], np.cumsum(left)])[bounds]
            rows = rows[left]
        if not len(vectors) or np.diff(bounds).min() < TOP_M:
            return np.full(len(vectors), np.nan)
        codes, known = self._words
        similar = class_similarities(
            vectors,
            self._index.vectors[rows],
            bounds,
            top_m=TOP_M,
            groups=codes[rows],
            query_groups=np.array([known.get(word, -1) for word in words], dtype=np.int64),
        ).astype(np.float64)
        fullness: NDArray[np.float64] = similar[:, 0] - similar[:, 1]
        return fullness

    def of_natives(self, utterances: Sequence[Name]) -> list[NDArray[np.float64]]:
        """Fullness of the vowels of native utterances, each in the order of time."""
        wanted = {utterance: i for i, utterance in enumerate(utterances)}
        utterance, pairs = self._index.utterances
        places = np.array([wanted.get(pair, -1) for pair in pairs], dtype=np.int64)
        own = places[utterance[self._vowels]]
        order = np.lexsort([self._index.values("start_s")[self._vowels], own])
        order = order[own[order] >= 0]
        rows = self._vowels[order]
        codes, words = self._index.codes("word")
        spoken_in = [words[code] for code in codes[rows].tolist()]
        fullness = self.of(np.ascontiguousarray(self._index.vectors[rows]), spoken_in)
        edges = np.searchsorted(own[order], np.arange(len(utterances) + 1))
        return [fullness[a:b] for a, b in pairwise(edges.tolist())]


def _thinned(rows: IntArray) -> IntArray:
    """At most `MAX_EXEMPLARS` of the rows, evenly spread."""
    return rows[:: max(1, -(-len(rows) // MAX_EXEMPLARS))]
