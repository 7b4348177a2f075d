"""Confidence intervals by resampling speakers (Efron and Tibshirani, 1993, the percentile method).

Phones of one speaker are alike, so speakers are drawn, not phones. A draw only changes how often
each speaker counts; every statistic is therefore a function of weights: `weights [R, U]`, one row
per resample, one column per unit (speaker), to `[R]` values. Weights of 1 give the value itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nativeear.scoring.evaluation.judgements import BoolArray, IntArray, RealArray

Statistic = Callable[[RealArray], RealArray]

RESAMPLES = 1000
CONFIDENCE = 0.95

_BLOCK = 1 << 20
"""Cells of resamples x values that are worked on at once: 8 MB."""


@dataclass(frozen=True)
class Measure:
    """A value with its interval; None where it cannot be measured."""

    value: float | None
    low: float | None = None
    high: float | None = None


def draw_weights(units: int, resamples: int = RESAMPLES, seed: int = 0) -> RealArray:
    """How often each unit is drawn: float64 `[resamples, units]`, rows sum to `units`."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(units, np.full(units, 1 / units), size=resamples).astype(np.float64)


def measure(statistic: Statistic, weights: RealArray | None = None) -> Measure:
    """The statistic of all units, and the interval that `CONFIDENCE` of the resamples lie in.

    Parameters
    ----------
    weights
        From `draw_weights`; None for no interval. There is none for a single unit either, nor
        where half of the resamples have no value.
    """
    units = 1 if weights is None else weights.shape[1]
    value = float(statistic(np.ones((1, units)))[0])
    if np.isnan(value):
        return Measure(None)
    if weights is None or units < 2:
        return Measure(value)
    drawn = statistic(weights)
    if np.isnan(drawn).mean() > 0.5:
        return Measure(value)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return Measure(value, float(low), float(high))


def share(part: RealArray | BoolArray, whole: RealArray | BoolArray, unit: IntArray) -> Statistic:
    """Σ part / Σ whole: rates, precision, recall, means.

    Parameters
    ----------
    part, whole
        `[N]`, numbers or booleans.
    unit
        int64 `[N]`, unit of each.
    """

    def statistic(weights: RealArray) -> RealArray:
        units = weights.shape[1]
        parts = weights @ _sums(part, unit, units)
        wholes = weights @ _sums(whole, unit, units)
        return _ratio(parts, wholes)

    return statistic


def difference(one: Statistic, other: Statistic) -> Statistic:
    """The one less the other, in each resample."""
    return lambda weights: one(weights) - other(weights)


def correlation(x: RealArray, y: RealArray, unit: IntArray) -> Statistic:
    """Pearson correlation over the pairs without NaN.

    Parameters
    ----------
    x, y
        float64 `[N]`.
    unit
        int64 `[N]`.
    """
    x, y, unit = _known(x, y, unit)
    # Sums of squares lose digits far from zero.
    x, y = (x - x.mean(), y - y.mean()) if len(x) else (x, y)
    columns = [np.ones_like(x), x, y, x * x, y * y, x * y]

    def statistic(weights: RealArray) -> RealArray:
        units = weights.shape[1]
        n, sx, sy, sxx, syy, sxy = (weights @ _sums(each, unit, units) for each in columns)
        spread_x, spread_y = n * sxx - sx * sx, n * syy - sy * sy
        # What is left of two equal numbers after subtraction is rounding, not spread.
        constant = (spread_x <= 1e-12 * n * sxx) | (spread_y <= 1e-12 * n * syy)
        with np.errstate(invalid="ignore", divide="ignore"):
            r = (n * sxy - sx * sy) / np.sqrt(spread_x * spread_y)
        return np.where(constant, np.nan, r)

    return statistic


def rank_correlation(x: RealArray, y: RealArray, unit: IntArray) -> Statistic:
    """Spearman correlation over the pairs without NaN, ties sharing their mean rank.

    Parameters
    ----------
    x, y
        float64 `[N]`.
    unit
        int64 `[N]`.
    """
    x, y, unit = _known(x, y, unit)
    own, others = _Order(x), _Order(y)

    def block(drawn: RealArray) -> RealArray:
        # Resamples of the ranks, not ranks of the whole: whoever is drawn is ranked anew.
        n = drawn.sum(axis=1, keepdims=True)
        a = own.ranks(drawn) - (n + 1) / 2  # the mean rank is known
        b = others.ranks(drawn) - (n + 1) / 2
        spread = np.sqrt((drawn * a * a).sum(axis=1) * (drawn * b * b).sum(axis=1))
        return _ratio((drawn * a * b).sum(axis=1), spread)

    return _by_value(block, unit)


def concordance(x: RealArray, y: RealArray, unit: IntArray) -> Statistic:
    """Lin's concordance correlation (1989) over the pairs without NaN.

    A Pearson correlation that also counts a shift and a stretch against the system: 1 only where
    both say the same number. Both must be in one unit.

    Parameters
    ----------
    x, y
        float64 `[N]`.
    unit
        int64 `[N]`.
    """
    x, y, unit = _known(x, y, unit)
    gap = x - y
    middle = y.mean() if len(y) else 0.0  # sums of squares lose digits far from zero
    x, y = x - middle, y - middle
    columns = [np.ones_like(x), x, y, x * x, y * y, x * y, gap]

    def statistic(weights: RealArray) -> RealArray:
        units = weights.shape[1]
        n, sx, sy, sxx, syy, sxy, sg = (weights @ _sums(each, unit, units) for each in columns)
        with np.errstate(invalid="ignore", divide="ignore"):
            shared = 2 * (sxy - sx * sy / n)
            whole = sxx - sx * sx / n + syy - sy * sy / n + sg * sg / n
            constant = syy - sy * sy / n <= 1e-12 * syy
        return np.where(constant, np.nan, _ratio(shared, whole))

    return statistic


