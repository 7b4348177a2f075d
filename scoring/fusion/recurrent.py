"""A small recurrent network over the phones of a recording, evaluated with NumPy.

Two layers of gated recurrent units (Cho et al. 2014, arXiv 1406.1078), each read forwards and
backwards, see every phone with its columns of evidence in the company of all others. Networks of
several seeds are averaged. `training.recurrent` fits them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Layer:
    """Gated units: S seeds by two directions, H units on F inputs.

    Attributes
    ----------
    given
        float32 `[S, 2, F, 3 · H]`, weights of the inputs for reset, update and the new state.
    given_bias
        float32 `[S, 2, 3 · H]`.
    before
        float32 `[S, 2, H, 3 · H]`, weights of the state before.
    before_bias
        float32 `[S, 2, 3 · H]`.
    """

    given: Float32Array
    given_bias: Float32Array
    before: Float32Array
    before_bias: Float32Array

    def __call__(self, inputs: Float32Array) -> Float32Array:
        """States `[S, T, 2 · H]` of inputs `[S, T, F]`, forwards and backwards."""
        seeds, steps, _ = inputs.shape
        units = self.before.shape[2]
        both = np.stack([inputs, inputs[:, ::-1]], axis=1)
        gates = both @ self.given + self.given_bias[:, :, None]  # [S, 2, T, 3 · H]
        state = np.zeros((seeds, 2, units), dtype=np.float32)
        states = np.empty((seeds, 2, steps, units), dtype=np.float32)
        for step in range(steps):
            own = gates[:, :, step]
            past = (state[:, :, None] @ self.before)[:, :, 0] + self.before_bias
            reset, update = np.split(_sigmoid((own + past)[..., : 2 * units]), 2, axis=-1)
            new = np.tanh(own[..., 2 * units :] + reset * past[..., 2 * units :])
            state = new + update * (state - new)
            states[:, :, step] = state
        return np.concatenate([states[:, 0], states[:, 1, ::-1]], axis=-1)


@dataclass(frozen=True, eq=False)
class RecurrentNetwork:
    """What networks of S seeds expect of phones.

    Attributes
    ----------
    phones
        Which have a vector of their own; all others share the first.
    mean, spread
        float64 `[F]`, of the columns among the learners that it was fitted on.
    vectors
        float32 `[S, len(phones) + 1, E]`.
    layers
        One above the other.
    weights, offset
        float32 `[S, 2 · H]` and `[S]`, from the last states to what is expected.
    """

    phones: tuple[str, ...]
    mean: FloatArray
    spread: FloatArray
    vectors: Float32Array
    layers: tuple[Layer, ...]
    weights: Float32Array
    offset: Float32Array

    def __call__(self, columns: FloatArray, phones: Sequence[str]) -> FloatArray:
        """What is expected of the phones of one recording, `[N]`, by their evidence `[N, F]`."""
        rows = phone_rows(phones, self.phones)
        evidence = standardised(columns, self.mean, self.spread)
        shared = np.broadcast_to(evidence, (len(self.vectors), *evidence.shape))
        states = np.concatenate([self.vectors[:, rows], shared], axis=-1)
        for layer in self.layers:
            states = layer(states)
        found = (states @ self.weights[:, :, None])[..., 0] + self.offset[:, None]
        mean: FloatArray = found.mean(axis=0, dtype=np.float64)
        return mean

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All numbers, by name, for safetensors."""
        arrays: dict[str, NDArray[Any]] = {
            name: getattr(self, name) for name in ("mean", "spread", "vectors", "weights", "offset")
        }
        for i, layer in enumerate(self.layers):
            arrays |= {f"layer{i}.{name}": values for name, values in vars(layer).items()}
        return arrays

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], phones: Sequence[str]) -> RecurrentNetwork:
        """From what `arrays` gave."""
        names = tuple(Layer.__dataclass_fields__)
        depth = sum(key.startswith("layer") for key in arrays) // len(names)
        layers = tuple(
            Layer(**{name: arrays[f"layer{i}.{name}"] for name in names}) for i in range(depth)
        )
        return cls(
            tuple(phones),
            arrays["mean"],
            arrays["spread"],
            arrays["vectors"],
            layers,
            arrays["weights"],
            arrays["offset"],
        )


def phone_rows(phones: Sequence[str], known: Sequence[str]) -> NDArray[np.int64]:
    """Which vector each of N phones has: the first is for those that are not known, `[N]`."""
    number = {phone: i for i, phone in enumerate(known, 1)}
    return np.array([number.get(phone, 0) for phone in phones], dtype=np.int64)


def standardised(columns: FloatArray, mean: FloatArray, spread: FloatArray) -> Float32Array:
    """Columns `[N, F]` in units of their spread, and which of them are missing, `[N, 2 · F]`."""
    missing = np.isnan(columns)
    values = np.where(missing, 0.0, (columns - mean) / spread)
    return np.concatenate([values, missing], axis=1).astype(np.float32)


def _sigmoid(values: Float32Array) -> Float32Array:
    halved: Float32Array = np.float32(0.5) * (np.tanh(np.float32(0.5) * values) + np.float32(1.0))
    return halved
