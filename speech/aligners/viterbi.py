"""The best path of a recording through the pronunciations of its text.

A *state graph* spells what may be said: every word in each of its variants, pauses where nobody
need speak. States are ordered so that no arc leads backwards but a state's own loop. The best
path is found frame by frame over a window of states that have not fallen behind the best one by
more than a beam; the window moves on with the speech, so that time and memory grow with the
length of the recording and not with its square. A path that the beam has lost is looked for again
with a wider one, at last with none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BEAMS = (250.0, 1_000.0, np.inf)
"""Widths tried one after the other, in nats behind the frame's best path."""

NEVER = -1
"""Stands for no predecessor, and for no phone in a state of silence."""


@dataclass(frozen=True, eq=False)
class StateGraph:
    """States of a recording's text, in order.

    Attributes
    ----------
    column
        int64 `[S]`: column of the frame scores that a state emits.
    phone
        int64 `[S]`: which phone of the text a state belongs to, counted over all variants;
        `NEVER` for silence.
    before
        int64 `[S, P]`: predecessors of every state, itself among them where it may last;
        `NEVER` fills up.
    weight
        float64 `[S, P]`: log weight of these arcs.
    first, last
        bool `[S]`: states that a path may begin in, and end in.
    """

    column: IntArray
    phone: IntArray
    before: IntArray
    weight: FloatArray
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.column)


class GraphBuilder:
    """Collects states and arcs; a state may follow earlier ones only."""

    def __init__(self) -> None:
        self._column: list[int] = []
        self._phone: list[int] = []
        self._arcs: list[list[tuple[int, float]]] = []
        self._first: list[bool] = []

    def add(
        self,
        column: int,
        phone: int,
        before: Sequence[tuple[int, float]],
        *,
        loop: float | None = 0.0,
        first: bool = False,
    ) -> int:
        """Add a state and return its number.

        Parameters
        ----------
        column, phone
            See `StateGraph`.
        before
            States that it may follow, with the log weight of the arc.
        loop
            Log weight of staying in it for another frame; None if it lasts one frame.
        first
            Whether a path may begin in it.
        """
        own = len(self._column)
        self._column.append(column)
        self._phone.append(phone)
        self._arcs.append([*([] if loop is None else [(own, loop)]), *before])
        self._first.append(first)
        return own

    def build(self, last: Sequence[int]) -> StateGraph:
        """The finished graph; `last` are the states that a path may end in."""
        size = len(self._column)
        width = max(len(arcs) for arcs in self._arcs)
        before = np.full((size, max(width, 1)), NEVER, dtype=np.int64)
        weight = np.full(before.shape, -np.inf)
        for state, arcs in enumerate(self._arcs):
            for place, (source, log_weight) in enumerate(arcs):
                before[state, place] = source
                weight[state, place] = log_weight
        ends = np.zeros(size, dtype=bool)
        ends[list(last)] = True
        return StateGraph(
            np.array(self._column, dtype=np.int64),
            np.array(self._phone, dtype=np.int64),
            before,
            weight,
            np.array(self._first, dtype=bool),
            ends,
        )


@dataclass(frozen=True, eq=False)
class StatePath:
    """The best path: a state for every frame, int64 `[T]`, and its log score."""

    states: IntArray
    score: float


def best_path(
    graph: StateGraph, scores: NDArray[np.floating], beams: Sequence[float] = BEAMS
) -> StatePath | None:
    """Find the best path through a graph.

    Parameters
    ----------
    graph
        What may be said.
    scores
        Log score of every column in every frame, `[T, C]`.
    beams
        Beams in nats, tried in order until a path arrives.

    Returns
    -------
    StatePath or None
        None where the recording has too few frames for any path.
    """
    if not len(scores):
        return None
    for beam in beams:
        found = _search(graph, scores, beam)
        if found is not None:
            return found
    return None


def _search(graph: StateGraph, scores: NDArray[np.floating], beam: float) -> StatePath | None:
    # Shifted by one, so that the predecessor `NEVER` reads a value of -inf in front.
    before = graph.before + 1
    follow = np.maximum.accumulate(_furthest(graph))
    value = np.full(len(graph) + 1, -np.inf)
    low, high = 0, int(np.flatnonzero(graph.first)[-1]) + 1
    emitted = scores[0, graph.column[:high]].astype(np.float64)
    value[1 : high + 1] = np.where(graph.first[:high], emitted, -np.inf)
    chosen: list[tuple[int, NDArray[np.int32]]] = [(0, np.empty(0, np.int32))]
    for t in range(1, len(scores)):
        high = min(len(graph), int(follow[high - 1]) + 1)
        window = slice(low, high)
        arriving = value[before[window]]
        arriving += graph.weight[window]
        best = arriving.argmax(axis=1)
        rows = np.arange(high - low)
        chosen.append((low, graph.before[low + rows, best].astype(np.int32)))
        now = arriving[rows, best]
        now += scores[t, graph.column[window]]
        top = now.max()
        if top == -np.inf:
            return None
        # States that have fallen behind are forgotten: nothing outside the window has a value.
        now[now < top - beam] = -np.inf
        value[low + 1 : high + 1] = now
        alive = np.flatnonzero(now > -np.inf)
        low, high = low + int(alive[0]), low + int(alive[-1]) + 1
    ends = np.flatnonzero(graph.last[low:high] & (value[low + 1 : high + 1] > -np.inf)) + low
    if not len(ends):
        return None
    state = int(ends[np.argmax(value[ends + 1])])
    score = float(value[state + 1])
    states = np.empty(len(scores), dtype=np.int64)
    for t in range(len(scores) - 1, -1, -1):
        states[t] = state
        if t:
            start, backward = chosen[t]
            state = int(backward[state - start])
    return StatePath(states, score)


def _furthest(graph: StateGraph) -> IntArray:
    """The furthest state that each state leads to, int64 `[S]`."""
    furthest = np.arange(len(graph))
    for place in range(graph.before.shape[1]):
        known = graph.before[:, place] >= 0
        np.maximum.at(furthest, graph.before[known, place], np.flatnonzero(known))
    return furthest
