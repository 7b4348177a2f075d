"""Measures of agreement between the system and its judges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def roc_auc(positive: NDArray[np.bool_], score: NDArray[np.floating]) -> float:
    """Area under the ROC curve: the chance that a positive outranks a negative, ties halved.

    Parameters
    ----------
    positive
        bool `[N]`.
    score
        `[N]`, larger means more likely positive; NaN are left out.

    Returns
    -------
    float
        NaN where one of the two kinds is missing.
    """
    known = ~np.isnan(score)
    positive, score = positive[known], score[known]
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return float("nan")
    wins = float(ranks(score)[positive].sum()) - n_positive * (n_positive + 1) / 2
    return wins / (n_positive * n_negative)


def ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Ranks from 1, `[N]`; ties share their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return shared


def pearson(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Pearson correlation over the pairs without NaN; NaN where one side is constant."""
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known].astype(np.float64), y[known].astype(np.float64)
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def expected_calibration_error(
    positive: NDArray[np.bool_], probability: NDArray[np.floating], *, bins: int = 15
) -> float:
    """Mean distance between stated and observed frequency over bins of equal width.

    Naeini et al., 2015, "Obtaining well calibrated probabilities using Bayesian binning": the
    distance in each bin is weighted by its share of the N cases.

    Parameters
    ----------
    positive
        bool `[N]`, what happened.
    probability
        `[N]`, what was stated, 0–1; NaN are left out.

    Returns
    -------
    float
        NaN if nothing was stated.
    """
    known = ~np.isnan(probability)
    positive, probability = positive[known], probability[known].astype(np.float64)
    if not len(positive):
        return float("nan")
    number = np.minimum((probability * bins).astype(int), bins - 1)
    surplus = np.bincount(number, weights=probability - positive, minlength=bins)
    return float(np.abs(surplus).sum() / len(positive))
