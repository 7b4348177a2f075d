"""Exemplars in two dimensions, so that people can see and hear which phones lie together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nativeear.indexes.phone_index import FloatArray, IntArray, PhoneIndex

PER_PHONE = 30


@dataclass(frozen=True, eq=False)
class ExemplarMap:
    """Some exemplars of some phones in the plane that separates the phones most."""

    rows: IntArray  # int64 `[N]`, rows of the index
    places: FloatArray  # float32 `[N, 2]`
    # By phone, the mean of its exemplars, all of them, in the same plane.
    centres: dict[str, tuple[float, float]]
    explained: float  # share of the variance between the phones' means that the plane shows, 0–1


def exemplar_map(
    index: PhoneIndex, phones: Sequence[str], *, per_phone: int = PER_PHONE
) -> ExemplarMap:
    """Lay exemplars on the first two principal components of the phones' means.

    The vectors are discriminant coordinates already, so that this is the plane of the phones and
    not of the speakers. Exemplars whose recordings are kept are drawn first.

    Parameters
    ----------
    phones
        Three or more phones that it holds.
    """
    rng = np.random.default_rng(0)
    means = np.stack([index.vectors[index.rows_of(phone)].mean(axis=0) for phone in phones])
    centre = means.mean(axis=0)
    _, singular, axes = np.linalg.svd(means - centre, full_matrices=False)
    if len(axes) < 2:  # vectors of one dimension lie on a line
        axes = np.concatenate([axes, np.zeros_like(axes)])
    plane = axes[:2].T
    largest = plane[np.abs(plane).argmax(axis=0), np.arange(plane.shape[1])]
    plane = plane * np.where(largest < 0, -1.0, 1.0)  # the same picture wherever it is drawn
    chosen = []
    for phone in phones:
        own = np.arange(index.rows_of(phone).start, index.rows_of(phone).stop)
        mixed = rng.permutation(own)
        first = np.argsort(~index.playable[mixed], kind="stable")
        chosen.append(np.sort(mixed[first][:per_phone]))
    rows = np.concatenate(chosen).astype(np.int64)
    total = float((singular**2).sum())
    centres = (means - centre) @ plane
    return ExemplarMap(
        rows=rows,
        places=((index.vectors[rows] - centre) @ plane).astype(np.float32),
        centres={p: (float(x), float(y)) for p, (x, y) in zip(phones, centres, strict=True)},
        explained=float((singular[:2] ** 2).sum()) / total if total else 1.0,
    )
