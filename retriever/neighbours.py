"""The nearest native exemplars of a learner's sounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.phone_index import FloatArray, IntArray, PhoneIndex


@dataclass(frozen=True)
class Exclusion:
    """Exemplars that must not answer: those of the named utterances and speakers."""

    utterances: frozenset[str] = frozenset()
    speakers: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.utterances or self.speakers)

    def rows(self, index: PhoneIndex) -> NDArray[np.bool_]:
        """Which rows of the index are excluded, bool `[n]`."""
        excluded = np.zeros(index.manifest.counts.exemplars, dtype=bool)
        for column, names in (("utterance", self.utterances), ("speaker", self.speakers)):
            if names:
                codes, values = index.codes(column)
                excluded |= np.array([value in names for value in values], dtype=bool)[codes]
        return excluded


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The k nearest exemplars of N sounds, nearest first.

    Attributes
    ----------
    ids
        int64 `[N, k]`, rows of the index; -1 where the index has fewer than k.
    similarities
        float32 `[N, k]`, cosines.
    phones
        int64 `[N, k]`, positions in `PhoneIndex.classes`; -1 where `ids` is.
    """

    ids: IntArray
    similarities: FloatArray
    phones: IntArray


def find_neighbours(
    index: PhoneIndex, vectors: FloatArray, k: int, excluded: NDArray[np.bool_] | None = None
) -> Neighbours:
    """Search all vectors in one batch.

    Parameters
    ----------
    index
        An open index.
    vectors
        Unit vectors in the index's space, float32 `[N, d]`.
    k
        Neighbours per vector.
    excluded
        bool `[n]`, rows that must not answer, from `Exclusion.rows`.
    """
    import faiss  # here: importing it costs a quarter of a second

    parameters = None
    if excluded is not None and excluded.any():
        allowed = np.packbits(~excluded, bitorder="little")
        selector = faiss.IDSelectorBitmap(allowed)
        parameters = faiss.SearchParameters(sel=selector)
    similarities, ids = index.faiss.search(vectors, k, params=parameters)
    phones = np.searchsorted(index.bounds, ids, side="right") - 1
    return Neighbours(ids, similarities, np.where(ids < 0, -1, phones))
