import time

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import roc_auc_score

from nativeear.scoring.evaluation.bootstrap import (
    Measure,
    Statistic,
    calibration_error,
    concordance,
    correlation,
    difference,
    draw_weights,
    macro_error,
    measure,
    rank_correlation,
    separation,
    share,
)

N, UNITS = 400, 7


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def resampled(unit: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Row numbers of one resample, written out: every speaker as often as he was drawn."""
    return np.concatenate(
        [np.tile(np.flatnonzero(unit == u), int(times)) for u, times in enumerate(weights)]
    )


def calibration_by_hand(wrong: np.ndarray, stated: np.ndarray) -> float:
    """Ten bins, one after the other."""
    parts = [np.minimum(stated * 10, 9).astype(int) == b for b in range(10)]
    gaps = [abs(wrong[p].mean() - stated[p].mean()) * p.mean() for p in parts if p.any()]
    return float(sum(gaps))


def concordance_by_hand(x: np.ndarray, y: np.ndarray) -> float:
    """Lin's own formula."""
    shared = 2 * np.mean((x - x.mean()) * (y - y.mean()))
    return float(shared / (x.var() + y.var() + (x.mean() - y.mean()) ** 2))


def macro_by_hand(x: np.ndarray, y: np.ndarray) -> float:
    """One class after the other."""
    classes = np.round(y)
    return float(np.mean([np.abs(x - y)[classes == c].mean() for c in np.unique(classes)]))


def test_every_statistic_equals_its_own_definition_on_the_resample_written_out(
    rng: np.random.Generator,
) -> None:
    unit = rng.integers(UNITS, size=N)
    unit[:UNITS] = np.arange(UNITS)
    wrong = rng.random(N) < 0.2
    out = rng.random(N) < 0.3
    score = np.round(50 * rng.random(N) - 20 * wrong)  # rounded: with ties
    expert = score / 40 + rng.random(N)
    probability = rng.random(N)
    gaps = np.where(rng.random(N) < 0.1, np.nan, score)
    weights = draw_weights(UNITS, 20, seed=1)
    statistics: dict[str, tuple[Statistic, object]] = {
        "share": (
            share(wrong & out, out, unit),
            lambda rows: (wrong & out)[rows].sum() / out[rows].sum(),
        ),
        "correlation": (
            correlation(score, expert, unit),
            lambda rows: pearsonr(score[rows], expert[rows])[0],
        ),
        "rank correlation": (
            rank_correlation(score, np.round(expert), unit),
            lambda rows: spearmanr(score[rows], np.round(expert)[rows])[0],
        ),
        "rank correlation with gaps": (
            rank_correlation(gaps, expert, unit),
            lambda rows: spearmanr(gaps[rows], expert[rows], nan_policy="omit")[0],
        ),
        "concordance": (
            concordance(score / 40, expert, unit),
            lambda rows: concordance_by_hand(score[rows] / 40, expert[rows]),
        ),
        "macro error": (
            macro_error(score / 40, expert, unit),
            lambda rows: macro_by_hand(score[rows] / 40, expert[rows]),
        ),
        "separation": (
            separation(wrong, -score, unit),
            lambda rows: roc_auc_score(wrong[rows], -score[rows]),
        ),
        "separation with gaps": (
            separation(wrong, gaps, unit),
            lambda rows: roc_auc_score(
                wrong[rows][~np.isnan(gaps[rows])], gaps[rows][~np.isnan(gaps[rows])]
            ),
        ),
        "calibration": (
            calibration_error(wrong, probability, unit, bins=10),
            lambda rows: calibration_by_hand(wrong[rows], probability[rows]),
        ),
    }
    for name, (statistic, define) in statistics.items():
        wanted = [define(resampled(unit, row)) for row in weights]  # type: ignore[operator]
        np.testing.assert_allclose(statistic(weights), wanted, rtol=1e-9, err_msg=name)


def test_the_interval_of_a_mean_is_the_one_that_theory_gives(rng: np.random.Generator) -> None:
    units, each = 200, 25
    means = rng.normal(size=units)
    unit = np.repeat(np.arange(units), each)
    value = means[unit] + rng.normal(size=units * each)
    found = measure(share(value, np.ones(len(value)), unit), draw_weights(units, 4000, seed=5))
    of_speakers = value.reshape(units, each).mean(axis=1)
    error = of_speakers.std() / np.sqrt(units)
    assert found.value == pytest.approx(value.mean())
    assert found.low == pytest.approx(value.mean() - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(value.mean() + 1.96 * error, abs=0.1 * error)
    # Phones of a speaker are alike: taking them for independent would give a third of the width.
    assert error > 2 * value.std() / np.sqrt(len(value))


def test_draws_are_seeded_and_draw_as_many_speakers_as_there_are() -> None:
    weights = draw_weights(12, 50, seed=2)
    assert weights.shape == (50, 12)
    assert (weights.sum(axis=1) == 12).all()
    assert (weights == draw_weights(12, 50, seed=2)).all()
    assert (weights != draw_weights(12, 50, seed=3)).any()


def test_what_cannot_be_measured_is_none() -> None:
    unit = np.array([0, 0, 1, 1])
    nothing = np.zeros(4, dtype=bool)
    weights = draw_weights(2, 30)
    ones = np.ones(4)
    gone = np.full(4, np.nan)
    for statistic in (
        share(nothing, nothing, unit),
        correlation(ones, np.arange(4.0), unit),
        correlation(np.full(4, 0.1), np.arange(4.0), unit),
        correlation(gone, gone, unit),
        rank_correlation(ones, np.arange(4.0), unit),
        rank_correlation(gone, gone, unit),
        concordance(np.arange(4.0), ones, unit),
        concordance(gone, gone, unit),
        macro_error(gone, gone, unit),
        separation(nothing, np.arange(4.0), unit),
        separation(~nothing, gone, unit),
        calibration_error(nothing, gone, unit, bins=5),
    ):
        assert measure(statistic, weights) == Measure(None)
    one_speaker = share(ones, ones, np.zeros(4, dtype=int))
    assert measure(one_speaker, draw_weights(1, 30)) == Measure(1.0)
    assert measure(one_speaker, None) == Measure(1.0)


def test_a_difference_is_taken_within_each_resample() -> None:
    unit = np.arange(3)
    one = share(np.array([1.0, 2.0, 3.0]), np.ones(3), unit)
    found = measure(difference(one, one), draw_weights(3, 40))
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_fifty_thousand_phones_take_seconds(rng: np.random.Generator) -> None:
    n, units = 50_000, 125
    unit = np.sort(rng.integers(units, size=n))
    wrong = rng.random(n) < 0.04
    score = rng.random(n)
    weights = draw_weights(units)
    start = time.process_time()
    for statistic in (
        separation(wrong, score, unit),
        correlation(score, rng.random(n), unit),
        share(wrong, np.ones(n), unit),
        calibration_error(wrong, score, unit, bins=15),
    ):
        measure(statistic, weights)
    assert time.process_time() - start < 10
