"""Approximate search: every class of an index is divided into cells, and few cells are asked.

An inverted file (Jégou et al., 2011) whose lists never hold two phones: k-means runs inside each
class. So the nearest exemplars of one phone are found without reading those of the others, a
search for some phones reads nothing else, and training and filling cost a class's share of what
they cost over all exemplars. What a cell lists are codes of its exemplars, searched by FAISS; the
cosines of what was found are computed from the exact vectors. `indexes.cell_lists` writes them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.cell_lists import LAYOUT, LISTS, Layout, damaged, padded, searcher
from nativeear.indexes.exact_rows import RowsOfFile
from nativeear.indexes.manifest import Codes
from nativeear.indexes.similarity import FloatArray, IntArray, largest, nearest_of_pairs

CANDIDATES: dict[Codes, tuple[int, int]] = {
    "fp16": (20, 128),
    "sq8": (32, 128),
    "pq4": (128, 256),
    "pq2": (96, 128),
}
"""How many exemplars of a near phone are taken from codes, and how many of a query's nearest are
compared with their exact vectors: the coarser the codes, the more. Those beyond are of phones that
resemble it little: what their codes say of them is near enough."""

READ: dict[Codes, int] = {"fp16": 16, "sq8": 16, "pq4": 24, "pq2": 48}
"""So many at most where exact vectors are read from a file: every row is a call of the system."""

QUERIES_AT_ONCE = 64
"""Queries of one block: so the exact vectors of what is found need bounded memory."""


@dataclass(frozen=True)
class Probing:
    """How many cells a query asks."""

    nearest: int  # cells nearest to it, of whatever class
    each: int = 1  # cells of every class at least


@dataclass(frozen=True, eq=False)
class Shortlists:
    """The nearest exemplars of one class for one query, R times."""

    # int64 `[R]`: which query, and which class.
    query: IntArray
    phone: IntArray
    rows: IntArray  # int64 `[R, k]`, nearest first; -1 where fewer were found
    # float32 `[R, k]`, cosines, exact for a query's nearest (`CANDIDATES`); -inf where `rows` is
    # -1.
    similarities: FloatArray

    def by_class(self, queries: int, classes: int, top_m: int) -> FloatArray:
        """Mean of the `top_m` nearest of every class, float32 `[N, P]`; NaN where none is."""
        best = self.similarities[:, :top_m]
        found = np.isfinite(best)
        count = found.sum(axis=1)
        total = np.where(found, best, 0.0).sum(axis=1)
        similar = np.full((queries, classes), np.nan, dtype=np.float32)
        similar[self.query, self.phone] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return similar

    def without(self, own: IntArray) -> Shortlists:
        """The same without each query's own row, int64 `[N]`: natives leave themselves out."""
        left = self.rows != own[self.query, None]
        rows = np.where(left, self.rows, -1)
        similar = np.where(left, self.similarities, -np.inf)
        return Shortlists(self.query, self.phone, *_nearest_first(rows, similar, rows.shape[1]))

    def nearest(self, queries: int, k: int) -> tuple[IntArray, FloatArray]:
        """The k nearest of all classes asked: rows and similarities `[N, k]`, as in the lists."""
        found = self.rows >= 0
        query = np.repeat(self.query, found.sum(axis=1))
        return nearest_of_pairs(
            query, self.rows[found], self.similarities[found], queries=queries, k=k
        )


