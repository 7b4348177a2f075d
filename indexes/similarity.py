"""Similarity of sounds to phone classes: the arithmetic under margins and posteriors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

BLOCK_BYTES = 1 << 27
"""Working memory of one block of the similarity matrix."""

GROUP = 16
LONG_ROW = 500
"""Where `largest` takes groups, and of how many: the fastest on the shipped index."""


def class_similarities(
    queries: FloatArray,
    vectors: FloatArray,
    bounds: IntArray,
    *,
    top_m: int,
    groups: IntArray | None = None,
    query_groups: IntArray | None = None,
) -> FloatArray:
    """Mean similarity of each query to its `top_m` nearest exemplars of every class.

    This is s(x, p) of the margin. Exact; works in blocks of bounded memory.

    Parameters
    ----------
    queries
        Unit vectors, float32 `[N, d]`.
    vectors
        Unit vectors of the pool, float32 `[n, d]`, ordered by class.
    bounds
        int64 `[P + 1]`: class p holds the rows `bounds[p]:bounds[p + 1]`.
    groups, query_groups
        int64 `[n]` and `[N]`: exemplars of a query's own group (its utterance, its speaker) are
        left out. A query group of -1 leaves out none.

    Returns
    -------
    FloatArray
        float32 `[N, P]`; NaN where a class has no exemplar left.
    """
    similar = np.full((len(queries), len(bounds) - 1), np.nan, dtype=np.float32)
    step = max(1, BLOCK_BYTES // (4 * max(1, len(vectors))))
    for first in range(0, len(queries), step):
        block = slice(first, first + step)
        products = class_products(queries[block], vectors, bounds)
        if groups is not None and query_groups is not None:
            products = _of_others(products, bounds, groups, query_groups[block])
        similar[block] = mean_of_largest(best_of_classes(products, top_m), top_m)
    return similar


def class_products(
    queries: FloatArray, vectors: FloatArray, bounds: IntArray
) -> Iterator[FloatArray]:
    """Inner products of queries with every class in turn, float32 `[N, n_p]`.

    By class, because so much lies in a processor's cache until its largest are found. All lie in
    one piece of memory, for many small ones would be given back to the system and fetched anew.
    """
    n_queries = len(queries)
    memory = np.empty(n_queries * len(vectors), dtype=np.float32)
    for first, end in pairwise(bounds.tolist()):
        own = memory[n_queries * first : n_queries * end].reshape(n_queries, end - first)
        yield np.matmul(queries, vectors[first:end].T, out=own)


def _of_others(
    products: Iterable[FloatArray], bounds: IntArray, groups: IntArray, query_groups: IntArray
) -> Iterator[FloatArray]:
    """The same, with -inf where an exemplar is of its query's own group."""
    for own, (first, end) in zip(products, pairwise(bounds.tolist()), strict=True):
        own[query_groups[:, None] == groups[None, first:end]] = -np.inf
        yield own


def best_of_classes(products: Iterable[FloatArray], m: int) -> FloatArray:
    """The largest products of every class.

    Parameters
    ----------
    products
        From `class_products`, P of them; -inf for what must not answer.

    Returns
    -------
    FloatArray
        float32 `[N, P, m]`, ascending; -inf in front where a class has fewer.
    """
    best = []
    for own in products:
        held = min(m, own.shape[1])
        found = np.full((len(own), m), -np.inf, dtype=np.float32)
        if held:
            found[:, m - held :] = largest(own, held)
        best.append(found)
    return np.stack(best, axis=1)


def mean_of_largest(best: FloatArray, top_m: int) -> FloatArray:
    """Means of the `top_m` largest of what `best_of_classes` found, float32 `[N, P]`.

    NaN where that is nothing.
    """
    best = best[:, :, -top_m:]
    left = np.isfinite(best)
    count = left.sum(axis=2)
    total = np.where(left, best, 0.0).sum(axis=2)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def largest(values: FloatArray, m: int) -> FloatArray:
    """The m largest of every row, ascending.

    Of long rows every `GROUP`-th value forms a group with others: the m largest lie in the m groups
    whose own largest are, so that few have to be sorted. Processors sort a few hundred faster than
    they part them.

    Parameters
    ----------
    values
        float32 `[N, n]`, n ≥ m.

    Returns
    -------
    FloatArray
        float32 `[N, m]`.
    """
    n_rows, length = values.shape
    groups = length // GROUP
    if length >= LONG_ROW and groups >= m:
        grouped = values[:, : groups * GROUP].reshape(n_rows, GROUP, groups)
        chosen = np.argpartition(grouped.max(axis=1), groups - m, axis=1)[:, None, -m:]
        within = np.arange(0, groups * GROUP, groups)[:, None] + chosen
        places = np.arange(0, n_rows * length, length)[:, None] + within.reshape(n_rows, -1)
        rest = values[:, groups * GROUP :]
        values = np.concatenate([values.ravel().take(places), rest], axis=1)
    return np.sort(values, axis=1)[:, -m:]


def all_class_margins(similar: FloatArray) -> FloatArray:
    """Margin of each query at every class, as if each were canonical: float32 `[N, P]`.

    As `margins`, NaN included.
    """
    known = np.where(np.isnan(similar), -np.inf, similar)
    if known.shape[1] < 2:
        return np.full_like(similar, np.nan)
    second, best = np.partition(known, known.shape[1] - 2, axis=1)[:, -2:].T
    first = known.argmax(axis=1)[:, None] == np.arange(known.shape[1])
    with np.errstate(invalid="ignore"):
        margin = known - np.where(first, second[:, None], best[:, None])
    return np.where(np.isfinite(margin), margin, np.nan).astype(np.float32)


def margins(similar: FloatArray, canonical: IntArray) -> FloatArray:
    """Margin of each query's canonical class over its best competitor.

    Parameters
    ----------
    similar
        float32 `[N, P]` from `class_similarities`.
    canonical
        int64 `[N]`, class of each query.

    Returns
    -------
    FloatArray
        float32 `[N]`; NaN where the canonical class or every competitor is missing.
    """
    rows = np.arange(len(similar))
    own = similar[rows, canonical]
    others = np.where(np.isnan(similar), -np.inf, similar)
    others[rows, canonical] = -np.inf
    best = others.max(axis=1, initial=-np.inf)
    with np.errstate(invalid="ignore"):
        margin = own - best
    return np.where(np.isfinite(margin), margin, np.nan).astype(np.float32)


def nearest_of_pairs(
    query: IntArray, row: IntArray, near: FloatArray, *, queries: int, k: int
) -> tuple[IntArray, FloatArray]:
    """The k nearest rows of every query among pairs of queries and rows.

    Of rows that are equally near, the lower come first.

    Parameters
    ----------
    query, row
        int64 `[M]`, the pairs.
    near
        float32 `[M]`, how near they are.

    Returns
    -------
    rows
        int64 `[N, k]`; -1 where there are fewer.
    similarities
        float32 `[N, k]`; -inf where there are fewer.
    """
    rows = np.full((queries, k), -1, dtype=np.int64)
    similarities = np.full((queries, k), -np.inf, dtype=np.float32)
    order = np.lexsort((row, -near, query))
    query, row, near = query[order], row[order], near[order]
    place = np.arange(query.size) - np.searchsorted(query, query)
    kept = place < k
    at = (query[kept], place[kept])
    rows[at], similarities[at] = row[kept], near[kept]
    return rows, similarities