def macro_error(x: RealArray, y: RealArray, unit: IntArray) -> Statistic:
    """Mean over the classes of `y`, rounded to whole numbers, of the mean of |x - y|.

    Every class counts alike however rare it is (Baccianella et al., 2009, "Evaluation measures for
    ordinal regression"), so that a system that finds nearly everything flawless gains nothing by
    nearly everything being so. Classes that a resample lacks are left out of its mean.

    Parameters
    ----------
    x, y
        float64 `[N]`, in one unit; pairs with a NaN are left out.
    unit
        int64 `[N]`.
    """
    x, y, unit = _known(x, y, unit)
    error, classes = np.abs(x - y), np.floor(y + 0.5)
    means = [
        share(np.where(own, error, 0.0), own, unit)
        for own in (classes == each for each in np.unique(classes))
    ]

    def statistic(weights: RealArray) -> RealArray:
        if not means:
            return np.full(len(weights), np.nan)
        found = np.stack([mean(weights) for mean in means])
        present = ~np.isnan(found)
        return _ratio(np.where(present, found, 0.0).sum(axis=0), present.sum(axis=0))

    return statistic


def _known(x: RealArray, y: RealArray, unit: IntArray) -> tuple[RealArray, RealArray, IntArray]:
    """The pairs without NaN."""
    known = ~(np.isnan(x) | np.isnan(y))
    return x[known], y[known], unit[known]


def separation(positive: BoolArray, score: RealArray, unit: IntArray) -> Statistic:
    """Area under the ROC curve: the chance that a positive outranks a negative, ties halved.

    Parameters
    ----------
    positive
        bool `[N]`.
    score
        float64 `[N]`, larger means more likely positive; NaN are left out.
    unit
        int64 `[N]`.
    """
    known = ~np.isnan(score)
    right, unit = positive[known], unit[known]
    order = _Order(score[known])

    def block(drawn: RealArray) -> RealArray:
        wanted = order.totals(np.where(right, drawn, 0.0))
        others = order.totals(np.where(right, 0.0, drawn))
        pairs = wanted.sum(axis=1) * others.sum(axis=1)
        below = np.cumsum(others, axis=1) - others / 2
        return _ratio((wanted * below).sum(axis=1), pairs)

    return _by_value(block, unit)


def calibration_error(
    positive: BoolArray, probability: RealArray, unit: IntArray, *, bins: int
) -> Statistic:
    """Mean distance between stated and observed frequency over bins of equal width.

    The distance in each bin is weighted by its share of the N cases (Naeini et al., 2015,
    "Obtaining well calibrated probabilities using Bayesian binning").

    Parameters
    ----------
    positive
        bool `[N]`, what happened.
    probability
        float64 `[N]`, what was stated, 0–1; NaN are left out.
    unit
        int64 `[N]`.
    """
    known = ~np.isnan(probability)
    positive, probability, unit = positive[known], probability[known], unit[known]
    number = np.minimum((probability * bins).astype(np.int64), bins - 1)

    def statistic(weights: RealArray) -> RealArray:
        units = weights.shape[1]
        surplus = np.bincount(
            unit * bins + number, weights=probability - positive, minlength=units * bins
        ).reshape(units, bins)
        count = np.bincount(unit, minlength=units).astype(np.float64)
        return _ratio(np.abs(weights @ surplus).sum(axis=1), weights @ count)

    return statistic


class _Order:
    """N values in ascending order, equal ones together."""

    def __init__(self, values: RealArray) -> None:
        self._order = np.argsort(values, kind="stable")
        distinct, self._place = np.unique(values, return_inverse=True)
        ranked = values[self._order]
        self._starts = np.searchsorted(ranked, distinct)

    def totals(self, drawn: RealArray) -> RealArray:
        """Sum of each distinct value's weights, `[R, N]` to `[R, distinct]`."""
        return np.add.reduceat(drawn[:, self._order], self._starts, axis=1)

    def ranks(self, drawn: RealArray) -> RealArray:
        """Rank of each value in each resample, from 1, ties sharing their mean: `[R, N]`."""
        count = self.totals(drawn)
        shared = np.cumsum(count, axis=1) - (count - 1) / 2
        return shared[:, self._place]


def _by_value(block: Statistic, unit: IntArray) -> Statistic:
    """A statistic of how often each value was drawn, `[R, N]`, worked out block by block."""

    def statistic(weights: RealArray) -> RealArray:
        if not len(unit):
            return np.full(len(weights), np.nan)
        rows = max(1, _BLOCK // len(unit))
        parts = [
            block(weights[start : start + rows][:, unit]) for start in range(0, len(weights), rows)
        ]
        return np.concatenate(parts)

    return statistic


def _sums(values: RealArray | BoolArray, unit: IntArray, units: int) -> RealArray:
    return np.bincount(unit, weights=values, minlength=units).astype(np.float64)


def _ratio(part: RealArray, whole: RealArray) -> RealArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / whole, np.nan)
