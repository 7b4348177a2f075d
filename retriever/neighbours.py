"""The nearest native exemplars of a learner's sounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.cells import Cells
from nativeear.indexes.phone_index import FloatArray, IntArray, Name, PhoneIndex
from nativeear.indexes.resident import ResidentVectors
from nativeear.indexes.similarity import (
    BLOCK_BYTES,
    best_of_classes,
    class_products,
    class_similarities,
    mean_of_largest,
    nearest_of_pairs,
)

SMALLEST = np.finfo(np.float32).min


@dataclass(frozen=True)
class Exclusion:
    """Speech that must not answer: that of the named utterances and speakers.

    Each is named with its corpus, for speakers of two corpora who are called alike are not the
    same.
    """

    utterances: frozenset[Name] = frozenset()
    speakers: frozenset[Name] = frozenset()

    def __post_init__(self) -> None:
        """Refuse names without a corpus, which would silently exclude nothing."""
        for name in (*self.utterances, *self.speakers):
            if isinstance(name, str):
                raise TypeError(f"{name!r} is no corpus and name")

    def __bool__(self) -> bool:
        return bool(self.utterances or self.speakers)

    def holds(self, corpus: str, utterance: str, speaker: str) -> bool:
        """Whether an utterance is excluded."""
        return (corpus, utterance) in self.utterances or (corpus, speaker) in self.speakers

    def rows(self, index: PhoneIndex) -> NDArray[np.bool_]:
        """Which rows of the index are excluded, bool `[n]`."""
        excluded = np.zeros(index.manifest.counts.exemplars, dtype=bool)
        for (own, names), gone in (
            (index.utterances, self.utterances),
            (index.speakers, self.speakers),
        ):
            if gone:
                excluded |= np.array([name in gone for name in names], dtype=bool)[own]
        return excluded


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The k nearest exemplars of N sounds, nearest first."""

    ids: IntArray  # int64 `[N, k]`, rows of the index; -1 where the index has fewer than k
    similarities: FloatArray  # float32 `[N, k]`, cosines
    phones: IntArray  # int64 `[N, k]`, positions in `PhoneIndex.classes`; -1 where `ids` is
    # float32 `[N, P]`, how near each class is, see `indexes.similarity.class_similarities`.
    by_class: FloatArray


def find_neighbours(
    index: PhoneIndex, vectors: FloatArray, k: int, excluded: NDArray[np.bool_] | None = None
) -> Neighbours:
    """Compare all vectors with the whole pool, once for the exemplars and for the classes.

    On a graphics card where the index is large and there is one. Exact, but for an index that
    `nativeear index optimize` divided into cells: there it is as near to that as its manifest says,
    unless rows are excluded. Of exemplars that are equally near, those of lower rows come first.

    Parameters
    ----------
    vectors
        Unit vectors in the index's space, float32 `[N, d]`.
    excluded
        bool `[n]`, rows that must not answer, from `Exclusion.rows`.
    """
    if index.cells is not None and excluded is None:
        return _in_cells(index.cells, index, vectors, k)
    if index.resident is not None:
        return _resident(index.resident, index, vectors, k, excluded)
    n_queries = len(vectors)
    ids = np.empty((n_queries, k), dtype=np.int64)
    similarities = np.empty((n_queries, k), dtype=np.float32)
    by_class = np.empty((n_queries, len(index.classes)), dtype=np.float32)
    top_m = index.manifest.decision.top_m
    step = max(1, BLOCK_BYTES // (4 * max(1, len(index.vectors))))
    for first in range(0, n_queries, step):
        block = slice(first, first + step)
        products = list(class_products(vectors[block], index.vectors, index.bounds))
        if excluded is not None:
            for own, rows in zip(products, np.split(excluded, index.bounds[1:-1]), strict=True):
                own[:, rows] = -np.inf
        best = best_of_classes(products, max(k, top_m))
        by_class[block] = mean_of_largest(best, top_m)
        # The k nearest of all are among the k nearest of every class.
        least = np.partition(best.reshape(len(best), -1), -k, axis=1)[:, -k, None]
        pairs = _pairs(products, np.maximum(least, SMALLEST), index.bounds)
        ids[block], similarities[block] = nearest_of_pairs(*pairs, queries=len(best), k=k)
    return _named(index, ids, similarities, by_class)


def _named(
    index: PhoneIndex, ids: IntArray, similarities: FloatArray, by_class: FloatArray
) -> Neighbours:
    """Neighbours with the phones that they are of."""
    phones = np.searchsorted(index.bounds, ids, side="right") - 1
    return Neighbours(ids, similarities, np.where(ids < 0, -1, phones), by_class)


def _pairs(
    products: Sequence[FloatArray], least: FloatArray, bounds: IntArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Query, row and product of all pairs that are near enough; what is excluded is never near."""
    queries, rows, near = [], [], []
    for own, first in zip(products, bounds[:-1].tolist(), strict=True):
        place = np.flatnonzero(own >= least)  # faster than in two dimensions
        query, row = np.divmod(place, max(1, own.shape[1]))
        queries.append(query)
        rows.append(first + row)
        near.append(own.ravel().take(place))
    return np.concatenate(queries), np.concatenate(rows), np.concatenate(near)


def similarities_to_classes(index: PhoneIndex, vectors: FloatArray) -> FloatArray:
    """How near each class is, float32 `[N, P]`, see `indexes.similarity.class_similarities`.

    By cells where the index has them, as in `find_neighbours`.
    """
    top_m = index.manifest.decision.top_m
    if index.cells is not None:
        return _in_cells(index.cells, index, vectors, top_m).by_class
    if index.resident is not None:
        return mean_of_largest(index.resident.best_of_classes(vectors, top_m)[0], top_m)
    return class_similarities(vectors, index.vectors, index.bounds, top_m=top_m)


def _resident(
    resident: ResidentVectors,
    index: PhoneIndex,
    vectors: FloatArray,
    k: int,
    excluded: NDArray[np.bool_] | None,
) -> Neighbours:
    top_m = index.manifest.decision.top_m
    best, rows = resident.best_of_classes(vectors, max(k, top_m), excluded)
    query, phone, place = np.nonzero(rows >= 0)
    near = best[query, phone, place]
    ids, similarities = nearest_of_pairs(
        query, rows[query, phone, place], near, queries=len(vectors), k=k
    )
    return _named(index, ids, similarities, mean_of_largest(best, top_m))


def _in_cells(cells: Cells, index: PhoneIndex, vectors: FloatArray, k: int) -> Neighbours:
    top_m = index.manifest.decision.top_m
    found = cells.shortlists(vectors, max(k, top_m))
    by_class = found.by_class(len(vectors), len(index.classes), top_m)
    return _named(index, *found.nearest(len(vectors), k), by_class)
