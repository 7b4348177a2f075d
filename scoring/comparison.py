"""A learner's recording laid on natives' of the same words, without any text.

Frames are laid on those of one native by dynamic time warping; so are those of other natives, whose
distances there say how far natives are from each other; so does an index (`native_spread`), which
needs no others. Nothing needs to be known of the language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.frames import Frames

FloatArray = NDArray[np.float64]
Space = Callable[[NDArray[np.float32]], NDArray[np.float32]]

SMOOTHED_S = 0.1
"""Distances are means over so much speech: a phone is about as long."""

LEAST_S = 0.06
"""What differs for less is no sound."""

NATIVE_QUANTILE = 0.95
"""Share of other natives' distances that a difference exceeds, beside those of all natives there,
where no index tells what to expect."""

OTHER_WORDS = 0.75
"""Share of the distance from the native backwards from which on two recordings are told to be of
other words. Voices, accents and rooms make both distances larger, words one alone. Both are those
of frames as the encoder hears them: an index tells accents from each other too well."""


@dataclass(frozen=True, eq=False)
class Expected:
    """What is to be expected of another native at each frame of one.

    Attributes
    ----------
    distances
        Mean distance, float64 `[T]`.
    limits
        What he would hardly exceed, float64 `[T]`.
    """

    distances: FloatArray
    limits: FloatArray


@dataclass(frozen=True)
class Difference:
    """A stretch where the learner is farther from the native than other natives are.

    Attributes
    ----------
    start_s, end_s
        In the learner's recording, in seconds.
    native_start_s, native_end_s
        What lies on it in the native's.
    distance
        Mean distance there, 0 (same) to 2.
    natives
        Mean distance of other natives there; without any, what is expected of them.
    limit
        What a native would hardly exceed there.
    """

    start_s: float
    end_s: float
    native_start_s: float
    native_end_s: float
    distance: float
    natives: float
    limit: float


@dataclass(frozen=True)
class Comparison:
    """What came of it.

    Attributes
    ----------
    distance
        Mean distance of the learner from the native.
    share_of_backwards
        Distance from the native over that from his frames in reverse order, which are words of no
        language; both as the encoder hears them, whatever the space.
    natives
        The distance of each other native.
    different
        Share of the native's frames where the learner differs.
    differences
        The stretches, in order of time.
    """

    distance: float
    share_of_backwards: float
    natives: tuple[float, ...]
    different: float
    differences: tuple[Difference, ...]

    @property
    def other_words(self) -> bool:
        """Whether the two seem to be of different words; differences then mean nothing."""
        return self.share_of_backwards > OTHER_WORDS

    def moved(self, learner_s: float, native_s: float) -> Comparison:
        """With times so many seconds later, as where silence had been cut away."""

        def later(at_s: float, by_s: float) -> float:
            return max(0.0, at_s + by_s)

        return replace(
            self,
            differences=tuple(
                replace(
                    each,
                    start_s=later(each.start_s, learner_s),
                    end_s=later(each.end_s, learner_s),
                    native_start_s=later(each.native_start_s, native_s),
                    native_end_s=later(each.native_end_s, native_s),
                )
                for each in self.differences
            ),
        )


def centred(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors, float32 `[T, D]`, without what is common to a recording: voice and channel."""
    own = embeddings - embeddings.mean(axis=0)
    norms = np.linalg.norm(own, axis=1, keepdims=True)
    return np.asarray(own / np.maximum(norms, 1e-12), dtype=np.float32)


