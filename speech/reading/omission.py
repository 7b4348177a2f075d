"""Was a word read, or left out? The stretch around it is heard with the word and without it.

The best path through a whole text takes the rests of a word's neighbours for the word read badly,
and leaves out what was said beyond recognition. So each word that was not said clearly is asked
again, between the words beside it and of these alone: how much likelier is the stretch if the word
is there, and is there speech for it? A logistic function of both decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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

OFFSET, GAIN, LOUD, STRAY, SHORT = 0.43, 0.65, 1.68, 4.33, 1.78
"""The logarithm of the odds that a word was read is `OFFSET`, and `GAIN` times the nats per phone
by which its stretch is likelier with it, `LOUD` times its loud speech and `STRAY` times what of it
the words beside it do not explain, both as shares of what its phones need at this reader's pace,
and `SHORT` if they are no more than `FEW`: natives swallow such words. Fitted on slips made with
`benchmarks.reading --choosing`, a word drowned by noise counted as six tenths of one that was read;
the offset is half a nat lower."""

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
    """

    log_probs: NDArray[np.floating]
    distances: FloatArray
    loud: NDArray[np.bool_]

    def between(self, first: int, past: int) -> Heard:
        """Frames `[first, past)` alone."""
        span = slice(first, past)
        return Heard(self.log_probs[span], self.distances, self.loud[span])


class Sign(NamedTuple):
    """What says whether a word was read, see `OFFSET`."""

    word: int
    phones: int
    gain: float
    loud: float
    stray: float

    @property
    def odds(self) -> float:
        """Logarithm of the odds that it was."""
        short = SHORT if self.phones <= FEW else 0.0
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
    behind = _behind(heard, costs)
    clear = {
        one.joint
        for one in kept
        if _scores(behind, one, graph).sum() > CLEAR * graph.lengths[one.joint]
    }
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
            int(
                (_scores(behind[first:past], p, without) < STRAY_BELOW)[
                    part.loud[p.first : p.past]
                ].sum()
            )
            for p in best_without.passes
            if p.states
        )
        gain = max(LEAST_GAIN, (best.score - best_without.score) / phones)
        yield Sign(word, phones, gain, loud / (pace * phones), stray / (pace * phones))


def _best(graph: ReadingGraph, heard: Heard, costs: Costs) -> ReadingPath:
    return best_reading(graph, heard.log_probs, costs, distances=heard.distances)


def _behind(heard: Heard, costs: Costs) -> FloatArray:
    """How far every column is behind the likeliest, at most 0, `[T, C]`."""
    log_probs = np.asarray(heard.log_probs, dtype=np.float64) * costs.weight
    best: FloatArray = log_probs.max(axis=1, keepdims=True)
    return tolerant(log_probs, heard.distances, costs) - best


def _scores(behind: FloatArray, one: Pass, graph: ReadingGraph) -> FloatArray:
    """The same of the states of a pass, frame by frame."""
    return behind[np.arange(one.first, one.past), graph.column[list(one.states)]]
