"""Evidence of frames, averaged over phones."""

import numpy as np
import pytest

from nativeear.indexes.frame_evidence import frame_evidence
from nativeear.indexes.similarity import margins

SIMILAR = np.array(
    [[0.9, 0.1, 0.0], [0.5, 0.4, 0.2], [0.1, 0.8, 0.3], [0.0, 0.2, 0.7]], dtype=np.float32
)


def test_one_frame_a_phone_gives_that_frame() -> None:
    found = frame_evidence(SIMILAR, np.eye(4)[:, [0, 2, 3]], np.array([0, 1, 2]), 0.1)
    exponentials = np.exp(SIMILAR.astype(np.float64) / 0.1)
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    assert found.log_posterior == pytest.approx(
        np.log([softmax[0, 0], softmax[2, 1], softmax[3, 2]])
    )
    assert found.margin == pytest.approx([0.8, 0.5, 0.5])


def test_weights_average_frames_and_need_not_sum_to_one() -> None:
    weights = np.array([[3.0], [1.0], [0.0], [0.0]])
    found = frame_evidence(SIMILAR, weights, np.array([0]), 0.1)
    own = margins(SIMILAR, np.zeros(4, dtype=np.int64))
    assert found.margin == pytest.approx([0.75 * own[0] + 0.25 * own[1]])
    assert found.margin == pytest.approx(
        frame_evidence(SIMILAR, weights * 7, np.array([0]), 0.1).margin
    )


def test_half_a_phone_counts_against_it_more_than_its_mean_does() -> None:
    """Two frames, one right and one wrong: their mean would still be nearest to the phone."""
    right_and_wrong = np.array([[0.9, 0.0], [0.2, 0.5]], dtype=np.float32)
    found = frame_evidence(right_and_wrong, np.ones((2, 1)), np.array([0]), 0.05)
    mean = right_and_wrong.mean(axis=0, keepdims=True)
    pooled = frame_evidence(mean, np.ones((1, 1)), np.array([0]), 0.05)
    assert found.log_posterior[0] < pooled.log_posterior[0] < 0


def test_nothing_is_said_without_frames_or_exemplars() -> None:
    missing = SIMILAR.copy()
    missing[:, 1] = np.nan
    found = frame_evidence(missing, np.ones((4, 2)), np.array([0, 1]), 0.1)
    assert np.isfinite(found.margin[0]) and np.isfinite(found.log_posterior[0])
    assert np.isnan(found.margin[1]) and np.isnan(found.log_posterior[1])
    nothing = frame_evidence(SIMILAR, np.zeros((4, 1)), np.array([0]), 0.1)
    assert np.isnan(nothing.margin[0]) and np.isnan(nothing.log_posterior[0])
