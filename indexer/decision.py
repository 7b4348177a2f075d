"""How an index decides, fitted on its own native speech alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nativeear.indexer.discriminant import class_sums, transformed
from nativeear.indexes.manifest import Decision
from nativeear.indexes.native_margins import NativeMargins
from nativeear.indexes.similarity import FloatArray, IntArray, class_similarities, margins

TOP_M = 10
ERROR_PRIOR = 0.1
ASKED = 24_000
"""Exemplars that are asked about themselves, of each class in proportion: more would tell the same,
and the cost of asking would grow with the square of the index."""

LEAST_ASKED = 300
"""Of a rare class more are asked, so that something is known of it: so many, or all."""

_TEMPERATURES = np.geomspace(0.005, 1.0, 80)


FOLDS = 10
"""Parts of the natives that are left out in turn. Few would leave much of the index out, and
natives would look worse than those who come to the whole of it. Settled, as `ASKED` was, with
held-out prompts in five languages in view."""


@dataclass(frozen=True, eq=False)
class FittedDecision:
    """The decision, and the exemplars' own margins while they were left out, `[n]`.

    NaN for exemplars that were not asked, or are the only ones of their phone.
    """

    decision: Decision
    native_margins: FloatArray


@dataclass(frozen=True, eq=False)
class LeftOutNatives:
    """Natives that were asked of an index without them."""

    rows: IntArray  # int64 `[a]`, ascending: which exemplars were asked
    own: IntArray  # int64 `[a]`, their classes
    similar: FloatArray  # float32 `[a, P]`, how similar every class is; NaN where it has no other

    @property
    def margins(self) -> FloatArray:
        """By how much each is nearer to its own class than to any other, float32 `[a]`."""
        return margins(self.similar, self.own)

    def simulated(self, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
        """One simulated error of each: the class that is claimed, and its margin, `[a]` each.

        The error takes a native sound for another phone, drawn at random among those that resemble
        it most (the likelier confusions): from the five nearest other classes.
        """
        others = np.where(np.isnan(self.similar), -np.inf, self.similar)
        others[np.arange(len(others)), self.own] = -np.inf
        near = np.argsort(-others, axis=1, kind="stable")[:, : min(5, others.shape[1] - 1)]
        wrong = near[np.arange(len(near)), rng.integers(0, near.shape[1], len(near))]
        return wrong, margins(self.similar, wrong)


def fit_decision(
    embeddings: NDArray[np.floating], bounds: IntArray, groups: IntArray
) -> FittedDecision:
    """Ask an index without some of its natives about those natives, for all of them in turn.

    The transform is fitted anew without them each time, so that what is known of natives holds
    for natives that were never heard.

    Parameters
    ----------
    embeddings
        float16 or float32 `[n, D]` in the encoder's space, ordered by class; read in blocks.
    bounds
        int64 `[P + 1]`, rows of each class.
    groups
        int64 `[n]`: exemplars of one group (a speaker, an utterance) are left out together.

    Returns
    -------
    FittedDecision
        See `indexes.manifest.Decision` for what is fitted and how.
    """
    rng = np.random.default_rng(0)
    natives = ask_left_out(embeddings, bounds, groups, rng)
    margin = natives.margins
    judged = ~np.isnan(margin)
    slope, intercept = _fit_errors(natives, margin, rng)
    native_margins = np.full(len(embeddings), np.nan, dtype=np.float32)
    native_margins[natives.rows] = margin
    return FittedDecision(
        Decision(
            top_m=TOP_M,
            temperature=_fit_temperature(natives.similar[judged], natives.own[judged]),
            error_slope=slope,
            error_intercept=intercept,
            error_prior=ERROR_PRIOR,
            native_accuracy=float((margin[judged] > 0).mean()) if judged.any() else 0.0,
        ),
        native_margins,
    )


def ask_left_out(
    embeddings: NDArray[np.floating], bounds: IntArray, groups: IntArray, rng: np.random.Generator
) -> LeftOutNatives:
    """Ask an index without some of its natives about those, for all of them in turn.

    Parameters
    ----------
    embeddings, bounds, groups
        As for `fit_decision`.
    """
    classes = len(bounds) - 1
    own = np.repeat(np.arange(classes), np.diff(bounds))
    fold = folds(groups, FOLDS, rng)
    asked = draw(bounds, rng)
    sums = class_sums(embeddings, own, fold)
    similar = np.full((len(asked), classes), np.nan, dtype=np.float32)
    for f in range(int(fold.max()) + 1):
        stays, ask = fold != f, fold[asked] == f
        if len(np.unique(own[stays])) < 2:
            continue
        others = [part for g, part in enumerate(sums) if g != f]
        transform = sum(others[1:], start=others[0]).lda()
        queries = transformed(transform, embeddings, asked[ask])
        for p, (first, end) in enumerate(pairwise(bounds.tolist())):  # one class in memory
            rows = first + np.flatnonzero(stays[first:end])
            vectors = transformed(transform, embeddings, rows)
            alone = np.array([0, len(rows)])
            similar[ask, p] = class_similarities(queries, vectors, alone, top_m=TOP_M)[:, 0]
    return LeftOutNatives(asked, own[asked], similar)


def folds(groups: IntArray, number: int, rng: np.random.Generator) -> IntArray:
    """Fold of every exemplar, `[n]`; groups are dealt out evenly in a seeded order."""
    _, group = np.unique(groups, return_inverse=True)
    dealt = rng.permutation(int(group.max(initial=0)) + 1) % number
    return dealt[group]


def draw(bounds: IntArray, rng: np.random.Generator) -> IntArray:
    """Rows to ask, ascending: all of a small index; of a large one the shares that classes have."""
    parts = []
    share = min(1.0, ASKED / max(int(bounds[-1]), 1))
    for first, end in pairwise(bounds.tolist()):
        rows = np.arange(first, end, dtype=np.int64)
        wanted = max(LEAST_ASKED, round(share * len(rows)))
        if len(rows) > wanted:
            rows = np.sort(rng.choice(rows, wanted, replace=False))
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
    natives: LeftOutNatives, native: FloatArray, rng: np.random.Generator
) -> tuple[float, float]:
    """Logistic regression of error on ln quantile: every native against one simulated error."""
    classes = natives.own
    wrong, simulated = natives.simulated(rng)
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
