"""The shape of the search space: its intrinsic dimension, and whether it has hubs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.phone_index import FloatArray, IntArray, PhoneIndex
from nativeear.speech.alignment import SILENCE

MOST = 15_000
"""Exemplars that are looked at, drawn from all of them."""

K = 10
"""Neighbours that count as occurrences."""

AT_ONCE = 1_000
"""Exemplars whose neighbours are looked for at a time."""

HUB = 5
"""A hub is among the neighbours of as many times more exemplars than the mean."""

DISCARDED = 0.1
"""Share of the largest ratios that TwoNN leaves out, as its authors do."""

_SAME = 1e-3  # below this distance, in half precision, two vectors are the same


@dataclass(frozen=True)
class Geometry:
    """The shape of the search space."""

    # Exemplars that were looked at, and directions of the search space.
    exemplars: int
    dimensions: int
    # TwoNN of Facco et al. (2017), doi:10.1038/s41598-017-11873-y; None where it cannot be told.
    intrinsic_dimension: float | None
    # Skewness of the k-occurrences of Radovanović et al. (2010), JMLR 11: 0 where every exemplar is
    # as often a neighbour as any other; values far above 1 mean hubs.
    hubness: float
    # Share of exemplars that are a neighbour `HUB` times as often as the mean, and never.
    hubs: float
    orphans: float


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """n exemplars, silences not among them, and their nearest neighbours among themselves."""

    rows: IntArray  # int64 `[n]`, ascending
    dimensions: int
    similar: FloatArray  # float32 `[n, k]`, cosines of the k nearest, falling
    occurrences: NDArray[np.float64]  # float64 `[n]`: of how many each is among the k nearest


def neighbourhood(index: PhoneIndex) -> Neighbourhood:
    """Look for the nearest neighbours of the exemplars, of at most `MOST` of them."""
    rows = np.delete(np.arange(len(index.vectors)), np.r_[index.rows_of(SILENCE)])
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST, replace=False))
    vectors = np.ascontiguousarray(index.vectors[rows])
    k = min(K, len(rows) - 1)
    similar, ids = _others(*_nearest(vectors, k + 1))
    occurrences = np.bincount(ids.ravel(), minlength=len(rows)).astype(np.float64)
    return Neighbourhood(rows.astype(np.int64), vectors.shape[1], similar, occurrences)


def geometry(around: Neighbourhood) -> Geometry:
    """The shape of the space, by the nearest neighbours of its exemplars."""
    k = around.similar.shape[1]
    distances = np.sqrt(np.maximum(0.0, 2 - 2 * around.similar.astype(np.float64)))
    dimension = two_nn(distances)
    return Geometry(
        exemplars=len(around.rows),
        dimensions=around.dimensions,
        intrinsic_dimension=None if dimension is None else round(dimension, 2),
        hubness=round(skewness(around.occurrences), 3),
        hubs=round(float((around.occurrences > HUB * k).mean()), 4),
        orphans=round(float((around.occurrences == 0).mean()), 4),
    )


def two_nn(distances: NDArray[np.float64]) -> float | None:
    """Intrinsic dimension from the distances to the two nearest neighbours.

    With μ the ratio of the second distance to the first, -ln(1 - F(μ)) = d ln μ; d is the slope of
    the line through the origin.

    Parameters
    ----------
    distances
        float64 `[N, ≥ 2]`, ascending in each row. Rows whose first one is 0 are passed over.
    """
    if distances.shape[1] < 2:
        return None
    first, second = distances[:, 0], distances[:, 1]
    apart = first > _SAME
    ratios = np.sort(second[apart] / first[apart])
    n = len(ratios)
    kept = int(n * (1 - DISCARDED))
    if kept < 2:
        return None
    x = np.log(ratios[:kept])
    y = -np.log(1 - np.arange(1, kept + 1) / n)
    power = float(x @ x)
    return float(x @ y) / power if power > 0 else None


def skewness(values: NDArray[np.float64]) -> float:
    """Third standardised moment; 0 where all values are alike."""
    centred = values - values.mean()
    spread = float(np.sqrt((centred**2).mean()))
    return float((centred**3).mean()) / spread**3 if spread > 0 else 0.0


def _nearest(vectors: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
    """The k vectors nearest to each one, itself among them: similarities and rows `[N, k]`."""
    similar = np.empty((len(vectors), k), dtype=np.float32)
    ids = np.empty((len(vectors), k), dtype=np.int64)
    for start in range(0, len(vectors), AT_ONCE):
        block = slice(start, start + AT_ONCE)
        products = vectors[block] @ vectors.T
        chosen = np.argpartition(products, -k, axis=1)[:, -k:]
        order = np.take_along_axis(products, chosen, axis=1).argsort(axis=1)[:, ::-1]
        ids[block] = np.take_along_axis(chosen, order, axis=1)
        similar[block] = np.take_along_axis(products, ids[block], axis=1)
    return similar, ids


def _others(similar: FloatArray, ids: IntArray) -> tuple[FloatArray, IntArray]:
    """Neighbours without the exemplar itself, which twins may push from the first place."""
    own = ids == np.arange(len(ids))[:, None]
    own[~own.any(axis=1), -1] = True
    shape = (len(ids), ids.shape[1] - 1)
    return similar[~own].reshape(shape), ids[~own].reshape(shape)
