"""Long recordings in overlapping windows whose joints leave no seam.

Attention costs the square of a recording's length, and models have never heard more than some
thirty seconds at once. A long recording is therefore encoded in windows. They are counted in
frames, so that every window starts at a multiple of the hop and its frames lie exactly where the
frames of the whole lie, and of each only frames with sound enough on both sides are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nativeear.speech.frames import FloatArray


@dataclass(frozen=True)
class Window:
    """One window, in frames of the whole recording; ends are exclusive.

    Attributes
    ----------
    start, stop
        What is encoded.
    keep_start, keep_stop
        What is kept of it.
    """

    start: int
    stop: int
    keep_start: int
    keep_stop: int


def plan(n_frames: int, *, size: int, margin: int) -> tuple[Window, ...]:
    """Cover a recording with windows.

    Parameters
    ----------
    n_frames
        Frames of the whole recording, at least 1.
    size
        Longest window, in frames. A recording that fits into one window is one window.
    margin
        Frames of context that every kept frame has on both sides within its window, unless the
        recording itself ends there. Less than half of `size`.

    Returns
    -------
    tuple[Window, ...]
        In order; what they keep covers every frame exactly once. Each is `size` long, the last
        one too: it reaches back further instead of being short.
    """
    if not 0 <= 2 * margin < size:
        raise ValueError(f"Windows of {size} frames leave nothing between margins of {margin}.")
    if n_frames <= size:
        return (Window(0, n_frames, 0, n_frames),)
    last = n_frames - size
    starts = [*range(0, last, size - 2 * margin), last]
    # neighbours overlap by 2 · margin or more, and meet in the middle of what they share
    joints = [(left + size + right) // 2 for left, right in pairwise(starts)]
    edges = [0, *joints, n_frames]
    return tuple(
        Window(start, start + size, keep_start, keep_stop)
        for start, (keep_start, keep_stop) in zip(starts, pairwise(edges), strict=True)
    )


def stitch(pieces: Sequence[FloatArray], windows: Sequence[Window]) -> FloatArray:
    """Join what each window keeps.

    Parameters
    ----------
    pieces
        float32 `[stop - start, D]` for every window.
    windows
        As `plan` made them.

    Returns
    -------
    FloatArray
        float32 `[T, D]` of the whole recording, C-contiguous.
    """
    kept = [
        piece[window.keep_start - window.start : window.keep_stop - window.start]
        for piece, window in zip(pieces, windows, strict=True)
    ]
    return np.ascontiguousarray(kept[0] if len(kept) == 1 else np.concatenate(kept))
