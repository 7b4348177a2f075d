"""Every frame of a recording asks the index by itself; see `indexes.frame_evidence`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.frame_evidence import (
    LEAST_WEIGHT,
    TEMPERATURE,
    FrameEvidence,
    answering_frames,
    frame_evidence,
)
from nativeear.indexes.phone_index import FloatArray, IntArray, PhoneIndex
from nativeear.indexes.similarity import class_similarities
from nativeear.retriever.neighbours import Exclusion
from nativeear.speech.frames import Frames


class FrameRetrieval:
    """Retrieval by frames against one index. Safe to share between threads."""

    def __init__(self, index: PhoneIndex) -> None:
        self._index = index

    @cached_property
    def rows(self) -> IntArray:
        """Rows that answer, ascending: evenly spread over each class."""
        return answering_frames(self._index.bounds)

    @cached_property
    def _vectors(self) -> FloatArray:
        return np.ascontiguousarray(self._index.vectors[self.rows])

    @cached_property
    def _bounds(self) -> IntArray:
        return np.searchsorted(self.rows, self._index.bounds).astype(np.int64)

    def evidence(
        self,
        frames: Frames,
        weights: NDArray[np.floating],
        canonical: Sequence[str],
        *,
        exclusion: Exclusion | None = None,
    ) -> FrameEvidence:
        """What the frames of N canonical phones resemble.

        Parameters
        ----------
        weights
            `[T, N]`: how much of frame t belongs to phone n, see `span_weights`.
        canonical
            The N phones that were meant.

        Returns
        -------
        FrameEvidence
            NaN for phones that the index does not hold.
        """
        if not len(canonical):
            return FrameEvidence(np.zeros(0), np.zeros(0))
        excluded = exclusion.rows(self._index)[self.rows] if exclusion else None
        asked = np.flatnonzero(weights.max(axis=1) > LEAST_WEIGHT)
        similar = class_similarities(
            self._index.transform(frames.embeddings[asked]),
            self._vectors,
            self._bounds,
            top_m=self._index.manifest.decision.top_m,
            groups=None if excluded is None else excluded.astype(np.int64),
            query_groups=None if excluded is None else np.ones(len(asked), dtype=np.int64),
        )
        codes = self._index.codes_of(canonical)
        found = frame_evidence(similar, weights[asked], np.maximum(codes, 0), TEMPERATURE)
        return FrameEvidence(
            np.where(codes >= 0, found.log_posterior, np.nan),
            np.where(codes >= 0, found.margin, np.nan),
        )
