"""Where a margin stands among native realisations of the same phone."""

from __future__ import annotations

import math
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

COMPANY = 0.5
"""Weight of the mean over the recording beside a phone's own evidence: who says all else like a
native is believed sooner. Tried 0, 0.25, 0.5 and 0.75 on learners of folds 0 and 1; see
docs/evaluation.md. Where retrieval judges alone, only by an index of several speakers: by one of
few the mean tells more of how far a voice is from theirs than of how well it speaks (tried from
−0.75 to 0.5 on Spanish prompts by another voice)."""

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

    def at(self, quantile: float) -> float:
        """The margin at a quantile, 0–1, as `log_quantile` has it; NaN without natives."""
        if len(self.ordered) == 0:
            return float("nan")
        if quantile < self.tail:
            return self.threshold + self.scale * math.log(quantile / self.tail)
        return max(self.threshold, float(np.interp(quantile, self._positions, self.ordered)))


def evidence_sums(
    margins: FloatArray,
    log_posteriors: FloatArray,
    recordings: IntArray,
    *,
    many_voices: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """Evidence in nats that phones were said as natives say them, and by retrieval alone.

    The first adds margins and log posteriors of the encoder's phone head, and `COMPANY` times the
    mean of these sums over the recording; it is NaN where one is missing. The second has company,
    too, where the index holds many voices.

    Parameters
    ----------
    margins, log_posteriors
        float64 `[n]`; NaN where not known.
    recordings
        int64 `[n]`, numbers from 0: which recording each phone is of.
    many_voices
        Whether the index has `MIN_SPEAKERS` or more.
    """
    alone = MARGIN_WEIGHT * margins
    both = np.maximum(log_posteriors, LOWEST) + alone
    in_company = alone + COMPANY * _means(alone, recordings) if many_voices else alone
    return both + COMPANY * _means(both, recordings), in_company


def retrieval_sums(
    posteriors: FloatArray,
    frame_log_posteriors: FloatArray,
    recordings: IntArray,
    spreads: tuple[float, float],
) -> FloatArray:
    """Evidence by retrieval alone where natives were asked for it: both log posteriors, in company.

    Parameters
    ----------
    posteriors, frame_log_posteriors
        Log posteriors of phones and the mean ones of their frames, float64 `[n]`; NaN where not
        known.
    recordings
        As for `evidence_sums`.
    spreads
        Standard deviations of both among natives, see `spread_of_natives`: neither outweighs the
        other by its unit.
    """
    sums: FloatArray = np.add(
        np.maximum(posteriors, LOWEST) / spreads[0],
        np.maximum(frame_log_posteriors, LOWEST) / spreads[1],
    )
    return sums + COMPANY * _means(sums, recordings)


def spread_of_natives(log_posteriors: FloatArray) -> float:
    """Standard deviation of natives' log posteriors, NaN left out; 1 where none differ."""
    known = np.maximum(log_posteriors[~np.isnan(log_posteriors)], LOWEST)
    return (float(known.std()) if len(known) else 0.0) or 1.0


def _means(sums: FloatArray, recordings: IntArray) -> FloatArray:
    """Mean over its recording of every sum that is known, `[n]`; NaN where none is."""
    known = ~np.isnan(sums)
    counts = np.bincount(recordings, weights=known)
    totals = np.bincount(recordings, weights=np.where(known, sums, 0.0))
    means: FloatArray = (totals / np.where(counts > 0, counts, np.nan))[recordings]
    return means


def left_out_together(speakers: IntArray, utterances: IntArray) -> IntArray:
    """Groups of N natives that do not answer for each other, `[N]`.

    They are the speakers where there are enough of them, else the utterances.
    """
    return speakers if len(np.unique(speakers)) >= MIN_SPEAKERS else utterances