def _nearest_first(rows: IntArray, similar: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """The k nearest of lists `[R, w]`, nearest first: `[R, k]`."""
    if similar.shape[1] > k:
        best = np.argpartition(-similar, k - 1, axis=1)[:, :k]
        rows = np.take_along_axis(rows, best, axis=1)
        similar = np.take_along_axis(similar, best, axis=1)
    order = np.argsort(-similar, axis=1, kind="stable")
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(similar, order, axis=1)


class Cells:
    """Cells of an index, open for reading. Safe to share between threads.

    Parameters
    ----------
    vectors
        Exact unit vectors, float32 `[n, d]`, ordered by class; or where they are read from.
    bounds
        int64 `[P + 1]`: class p holds the rows `bounds[p]:bounds[p + 1]`.

    Raises
    ------
    IndexFormatError
        If the files are not those of such vectors.
    """

    def __init__(
        self,
        folder: Path,
        codes: Codes,
        vectors: FloatArray | RowsOfFile,
        bounds: IntArray,
        probing: Probing,
    ) -> None:
        self._folder = folder
        self._depth, self._exact = CANDIDATES[codes]
        if isinstance(vectors, RowsOfFile):
            self._exact = min(self._exact, READ[codes])
            self._depth = min(self._depth, self._exact)
        self._vectors = vectors
        self._bounds = bounds
        self.probing = probing
        layout = Layout.load(folder / LAYOUT, codes, vectors.shape[1], bounds)
        self._centroids = np.ascontiguousarray(layout.centroids.T)  # products are faster so
        self._of_class = layout.of_class
        self._class = np.repeat(np.arange(len(bounds) - 1), np.diff(layout.of_class))
        self._index = searcher(codes, layout, folder / LISTS)

    @property
    def cells(self) -> int:
        """How many there are."""
        return len(self._class)

    def shortlists(
        self,
        queries: FloatArray,
        k: int,
        *,
        wanted: NDArray[np.bool_] | None = None,
        probing: Probing | None = None,
    ) -> Shortlists:
        """The k nearest exemplars of every class wanted, of those in the cells asked.

        Parameters
        ----------
        queries
            Unit vectors, float32 `[N, d]`.
        wanted
            bool `[N, P]`, classes that may answer each query; all if None.

        Returns
        -------
        Shortlists
            In the order of the queries, and of the classes of each.

        Raises
        ------
        IndexFormatError
            If a list names an exemplar of another class.
        """
        blocks = []
        for first in range(0, max(1, len(queries)), QUERIES_AT_ONCE):
            block = slice(first, first + QUERIES_AT_ONCE)
            part = None if wanted is None else wanted[block]
            found = self._block(queries[block], k, part, probing or self.probing)
            blocks.append(dataclasses.replace(found, query=found.query + first))
        return Shortlists(
            *(
                np.concatenate([getattr(block, field.name) for block in blocks])
                for field in dataclasses.fields(Shortlists)
            )
        )

    def _block(
        self,
        queries: FloatArray,
        k: int,
        wanted: NDArray[np.bool_] | None,
        probing: Probing,
    ) -> Shortlists:
        affinity = queries @ self._centroids
        query, phone, lists, near = self._probed(affinity, wanted, probing)
        rows = np.full((len(query), k), -1, dtype=np.int64)
        similar = np.full((len(query), k), -np.inf, dtype=np.float32)
        for chosen, depth in ((near, max(k, self._depth)), (~near, k)):
            if chosen.any():
                asking, asked = query[chosen], lists[chosen]
                asked = np.ascontiguousarray(asked[:, (asked >= 0).any(axis=0)])
                how_near = np.take_along_axis(affinity[asking], np.maximum(asked, 0), axis=1)
                found = _search(self._index, queries[asking], depth, asked, how_near)
                self._check(phone[chosen], found[0])
                if chosen is near:
                    self._make_exact(queries, asking, *found)
                rows[chosen], similar[chosen] = _nearest_first(*found, k)
        return Shortlists(query, phone, rows, similar)

    def _check(self, phone: IntArray, rows: IntArray) -> None:
        """Refuse rows `[R, k]` that are not of the classes `[R]`."""
        first = np.where(rows == -1, self._bounds[phone, None], rows)
        last = first.max(axis=1)
        first = first.min(axis=1)
        if (first < self._bounds[phone]).any() or (last > self._bounds[phone + 1] - 1).any():
            raise damaged(self._folder, "A cell names exemplars of another phone.")

    def _make_exact(
        self, queries: FloatArray, query: IntArray, rows: IntArray, similar: FloatArray
    ) -> None:
        """Put exact cosines in the place of those by codes for a query's nearest."""
        best = rows >= 0
        for start, end in _spans(query, len(queries)):
            own = best[start:end]
            if own.any():
                listed = similar[start:end][own]
                own &= similar[start:end] >= _kth_largest(listed[None], self._exact)
        vectors = self._vectors[rows[best]]  # all at once: a disk likes many reads
        exact = np.empty(len(vectors), dtype=np.float32)
        asked = np.repeat(query, best.sum(axis=1))
        for (start, end), vector in zip(_spans(asked, len(queries)), queries, strict=True):
            np.matmul(vectors[start:end], vector, out=exact[start:end])
        similar[best] = exact

    def _probed(
        self, affinity: FloatArray, wanted: NDArray[np.bool_] | None, probing: Probing
    ) -> tuple[IntArray, IntArray, IntArray, NDArray[np.bool_]]:
        """Queries, classes `[R]`, the cells that they ask `[R, w]`, and which are near `[R]`.

        A class asks those of its cells that are among the query's nearest, which make it near, and
        its own nearest. Where it asks fewer than others the cells are filled up with -1.
        """
        allowed = None
        if wanted is not None:
            allowed = np.repeat(wanted, np.diff(self._of_class), axis=1)
            affinity = np.where(allowed, affinity, -np.inf)
        among_nearest = affinity >= _kth_largest(affinity, probing.nearest)
        chosen = among_nearest.copy()
        for start, end in pairwise(self._of_class.tolist()):
            if end > start and probing.each:
                own = affinity[:, start:end]
                chosen[:, start:end] |= own >= _kth_largest(own, probing.each)
        if allowed is not None:
            chosen &= allowed
        asking, cell = np.divmod(np.flatnonzero(chosen), self.cells)  # faster than two dimensions
        begins = np.flatnonzero(np.diff(asking * len(self._bounds) + self._class[cell], prepend=-1))
        sizes = np.diff(begins, append=len(cell))
        pair = np.repeat(np.arange(len(begins)), sizes)
        lists = np.full((len(begins), int(sizes.max(initial=0))), -1, dtype=np.int64)
        lists[pair, np.arange(len(cell)) - begins[pair]] = cell
        near = np.zeros(len(begins), dtype=bool)
        near[pair[among_nearest[asking, cell]]] = True
        return asking[begins], self._class[cell[begins]], lists, near


def _search(
    index_and_lists: Any, queries: FloatArray, k: int, lists: IntArray, affinity: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Rows `[R, k]` nearest by their codes in the lists `[R, w]`, -1 where none is; how near."""
    import faiss

    index, _ = index_and_lists
    asked = padded(queries, index.d)
    near = np.ascontiguousarray(affinity, dtype=np.float32)
    rows = np.empty((len(asked), k), dtype=np.int64)
    similar = np.empty((len(asked), k), dtype=np.float32)
    # The method of the same name without `_c` would set `nprobe`, which all threads share.
    index.search_preassigned_c(
        len(asked),
        faiss.swig_ptr(asked),
        k,
        faiss.swig_ptr(lists),
        faiss.swig_ptr(near),
        faiss.swig_ptr(similar),
        faiss.swig_ptr(rows),
        False,
        faiss.SearchParametersIVF(nprobe=lists.shape[1]),
    )
    return rows, np.where(rows >= 0, similar, -np.inf)


def _spans(query: IntArray, queries: int) -> Iterator[tuple[int, int]]:
    """Where the entries of every query begin and end in a sorted list of queries."""
    return pairwise(np.searchsorted(query, np.arange(queries + 1)).tolist())


def _kth_largest(values: FloatArray, k: int) -> FloatArray:
    """The k-th largest of every row, or the smallest where it has fewer: `[N, 1]`."""
    least: FloatArray = largest(values, min(k, values.shape[1])).min(axis=1, keepdims=True)
    return least
