"""Boosted regression trees as plain arrays: evaluated here, fitted by `training.judge`.

Nothing but NumPy is needed to grade, and nothing is unpickled: the arrays rest in safetensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAF = -1
"""Feature number of a leaf."""


class _Walk(NamedTuple):
    """The nodes as a walk from the roots to the leaves needs them.

    Attributes
    ----------
    roots
        int64 `[B]`.
    column
        int64 `[M]`: which of `[F · 2]` columns a node asks. The second of each pair has what is
        missing on the left.
    threshold
        float64 `[M]`, finite: infinity parted what is known from what is missing.
    child
        int64 `[M · 2]`, left and right; a leaf is its own child.
    inner
        bool `[M]`: whether a node asks at all.
    """

    roots: NDArray[np.int64]
    column: NDArray[np.int64]
    threshold: NDArray[np.float64]
    child: NDArray[np.int64]
    inner: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Trees:
    """A sum of regression trees over the columns of a table.

    Attributes
    ----------
    feature
        int32 `[M]`, column that a node asks; `LEAF` for a leaf.
    threshold
        float64 `[M]`: rows with a value up to it go left.
    missing_left
        bool `[M]`: whether rows without a value go left.
    left, right
        int32 `[M]`, children of a node.
    value
        float64 `[M]`, what a leaf adds.
    roots
        int32 `[B]`, first node of each tree.
    base
        What every row starts with.
    scale
        What the sum of the leaves is multiplied by: the trees of several seeds are averaged.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    roots: NDArray[np.int32]
    base: float
    scale: float

    def __call__(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Value of every row of a table `[N, F]`, float64 `[N]`."""
        roots, column, threshold, child, inner = self._walk
        values = np.asarray(table, dtype=np.float64).T
        missing = np.isnan(values)
        # What is missing is higher than any value, or lower where it goes left.
        either = [np.where(missing, stands_for, values) for stands_for in (np.inf, -np.inf)]
        by_column = np.stack(either, axis=1).reshape(-1, len(table))  # [F · 2, N]
        # `take` is twice as fast as indexing.
        goes_right = by_column.take(column.take(roots), axis=0) > threshold.take(roots)[:, None]
        node = child.take(2 * roots[:, None] + goes_right).ravel()
        columns = by_column.ravel()
        reached = node.copy()
        going = np.flatnonzero(inner.take(node))
        node, row = node.take(going), going % max(len(table), 1)
        while going.size:
            goes_right = columns.take(column.take(node) * len(table) + row) > threshold.take(node)
            node = child.take(2 * node + goes_right)
            reached[going] = node
            left = np.flatnonzero(inner.take(node))
            going, node, row = going.take(left), node.take(left), row.take(left)
        leaves = self.value.take(reached).reshape(len(roots), len(table))
        total: NDArray[np.float64] = self.base + self.scale * leaves.sum(axis=0)
        return total

    @cached_property
    def _walk(self) -> _Walk:
        inner = self.feature != LEAF
        children = np.stack([self.left, self.right], axis=1)
        itself = np.arange(len(inner))[:, None]
        return _Walk(
            self.roots.astype(np.int64),
            np.where(inner, 2 * self.feature.astype(np.int64) + self.missing_left, 0),
            np.minimum(self.threshold, np.finfo(np.float64).max),
            np.where(inner[:, None], children, itself).ravel().astype(np.int64),
            inner,
        )

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All of it as arrays, by name, for safetensors."""
        return {
            "feature": self.feature,
            "threshold": self.threshold,
            "missing_left": self.missing_left.astype(np.uint8),
            "left": self.left,
            "right": self.right,
            "value": self.value,
            "roots": self.roots,
            "base": np.array([self.base]),
            "scale": np.array([self.scale]),
        }

    @classmethod
    def of(cls, arrays: dict[str, NDArray[np.generic]]) -> Trees:
        """From what `arrays` gave.

        Raises
        ------
        ValueError
            If they cannot be the arrays of trees: a child outside, or before its parent.
        """
        feature = arrays["feature"].astype(np.int32)
        left, right = arrays["left"].astype(np.int32), arrays["right"].astype(np.int32)
        inner = np.flatnonzero(feature != LEAF)
        for children in (left[inner], right[inner]):
            if ((children <= inner) | (children >= len(feature))).any():
                raise ValueError("a tree's children do not follow their parents")
        return cls(
            feature,
            arrays["threshold"].astype(np.float64),
            arrays["missing_left"].astype(bool),
            left,
            right,
            arrays["value"].astype(np.float64),
            arrays["roots"].astype(np.int32),
            float(arrays["base"].astype(np.float64)[0]),
            float(arrays["scale"].astype(np.float64)[0]),
        )
