"""How well what is expected agrees with what experts said."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from nativeear.scoring.fusion.phone_model import BEST
from nativeear.scoring.metrics import expected_calibration_error, pearson, ranks, roc_auc
from training.tables import Evidence

WRONG = 0.5
"""Expert score below which a phone is called mispronounced."""

GROSS = 0.0
"""Expert score of a phone in whose place an error was made."""

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def probability_curve(expected: FloatArray, wrong: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Probability of an error by what is expected, falling: knots and values, `[K]` each."""
    fitted = IsotonicRegression(increasing=False).fit(expected, wrong.astype(np.float64))
    return np.asarray(fitted.X_thresholds_), np.asarray(fitted.y_thresholds_)


def agreement(expected: FloatArray, expert: FloatArray) -> dict[str, float]:
    """How what is expected of phones goes with what experts gave them."""
    wrong = expert < WRONG
    hits = np.cumsum(wrong[np.argsort(expected)])
    return {
        "pcc": pearson(expected, expert),
        "spearman": pearson(ranks(expected), ranks(expert)),
        "auc": roc_auc(wrong, -expected),
        "best_f1": float((2 * hits / (np.arange(1, len(hits) + 1) + wrong.sum())).max()),
    }


def figures_of(
    expected: FloatArray, probability: FloatArray, expert: FloatArray
) -> dict[str, float]:
    """Agreement on phones, and how well the probability of an error is calibrated."""
    error = expected_calibration_error(expert < WRONG, probability)
    return {"phones": float(len(expert)), **agreement(expected, expert), "ece": error}


def flagged_figures(
    test: Evidence, found: FloatArray, dial: float, border: float
) -> dict[str, float]:
    """What a dial flags of flawless phones, of wrong ones and of claimed ones."""
    flagged, real = found < border, ~test.claimed
    wrong = real & (test.expert < WRONG)
    hits = float((flagged & wrong).sum())
    figures = {
        "flagged_flawless": float(flagged[real & (test.expert == BEST)].mean()),
        "recall": hits / float(wrong.sum()),
        "f1": 2 * hits / float((flagged & real).sum() + wrong.sum()),
    }
    if test.claimed.any():
        figures["recall_claimed"] = float(flagged[test.claimed & (test.expert == GROSS)].mean())
    return {f"{name}_at_{dial:.0%}": value for name, value in figures.items()}
