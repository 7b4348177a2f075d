"""The best path of a recording through all readings of its text.

Viterbi's recursion in log space, a frame at a time over all states at once. Values are kept and
not backpointers: the few that lie on the path are asked again on the way back. Of a text of minutes
only the words around the best ones are looked at, so that time and memory grow with the recording
alone; there a reader may stop anywhere, but skips no more than `AHEAD` words at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.reading.graph import BLANK, WORDS_BACK, Costs, ReadingGraph

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BEAM = 200.0
"""Nats behind the best state from which a word of a long text is not looked at."""

WHOLE = 8_000_000
"""Frames times states of a text that is looked at as a whole: a minute of speech, in 128 MB."""

OPENING = 60
"""Words of a longer text that are looked at first."""

BLOCK, AHEAD = 50, 15
"""Frames after which the words that are looked at are chosen anew, and words ahead of the last."""


class Pass(NamedTuple):
    """Frames `[first, past)` in one form of a word, in one pause, or in other speech.

    `states` are those of the word, one a frame; empty in a pause (`extra` is False) and in speech
    that belongs to no word. `joint` is the joint before the word, or the one in which they lie.
    """

    joint: int
    first: int
    past: int
    states: tuple[int, ...] = ()
    extra: bool = False


@dataclass(frozen=True, eq=False)
class ReadingPath:
    """The best path, in order of time, and what it is worth beside the best of free phones."""

    passes: tuple[Pass, ...]
    score: float
    free_score: float


@dataclass(frozen=True, eq=False)
class _Block:
    """Values of the frames from `first` on, of words `[low, high)` and the joints around them.

    `others` are those of the same states as `words`, with something else said in their place.
    """

    first: int
    low: int
    high: int
    words: FloatArray
    others: FloatArray
    pauses: FloatArray
    extras: FloatArray
    joints: FloatArray


def free_scores(log_probs: FloatArray, extra_phone: float) -> tuple[FloatArray, FloatArray]:
    """Score of every frame in a loop of free phones, with and without `extra_phone` for each.

    Any phone may follow any other there, so that its best path is the best column of each frame.
    """
    best = log_probs.argmax(axis=1)
    plain = log_probs[np.arange(len(best)), best]
    return plain - extra_phone * phone_onsets(best), plain


def phone_onsets(best: NDArray[np.integer]) -> NDArray[np.bool_]:
    """In which frames of a greedy decode a phone begins; `best` is each one's column, `[T]`."""
    onsets: NDArray[np.bool_] = np.concatenate([[True], best[1:] != best[:-1]])
    onsets &= best != BLANK
    return onsets


def tolerant(log_probs: FloatArray, distances: FloatArray, costs: Costs) -> FloatArray:
    """Score of every column where another phone may stand in for it, `[T, C]`.

    Learners and natives say many a phone otherwise, and have read the word all the same. A column
    is worth what it is itself, or what another one is less the cost of their difference.

    Parameters
    ----------
    log_probs
        `[T, C]`.
    distances
        Of the columns' phones, `[C, C]`; infinite where one is no phone.
    costs
        What another phone costs.
    """
    other = costs.other + costs.distance * distances
    np.fill_diagonal(other, 0.0)
    scores = np.empty_like(log_probs)
    for column, own in enumerate(other):
        near = np.flatnonzero(own < -costs.floor)
        scores[:, column] = (log_probs[:, near] - own[near]).max(axis=1)
    return np.maximum(scores, costs.floor)


