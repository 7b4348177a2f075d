"""Boosted trees, fitted by scikit-learn and written down as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from nativeear.scoring.fusion.trees import LEAF, Trees

SEEDS = (0, 1)
"""Of which trees, and networks, are averaged."""

SETTINGS: dict[str, Any] = {
    "learning_rate": 0.06,
    "max_iter": 160,
    "max_leaf_nodes": 16,
    "min_samples_leaf": 40,
    "l2_regularization": 5.0,
    "max_features": 0.4,
    "early_stopping": False,
}
"""Of the trees over phones; chosen on 26 learners of fold 0 among a dozen whose means differed by
less than the spread of the folds."""

ROWS = 4_096
"""Rows of a table that trees look at together."""

FloatArray = NDArray[np.float64]


def fit_trees(
    table: FloatArray,
    target: FloatArray,
    *,
    rising: Sequence[int],
    settings: Mapping[str, Any],
    seeds: Sequence[int],
    weights: FloatArray | None = None,
) -> Trees:
    """The mean of boosted trees of several seeds, rising in the columns that are marked by 1."""
    return exported(
        [
            HistGradientBoostingRegressor(
                monotonic_cst=list(rising), random_state=seed, **settings
            ).fit(table, target, sample_weight=weights)
            for seed in seeds
        ]
    )


def exported(models: Sequence[Any]) -> Trees:
    """The mean of several fitted models as plain arrays."""
    columns: dict[str, list[Any]] = {
        name: [] for name in ("feature", "threshold", "missing_left", "left", "right", "value")
    }
    roots, size = [], 0
    for model in models:
        for (tree,) in model._predictors:
            nodes = tree.nodes
            leaf = nodes["is_leaf"].astype(bool)
            roots.append(size)
            columns["feature"].append(np.where(leaf, LEAF, nodes["feature_idx"].astype(np.int64)))
            columns["threshold"].append(np.where(leaf, 0.0, nodes["num_threshold"]))
            columns["missing_left"].append(nodes["missing_go_to_left"])
            for side in ("left", "right"):
                columns[side].append(np.where(leaf, 0, nodes[side].astype(np.int64) + size))
            columns["value"].append(np.where(leaf, nodes["value"], 0.0))
            size += len(nodes)
    joined: dict[str, NDArray[Any]] = {k: np.concatenate(v) for k, v in columns.items()}
    joined["roots"] = np.array(roots)
    joined["base"] = np.array([np.mean([np.ravel(m._baseline_prediction)[0] for m in models])])
    joined["scale"] = np.array([1.0 / len(models)])
    return Trees.of(joined)


def in_parts(trees: Trees, table: FloatArray) -> FloatArray:
    """Values of a long table `[N, F]`, a few thousand rows at a time, `[N]`."""
    return np.concatenate([trees(table[at : at + ROWS]) for at in range(0, len(table), ROWS)])
