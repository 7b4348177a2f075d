import numpy as np
import pytest

from nativeear.scoring.metrics import pearson, roc_auc


def test_auc_counts_pairs_and_halves_ties() -> None:
    positive = np.array([True, True, False, False])
    assert roc_auc(positive, np.array([3.0, 1.0, 1.0, 0.0])) == pytest.approx(3.5 / 4)
    assert roc_auc(positive, -np.array([3.0, 1.0, 1.0, 0.0])) == pytest.approx(0.5 / 4)


def test_auc_equals_brute_force() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(200) < 0.3
    score = rng.integers(0, 20, 200).astype(float)
    pairs = score[positive][:, None] - score[~positive][None, :]
    expected = ((pairs > 0) + 0.5 * (pairs == 0)).mean()
    assert roc_auc(positive, score) == pytest.approx(expected)


def test_one_kind_alone_has_no_auc() -> None:
    assert np.isnan(roc_auc(np.array([True, True]), np.array([1.0, 2.0])))


def test_pearson_leaves_out_what_was_not_measured() -> None:
    x = np.array([1.0, 2.0, np.nan, 4.0])
    assert pearson(x, np.array([2.0, 4.0, 100.0, 8.0])) == pytest.approx(1)
    assert np.isnan(pearson(np.ones(3), np.arange(3.0)))
