"""Retrieval frame by frame: what every frame of a phone resembles, not what their mean does.

A phone that is half right, or not there, is hidden in the mean of its frames: the mean lies
between what was said and what was meant. So each frame asks the index by itself, and a phone's
evidence is the average over its frames, each weighted by how surely it belongs to the phone. The
weights may be an aligned span's (one inside, nought outside) or a CTC head's occupancy, which
needs no boundaries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.similarity import FloatArray, IntArray, all_class_margins


@dataclass(frozen=True, eq=False)
class FrameEvidence:
    """What the frames of N canonical phones say together."""

    # float64 `[N]`: mean over the frames of ln softmax(s / τ) at the canonical phone.
    log_posterior: NDArray[np.float64]
    margin: NDArray[np.float64]  # float64 `[N]`: mean over the frames of the margin


def frame_evidence(
    similar: FloatArray, weights: NDArray[np.floating], canonical: IntArray, temperature: float
) -> FrameEvidence:
    """Average the evidence of frames over phones.

    Parameters
    ----------
    similar
        float32 `[T, P]`: s(x, p) of every frame and class, from `class_similarities`. The classes
        should have silence among them, which is what a phone that was not said sounds like.
    weights
        `[T, N]`, not negative: how much of frame t belongs to phone n.
    canonical
        int64 `[N]`, class of each phone.

    Returns
    -------
    FrameEvidence
        NaN where a phone has no weight in any frame, or its class has no exemplar.
    """
    known = np.where(np.isnan(similar), -np.inf, similar.astype(np.float64))
    scaled = known / temperature
    top = scaled.max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):  # where no exemplar was allowed to answer
        log_posteriors = scaled - top - np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))
    all_margins = all_class_margins(similar)
    total = weights.sum(axis=0, dtype=np.float64)
    shares = weights / np.where(total > 0, total, np.nan)

    def average(values: NDArray[np.floating]) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):  # 0 · inf, which is not chosen
            chosen = np.where(shares > 0, shares * values[:, canonical], 0.0).sum(axis=0)
        return np.where((total > 0) & np.isfinite(chosen), chosen, np.nan)

    return FrameEvidence(average(log_posteriors), average(all_margins))
