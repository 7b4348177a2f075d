"""Every frame of a recording asks the index by itself; see `retriever.frame_evidence`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.phone_index import FloatArray, IntArray, PhoneIndex
from nativeear.indexes.similarity import class_similarities
from nativeear.retriever.frame_evidence import FrameEvidence, frame_evidence
from nativeear.retriever.neighbours import Exclusion
from nativeear.speech.frames import Frames

EXEMPLARS_PER_CLASS = 400
"""Exemplars of a class that answer frames, as many as `training.evaluate` takes: a recording has
many times more frames than phones."""

TEMPERATURE = 0.1
"""τ of the softmax over a frame's similarities."""

LEAST_WEIGHT = 1e-3
"""Frames that belong to no phone with more than this probability are not asked."""


class FrameRetrieval:
    """Retrieval by frames against one index. Safe to share between threads."""

    def __init__(self, index: PhoneIndex) -> None:
        self._index = index

    @cached_property
    def _rows(self) -> IntArray:
        """Rows that answer, ascending: evenly spread over each class."""
        chosen = [
            np.unique(np.linspace(first, end - 1, min(end - first, EXEMPLARS_PER_CLASS)).round())
            for first, end in pairwise(self._index.bounds.tolist())
        ]
        return np.concatenate(chosen).astype(np.int64)

    @cached_property
    def _vectors(self) -> FloatArray:
        return np.ascontiguousarray(self._index.vectors[self._rows])

    @cached_property
    def _bounds(self) -> IntArray:
        return np.searchsorted(self._rows, self._index.bounds).astype(np.int64)

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
        excluded = exclusion.rows(self._index)[self._rows] if exclusion else None
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


def span_weights(frames: Frames, spans_s: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """Weights `[T, N]` of frames by an alignment: 1 inside a phone's span, else 0.

    A span that holds no frame's centre takes the frame nearest to its middle.
    """
    weights = np.zeros((len(frames), len(spans_s)))
    for n, (start_s, end_s) in enumerate(spans_s):
        inside = (frames.times_s >= start_s) & (frames.times_s < end_s)
        weights[inside, n] = 1.0
        if not inside.any():
            weights[frames.nearest((start_s + end_s) / 2), n] = 1.0
    return weights
