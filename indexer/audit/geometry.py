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


def geometry(index: PhoneIndex) -> Geometry:
    """Look at the nearest neighbours of the exemplars, silences not among them."""
    import faiss  # here: it takes a quarter of a second to import

    rows = np.delete(np.arange(len(index.vectors)), np.r_[index.rows_of(SILENCE)])
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST, replace=False))
    vectors = np.ascontiguousarray(index.vectors[rows])
    search = faiss.IndexFlatIP(vectors.shape[1])
    search.add(vectors)
    k = min(K, len(rows) - 1)
    similar, ids = search.search(vectors, k + 1)
    similar, ids = _others(similar, ids)
    occurrences = np.bincount(ids.ravel(), minlength=len(rows)).astype(np.float64)
    dimension = two_nn(np.sqrt(np.maximum(0.0, 2 - 2 * similar.astype(np.float64))))
    return Geometry(
        exemplars=len(rows),
        dimensions=vectors.shape[1],
        intrinsic_dimension=None if dimension is None else round(dimension, 2),
        hubness=round(skewness(occurrences), 3),
        hubs=round(float((occurrences > HUB * k).mean()), 4),
        orphans=round(float((occurrences == 0).mean()), 4),
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


def _others(similar: FloatArray, ids: IntArray) -> tuple[FloatArray, IntArray]:
    """Neighbours without the exemplar itself, which twins may push from the first place."""
    own = ids == np.arange(len(ids))[:, None]
    own[~own.any(axis=1), -1] = True
    shape = (len(ids), ids.shape[1] - 1)
    return similar[~own].reshape(shape), ids[~own].reshape(shape)
