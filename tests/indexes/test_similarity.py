import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nativeear.indexes.native_margins import FLOOR, NativeMargins
from nativeear.indexes.similarity import (
    LONG_ROW,
    all_class_margins,
    class_similarities,
    largest,
    margins,
)


def unit(rng: np.random.Generator, n: int, d: int = 5) -> np.ndarray:
    vectors = rng.normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    counts=st.lists(st.integers(0, 9), min_size=2, max_size=6),
    top_m=st.integers(1, 5),
)
def test_class_similarities_are_the_mean_of_the_nearest(
    seed: int, counts: list[int], top_m: int
) -> None:
    rng = np.random.default_rng(seed)
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    vectors, queries = unit(rng, int(bounds[-1])), unit(rng, 4)
    groups = rng.integers(0, 3, len(vectors))
    query_groups = np.array([-1, 0, 1, 2])
    found = class_similarities(
        queries, vectors, bounds, top_m=top_m, groups=groups, query_groups=query_groups
    )
    for i, query in enumerate(queries):
        for p in range(len(counts)):
            rows = np.arange(bounds[p], bounds[p + 1])
            rows = rows[groups[rows] != query_groups[i]]
            cosines = np.sort(vectors[rows] @ query)[::-1][:top_m]
            if len(rows):
                assert found[i, p] == pytest.approx(cosines.mean(), abs=1e-5)
            else:
                assert np.isnan(found[i, p])


def test_blocks_give_what_one_piece_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    vectors, queries = unit(rng, 60), unit(rng, 37)
    bounds = np.array([0, 20, 45, 60], dtype=np.int64)
    whole = class_similarities(queries, vectors, bounds, top_m=3)
    monkeypatch.setattr("nativeear.indexes.similarity.BLOCK_BYTES", 4 * 60 * 5)
    assert np.allclose(whole, class_similarities(queries, vectors, bounds, top_m=3), atol=1e-6)


def test_margin_is_own_minus_best_competitor() -> None:
    similar = np.array([[0.5, 0.2, np.nan], [0.1, 0.9, 0.4], [np.nan, 0.3, 0.2]], np.float32)
    found = margins(similar, np.array([0, 2, 0]))
    assert found[:2] == pytest.approx([0.3, -0.5])
    assert np.isnan(found[2])


@settings(deadline=None, max_examples=50)
@given(
    values=st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=40),
    asked=st.lists(st.floats(-3, 3), min_size=2, max_size=10),
)
def test_native_quantiles_never_fall_as_the_margin_grows(
    values: list[float], asked: list[float]
) -> None:
    natives = NativeMargins.fit(np.array(values))
    found = natives.log_quantile(np.array(sorted(asked)))
    assert np.all(np.diff(found) >= -1e-9)
    assert np.all((found <= 0) & (found >= FLOOR))


def test_native_quantile_is_the_share_of_natives_below() -> None:
    natives = NativeMargins.fit(np.linspace(0, 1, 1001))
    for share in (0.2, 0.5, 0.9):
        assert np.exp(natives.log_quantile(np.array(share))) == pytest.approx(share, abs=0.002)
    below = np.exp(natives.log_quantile(np.array([0.05, 0.0, -0.1])))
    assert below[0] == pytest.approx(0.1 * np.exp(-1), abs=0.01)
    assert np.all(np.diff(below) < 0), "worse than every native is still told apart"


def test_of_many_natives_the_share_below_is_counted_and_no_tail_is_assumed() -> None:
    rng = np.random.default_rng(0)
    margins = np.concatenate([rng.normal(0.6, 0.3, 9_500), rng.normal(-1, 1, 500)])
    few, all_of_them = NativeMargins.fit(margins), NativeMargins.of_all(margins)
    for share in (0.02, 0.04):
        at = np.quantile(margins, share)
        assert np.exp(all_of_them.log_quantile(at)) == pytest.approx(share, abs=0.001)
        assert abs(np.exp(few.log_quantile(at)) / share - 1) > 0.1
    lowest = all_of_them.log_quantile(margins.min() - np.array([0.0, 0.5, 1.0]))
    assert np.all(np.diff(lowest) < 0)


def test_nothing_fitted_judges_nothing() -> None:
    natives = NativeMargins.fit(np.array([np.nan]))
    assert len(natives) == 0
    assert np.isnan(natives.log_quantile(np.array(0.3)))


@pytest.mark.parametrize("length", [10, LONG_ROW - 1, LONG_ROW, LONG_ROW + 1, 3 * LONG_ROW + 7])
def test_the_largest_of_long_rows_are_those_of_a_sort(length: int) -> None:
    rng = np.random.default_rng(length)
    values = rng.normal(size=(5, length)).astype(np.float32)
    values[0] = np.round(values[0])  # with many ties
    values[1, : length // 2] = -np.inf
    found = largest(values, 10)
    assert np.array_equal(found, np.sort(values, axis=1)[:, -10:])


def test_margins_at_every_class_are_those_of_each_by_itself() -> None:
    rng = np.random.default_rng(0)
    similar = rng.normal(size=(50, 6)).astype(np.float32)
    similar[rng.random(similar.shape) < 0.4] = np.nan
    similar[0], similar[1, :2] = np.nan, 0.5
    each = [margins(similar, np.full(50, p)) for p in range(6)]
    assert np.array_equal(all_class_margins(similar), np.stack(each, axis=1), equal_nan=True)
    assert np.isnan(all_class_margins(similar[:, :1])).all()
