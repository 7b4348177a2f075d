"""Was a word read, or left out? The stretch around it is heard with the word and without it.

The best path through a whole text takes the rests of a word's neighbours for the word read badly,
and leaves out what was said beyond recognition. So each word that was not said clearly is asked
again, between the words beside it and of these alone: how much likelier is the stretch if the word
is there, and is there speech for it? A logistic function of both decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.reading.graph import Costs, ReadingGraph
from nativeear.speech.reading.path import Pass, ReadingPath, best_reading, tolerant

FloatArray = NDArray[np.float64]

CLEAR = -2.5
"""Nats per phone, beside the likeliest phones, from which on a word of the path was surely read."""

LOUD_SHARE = 0.5
"""Place between quiet and loud frames above which speech is more than breath and reverberation."""

STRAY_BELOW = -3.0
"""Nats beside the likeliest phone below which a frame does not sound like the word it is of."""

OFFSET, GAIN, LOUD, STRAY, SHORT, SHORTER = 0.43, 0.65, 1.68, 4.33, 1.78, 1.5
"""The logarithm of the odds that a word was read is `OFFSET`, and `GAIN` times the nats per phone
by which its stretch is likelier with it, `LOUD` times its loud speech and `STRAY` times what of it
the words beside it do not explain, both as shares of what its phones need at this reader's pace,
`SHORT` if they are no more than `FEW`, and `SHORTER` if none of its forms has more and the words on
both sides were read: natives swallow such words. Fitted on slips made with `benchmarks.reading
--choosing`, a word drowned by noise counted as six tenths of one that was read; the offset is half
a nat lower. `SHORTER` was set on right texts and on short words that nobody read: of both fewer are
called omitted."""

FEW = 2

LEAST_GAIN = -15.0
"""Nats per phone; there is no room for a word that gains less."""


@dataclass(frozen=True, eq=False)
class Heard:
    """What a recording is heard by.

    Attributes
    ----------
    log_probs
        Log posterior of every column in every frame, `[T, C]`.
    distances
        Of the columns' phones, see `tolerant`.
    loud
        Which frames are louder than `LOUD_SHARE`, bool `[T]`.
    behind
        How far every column is behind the likeliest, at most 0, `[T, C]`.
    """

    log_probs: NDArray[np.floating]
    distances: FloatArray
    loud: NDArray[np.bool_]
    behind: FloatArray

    @classmethod
    def by(
        cls,
        log_probs: NDArray[np.floating],
        distances: FloatArray,
        loud: NDArray[np.bool_],
        costs: Costs,
    ) -> Heard:
        """The same, what is behind found."""
        weighed = np.asarray(log_probs, dtype=np.float64) * costs.weight
        best: FloatArray = weighed.max(axis=1, keepdims=True)
        return cls(log_probs, distances, loud, tolerant(weighed, distances, costs) - best)

    def between(self, first: int, past: int) -> Heard:
        """Frames `[first, past)` alone."""
        span = slice(first, past)
        return Heard(self.log_probs[span], self.distances, self.loud[span], self.behind[span])

    def scores(self, one: Pass, graph: ReadingGraph) -> FloatArray:
        """How far the states of a pass through a word are behind, frame by frame."""
        return self.behind[np.arange(one.first, one.past), graph.column[list(one.states)]]


class Sign(NamedTuple):
    """What says whether a word was read, see `OFFSET`; `small` if it is for `SHORTER`."""

    word: int
    phones: int
    small: bool
    gain: float
    loud: float
    stray: float

    @property
    def odds(self) -> float:
        """Logarithm of the odds that it was."""
        short = SHORT * (self.phones <= FEW) + SHORTER * self.small
        return OFFSET + GAIN * self.gain + LOUD * self.loud + STRAY * self.stray + short


def left_out(
    graph: ReadingGraph,
    kept: Sequence[Pass],
    heard: Heard,
    costs: Costs,
    spell_words: Callable[[Sequence[int]], ReadingGraph],
) -> frozenset[int]:
    """Words of the text that were not read, by their index.

    Parameters
    ----------
    graph
        The text.
    kept
        The reading of each word that the best path reads.
    heard
        The recording.
    costs
        What departing from the text costs.
    spell_words
        Spells some words of the text as if they were all of it, each read once.
    """
    told = signs(graph, kept, heard, costs, spell_words)
    return frozenset(sign.word for sign in told if sign.odds < 0)


def said_clearly(passes: Iterable[Pass], graph: ReadingGraph, heard: Heard) -> frozenset[int]:
    """Words through which some passes are clear."""
    return frozenset(
        one.joint
        for one in passes
        if heard.scores(one, graph).sum() > CLEAR * graph.lengths[one.joint]
    )


def signs(
    graph: ReadingGraph,
    kept: Sequence[Pass],
    heard: Heard,
    costs: Costs,
    spell_words: Callable[[Sequence[int]], ReadingGraph],
) -> Iterator[Sign]:
    """What says whether they were read, of the words that were not clearly; see `left_out`."""
    by_word = {one.joint: one for one in kept}
    if not by_word:
        return
    clear = said_clearly(kept, graph, heard)
    frames = sum(one.past - one.first for one in kept)
    pace = frames / int(graph.lengths[list(by_word)].sum())
    costs = costs.forbidding()
    for word in range(graph.words):
        left = max((k for k in by_word if k < word), default=None)
        right = min((k for k in by_word if k > word), default=None)
        beside = [k for k in (left, right) if k is not None]
        if word in clear or not beside:
            continue
        first = 0 if left is None else by_word[left].first
        past = len(heard.loud) if right is None else by_word[right].past
        part = heard.between(first, past)
        words = sorted([*beside, word])
        with_word, without = spell_words(words), spell_words(beside)
        best, best_without = _best(with_word, part, costs), _best(without, part, costs)
        phones = int(graph.lengths[word])
        own = [p for p in best.passes if p.states and p.joint == words.index(word)]
        loud = sum(int(part.loud[p.first : p.past].sum()) for p in own)
        stray = sum(
            int((part.scores(p, without) < STRAY_BELOW)[part.loud[p.first : p.past]].sum())
            for p in best_without.passes
            if p.states
        )
        gain = max(LEAST_GAIN, (best.score - best_without.score) / phones)
        most = max(phone.place + 1 for phone in graph.phones if phone.word == word)
        small = most <= FEW and {word - 1, word + 1} <= by_word.keys()
        yield Sign(word, phones, small, gain, loud / (pace * phones), stray / (pace * phones))


def _best(graph: ReadingGraph, heard: Heard, costs: Costs) -> ReadingPath:
    return best_reading(graph, heard.log_probs, costs, distances=heard.distances)
