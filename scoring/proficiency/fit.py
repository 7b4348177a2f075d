"""Fit bands to the scores of rated recordings, and ask how well they tell unknown speakers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.scoring.proficiency.model import HeldOut
from nativeear.speech.errors import InputError

FOLDS = 5
MIN_RECORDINGS = 10
MIN_SPEAKERS = 5
"""Of every band; with fewer, a fold would hold none and nothing could be said of it."""

PENALTY = 0.01
"""Ridge on the weights, per recording: scores that go together share the weight."""

STEPS = 200
SEED = 0
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class FittedBands:
    """Parameters of a `scoring.proficiency.model.BandModel`, and how well it tells."""

    centres: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    thresholds: tuple[float, ...]
    held_out: HeldOut


def fit_bands(
    scores: FloatArray, levels: IntArray, speakers: Sequence[str], bands: Sequence[str]
) -> FittedBands:
    """Fit the proportional-odds model.

    Parameters
    ----------
    scores
        float64 `[N, F]`, 0–100, nothing missing.
    levels
        int64 `[N]`, position of each recording's band in `bands`.
    speakers
        Who speaks, N of them. No speaker is in two folds.
    bands
        The K bands, lowest first.

    Raises
    ------
    InputError
        If there are fewer than two bands, or too few recordings or speakers of one.
    """
    who = np.unique(np.asarray(speakers), return_inverse=True)[1]
    if len(bands) < 2:
        raise InputError(
            "All recordings have the same band.", fix="Give recordings of at least two bands."
        )
    for k, band in enumerate(bands):
        rated, people = int((levels == k).sum()), len(np.unique(who[levels == k]))
        if rated < MIN_RECORDINGS or people < MIN_SPEAKERS:
            raise InputError(
                f"The band {band} has {rated} usable recordings of {people} speakers.",
                cause=f"A band needs {MIN_RECORDINGS} recordings of {MIN_SPEAKERS} speakers.",
                fix="Add recordings, or leave the band out.",
            )
    centres, spreads = scores.mean(axis=0), np.maximum(scores.std(axis=0), 1e-6)
    standard = (scores - centres) / spreads
    dealt = np.random.default_rng(SEED).permutation(int(who.max()) + 1) % FOLDS
    predicted = np.zeros(len(levels), dtype=np.int64)
    for fold in range(FOLDS):
        held = dealt[who] == fold
        if held.any():
            predicted[held] = _predict(
                standard[held], *_fit(standard[~held], levels[~held], len(bands))
            )
    weights, thresholds = _fit(standard, levels, len(bands))
    return FittedBands(
        tuple(centres.tolist()),
        tuple(spreads.tolist()),
        tuple(weights.tolist()),
        tuple(thresholds.tolist()),
        HeldOut(
            exact=float((predicted == levels).mean()),
            within_one=float((np.abs(predicted - levels) <= 1).mean()),
            weighted_kappa=weighted_kappa(predicted, levels, len(bands)),
        ),
    )


def weighted_kappa(one: IntArray, other: IntArray, n: int) -> float:
    """Cohen's kappa with quadratic weights (Cohen 1968); 0 is chance, 1 is agreement."""
    cost = np.subtract.outer(np.arange(n), np.arange(n)) ** 2
    seen = np.zeros((n, n))
    np.add.at(seen, (one, other), 1)
    chance = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / seen.sum()
    expected = float((cost * chance).sum())
    return 1 - float((cost * seen).sum()) / expected if expected else 0.0


def _fit(standard: FloatArray, levels: IntArray, n_bands: int) -> tuple[FloatArray, FloatArray]:
    """Weights `[F]` ≥ 0 and rising thresholds `[K − 1]` of greatest penalised likelihood."""
    n_weights = standard.shape[1]
    share = np.clip((levels[:, None] > np.arange(n_bands - 1)).mean(axis=0), 1e-3, 1 - 1e-3)
    starts = np.log((1 - share) / share)  # thresholds that suit weights of 0
    steps = np.log(np.maximum(np.diff(starts), 1e-2))
    start = np.concatenate([np.full(n_weights, 0.5), starts[:1], steps])
    found = minimised(lambda at: _loss(at, standard, levels), start)
    return _parameters(found, n_weights)


def _parameters(at: FloatArray, n_weights: int) -> tuple[FloatArray, FloatArray]:
    """Weights and thresholds of a point.

    Squares and exponentials keep the weights from falling below 0 and the thresholds rising.
    """
    root, first, steps = at[:n_weights], at[n_weights], at[n_weights + 1 :]
    return root**2, first + np.concatenate([[0.0], np.exp(steps).cumsum()])


def _loss(at: FloatArray, standard: FloatArray, levels: IntArray) -> tuple[float, FloatArray]:
    """Penalised negative log likelihood of a point, and its gradient."""
    n, n_weights = standard.shape
    weights, thresholds = _parameters(at, n_weights)
    logits = (standard @ weights)[:, None] - thresholds
    at_least = 0.5 * (1.0 + np.tanh(0.5 * logits))
    bounds = np.pad(at_least, ((0, 0), (1, 1)), constant_values=((0, 0), (1, 0)))
    slopes = np.pad(at_least * (1.0 - at_least), ((0, 0), (1, 1)))
    rows = np.arange(n)
    likelihood = np.maximum(bounds[rows, levels] - bounds[rows, levels + 1], 1e-12)
    by_logit = np.zeros_like(slopes)
    by_logit[rows, levels] = -slopes[rows, levels] / likelihood / n
    by_logit[rows, levels + 1] = slopes[rows, levels + 1] / likelihood / n
    by_weight = standard.T @ by_logit.sum(axis=1) + 2 * PENALTY * weights
    by_threshold = -by_logit[:, 1:-1].sum(axis=0)
    behind = by_threshold[::-1].cumsum()[::-1]  # a step moves every threshold behind it
    gradient = np.concatenate(
        [
            2 * at[:n_weights] * by_weight,
            behind[:1],
            np.exp(at[n_weights + 1 :]) * behind[1:],
        ]
    )
    return float(-np.log(likelihood).mean() + PENALTY * (weights**2).sum()), gradient


def minimised(
    function: Callable[[FloatArray], tuple[float, FloatArray]], start: FloatArray
) -> FloatArray:
    """A minimum of a smooth function near a point, by BFGS (Nocedal & Wright 2006, alg. 6.1).

    Parameters
    ----------
    function
        Gives its value and its gradient `[P]` at a point `[P]`.
    """
    at, inverse = start, np.eye(len(start))
    value, gradient = function(at)
    for _ in range(STEPS):
        direction = -inverse @ gradient
        slope = float(gradient @ direction)
        if slope > -1e-14:
            break
        length = 1.0
        while (tried := function(at + length * direction))[0] > value + 1e-4 * length * slope:
            length /= 2
            if length < 1e-12:
                return at
        step, bend = length * direction, tried[1] - gradient
        at, (value, gradient) = at + step, tried
        curvature = float(step @ bend)
        if curvature > 1e-14:
            turn = np.eye(len(at)) - np.outer(step, bend) / curvature
            inverse = turn @ inverse @ turn.T + np.outer(step, step) / curvature
    return at


def _predict(standard: FloatArray, weights: FloatArray, thresholds: FloatArray) -> IntArray:
    """Position of the median band, int64 `[N]`."""
    predicted: IntArray = ((standard @ weights)[:, None] >= thresholds).sum(axis=1).astype(np.int64)
    return predicted