def best_reading(
    graph: ReadingGraph,
    log_probs: NDArray[np.floating],
    costs: Costs,
    *,
    distances: FloatArray | None = None,
) -> ReadingPath:
    """Find the best path; there is one through any recording of a frame or more.

    Parameters
    ----------
    graph
        The text.
    log_probs
        Log posterior of every column in every frame, `[T, C]`, column `BLANK` the blank.
    costs
        What departing from the text costs.
    distances
        Of the columns' phones, see `tolerant`; by default no phone stands in for another.
    """
    scores = np.asarray(log_probs, dtype=np.float64)
    if distances is None:
        distances = np.full((scores.shape[1],) * 2, np.inf)
    search = _Search(graph, scores * costs.weight, distances, costs)
    blocks = search.forward()
    passes = search.backward(blocks)
    end = blocks[-1]
    score = float(end.joints[-1, -1]) - float(graph.skips[end.high :].sum())
    return ReadingPath(passes, score, float(search.plain.sum()))


class _Search:
    def __init__(
        self, graph: ReadingGraph, scores: FloatArray, distances: FloatArray, costs: Costs
    ) -> None:
        self.graph, self.costs = graph, costs
        self.free, self.plain = free_scores(scores, costs.extra_phone)
        self.scores = tolerant(scores, distances, costs)
        self.wrong, _ = free_scores(scores, costs.wrong_phone)
        self.at_labels = np.where(graph.spoken, -costs.wrong, -np.inf)
        self.blank = self.scores[:, BLANK]
        self.skipped = np.concatenate([[0.0], np.cumsum(graph.skips)])
        # Only a label that does not open a form can be reached from the label before it.
        self.by_two = np.where(graph.spoken, 0.0, -np.inf)
        self.by_two[graph.first] = -np.inf
        forms = np.bincount(graph.last_word, minlength=graph.words)
        self.ends = np.full((graph.words, forms.max()), -1, dtype=np.int64)
        place = np.arange(len(graph.last)) - np.repeat(np.cumsum(forms) - forms, forms)
        self.ends[graph.last_word, place] = graph.last
        self.ends[self.ends < 0] = np.repeat(
            graph.last[np.cumsum(forms) - 1], (self.ends < 0).sum(1)
        )

    def forward(self) -> list[_Block]:
        n, frames = self.graph.words, len(self.scores)
        whole = frames * len(self.graph.column) <= WHOLE
        length = frames if whole else BLOCK
        blocks: list[_Block] = []
        low, high = 0, n if whole else min(n, OPENING)
        before = np.full(n + 1, -np.inf)
        before[0] = 0.0
        before = self._skipping(before, 0, n)
        for first in range(0, frames, length):
            if blocks:
                low, high = self._window(blocks[-1])
            past = min(frames, first + length)
            blocks.append(self._block(slice(first, past), slice(low, high), before, blocks))
        return blocks

    def _window(self, block: _Block) -> tuple[int, int]:
        """The words that the next block looks at."""
        a = self.graph.bounds[block.low]
        values = np.maximum.reduceat(
            np.maximum(block.words[-1], block.others[-1]),
            self.graph.bounds[block.low : block.high] - a,
        )
        pauses, extras = block.pauses[-1], block.extras[-1]
        values = np.maximum(values, np.maximum(pauses, extras)[:-1])
        top = max(values.max(), pauses.max(), extras.max())
        alive = np.flatnonzero(values > top - BEAM)
        n = self.graph.words
        if not len(alive):
            return max(0, block.high - OPENING), min(n, block.high + AHEAD)
        low = max(0, block.low + int(alive[0]) - WORDS_BACK)
        return low, min(n, block.low + int(alive[-1]) + 1 + AHEAD)

    def _block(
        self, frames: slice, window: slice, before: FloatArray, blocks: list[_Block]
    ) -> _Block:
        """Values of some frames of the words of a window, after those of earlier blocks."""
        first, past, low, high = frames.start, frames.stop, window.start, window.stop
        graph = self.graph
        a, b = graph.bounds[low], graph.bounds[high]
        size, joints = int(b - a), high - low + 1
        now, other = np.full(size, -np.inf), np.full(size, -np.inf)
        pause, extra = np.full(joints, -np.inf), np.full(joints, -np.inf)
        joint = before[low : high + 1]
        if blocks:
            old = blocks[-1]
            joint = _moved(old.joints[-1], old.low, low, joints)
            pause = _moved(old.pauses[-1], old.low, low, joints)
            extra = _moved(old.extras[-1], old.low, low, joints)
            now = _moved(old.words[-1], int(graph.bounds[old.low]), int(a), size)
            other = _moved(old.others[-1], int(graph.bounds[old.low]), int(a), size)
        length = past - first
        words, others = np.empty((length, size)), np.empty((length, size))
        pauses, extras, all_joints = (np.empty((length, joints)) for _ in range(3))
        emitted = self.scores[first:past][:, graph.column[a:b]]
        own = slice(*np.searchsorted(graph.first, [a, b]))
        opening, opens, cost = (
            graph.first[own] - a,
            graph.first_joint[own] - low,
            graph.first_cost[own],
        )
        by_two, at_labels = self.by_two[a + 2 : b], self.at_labels[a:b]
        step = np.empty(size)
        either = np.maximum(now, other)
        for t in range(length):
            step[0] = -np.inf
            step[1:] = either[:-1]
            step[opening] = joint[opens] - cost
            if size > 2:
                np.maximum(step[2:], either[:-2] + by_two, out=step[2:])
            other = np.maximum(other, step + at_labels, out=others[t])
            other += self.wrong[first + t]
            now = np.maximum(now, step, out=words[t])
            now += emitted[t]
            either = np.maximum(now, other)
            pause = np.add(np.maximum(pause, joint), self.blank[first + t], out=pauses[t])
            extra = np.maximum(extra, joint - self.costs.extra)
            extra = np.add(extra, self.free[first + t], out=extras[t])
            joint = all_joints[t]
            joint[:] = self._joints(self._arrivals(either, pause, extra, low, high), low, high)
        return _Block(first, low, high, words, others, pauses, extras, all_joints)

    def _arrivals(
        self, words: FloatArray, pauses: FloatArray, extras: FloatArray, low: int, high: int
    ) -> FloatArray:
        """Best value of what ends at each joint of a window."""
        graph = self.graph
        a = graph.bounds[low]
        arriving = np.maximum(pauses, extras)
        if high > low:
            ended = words[self.ends[low:high] - a].max(axis=1)
            np.maximum(arriving[1:], ended, out=arriving[1:])
            within = np.maximum.reduceat(words, graph.bounds[low:high] - a) - self.costs.restart
            np.maximum(arriving[:-1], within, out=arriving[:-1])
        return arriving

    def _joints(self, arriving: FloatArray, low: int, high: int) -> FloatArray:
        """Best value at each joint, after words were skipped or gone back behind."""
        reached = self._skipping(arriving, low, high)
        for back in range(1, min(WORDS_BACK, high - low) + 1):
            np.maximum(reached[:-back], arriving[back:] - self._back(back), out=reached[:-back])
        return reached

    def _skipping(self, arriving: FloatArray, low: int, high: int) -> FloatArray:
        skipped = self.skipped[low : high + 1]
        reached: FloatArray = np.maximum.accumulate(arriving + skipped) - skipped
        return reached

    def _back(self, words: int) -> float:
        return self.costs.back + self.costs.back_word * words

    def backward(self, blocks: list[_Block]) -> tuple[Pass, ...]:
        """The path, from its end at the last joint to its beginning at the first.

        Words behind those that the last frame looked at were skipped.
        """
        passes: list[Pass] = []
        t, joint = len(self.scores) - 1, blocks[-1].high
        while t >= 0:
            joint, state, extra = self._arrived(blocks, t, joint)
            if state < 0:
                first = self._stayed(blocks, t, joint, extra=extra)
                passes.append(Pass(joint, first, t + 1, extra=extra))
            else:
                states = self._within(blocks, t, state)
                first = t + 1 - len(states)
                joint = int(np.searchsorted(self.graph.bounds, state, side="right")) - 1
                passes.append(Pass(joint, first, t + 1, states))
            t = first - 1
        return tuple(reversed(passes))

    def _arrived(self, blocks: list[_Block], t: int, joint: int) -> tuple[int, int, bool]:
        """What came to `joint` behind frame t: another's joint, a state or -1, or other speech."""
        block, at = _of(blocks, t)
        low, high = block.low, block.high
        either = np.maximum(block.words[at], block.others[at])
        values = either, block.pauses[at], block.extras[at]
        arriving = self._arrivals(*values, low, high)
        place = joint - low
        ahead = (arriving + self.skipped[low : high + 1])[: place + 1]
        source = int(ahead.argmax())
        best = ahead[source] - self.skipped[joint]
        for back in range(1, min(WORDS_BACK, high - joint) + 1):
            if arriving[place + back] - self._back(back) > best:
                source, best = place + back, arriving[place + back] - self._back(back)
        value = arriving[source]
        if values[1][source] == value:
            return low + source, -1, False
        if values[2][source] == value:
            return low + source, -1, True
        a = int(self.graph.bounds[low])
        if source > 0:
            ends = self.ends[low + source - 1]
            end = int(ends[values[0][ends - a].argmax()])
            if values[0][end - a] == value:
                return low + source, end, False
        own = slice(*self.graph.bounds[low + source : low + source + 2] - a)
        return low + source, a + own.start + int(values[0][own].argmax()), False

    def _stayed(self, blocks: list[_Block], t: int, joint: int, *, extra: bool) -> int:
        """The first frame of a pause, or of other speech, that lasts at frame t."""
        cost = self.costs.extra if extra else 0.0
        while t > 0:
            block, at = _of(blocks, t - 1)
            if not block.low <= joint <= block.high:
                break
            place = joint - block.low
            staying = (block.extras if extra else block.pauses)[at, place]
            if block.joints[at, place] - cost > staying:
                break
            t -= 1
        return t

    def _within(self, blocks: list[_Block], t: int, state: int) -> tuple[int, ...]:
        """States of one pass through a word that is in `state` at frame t."""
        graph = self.graph
        entry = {int(s): i for i, s in enumerate(graph.first)}.get
        block, at = _of(blocks, t)
        place = state - int(graph.bounds[block.low])
        wrong = block.others[at, place] > block.words[at, place]
        states = [state]
        while t > 0:
            block, at = _of(blocks, t - 1)
            a = int(graph.bounds[block.low])
            values, place = np.maximum(block.words[at], block.others[at]), state - a
            opening = entry(state)
            own = block.others[at] if wrong else block.words[at]
            stay = own[place] if 0 <= place < len(own) else -np.inf
            stay -= self.at_labels[state] if wrong else 0.0
            if opening is not None:
                joint = graph.first_joint[opening] - block.low
                if block.joints[at, joint] - graph.first_cost[opening] > stay:
                    break
            else:
                step = values[place - 1]
                leap = values[place - 2] if place > 1 else -np.inf
                leap += self.by_two[state]
                if max(step, leap) > stay:
                    state -= 1 if step >= leap else 2
                    wrong = block.others[at, state - a] > block.words[at, state - a]
            states.append(state)
            t -= 1
        return tuple(reversed(states))


def _moved(values: FloatArray, of: int, to: int, size: int) -> FloatArray:
    """Values that began at `of` as `size` that begin at `to`; -inf where there were none."""
    moved = np.full(size, -np.inf)
    first, past = max(of, to), min(of + len(values), to + size)
    if first < past:
        moved[first - to : past - to] = values[first - of : past - of]
    return moved


def _of(blocks: list[_Block], t: int) -> tuple[_Block, int]:
    """The block of a frame, and the frame's place in it."""
    length = len(blocks[0].words)
    block = blocks[t // length]
    return block, t - block.first