def compare(
    learner: Frames,
    native: Frames,
    others: Sequence[Frames],
    space: Space = centred,
    expected: Expected | None = None,
) -> Comparison:
    """Find where a learner differs from a native by more than other natives do.

    Parameters
    ----------
    learner, native, others
        The same words.
    space
        Turns embeddings into unit vectors.
    expected
        Of another native, at the native's frames.

    Raises
    ------
    ValueError
        If there is neither another native nor anything to expect.
    """
    if not others and expected is None:
        raise ValueError("without other natives nothing tells how much natives differ")
    reference = space(native.embeddings)
    width = max(1, round(SMOOTHED_S / native.hop_s))
    path, distances = _laid(reference, space(learner.embeddings), width)
    among = [_laid(reference, space(each.embeddings), width)[1] for each in others]
    if expected is None:
        limit = np.maximum(np.max(among, axis=0), np.quantile(among, NATIVE_QUANTILE))
    else:
        limit = np.max([*among, _smoothed(expected.limits, width)], axis=0)
    natives = np.mean(among, axis=0) if expected is None or among else expected.distances
    over = distances > limit
    runs = [run for run in _runs(over) if (run[1] - run[0]) * native.hop_s >= LEAST_S]
    found = tuple(
        Difference(
            start_s=_time(learner, int(path[first, 0]) - 0.5),
            end_s=_time(learner, int(path[past - 1, 1]) + 0.5),
            native_start_s=_time(native, first - 0.5),
            native_end_s=_time(native, past - 0.5),
            distance=float(distances[first:past].mean()),
            natives=float(natives[first:past].mean()),
            limit=float(limit[first:past].mean()),
        )
        for first, past in runs
    )
    return Comparison(
        distance=float(distances.mean()),
        share_of_backwards=_share_of_backwards(native, learner, width),
        natives=tuple(float(each.mean()) for each in among),
        different=sum(past - first for first, past in runs) / len(distances),
        differences=found,
    )


def lay_on(costs: FloatArray) -> NDArray[np.int64]:
    """The cheapest path through costs, `[N, M]`: which columns lie on each row.

    Steps go one row, one column, or one of both on; a cell counts as often as it is entered, a
    diagonal step twice, so that no direction is preferred (Sakoe and Chiba, 1978).

    Returns
    -------
    NDArray
        int64 `[N, 2]`, first and last column on every row.
    """
    rows, columns = costs.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = -costs[0, 0]  # the first cell is entered once
    for diagonal in range(2, rows + columns + 1):
        i = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        j = diagonal - i
        here = costs[i - 1, j - 1]
        total[i, j] = np.minimum(
            total[i - 1, j - 1] + 2 * here,
            np.minimum(total[i - 1, j], total[i, j - 1]) + here,
        )
    laid = np.full((rows, 2), -1, dtype=np.int64)
    i, j = rows, columns
    while i and j:
        row, column, here = i - 1, j - 1, costs[i - 1, j - 1]
        laid[row] = (column, max(int(laid[row, 1]), column))
        if total[i, j] == total[row, column] + 2 * here:
            i, j = row, column
        elif total[i, j] == total[row, j] + here:
            i = row
        else:
            j = column
    return laid


def _laid(
    reference: NDArray[np.float32], other: NDArray[np.float32], width: int
) -> tuple[NDArray[np.int64], FloatArray]:
    """Where another recording lies on each frame of the reference, and how far it is, `[N]`."""
    costs = 1.0 - (reference @ other.T).astype(np.float64)
    laid = lay_on(costs)
    own = np.array([costs[i, a : b + 1].mean() for i, (a, b) in enumerate(laid.tolist())])
    return laid, _smoothed(own, width)


def _share_of_backwards(native: Frames, learner: Frames, width: int) -> float:
    reference, own = centred(native.embeddings), centred(learner.embeddings)
    forwards, backwards = (
        float(_laid(each, own, width)[1].mean()) for each in (reference, reference[::-1])
    )
    return forwards / max(backwards, 1e-12)


def _smoothed(values: FloatArray, width: int) -> FloatArray:
    """Means over so many frames around each; over fewer at the ends."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    first = np.maximum(np.arange(len(values)) - width // 2, 0)
    past = np.minimum(np.arange(len(values)) + (width + 1) // 2, len(values))
    return np.asarray((sums[past] - sums[first]) / (past - first))


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _time(frames: Frames, place: float) -> float:
    """Seconds of a place between frames, 0.5 being the edge behind the first."""
    return max(0.0, float(frames.offset_s + place * frames.hop_s))
