"""How far natives are from each other, sound by sound, as an index tells it.

Two speakers of an index say the same phone at some distance of its space. What another native would
do at a place of a recording follows from the phones whose exemplars that place is nearest to, so
that it needs no second native of the same words, nor that the words are of the index's language.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.comparison import Expected

FloatArray = NDArray[np.float64]

PAIRS = 4000
"""Pairs of exemplars of a phone, of two speakers, whose median distance is taken."""

SAMPLED = 20_000
"""Exemplars that a place is looked up among."""

NEAREST = 20
"""Of these, those whose phones are averaged."""

FLOOR = 2.0
"""Times the mean over all places that is added to a place's own: laid words differ by their paths,
whatever the phone."""

BY_INDEX = (0.21, 0.67)
"""Of that sum, how far natives are from each other, and what they hardly exceed, as an index
measures distances."""

BY_ENCODER = (0.32, 0.81)
"""The same of frames as the encoder of the index hears them."""


@dataclass(frozen=True, eq=False)
class NativeSpread:
    """Distances between natives.

    Attributes
    ----------
    index
        Where natives are looked up.
    rows
        Sampled exemplars, int64 `[S]`.
    distances
        Median distance between two speakers who say the phone of each of these, float64 `[S]`.
    """

    index: PhoneIndex
    rows: NDArray[np.int64]
    distances: FloatArray

    @classmethod
    def of(cls, index: PhoneIndex) -> NativeSpread | None:
        """The spread of an index; None if no phone of it is said by two speakers."""
        rng = np.random.default_rng(0)
        speaker, _ = index.speakers
        bounds = np.asarray(index.bounds)
        by_phone = np.full(len(bounds) - 1, np.nan)
        for phone, (first, past) in enumerate(pairwise(bounds.tolist())):
            one, other = rng.integers(first, max(past, first + 1), size=(2, PAIRS))
            apart = speaker[one] != speaker[other]
            if past > first and apart.any():
                pair = index.vectors[one[apart]], index.vectors[other[apart]]
                by_phone[phone] = 1.0 - np.median(np.einsum("nd,nd->n", *pair))
        if np.isnan(by_phone).all():
            return None
        by_phone[np.isnan(by_phone)] = np.nanmedian(by_phone)
        rows = np.sort(rng.permutation(bounds[-1])[:SAMPLED])
        return cls(index, rows, by_phone[np.searchsorted(bounds, rows, side="right") - 1])

    def at(self, embeddings: NDArray[np.float32], factors: tuple[float, float]) -> Expected:
        """What is to be expected of natives at frames `[T, D]`; factors as `BY_INDEX`."""
        near = self.index.transform(embeddings) @ np.asarray(self.index.vectors[self.rows]).T
        few = min(NEAREST, near.shape[1])
        nearest = np.argpartition(-near, few - 1, axis=1)[:, :few]
        spread = self.distances[nearest].mean(axis=1) + FLOOR * self.distances.mean()
        return Expected(factors[0] * spread, factors[1] * spread)
