"""What an aligner is learnt from: sums over the frames of states, utterance by utterance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nativeear.indexer.discriminant import ClassSums
from nativeear.indexer.encoded_utterance import EncodedUtterance
from nativeear.indexer.worker_pool import spawned
from nativeear.speech.aligners.flatstart import centred, densities, spell, state_columns
from nativeear.speech.aligners.graphs import SpelledText
from nativeear.speech.aligners.viterbi import NEVER, best_path
from nativeear.speech.alignment import SILENCE, Alignment
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.encoders.spectral import HOP, SAMPLE_RATE, WINDOW
from nativeear.speech.frames import FloatArray

CHUNK = 16
"""Utterances that a worker aligns at a time."""

LEADS_S = tuple(np.arange(-0.04, 0.0401, 0.005).round(3).tolist())


@dataclass(frozen=True)
class TrainingUtterance:
    """What is known of one utterance: its file, and its pronunciation or its ready alignment."""

    path: Path
    pronunciation: Pronunciation | None
    alignment: Alignment | None = None


@dataclass(frozen=True, eq=False)
class Estimate:
    """The model so far.

    Without a `centre` frames are counted; with it but no `means` utterances start uniform; with
    both they are aligned by their best path.
    """

    centre: FloatArray | None = None
    matrix: FloatArray | None = None
    means: FloatArray | None = None


@dataclass(eq=False)
class StateStatistics:
    """Sums over utterances. `posterior` is summed over `frames` in parts, a mean in the whole.

    The products of frames are asked for only with the uniform start; else they are `[0, 0]`.
    """

    sums: ClassSums
    spoken: NDArray[np.float64]
    speech: float
    posterior: float
    frames: float
    leads: NDArray[np.float64]

    @classmethod
    def zero(cls, states: int, dim: int, *, products: bool) -> StateStatistics:
        """The sums over nothing."""
        sums = ClassSums.zero(states, dim)
        if not products:
            sums = ClassSums(sums.counts, sums.sums, np.zeros((0, 0)))
        return cls(sums, np.zeros(dim), 0.0, 0.0, 0.0, np.zeros(len(LEADS_S)))

    def __add__(self, other: StateStatistics) -> StateStatistics:
        return StateStatistics(
            self.sums + other.sums,
            self.spoken + other.spoken,
            self.speech + other.speech,
            self.posterior + other.posterior,
            self.frames + other.frames,
            self.leads + other.leads,
        )

    def count(self, states: NDArray[np.int64], data: FloatArray) -> None:
        """Add frames `[T, D]` to the states that they are in, run by run; `NEVER` is no state."""
        starts = np.flatnonzero(np.diff(states, prepend=NEVER - 1))
        runs = states[starts]
        of_a_state = runs != NEVER
        np.add.at(self.sums.sums, runs[of_a_state], np.add.reduceat(data, starts)[of_a_state])
        np.add.at(
            self.sums.counts, runs[of_a_state], np.diff(starts, append=len(states))[of_a_state]
        )
        self.frames += len(data)


class StateAccumulator:
    """Sums over utterances, some at a time; one per process."""

    def __init__(
        self, utterances: Sequence[TrainingUtterance], phones: tuple[str, ...], states: int
    ) -> None:
        self._utterances = utterances
        self._columns = state_columns(phones, states)
        self._states = sum(len(columns) for columns in self._columns.values())
        self._spelled: dict[int, SpelledText] = {}

    def accumulate(self, estimate: Estimate, numbers: Sequence[int]) -> StateStatistics:
        """Sum over some of the utterances, in order."""
        total: StateStatistics | None = None
        for number in numbers:
            item = self._utterances[number]
            utterance = EncodedUtterance.load(item.path)
            if total is None:
                start = estimate.centre is not None and estimate.means is None
                dim = utterance.frames.embeddings.shape[1]
                total = StateStatistics.zero(self._states, dim, products=start)
            self._add(total, estimate, number, utterance)
        if total is None:
            raise ValueError("no utterances")
        return total

    def _add(
        self, total: StateStatistics, estimate: Estimate, number: int, utterance: EncodedUtterance
    ) -> None:
        raw, item = utterance.frames.embeddings, self._utterances[number]
        if estimate.centre is None:
            total.spoken += raw[utterance.loud].sum(axis=0, dtype=np.float64)
            total.speech += float(utterance.loud.sum())
            return
        data = centred(raw, utterance.loud, estimate.centre)
        if estimate.matrix is None or estimate.means is None:
            states = self._start(item, utterance)
            wide = data[states != NEVER].astype(np.float64)
            total.sums.products[:] += wide.T @ wide
            total.count(states, data)
            return
        if item.alignment is not None:
            total.count(self._start(item, utterance), data)
            return
        scores = densities(data @ estimate.matrix, estimate.means)
        text = self._text(number)
        path = best_path(text.graph, scores)
        if path is None:  # too short for its text: it teaches nothing
            states = np.full(len(data), self._columns[SILENCE][0])
        else:
            states = text.graph.column[path.states]
            total.leads += _flux_by_lead(utterance, text.graph.phone[path.states])
        best = scores.max(axis=1)
        whole = best + np.log(np.exp(scores - best[:, None]).sum(axis=1))
        total.posterior += float((scores[np.arange(len(data)), states] - whole).sum())
        total.count(states, data)

    def _text(self, number: int) -> SpelledText:
        pronunciation = self._utterances[number].pronunciation
        if pronunciation is None:
            raise ValueError("a item with a ready alignment is not aligned")
        if number not in self._spelled:
            self._spelled[number] = spell(pronunciation, self._columns)
        return self._spelled[number]

    def _start(self, item: TrainingUtterance, utterance: EncodedUtterance) -> NDArray[np.int64]:
        """States of all frames before anything is known, or as a given alignment has them.

        Speech whose phones nobody knows is in no state: `NEVER`.
        """
        length = len(utterance.loud)
        states = np.full(length, self._columns[SILENCE][0], dtype=np.int64)
        if item.alignment is None and item.pronunciation is not None:
            sequence = [
                column
                for phone in item.pronunciation.canonical()
                for column in self._columns[phone.phone]
            ]
            loud = np.flatnonzero(utterance.loud)
            share = np.arange(len(loud)) * len(sequence) // max(len(loud), 1)
            states[loud] = np.array(sequence)[share]
            return states
        times = utterance.frames.times_s
        for phone in item.alignment.phones if item.alignment else ():
            inside = np.flatnonzero((times >= phone.start_s) & (times < phone.end_s))
            if phone.is_silence:
                states[inside] = self._columns.get(phone.phone, (NEVER,))[0]
                continue
            columns = self._columns[phone.phone]
            share = np.arange(len(inside)) * len(columns) // max(len(inside), 1)
            states[inside] = np.array(columns)[share]
        return states


def _flux_by_lead(utterance: EncodedUtterance, owner: NDArray[np.int64]) -> NDArray[np.float64]:
    """Spectral change at the boundaries of a path, moved by each of `LEADS_S`, `[L]`."""
    cuts = np.flatnonzero(np.diff(owner)) + 1
    frames = utterance.frames
    times = frames.offset_s + frames.hop_s * (cuts - 0.5)
    # value f lies between the centres of two frames of 10 ms
    at = (np.add.outer(np.array(LEADS_S), times) * SAMPLE_RATE - WINDOW / 2) / HOP - 0.5
    places = np.clip(np.rint(at).astype(np.int64), 0, len(utterance.flux) - 1)
    return np.asarray(utterance.flux[places].sum(axis=1, dtype=np.float64))


Accumulate = Callable[[Estimate, int | None], StateStatistics]
"""Sums over all utterances, or over the first few."""


@contextmanager
def accumulating(
    utterances: Sequence[TrainingUtterance], phones: tuple[str, ...], states: int, workers: int
) -> Iterator[Accumulate]:
    """Sums over utterances, by several processes.

    Chunks are added up in their order, whoever worked on them.
    """
    chunks = [
        range(first, min(first + CHUNK, len(utterances)))
        for first in range(0, len(utterances), CHUNK)
    ]

    def chunks_of(few: int | None) -> list[range]:
        return chunks if few is None else chunks[: -(-few // CHUNK)]

    def add_up(parts: Iterator[StateStatistics]) -> StateStatistics:
        total = next(parts)
        for part in parts:
            total = total + part
        return replace(total, posterior=total.posterior / max(total.frames, 1.0))

    if workers <= 1 or len(chunks) == 1:
        accumulator = StateAccumulator(utterances, phones, states)
        yield lambda estimate, few: add_up(
            accumulator.accumulate(estimate, chunk) for chunk in chunks_of(few)
        )
        return
    made = (utterances, phones, states)
    with spawned(min(workers, len(chunks)), StateAccumulator, *made) as run:
        yield lambda estimate, few: add_up(
            run(StateAccumulator.accumulate, repeat(estimate), chunks_of(few))
        )
