"""Windows over long recordings: what is kept covers everything once, with context on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nativeear.speech.encoders.windows import plan, stitch


@given(n_frames=st.integers(1, 5_000), margin=st.integers(0, 200), interior=st.integers(1, 400))
def test_every_frame_is_kept_once_and_has_its_context(
    n_frames: int, margin: int, interior: int
) -> None:
    size = 2 * margin + interior
    windows = plan(n_frames, size=size, margin=margin)

    kept = [frame for w in windows for frame in range(w.keep_start, w.keep_stop)]
    assert kept == list(range(n_frames))
    for window in windows:
        assert window.stop - window.start == min(size, n_frames)
        assert window.start <= window.keep_start <= window.keep_stop <= window.stop
        assert window.start == 0 or window.keep_start - window.start >= margin
        assert window.stop == n_frames or window.stop - window.keep_stop >= margin


def test_a_recording_that_fits_is_one_window() -> None:
    (window,) = plan(1500, size=1500, margin=125)
    assert (window.start, window.stop) == (0, 1500)
    assert len(plan(1501, size=1500, margin=125)) == 2


def test_margins_must_leave_something() -> None:
    with pytest.raises(ValueError, match="leave nothing"):
        plan(100, size=50, margin=25)


def test_a_local_function_of_the_input_is_stitched_exactly() -> None:
    signal = np.random.default_rng(0).standard_normal(1_003).astype(np.float32)
    kernel = np.hanning(21).astype(np.float32)

    def encode(piece: np.ndarray) -> np.ndarray:
        return np.convolve(piece, kernel, mode="same")[:, None].astype(np.float32)

    windows = plan(len(signal), size=100, margin=10)
    stitched = stitch([encode(signal[w.start : w.stop]) for w in windows], windows)

    np.testing.assert_allclose(stitched, encode(signal), atol=1e-6)
    assert stitched.flags.c_contiguous
