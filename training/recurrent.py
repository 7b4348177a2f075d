"""Fit `scoring.fusion.recurrent` with torch; `training.judge` asks for it.

It learns what experts gave each phone, by squared error, and beside it whether that lies above each
of a few thresholds: rare low scores would else weigh little (an ordinal loss as in Cheng et al.
2008, "A neural network approach to ordinal regression").
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from nativeear.scoring.fusion.recurrent import Layer, RecurrentNetwork, phone_rows, standardised
from training.tables import Evidence

UNITS = 48
DEPTH = 2
VECTOR = 24
"""Numbers that stand for a phone."""

DROPOUT = 0.25
EPOCHS = 12
BATCH = 32
"""Recordings that are learnt from at once."""

RATE = 2e-3
THRESHOLDS = (0.3, 0.9, 1.3, 1.7)
"""Expert scores, 0–2, of which it is learnt whether a phone's lies above."""

ORDINAL = 0.3
"""Weight of that beside the squared error; of 0.3 and 1, on fold 0. All else is as first tried."""

FloatArray = NDArray[np.float64]


class _Network(nn.Module):
    """What `RecurrentNetwork` evaluates, to be fitted."""

    def __init__(self, phones: int, columns: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(phones + 1, VECTOR)
        self.units = nn.GRU(
            VECTOR + columns, UNITS, DEPTH, batch_first=True, bidirectional=True, dropout=DROPOUT
        )
        self.dropout = nn.Dropout(DROPOUT)
        self.expected = nn.Linear(2 * UNITS, 1)
        self.above = nn.Linear(2 * UNITS, len(THRESHOLDS))

    def forward(self, phones: Tensor, columns: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """What is expected, `[B, T]`, and the log odds of lying above, `[B, T, thresholds]`."""
        given = self.dropout(torch.cat([self.vectors(phones), columns], dim=-1))
        packed = pack_padded_sequence(given, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.units(packed)[0], batch_first=True)
        states = self.dropout(states)
        return self.expected(states)[..., 0], self.above(states)


def fit_recurrent(
    evidence: Evidence, weights: FloatArray, known: tuple[str, ...], seeds: Sequence[int]
) -> RecurrentNetwork:
    """Fit one network by seed on phones of some weight, `[N]`; those that are known get a vector.

    The same evidence and seeds give the same network on the same machine; torch sums in another
    order elsewhere.
    """
    torch.set_num_threads(1)  # the matrices are small: more threads wait for one another
    values = evidence.features.values
    mean, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0) + 1e-6
    columns = torch.from_numpy(standardised(values, mean, spread))
    phones = torch.from_numpy(phone_rows(evidence.phone.tolist(), known))
    target = torch.from_numpy(evidence.expert.astype(np.float32))
    weight = torch.from_numpy(weights.astype(np.float32))
    fitted = [
        _fit(
            [
                tuple(part[torch.from_numpy(rows)] for part in (phones, columns, target, weight))
                for rows in evidence.recordings
            ],
            len(known),
            seed,
        )
        for seed in seeds
    ]
    return _exported(fitted, known, mean, spread)


def _fit(recordings: list[tuple[Tensor, ...]], phones: int, seed: int) -> _Network:
    torch.manual_seed(seed)
    order = np.random.default_rng(seed)
    network = _Network(phones, recordings[0][1].shape[1])
    steps = EPOCHS * -(-len(recordings) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        shuffled = order.permutation(len(recordings))
        for at in range(0, len(shuffled), BATCH):
            batch = [recordings[i] for i in shuffled[at : at + BATCH]]
            lengths = torch.tensor([len(phone) for phone, *_ in batch])
            padded = [
                pad_sequence(list(parts), batch_first=True) for parts in zip(*batch, strict=True)
            ]
            loss = _loss(network(padded[0], padded[1], lengths), padded[2], padded[3])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    return network.eval()


def _loss(found: tuple[Tensor, Tensor], target: Tensor, weight: Tensor) -> Tensor:
    expected, above = found
    lies = torch.stack([target > threshold for threshold in THRESHOLDS], dim=-1).float()
    ordinal = nn.functional.binary_cross_entropy_with_logits(above, lies, reduction="none")
    loss = (expected - target) ** 2 + ORDINAL * ordinal.mean(dim=-1)
    return (loss * weight).sum() / weight.sum()


def _exported(
    networks: Sequence[_Network], known: tuple[str, ...], mean: FloatArray, spread: FloatArray
) -> RecurrentNetwork:
    def stacked(name: str) -> NDArray[np.float32]:
        return np.stack([dict(n.named_parameters())[name].detach().numpy() for n in networks])

    def both(name: str) -> NDArray[np.float32]:
        return np.stack([stacked(f"units.{name}{way}") for way in ("", "_reverse")], axis=1)

    layers = tuple(
        Layer(
            both(f"weight_ih_l{i}").swapaxes(-1, -2),
            both(f"bias_ih_l{i}"),
            both(f"weight_hh_l{i}").swapaxes(-1, -2),
            both(f"bias_hh_l{i}"),
        )
        for i in range(DEPTH)
    )
    return RecurrentNetwork(
        known,
        mean,
        spread,
        stacked("vectors.weight"),
        layers,
        stacked("expected.weight")[:, 0],
        stacked("expected.bias")[:, 0],
    )
