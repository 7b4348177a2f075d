"""Fit bands to the scores of rated recordings, and ask how well they tell unknown speakers."""

from __future__ import annotations

from collections.abc import Sequence
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
    scores: FloatArray, places: IntArray, speakers: Sequence[str], bands: Sequence[str]
) -> FittedBands:
    """Fit the proportional-odds model.

    Parameters
    ----------
    scores
        float64 `[N, F]`, 0–100, nothing missing.
    places
        int64 `[N]`, place of each recording's band in `bands`.
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
        rated, people = int((places == k).sum()), len(np.unique(who[places == k]))
        if rated < MIN_RECORDINGS or people < MIN_SPEAKERS:
            raise InputError(
                f"The band {band} has {rated} usable recordings of {people} speakers.",
                cause=f"A band needs {MIN_RECORDINGS} recordings of {MIN_SPEAKERS} speakers.",
                fix="Add recordings, or leave the band out.",
            )
    centres, spreads = scores.mean(axis=0), np.maximum(scores.std(axis=0), 1e-6)
    standard = (scores - centres) / spreads
    dealt = np.random.default_rng(SEED).permutation(int(who.max()) + 1) % FOLDS
    told = np.zeros(len(places), dtype=np.int64)
    for fold in range(FOLDS):
        asked = dealt[who] == fold
        if asked.any():
            told[asked] = _tell(
                standard[asked], *_fit(standard[~asked], places[~asked], len(bands))
            )
    weights, thresholds = _fit(standard, places, len(bands))
    return FittedBands(
        tuple(centres.tolist()),
        tuple(spreads.tolist()),
        tuple(weights.tolist()),
        tuple(thresholds.tolist()),
        HeldOut(
            exact=float((told == places).mean()),
            within_one=float((np.abs(told - places) <= 1).mean()),
            weighted_kappa=weighted_kappa(told, places, len(bands)),
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


def _fit(standard: FloatArray, places: IntArray, n_bands: int) -> tuple[FloatArray, FloatArray]:
    """Weights `[F]` ≥ 0 and rising thresholds `[K − 1]` of greatest penalised likelihood."""
    import torch

    x = torch.as_tensor(standard)
    above = torch.as_tensor(places[:, None] > np.arange(n_bands - 1), dtype=torch.float64)
    share = np.clip(above.numpy().mean(axis=0), 1e-3, 1 - 1e-3)
    starts = np.log((1 - share) / share)  # thresholds that suit weights of 0
    root = torch.full((x.shape[1],), 0.5, dtype=torch.float64, requires_grad=True)
    first = torch.tensor(starts[0], dtype=torch.float64, requires_grad=True)
    steps = torch.tensor(
        np.log(np.maximum(np.diff(starts), 1e-2)), dtype=torch.float64, requires_grad=True
    )

    def parameters() -> tuple[torch.Tensor, torch.Tensor]:
        # squares and exponentials keep the weights from falling below 0 and the thresholds rising
        return root**2, first + torch.cat([steps.new_zeros(1), steps.exp().cumsum(0)])

    def loss() -> torch.Tensor:
        weights, thresholds = parameters()
        at_least = torch.sigmoid((x @ weights)[:, None] - thresholds)
        edges = torch.cat(
            [at_least.new_ones(len(x), 1), at_least, at_least.new_zeros(len(x), 1)], dim=1
        )
        own = above.sum(dim=1).long()[:, None]
        likelihood = edges.gather(1, own) - edges.gather(1, own + 1)
        return -likelihood.clamp_min(1e-12).log().mean() + PENALTY * (weights**2).sum()

    optimiser = torch.optim.LBFGS(
        [root, first, steps], max_iter=STEPS, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    weights, thresholds = parameters()
    return weights.detach().numpy(), thresholds.detach().numpy()


def _tell(standard: FloatArray, weights: FloatArray, thresholds: FloatArray) -> IntArray:
    """Place of the median band, int64 `[N]`."""
    told: IntArray = ((standard @ weights)[:, None] >= thresholds).sum(axis=1).astype(np.int64)
    return told
