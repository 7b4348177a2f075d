"""Boosted regression trees as plain arrays: evaluated here, fitted by `training.calibration`.

Nothing but NumPy is needed to grade, and nothing is unpickled: the arrays rest in safetensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAF = -1
"""Feature number of a leaf."""


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
        rows = np.arange(len(table))[:, None]
        node = np.broadcast_to(self.roots, (len(table), len(self.roots)))
        while True:
            asked = self.feature[node]
            if (asked == LEAF).all():
                break
            value = table[rows, np.maximum(asked, 0)]
            goes_left = np.where(
                np.isnan(value), self.missing_left[node], value <= self.threshold[node]
            )
            child = np.where(goes_left, self.left[node], self.right[node])
            node = np.where(asked == LEAF, node, child)
        total: NDArray[np.float64] = self.base + self.scale * self.value[node].sum(axis=1)
        return total

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
