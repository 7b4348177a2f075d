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
    known = ~(np.isnan(x) | np.isnan(y))
    x, y, unit = x[known], y[known], unit[known]
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
    order = np.argsort(score[known], kind="stable")
    ranked, positive, unit = score[known][order], positive[known][order], unit[known][order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]][: len(ranked)])

    def one(weights: RealArray) -> float:
        drawn = weights[unit]
        wanted = np.add.reduceat(np.where(positive, drawn, 0.0), starts)
        others = np.add.reduceat(np.where(positive, 0.0, drawn), starts)
        pairs = wanted.sum() * others.sum()
        if pairs == 0:
            return float("nan")
        return float(wanted @ (np.cumsum(others) - others / 2) / pairs)

    def statistic(weights: RealArray) -> RealArray:
        if not len(ranked):
            return np.full(len(weights), np.nan)
        return np.array([one(row) for row in weights])

    return statistic


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


def _sums(values: RealArray | BoolArray, unit: IntArray, units: int) -> RealArray:
    return np.bincount(unit, weights=values, minlength=units).astype(np.float64)


def _ratio(part: RealArray, whole: RealArray) -> RealArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / whole, np.nan)
