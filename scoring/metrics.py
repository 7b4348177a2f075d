"""Measures of agreement between the system and its judges, each as one number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nativeear.scoring.evaluation.bootstrap import (
    Statistic,
    calibration_error,
    correlation,
    separation,
)


def roc_auc(positive: NDArray[np.bool_], score: NDArray[np.floating]) -> float:
    """Area under the ROC curve, see `bootstrap.separation`; NaN where one kind is missing."""
    return _value(separation(positive, score.astype(np.float64), _one_unit(score)))


def pearson(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Pearson correlation, see `bootstrap.correlation`; NaN where one side is constant."""
    return _value(correlation(x.astype(np.float64), y.astype(np.float64), _one_unit(x)))


def expected_calibration_error(
    positive: NDArray[np.bool_], probability: NDArray[np.floating], *, bins: int = 15
) -> float:
    """Expected calibration error, see `bootstrap.calibration_error`; NaN if nothing was stated."""
    stated = probability.astype(np.float64)
    return _value(calibration_error(positive, stated, _one_unit(stated), bins=bins))


def ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Ranks from 1, `[N]`; ties share their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared: NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return shared


def _one_unit(values: NDArray[np.floating]) -> NDArray[np.int64]:
    return np.zeros(len(values), dtype=np.int64)


def _value(statistic: Statistic) -> float:
    return float(statistic(np.ones((1, 1)))[0])
