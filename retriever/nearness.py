"""How near a speaker is to the natives of an index, so that indexes can be compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.phone_index import FloatArray, PhoneIndex
from nativeear.retriever.evidence import posteriors
from nativeear.retriever.neighbours import similarities_to_classes
from nativeear.speech.alignment import SILENCE

LEAST_POSTERIOR = 1e-3
"""Posteriors are cut off here: one misaligned phone must not outweigh ten good ones."""

OWN_SHARE = 0.5
"""How much of what an index's own natives reach while left out is allowed for. With none, natives
who are hard to tell apart seem far from everybody; with all, those of one clear voice do, for no
stranger reaches what the voice itself does. Chosen among these and a half on the English speakers
of `docs/accents.md`."""


def nearness(
    index: PhoneIndex,
    embeddings: FloatArray,
    canonical: Sequence[str],
) -> NDArray[np.float64]:
    """Log posterior of what was meant, less a share of what the index's own natives reach.

    Every class weighs alike however many exemplars it has, and the temperature is the one that
    makes the left-out natives most likely: so indexes of other sizes and other speakers give
    figures on one scale.

    Parameters
    ----------
    embeddings
        float32 `[N, D]`, pooled in the encoder's space.
    canonical
        The N phones that were meant.

    Returns
    -------
    NDArray
        float64 `[N]`, in nats, the higher the nearer; NaN for phones that the index does not hold.
    """
    own = index.codes_of(canonical)
    if not len(own):
        return np.zeros(0, dtype=np.float64)
    similar = similarities_to_classes(index, index.transform(embeddings))
    posterior = posteriors(similar, index.manifest.decision.temperature)
    meant = posterior[np.arange(len(own)), own].astype(np.float64)
    near = np.log(np.maximum(meant, LEAST_POSTERIOR)) - OWN_SHARE * natives_own(index)
    return np.where(own < 0, np.nan, near)


def natives_own(index: PhoneIndex) -> float:
    """Mean log posterior of the index's natives while left out, against their best competitor.

    An index keeps their margins m, and log σ(m / τ) is the posterior between two classes. 0 where
    no margin is known.
    """
    margins = index.native_margins[: index.rows_of(SILENCE).start or None].astype(np.float64)
    margins = margins[~np.isnan(margins)]
    if not len(margins):
        return 0.0
    reached = -np.logaddexp(0.0, -margins / index.manifest.decision.temperature)
    return float(np.maximum(reached, np.log(LEAST_POSTERIOR)).mean())
