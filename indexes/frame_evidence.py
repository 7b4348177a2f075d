"""Retrieval frame by frame: what every frame of a phone resembles, not what their mean does.

A phone that is half right, or not there, is hidden in the mean of its frames: the mean lies
between what was said and what was meant. So each frame asks the index by itself, and a phone's
evidence is the average over its frames, each weighted by how surely it belongs to the phone. The
weights may be an aligned span's (one inside, nought outside) or a CTC head's occupancy, which
needs no boundaries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.similarity import FloatArray, IntArray, all_class_margins
from nativeear.speech.frames import Frames

EXEMPLARS_PER_CLASS = 400
"""Exemplars of a class that answer frames, as many as `training.evaluate` takes: a recording has
many times more frames than phones."""

TEMPERATURE = 0.1
"""τ of the softmax over a frame's similarities."""

LEAST_WEIGHT = 1e-3
"""Frames that belong to no phone with more than this probability are not asked."""


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


def answering_frames(bounds: IntArray) -> IntArray:
    """Rows that answer frames, ascending: up to `EXEMPLARS_PER_CLASS`, evenly spread over a class.

    Parameters
    ----------
    bounds
        int64 `[P + 1]`; class p holds the rows `bounds[p]:bounds[p + 1]`.
    """
    chosen = [
        np.unique(np.linspace(first, end - 1, min(end - first, EXEMPLARS_PER_CLASS)).round())
        for first, end in pairwise(bounds.tolist())
    ]
    return np.concatenate(chosen).astype(np.int64)


def span_weights(frames: Frames, spans_s: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """Weights `[T, N]` of frames by an alignment: 1 inside a phone's span, else 0.

    A span that holds no frame's centre takes the frame nearest to its middle.
    """
    weights = np.zeros((len(frames), len(spans_s)))
    for n, (start_s, end_s) in enumerate(spans_s):
        inside = (frames.times_s >= start_s) & (frames.times_s < end_s)
        weights[inside, n] = 1.0
        if not inside.any():
            weights[frames.nearest((start_s + end_s) / 2), n] = 1.0
    return weights
