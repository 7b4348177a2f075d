"""The search against an enumeration of every path, and its cost on long recordings."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nativeear.speech.aligners.viterbi import GraphBuilder, StateGraph, best_path

FloatArray = NDArray[np.float64]
N_COLUMNS = 4


@dataclass
class Sketch:
    """A graph as plain lists: what the enumeration walks, independently of `StateGraph`."""

    columns: list[int]
    arcs: list[dict[int, float]]  # of every state, where it may come from
    first: list[bool]
    last: list[int]

    @property
    def graph(self) -> StateGraph:
        builder = GraphBuilder()
        for state, (column, arcs, first) in enumerate(
            zip(self.columns, self.arcs, self.first, strict=True)
        ):
            before = [(source, weight) for source, weight in arcs.items() if source != state]
            builder.add(column, state, before, loop=arcs.get(state), first=first)
        return builder.build(self.last)

    def paths(self, scores: FloatArray) -> Iterator[tuple[float, tuple[int, ...]]]:
        """Every path with its score."""

        def extend(path: tuple[int, ...], score: float) -> Iterator[tuple[float, tuple[int, ...]]]:
            if len(path) == len(scores):
                if path[-1] in self.last:
                    yield score, path
                return
            for state, arcs in enumerate(self.arcs):
                if path[-1] in arcs:
                    emitted = scores[len(path), self.columns[state]]
                    yield from extend((*path, state), score + arcs[path[-1]] + emitted)

        for state, first in enumerate(self.first):
            if first:
                yield from extend((state,), float(scores[0, self.columns[state]]))


def random_sketch(rng: np.random.Generator, size: int) -> Sketch:
    """Variants, skips, states that last one frame, several first and last ones; dead ends too."""
    arcs = []
    for state in range(size):
        sources = [source for source in range(state + 1) if rng.random() < 0.6]
        arcs.append({source: float(rng.normal()) for source in sources})
    first = (rng.random(size) < 0.4).tolist()
    first[int(rng.integers(size))] = True
    last = np.flatnonzero(rng.random(size) < 0.4).tolist() or [size - 1]
    return Sketch(rng.integers(N_COLUMNS, size=size).tolist(), arcs, first, last)


def chain(columns: Sequence[int]) -> StateGraph:
    builder = GraphBuilder()
    before: list[tuple[int, float]] = []
    for place, column in enumerate(columns):
        before = [(builder.add(column, place, before, first=place == 0), 0.0)]
    return builder.build([len(columns) - 1])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_the_best_of_all_paths_is_found(seed: int, size: int, n_frames: int) -> None:
    rng = np.random.default_rng(seed)
    sketch = random_sketch(rng, size)
    scores = 3 * rng.normal(size=(n_frames, N_COLUMNS))
    found = best_path(sketch.graph, scores)
    score_of = {path: score for score, path in sketch.paths(scores)}
    if not score_of:
        assert found is None
        return
    assert found is not None
    assert found.score == pytest.approx(max(score_of.values()))
    # States of one column may draw level, so there may be several best paths.
    assert score_of[tuple(found.states.tolist())] == pytest.approx(found.score)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_wide_beam_changes_nothing_and_a_narrow_one_never_gains(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = rng.integers(N_COLUMNS, size=12)
    scores = rng.normal(size=(40, N_COLUMNS))
    whole = best_path(chain(columns), scores, beams=(np.inf,))
    wide = best_path(chain(columns), scores, beams=(300.0,))
    narrow = best_path(chain(columns), scores, beams=(1.0, np.inf))
    assert whole is not None and wide is not None and narrow is not None
    assert wide.states.tolist() == whole.states.tolist()
    assert wide.score == whole.score
    assert narrow.score <= whole.score


def test_a_beam_that_loses_the_path_gives_way_to_a_wider_one() -> None:
    # Two ways in: one is far better for a frame and leads nowhere.
    sketch = Sketch([0, 1, 2], [{}, {1: 0.0}, {1: 0.0, 2: 0.0}], [True, True, False], [2])
    scores = np.array([[50.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    scores = np.insert(scores, 0, scores[0], axis=0)
    sketch.arcs[0] = {0: 0.0}
    assert best_path(sketch.graph, scores, beams=(10.0,)) is None
    found = best_path(sketch.graph, scores, beams=(10.0, np.inf))
    assert found is not None
    assert found.states.tolist() == [1, 1, 1, 2]
    assert found.score == max(sketch.paths(scores))[0]


@pytest.mark.parametrize("n_frames", [0, 1, 4])
def test_too_few_frames_have_no_path(n_frames: int) -> None:
    assert best_path(chain([0, 1, 2, 3, 0]), np.zeros((n_frames, N_COLUMNS))) is None


def test_as_many_frames_as_states_have_one_path() -> None:
    found = best_path(chain([0, 1, 2]), np.zeros((3, N_COLUMNS)))
    assert found is not None and found.states.tolist() == [0, 1, 2]


def test_a_state_of_one_frame_is_left_at_once() -> None:
    builder = GraphBuilder()
    once = builder.add(0, 0, [], loop=None, first=True)
    then = builder.add(1, 1, [(once, 0.0)])
    found = best_path(builder.build([then]), np.tile([9.0, 0.0], (5, 1)))
    assert found is not None and found.states.tolist() == [0, 1, 1, 1, 1]


def test_ten_minutes_are_aligned_in_little_memory() -> None:
    """A table of all states over all frames would take 180 million cells, most of a gigabyte."""
    n_phones, n_frames, n_sounds = 6_000, 30_000, 40
    rng = np.random.default_rng(0)
    columns = rng.integers(n_sounds, size=n_phones)
    # Every phone lasts a frame at least; neighbours of one sound could not be told apart.
    columns[1:][np.diff(columns) == 0] = (columns[1:][np.diff(columns) == 0] + 1) % n_sounds
    columns = columns[np.insert(np.diff(columns) != 0, 0, True)]
    cuts = np.sort(rng.choice(np.arange(1, n_frames), len(columns) - 1, replace=False))
    planted = np.zeros(n_frames, dtype=np.int64)
    planted[cuts] = 1
    planted = planted.cumsum()
    scores = rng.normal(size=(n_frames, n_sounds)).astype(np.float32)
    scores[np.arange(n_frames), columns[planted]] += 12.0
    graph = chain(columns.tolist())
    tracemalloc.start()
    try:
        found = best_path(graph, scores)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found is not None
    assert (found.states == planted).mean() > 0.999
    assert peak < 150e6
