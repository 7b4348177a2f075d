"""Frames of a phone → one vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from nativeear.speech.errors import InputError
from nativeear.speech.frames import FloatArray, Frames

Pooling = Literal["middle-third", "middle-frame"]
POOLINGS: tuple[str, ...] = get_args(Pooling)


def pool(
    frames: Frames, spans_s: Sequence[tuple[float, float]], pooling: Pooling = "middle-third"
) -> FloatArray:
    """Pool the frames inside each span into one vector.

    Parameters
    ----------
    spans_s
        N spans `(start, end)` in seconds.
    pooling
        `middle-frame`: the frame nearest to the middle of the span (mid-frame pooling, arXiv
        2511.20107). `middle-third`: the mean over the middle third, at least one frame.

    Returns
    -------
    FloatArray
        float32 `[N, D]`.
    """
    if pooling not in POOLINGS:
        raise InputError(
            f"There is no pooling called {pooling!r}.", fix=f"Choose one of {', '.join(POOLINGS)}."
        )
    pooled = np.empty((len(spans_s), frames.embeddings.shape[1]), dtype=np.float32)
    for row, (start_s, end_s) in enumerate(spans_s):
        middle = frames.nearest((start_s + end_s) / 2)
        first = last = middle
        if pooling == "middle-third":
            third = (end_s - start_s) / 3
            first = min(frames.nearest(start_s + third), middle)
            last = max(frames.nearest(end_s - third), middle)
        pooled[row] = frames.embeddings[first : last + 1].mean(axis=0)
    return pooled
