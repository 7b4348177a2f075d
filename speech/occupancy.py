"""Which frames belong to which canonical phone, by a CTC head's own reckoning.

No boundary is drawn: every frame belongs to every phone with a probability, summed over all paths
of the canonical sequence (Graves et al., 2006, "Connectionist temporal classification").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nativeear.speech.ctc import (
    LOG_ZERO,
    Boundaries,
    FloatArray,
    IntArray,
    boundaries,
    frames_needed,
)
from nativeear.speech.errors import InputError
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import head_refusal, label_map
from nativeear.speech.posteriors import checked_posteriors


@dataclass(frozen=True, eq=False)
class CanonicalPosteriors:
    """What a CTC head says of N canonical phones, each where it is expected.

    Attributes
    ----------
    log_posterior
        float64 `[N]`, ≤ 0: log posterior of the phone, averaged over frames by occupancy. NaN
        where the head cannot tell the phone.
    occupancy
        float64 `[T, N]`: probability that frame t belongs to phone n.
    """

    log_posterior: FloatArray
    occupancy: FloatArray


def canonical_posteriors(
    frames: Frames, inventory: PhoneInventory, canonical: Sequence[str]
) -> CanonicalPosteriors | None:
    """Listen to N canonical phones, symbols of the inventory, in the posteriors of a recording.

    Returns
    -------
    CanonicalPosteriors or None
        None where the encoder has no head that tells this inventory's phones, the recording is
        too short for the phones, or the head holds them for impossible.
    """
    if frames.log_probs is None or head_refusal(frames, inventory) or not canonical:
        return None
    head = label_map(frames.labels, inventory)
    labels, starts = head.units(canonical)
    if len(frames.log_probs) < frames_needed(labels):
        return None
    log_probs = head.pool(frames.log_probs)
    try:
        by_unit = phone_occupancy(log_probs, labels)
    except InputError:
        return None
    units = mean_log_posterior(log_probs, by_unit, labels)
    return CanonicalPosteriors(
        head.mean_over_units(units, canonical, starts),
        np.add.reduceat(by_unit, starts[:-1], axis=1),
    )


def phone_occupancy(log_probs: ArrayLike, canonical: ArrayLike, *, blank: int = 0) -> FloatArray:
    """Posterior probability that frame t belongs to canonical phone i, float64 `[T, N]`.

    A row sums to 1 less the blank's share; a column to the expected number of frames of the phone.

    Raises
    ------
    InputError
        See `checked_posteriors`; also if the canonical sequence has probability 0.
    """
    posteriors, labels = checked_posteriors(log_probs, canonical, blank)
    prefix, suffix = boundaries(posteriors, labels, blank)
    return occupancy(prefix, suffix, labels, sequence_log_posterior(prefix))


def mean_log_posterior(
    log_probs: FloatArray, weights: FloatArray, canonical: IntArray
) -> FloatArray:
    """Log posterior of each canonical label, averaged over frames by occupancy, float64 `[N]`."""
    mean: FloatArray = (weights * log_probs[:, canonical]).sum(axis=0) / weights.sum(axis=0)
    return mean


def sequence_log_posterior(prefix: Boundaries) -> float:
    """log p(L | O) of the sequence that `prefix` belongs to.

    Raises
    ------
    InputError
        If it is that of probability 0.
    """
    log_posterior = float(prefix.either[-1, -1])
    if log_posterior < LOG_ZERO / 2:
        raise InputError(
            "the canonical sequence has probability 0",
            cause="every path through it meets a label whose log posterior is -inf",
            fix="take log_softmax of the logits instead of the log of rounded probabilities",
        )
    return log_posterior


def occupancy(
    prefix: Boundaries, suffix: Boundaries, labels: IntArray, log_posterior: float
) -> FloatArray:
    """Posterior probability `[T, N]` that frame t belongs to label i, from `speech.ctc`'s sums."""
    n_labels = labels.size
    ends = suffix.meeting(labels, slice(1, n_labels + 1))
    after = np.logaddexp(ends, suffix.phone[:, :n_labels])  # the label ends here, or goes on
    shares: FloatArray = np.exp(prefix.phone[1:, 1:] + after[1:] - log_posterior)
    return shares
