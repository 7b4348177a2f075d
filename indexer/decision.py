"""How an index decides, fitted on its own native speech alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from indexes.manifest import Decision
from indexes.natives import NativeMargins
from indexes.similarity import FloatArray, IntArray, class_similarities, margins

TOP_M = 10
ERROR_PRIOR = 0.1
ASKED_PER_CLASS = 600
"""Exemplars of a class that are asked about themselves: more would tell the same, and the cost of
asking would grow with the square of the index."""

_TEMPERATURES = np.geomspace(0.005, 1.0, 80)


@dataclass(frozen=True, eq=False)
class FittedDecision:
    """The decision, and the exemplars' own margins with their utterances left out, `[n]`.

    NaN for exemplars that were not asked, or have no company.
    """

    decision: Decision
    native_margins: FloatArray


def fit_decision(
    vectors: FloatArray, bounds: IntArray, utterances: IntArray, *, seed: int = 0
) -> FittedDecision:
    """Query the pool with its own exemplars, each against the other utterances only.

    Parameters
    ----------
    vectors
        Unit vectors, float32 `[n, d]`, ordered by class.
    bounds
        int64 `[P + 1]`, rows of each class.
    utterances
        int64 `[n]`, the utterance of each exemplar.
    seed
        Seeds the draw of large classes and the simulated substitutions.

    Returns
    -------
    FittedDecision
        See `indexes.manifest.Decision` for what is fitted and how.
    """
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    asked = _draw(bounds, rng)
    similar = class_similarities(
        vectors[asked],
        vectors,
        bounds,
        top_m=TOP_M,
        groups=utterances,
        query_groups=utterances[asked],
    )
    own = classes[asked]
    margin = margins(similar, own)
    judged = ~np.isnan(margin)
    slope, intercept = _fit_errors(similar, own, margin, rng)
    native_margins = np.full(len(vectors), np.nan, dtype=np.float32)
    native_margins[asked] = margin
    return FittedDecision(
        Decision(
            top_m=TOP_M,
            temperature=_fit_temperature(similar[judged], own[judged]),
            error_slope=slope,
            error_intercept=intercept,
            error_prior=ERROR_PRIOR,
            native_accuracy=float((margin[judged] > 0).mean()) if judged.any() else float("nan"),
        ),
        native_margins,
    )


def _draw(bounds: IntArray, rng: np.random.Generator) -> IntArray:
    """Rows to ask, ascending: all of a small class, `ASKED_PER_CLASS` of a large one."""
    parts = []
    for first, end in pairwise(bounds.tolist()):
        rows = np.arange(first, end, dtype=np.int64)
        if len(rows) > ASKED_PER_CLASS:
            rows = np.sort(rng.choice(rows, ASKED_PER_CLASS, replace=False))
        parts.append(rows)
    return np.concatenate(parts)


def _fit_temperature(similar: FloatArray, classes: IntArray) -> float:
    if len(similar) == 0:
        return 0.05
    scores = np.where(np.isnan(similar), -np.inf, similar.astype(np.float64))
    own = scores[np.arange(len(scores)), classes]
    top = scores.max(axis=1)
    losses = [
        float(np.mean(top / t + np.log(np.exp((scores - top[:, None]) / t).sum(axis=1)) - own / t))
        for t in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def _fit_errors(
    similar: FloatArray, classes: IntArray, native: FloatArray, rng: np.random.Generator
) -> tuple[float, float]:
    """Logistic regression of error on ln quantile: every native against one simulated error.

    The simulated error takes a native sound for another phone, drawn at random among those that
    resemble it most (the likelier confusions): from the five nearest other classes.
    """
    others = np.where(np.isnan(similar), -np.inf, similar)
    others[np.arange(len(others)), classes] = -np.inf
    near = np.argsort(-others, axis=1, kind="stable")[:, :5]
    wrong = near[np.arange(len(near)), rng.integers(0, near.shape[1], len(near))]
    simulated = margins(similar, wrong)
    x_right, x_wrong = np.full(len(native), np.nan), np.full(len(native), np.nan)
    for p in np.unique(classes):
        fitted = NativeMargins.fit(native[classes == p])
        x_right[classes == p] = fitted.log_quantile(native[classes == p])
        x_wrong[wrong == p] = fitted.log_quantile(simulated[wrong == p])
    x_right, x_wrong = x_right[~np.isnan(x_right)], x_wrong[~np.isnan(x_wrong)]
    if len(x_right) == 0 or len(x_wrong) == 0:
        return -1.0, float(np.log(ERROR_PRIOR / (1 - ERROR_PRIOR)))
    x = np.concatenate([x_right, x_wrong])
    y = np.concatenate([np.zeros(len(x_right)), np.ones(len(x_wrong))])
    weight = np.concatenate(
        [
            np.full(len(x_right), (1 - ERROR_PRIOR) / len(x_right)),
            np.full(len(x_wrong), ERROR_PRIOR / len(x_wrong)),
        ]
    )
    return _logistic(x, y, weight)


def _logistic(
    x: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, float]:
    """Weighted logistic regression of one variable by Newton's method; slope, intercept."""
    design = np.stack([x, np.ones_like(x)], axis=1)
    beta = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (weight * (y - p)) - 1e-6 * beta
        curvature = (design * (weight * p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        beta += step
        if np.abs(step).max() < 1e-9:
            break
    return float(beta[0]), float(beta[1])
