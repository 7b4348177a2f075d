"""Where a margin stands among native realisations of the same phone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MIN_SPEAKERS = 5
"""From this many speakers on, whole speakers are left out rather than utterances: a learner's
voice is never in the index either."""

TAIL = 0.1
"""Below this quantile the native distribution of a phone is continued by an exponential tail."""

TAIL_OF_ALL = 50
"""So many of the lowest natives of all phones together are such a tail: of more the share is known
to a seventh, and they fall off more slowly, for some are misaligned."""

MARGIN_WEIGHT = 4.0
"""Nats that a margin of 1 is worth. Tried 0, 1, 2, 4, 6 and 8 on the 26 learners of fold 0: from 2
to 6 the agreement with experts is the same to 0.003 in AUC."""

LOWEST = -12.0
"""Log posteriors are cut off here where they are added to margins."""

FLOOR = -20.0
"""Smallest ln quantile: beyond it nothing more is known."""


@dataclass(frozen=True, eq=False)
class NativeMargins:
    """Distribution of margins among natives.

    The quantile is the empirical one (linear between order statistics) down to `tail`, and below
    it tail · exp((m − m₀) / s), with s the mean distance of the natives below m₀ from it: the
    peaks-over-threshold model of a light tail. So learners worse than every native are still
    told apart.
    """

    ordered: FloatArray  # float64 `[n]`, ascending, without NaN
    # m₀ and s, in units of the margin.
    threshold: float
    scale: float
    tail: float = TAIL  # quantile below which the tail is

    @classmethod
    def of_all(cls, native_margins: NDArray[np.floating]) -> NativeMargins:
        """Fit on the margins `[n]` of all phones together, of which there are many."""
        known = int(np.count_nonzero(~np.isnan(native_margins)))
        return cls.fit(native_margins, tail=min(TAIL, TAIL_OF_ALL / max(known, 1)))

    @classmethod
    def fit(cls, native_margins: NDArray[np.floating], *, tail: float = TAIL) -> NativeMargins:
        """Fit on the margins `[n]` of natives of one phone; NaN are ignored."""
        ordered = np.sort(native_margins[~np.isnan(native_margins)].astype(np.float64))
        if len(ordered) == 0:
            return cls(ordered, float("nan"), float("nan"), tail)
        threshold = float(np.quantile(ordered, tail))
        below = threshold - ordered[ordered < threshold]
        scale = float(below.mean()) if len(below) else 0.0
        return cls(ordered, threshold, max(scale, 1e-3), tail)

    def __len__(self) -> int:
        return len(self.ordered)

    @cached_property
    def _positions(self) -> FloatArray:
        """Quantile of each native, `[n]`."""
        return (np.arange(len(self.ordered)) + 0.5) / len(self.ordered)

    def log_quantile(self, margins: NDArray[np.floating]) -> FloatArray:
        """ln of the share of natives whose margin is no larger, float64, same shape.

        NaN where the margin is NaN or nothing was fitted.
        """
        margins = np.asarray(margins, dtype=np.float64)
        if len(self.ordered) == 0:
            return np.full(margins.shape, np.nan)
        body = np.interp(margins, self.ordered, self._positions)
        below = np.log(self.tail) + (margins - self.threshold) / self.scale
        value = np.where(margins < self.threshold, below, np.log(np.maximum(body, self.tail)))
        return np.where(np.isnan(margins), np.nan, np.maximum(value, FLOOR))


def evidence_sums(margins: FloatArray, log_posteriors: FloatArray) -> FloatArray:
    """Margins and log posteriors of the encoder's phone head in nats, NaN where one is missing.

    Their place among the natives' own is what the training-free calibration judges by.
    """
    sums: FloatArray = np.maximum(log_posteriors, LOWEST) + MARGIN_WEIGHT * margins
    return sums


def native_sums(
    margins: FloatArray, log_posteriors: FloatArray
) -> tuple[NativeMargins, NativeMargins]:
    """What the sums of natives are, and what weighted margins alone are, of all phones together.

    Natives may have taught the phone head, which then stumbles over them less often than it would
    over others: of its sums an exponential tail from `TAIL` on is nearer to those of natives whom
    it has not heard (4.3 % of held-out English phones below the 4 %, where counting has 5.8 %).

    Parameters
    ----------
    margins, log_posteriors
        float64 `[n]`, of natives, each left out; NaN where not known.
    """
    return (
        NativeMargins.fit(evidence_sums(margins, log_posteriors)),
        NativeMargins.of_all(MARGIN_WEIGHT * margins),
    )


def left_out_together(speakers: IntArray, utterances: IntArray) -> IntArray:
    """Groups of N natives that do not answer for each other, `[N]`.

    They are the speakers where there are enough of them, else the utterances.
    """
    return speakers if len(np.unique(speakers)) >= MIN_SPEAKERS else utterances
