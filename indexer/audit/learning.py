"""What more speech would be worth: a power law through errors with less of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LearningCurve:
    """Error of a phone by the exemplars of it that answered, and where it leads."""

    # What was seen with each share of the utterances: exemplars, and the share of natives that were
    # nearer to another phone.
    exemplars: tuple[int, ...]
    errors: tuple[float, ...]
    # b of error = a · exemplars^-b and its standard error; None where less than three shares had
    # exemplars.
    exponent: float | None = None
    exponent_error: float | None = None
    doubled: float | None = None  # error expected with twice the speech
    # By how much that is below the error on the same line today, and its standard error.
    gain: float | None = None
    gain_error: float | None = None

    @property
    def change(self) -> str:
        """What twice the speech does to the error, in points: `-1.2 ± 0.4`; empty if not known."""
        if self.gain is None or self.gain_error is None:
            return ""
        return f"{round(-100 * self.gain, 1) + 0.0:+.1f} ± {100 * self.gain_error:.1f}"


def learning_curve(
    exemplars: NDArray[np.int64], wrong: NDArray[np.int64], asked: int
) -> LearningCurve:
    """Fit a power law by least squares in logarithms.

    A share weighs as much as its error is known; half an error is added to each, so that none is 0.
    The standard error takes the scatter about the line, where that is larger than the counts allow.

    Parameters
    ----------
    exemplars
        int64 `[S]`, exemplars that answered, ascending.
    wrong
        int64 `[S]`, how many of the asked were nearer to another phone.
    """
    seen = (exemplars > 0) & (asked > 0)
    n, k = exemplars[seen].astype(np.float64), wrong[seen].astype(np.float64)
    errors = k / max(1, asked)
    counts = tuple(int(value) for value in n)
    shares = tuple(round(float(value), 4) for value in errors)
    if len(np.unique(n)) < 3:
        return LearningCurve(counts, shares)
    smoothed = (k + 0.5) / (asked + 1)
    weight = asked * smoothed / (1 - smoothed)  # 1 / variance of ln error, by the delta method
    x, y = np.log(n), np.log(smoothed)
    centre = float(np.average(x, weights=weight))
    scatter = float(weight @ (x - centre) ** 2)
    slope = float(weight @ ((x - centre) * y)) / scatter
    level = float(np.average(y, weights=weight))
    residual = y - level - slope * (x - centre)
    excess = max(1.0, float(weight @ residual**2) / (len(x) - 2))
    slope_error = math.sqrt(excess / scatter)
    now = math.exp(level + slope * (x[-1] - centre))
    factor = 2.0**slope
    return LearningCurve(
        counts,
        shares,
        exponent=round(-slope, 4),
        exponent_error=round(slope_error, 4),
        doubled=round(min(1.0, now * factor), 4),
        gain=round(now * (1 - factor), 4),
        gain_error=round(now * factor * math.log(2) * slope_error, 4),
    )
