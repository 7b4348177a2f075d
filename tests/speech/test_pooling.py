import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nativeear.speech.errors import InputError
from nativeear.speech.frames import Frames
from nativeear.speech.pooling import pool

SECONDS = st.floats(-1.0, 5.0, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 40),
    seed=st.integers(0, 9),
    spans=st.lists(st.tuples(SECONDS, SECONDS).map(sorted).map(tuple), max_size=5),
)
def test_a_pooled_vector_lies_among_the_frames(
    count: int, seed: int, spans: list[tuple[float, float]]
) -> None:
    embeddings = np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)
    frames = Frames(embeddings, hop_s=0.02, offset_s=0.01)
    middle = pool(frames, spans, "middle-frame")
    third = pool(frames, spans, "middle-third")
    assert middle.shape == third.shape == (len(spans), 3)
    assert middle.dtype == third.dtype == np.float32
    for row in middle:
        assert (embeddings == row).all(axis=1).any()
    assert (third >= embeddings.min(axis=0) - 1e-5).all()
    assert (third <= embeddings.max(axis=0) + 1e-5).all()


def test_the_middle_third_is_meant() -> None:
    frames = Frames(np.arange(30, dtype=np.float32)[:, None], hop_s=0.01, offset_s=0.0)
    assert pool(frames, [(0.0, 0.29)])[0, 0] == pytest.approx(14.5, abs=0.6)


def test_another_pooling_is_refused() -> None:
    frames = Frames(np.zeros((3, 2), np.float32), hop_s=0.02, offset_s=0.01)
    with pytest.raises(InputError, match="no pooling called 'mean'"):
        pool(frames, [(0.0, 0.1)], "mean")  # type: ignore[arg-type]
