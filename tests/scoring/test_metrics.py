"""What measures of agreement keep to, whatever the arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nativeear.scoring.metrics import expected_calibration_error, pearson, ranks, roc_auc

SIZES = st.integers(0, 40)
VALUES = st.one_of(st.integers(-50, 50).map(float), st.just(float("nan")))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    size = draw(SIZES)
    return draw(arrays(np.bool_, size)), draw(arrays(np.float64, size, elements=VALUES))


@settings(max_examples=80, deadline=None)
@given(pairs())
def test_roc_auc_counts_pairs_and_turns_over(pair: tuple[np.ndarray, np.ndarray]) -> None:
    positive, score = pair
    found = roc_auc(positive, score)
    known = ~np.isnan(score)
    high, low = score[known & positive], score[known & ~positive]
    if not len(high) or not len(low):
        assert np.isnan(found)
        return
    wins = (high[:, None] > low).mean() + 0.5 * (high[:, None] == low).mean()
    assert found == pytest.approx(wins)
    assert roc_auc(positive, -score) == pytest.approx(1 - found)
    assert roc_auc(positive, 3 * score + 7) == pytest.approx(found)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, SIZES, elements=st.integers(-9, 9).map(float)))
def test_ranks_add_up_and_keep_the_order(values: np.ndarray) -> None:
    found = ranks(values)
    assert found.sum() == pytest.approx(len(values) * (len(values) + 1) / 2)
    assert ((values[:, None] < values) == (found[:, None] < found)).all()


@settings(max_examples=60, deadline=None)
@given(pairs(), st.floats(0.1, 9.0))
def test_pearson_is_bounded_and_free_of_scale(
    pair: tuple[np.ndarray, np.ndarray], scale: float
) -> None:
    y, x = pair[0].astype(np.float64), pair[1]
    found = pearson(x, y)
    if np.isnan(found):
        return
    assert -1 - 1e-9 <= found <= 1 + 1e-9
    assert pearson(y, x) == pytest.approx(found)
    assert pearson(scale * x + 1, y) == pytest.approx(found)


def test_pearson_leaves_out_what_was_not_measured() -> None:
    x = np.array([1.0, 2.0, np.nan, 4.0])
    assert pearson(x, np.array([2.0, 4.0, 100.0, 8.0])) == pytest.approx(1)
    assert np.isnan(pearson(np.ones(3), np.arange(3.0)))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40).flatmap(
        lambda n: st.tuples(arrays(np.bool_, n), arrays(np.float64, n, elements=st.floats(0, 1)))
    )
)
def test_calibration_error_is_a_share(pair: tuple[np.ndarray, np.ndarray]) -> None:
    positive, probability = pair
    assert 0 <= expected_calibration_error(positive, probability) <= 1
    assert expected_calibration_error(positive, positive.astype(float)) == 0
