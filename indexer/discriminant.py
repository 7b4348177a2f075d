"""Linear discriminant analysis in closed form: the index's own labels find the search space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.similarity import FloatArray, IntArray
from nativeear.indexes.transform import Transform

SHRINKAGE = 0.02
"""Share of the mean within-class variance added to every direction."""

LEAST_SPREAD = 1e-10
"""Share of the mean square of the embeddings up to which a mean within-class variance is nothing
but rounding: of classes of one embedding each, nothing is known of it."""

BLOCK_ROWS = 4096
"""Rows that are in memory at once. Sums are taken block by block, so that this number belongs to
the result like SHRINKAGE does: it is fixed, and never follows the memory at hand."""


def blocks(rows: int) -> Iterator[slice]:
    """Slices of `BLOCK_ROWS` that cover `rows` rows in order."""
    for first in range(0, rows, BLOCK_ROWS):
        yield slice(first, min(first + BLOCK_ROWS, rows))


@dataclass(frozen=True, eq=False)
class ClassSums:
    """All that LDA has to know of labelled embeddings; sums of parts are sums of the whole."""

    counts: NDArray[np.float64]  # float64 `[P]`, embeddings of each class
    sums: NDArray[np.float64]  # float64 `[P, D]`, their sums
    products: NDArray[np.float64]  # float64 `[D, D]`, the sum of x xᵀ over all embeddings

    @classmethod
    def zero(cls, classes: int, dim: int) -> ClassSums:
        """The sums of nothing."""
        return cls(np.zeros(classes), np.zeros((classes, dim)), np.zeros((dim, dim)))

    def __add__(self, other: ClassSums) -> ClassSums:
        """The sums of both."""
        return ClassSums(
            self.counts + other.counts, self.sums + other.sums, self.products + other.products
        )

    def lda(self, *, dims: int | None = None) -> Transform:
        """Whiten the within-class scatter and keep the directions that separate the classes most.

        Every class weighs the same in the between-class scatter, however common it is. Where no
        class has two embeddings that differ, all directions are taken to vary alike.
        """
        present = self.counts > 0
        counts = self.counts[present, None]
        means = self.sums[present] / counts
        within = (self.products - (counts * means).T @ means) / counts.sum()
        spread = np.trace(within) / len(within)
        alike = np.eye(len(within))
        if spread > LEAST_SPREAD * np.trace(self.products) / counts.sum():
            within += SHRINKAGE * spread * alike
        else:
            within = alike
        whiten = np.linalg.inv(np.linalg.cholesky(within)).T
        centre = means.mean(axis=0)
        _, singular, axes = np.linalg.svd((means - centre) @ whiten, full_matrices=False)
        keep = min(dims or len(means) - 1, len(singular))
        matrix = whiten @ axes[:keep].T
        matrix *= np.where(matrix[np.abs(matrix).argmax(axis=0), np.arange(keep)] < 0, -1.0, 1.0)
        return Transform("lda", centre.astype(np.float32), matrix.astype(np.float32))


def class_sums(
    embeddings: NDArray[np.floating], classes: IntArray, parts: IntArray | None = None
) -> list[ClassSums]:
    """Sums of each part of the embeddings, in one pass over them.

    Parameters
    ----------
    embeddings
        float16 or float32 `[N, D]`, for instance a memory-mapped file.
    classes
        int64 `[N]`, class of each, from 0.
    parts
        int64 `[N]`, part that each belongs to, from 0; all belong to one if None.
    """
    parts = np.zeros(len(classes), dtype=np.int64) if parts is None else parts
    number = int(classes.max()) + 1
    found = [ClassSums.zero(number, embeddings.shape[1]) for _ in range(int(parts.max()) + 1)]
    for block in blocks(len(classes)):
        data = embeddings[block].astype(np.float64)
        own = np.eye(number)[classes[block]]
        for part in np.unique(parts[block]):
            chosen = parts[block] == part
            x, is_of = data[chosen], own[chosen]
            found[part] += ClassSums(is_of.sum(axis=0), is_of.T @ x, x.T @ x)
    return found


def fit_lda(
    embeddings: NDArray[np.floating], labels: Sequence[str], *, dims: int | None = None
) -> Transform:
    """Fit on labelled embeddings; see `ClassSums.lda`.

    Parameters
    ----------
    embeddings
        float16 or float32 `[N, D]`.
    dims
        Directions kept; one less than the number of classes (all that separate) if None.

    Returns
    -------
    Transform
        `kind` is `lda`; the matrix is float32 `[D, d]`.
    """
    classes = np.unique(np.asarray(labels), return_inverse=True)[1].astype(np.int64)
    return class_sums(embeddings, classes)[0].lda(dims=dims)


def transformed(
    transform: Transform, embeddings: NDArray[np.floating], rows: IntArray
) -> FloatArray:
    """Unit vectors of some rows of embeddings, float32 `[len(rows), d]`.

    Only as many embeddings as a block has are in memory at once.
    """
    vectors = np.empty((len(rows), transform.matrix.shape[1]), dtype=np.float32)
    for block in blocks(len(rows)):
        vectors[block] = transform(embeddings[rows[block]].astype(np.float32))
    return vectors
