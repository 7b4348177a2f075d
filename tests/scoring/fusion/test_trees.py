import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from nativeear.scoring.fusion.trees import Trees
from training.boosting import exported


@pytest.fixture(scope="module")
def table() -> np.ndarray:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(400, 5))
    values[rng.random(values.shape) < 0.1] = np.nan
    return values


@pytest.fixture(scope="module")
def models(table: np.ndarray) -> list[HistGradientBoostingRegressor]:
    target = np.nan_to_num(table[:, 0]) + 0.5 * np.nan_to_num(table[:, 1]) ** 2
    return [
        HistGradientBoostingRegressor(
            max_iter=20, monotonic_cst=[1, 0, 0, 0, 0], max_features=0.6, random_state=seed
        ).fit(table, target)
        for seed in (0, 1)
    ]


def test_arrays_say_what_the_fitted_models_say(
    table: np.ndarray, models: list[HistGradientBoostingRegressor]
) -> None:
    expected = np.mean([model.predict(table) for model in models], axis=0)
    np.testing.assert_allclose(exported(models)(table), expected, atol=1e-12)


def test_arrays_survive_the_file(
    table: np.ndarray, models: list[HistGradientBoostingRegressor]
) -> None:
    trees = exported(models)
    np.testing.assert_array_equal(Trees.of(trees.arrays())(table), trees(table))


def test_no_value_falls_where_evidence_rises(
    table: np.ndarray, models: list[HistGradientBoostingRegressor]
) -> None:
    trees = exported(models)
    row = np.repeat(table[~np.isnan(table).any(axis=1)][:1], 50, axis=0)
    row[:, 0] = np.linspace(-4, 4, 50)
    assert (np.diff(trees(row)) >= -1e-12).all()


def test_what_cannot_be_trees_is_refused(models: list[HistGradientBoostingRegressor]) -> None:
    arrays = exported(models).arrays()
    inner = np.flatnonzero(arrays["feature"] >= 0)
    arrays["left"] = arrays["left"].copy()
    arrays["left"][inner[0]] = 0  # a circle, which would never end
    with pytest.raises(ValueError, match="do not follow"):
        Trees.of(arrays)
