"""Similarity of sounds to phone classes: the arithmetic under margins and posteriors."""

from __future__ import annotations

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
    top_m
        How many exemplars speak for a class; a smaller class speaks with all it has.
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
        products = queries[block] @ vectors.T
        if groups is not None and query_groups is not None:
            products[query_groups[block, None] == groups[None, :]] = -np.inf
        similar[block] = mean_of_largest(best_of_classes(products, bounds, top_m), top_m)
    return similar


def best_of_classes(products: FloatArray, bounds: IntArray, m: int) -> FloatArray:
    """The largest products of every class.

    Parameters
    ----------
    products
        Inner products, float32 `[N, n]`; -inf for what must not answer.
    bounds
        As in `class_similarities`.
    m
        How many of each class.

    Returns
    -------
    FloatArray
        float32 `[N, P, m]`, ascending; -inf in front where a class has fewer.
    """
    classes = len(bounds) - 1
    best = np.full((len(products), classes, m), -np.inf, dtype=np.float32)
    for p in range(classes):
        own = products[:, bounds[p] : bounds[p + 1]]
        held = min(m, own.shape[1])
        if held:
            best[:, p, m - held :] = largest(own, held)
    return best


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
    m
        How many of each row.

    Returns
    -------
    FloatArray
        float32 `[N, m]`.
    """
    groups = values.shape[1] // GROUP
    if values.shape[1] >= LONG_ROW and groups >= m:
        grouped = values[:, : groups * GROUP].reshape(len(values), GROUP, groups)
        chosen = np.argpartition(grouped.max(axis=1), groups - m, axis=1)[:, -m:]
        inside = np.take_along_axis(grouped, chosen[:, None, :], axis=2)
        rest = values[:, groups * GROUP :]
        values = np.concatenate([inside.reshape(len(values), GROUP * m), rest], axis=1)
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
    queries
        How many there are.
    k
        Rows of each.

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
