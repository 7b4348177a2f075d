"""Goodness of pronunciation from CTC posteriors, without a segmentation (GOP-SF).

Each canonical phone is judged by how much likelier the recording is under the canonical sequence L
than under L with that phone replaced, left out, or joined by another. All alignments are summed
over, so none is needed. Scores after Cao et al., 2025, "Segmentation-free goodness of
pronunciation" (arXiv 2507.16838); the sums are exact, in float64 log space, see `speech.ctc`.

Log ratios are natural logarithms: 0 means no difference, positive favours the canonical phone.
An alternative that T frames cannot emit has probability 0 and the log ratio +inf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nativeear.scoring.substitutes import allowed_substitutes
from nativeear.speech.ctc import (
    LOG_ZERO,
    Boundaries,
    FloatArray,
    IntArray,
    boundaries,
    deletions,
    log_sum,
    one_label_changes,
)
from nativeear.speech.occupancy import (
    checked_posteriors,
    mean_log_posterior,
    occupancy,
    sequence_log_posterior,
)

if TYPE_CHECKING:
    import torch

LOG_RATIO_CLIP = 100.0
"""Largest log ratio, either way, in the vector for a trained head: e^100 is certainty enough, and
+inf is not a number that a regressor can use."""


@dataclass(frozen=True, eq=False)
class GopFeatures:
    """What CTC posteriors say about N canonical phones. All float64.

    Attributes
    ----------
    canonical
        int64 `[N]`, the canonical label ids L.
    blank
        Id of the blank.
    log_posterior
        log p(L | O), a float ≤ 0. It falls with the length of the utterance.
    substitution
        `[N, V]`, log p(L) - log p(L with phone i replaced by v). 0 in the canonical column, NaN in
        the blank's.
    deletion
        `[N]`, log p(L) - log p(L without phone i).
    insertion
        `[N + 1]`, log p(L) - log Σ_v p(L with v inserted in gap j), gap j being before phone j.
        NaN where it was not asked for.
    sf_s
        `[N]`, ≤ 0: log p(L) - log of the summed probability of all substitutions of phone i, the
        canonical phone included.
    sf_sd
        `[N]`: as `sf_s`, with the deletion of phone i in the sum.
    sf_sdi
        `[N]`: as `sf_sd`, with the insertion of one phone before or after phone i in the sum.
        Doubling phone i to the left and to the right is one sequence and counts once. NaN where
        insertions were not asked for.
    expected_span
        `[N, 2]`, posterior mean of the first frame of each phone and of the frame after its last.
        CTC models emit a phone for a few frames at most, so this is where the phone is heard, not
        how long it lasts.
    mean_log_posterior
        `[N]`, ≤ 0: log posterior of the canonical phone, averaged over frames weighted by the
        posterior probability that the frame belongs to that phone (`speech.occupancy`).
    occupancy
        `[T, N]`, that probability.
    """

    canonical: IntArray
    blank: int
    log_posterior: float
    substitution: FloatArray
    deletion: FloatArray
    insertion: FloatArray
    sf_s: FloatArray
    sf_sd: FloatArray
    sf_sdi: FloatArray
    expected_span: FloatArray
    mean_log_posterior: FloatArray
    occupancy: FloatArray


def gop_features(
    log_probs: ArrayLike | torch.Tensor,
    canonical: ArrayLike,
    *,
    blank: int = 0,
    substitutes: NDArray[np.bool_] | None = None,
    insertions: bool = True,
    utterance: str = "",
) -> GopFeatures:
    """Compare the canonical sequence with everything that differs from it in one place.

    Parameters
    ----------
    log_probs
        Normalised log posteriors `[T, V]`, as an array or a torch tensor on any device. The sums
        run in float64 on the processor, so the result does not depend on the device.
    canonical
        N label ids.
    blank
        Id of the blank.
    substitutes
        bool `[V, V]`: row, the canonical phone; column, a phone that may stand in for it in
        `sf_s`, `sf_sd` and `sf_sdi` (Parikh et al., 2025, arXiv 2506.02080). None allows every
        phone. The canonical phone is always allowed; `substitution` and `insertion` are not
        limited, which would save nothing. See `scoring.substitutes`.
    insertions
        Whether to measure `insertion` and `sf_sdi` too, which is a quarter of the work.
    utterance
        Name for error messages.

    Returns
    -------
    GopFeatures

    Raises
    ------
    InputError
        Fewer frames than the canonical sequence needs, an empty sequence, an id out of range,
        values that are NaN or not normalised, or a canonical sequence of probability 0.
    """
    posteriors, labels = checked_posteriors(log_probs, canonical, blank, utterance)
    n_vocabulary = posteriors.shape[1]
    allowed = allowed_substitutes(substitutes, labels, blank, n_vocabulary)
    prefix, suffix = boundaries(posteriors, labels, blank)
    log_posterior = sequence_log_posterior(prefix, utterance)

    substituted, inserted = one_label_changes(posteriors, prefix, suffix, insertions=insertions)
    position = np.arange(labels.size)
    substituted[position, labels] = log_posterior  # equal up to rounding; makes its ratio exactly 0
    substituted[:, blank] = inserted[:, blank] = LOG_ZERO
    deleted = deletions(prefix, suffix)
    s = log_sum(np.where(allowed, substituted, LOG_ZERO), axis=1)
    sd = np.logaddexp(s, deleted)
    insertion, sf_sdi = np.full(labels.size + 1, np.nan), np.full(labels.size, np.nan)
    if insertions:
        inserted_right = inserted[1:].copy()
        # phone i doubled: the same sequence as to the left
        inserted_right[position, labels] = LOG_ZERO
        any_insertion = np.logaddexp(
            log_sum(inserted[:-1].copy(), axis=1), log_sum(inserted_right, axis=1)
        )
        insertion = _log_ratio(log_posterior, log_sum(inserted, axis=1))
        sf_sdi = log_posterior - np.logaddexp(sd, any_insertion)

    substitution = _log_ratio(log_posterior, substituted)
    substitution[:, blank] = np.nan
    weights = occupancy(prefix, suffix, labels, log_posterior)
    return GopFeatures(
        canonical=labels,
        blank=blank,
        log_posterior=log_posterior,
        substitution=substitution,
        deletion=_log_ratio(log_posterior, deleted),
        insertion=insertion,
        sf_s=log_posterior - s,
        sf_sd=log_posterior - sd,
        sf_sdi=sf_sdi,
        expected_span=_expected_span(prefix, suffix, labels, log_posterior),
        mean_log_posterior=mean_log_posterior(posteriors, weights, labels),
        occupancy=weights,
    )


def feature_names(labels: Sequence[str], *, blank: int = 0) -> tuple[str, ...]:
    """Name the columns of `feature_vectors`.

    Parameters
    ----------
    labels
        The V labels of the encoder, the blank among them.
    blank
        Id of the blank.

    Returns
    -------
    tuple of str
        V + 1 names: 41 for 39 phones and the blank.
    """
    phones = [label for i, label in enumerate(labels) if i != blank]
    return ("log_posterior", *(f"substitution_{phone}" for phone in phones), "deletion")


def feature_vectors(features: GopFeatures, *, clip: float = LOG_RATIO_CLIP) -> FloatArray:
    """Feature vector of every phone for a trained head (Cao et al., 2025, arXiv 2507.16838).

    Parameters
    ----------
    features
        From `gop_features`.
    clip
        Log ratios are limited to `[-clip, clip]` here and nowhere else; +inf becomes `clip`.

    Returns
    -------
    ndarray
        float64 `[N, V + 1]`, finite: the log posterior of the utterance, the V - 1 substitution
        log ratios in label order without the blank, the deletion log ratio.
    """
    ratios = np.column_stack(
        (np.delete(features.substitution, features.blank, axis=1), features.deletion)
    )
    whole = np.full(len(ratios), features.log_posterior)
    return np.column_stack((whole, np.clip(ratios, -clip, clip)))


def _log_ratio(log_posterior: float, alternative: FloatArray) -> FloatArray:
    """log p(L) - log p(alternative), +inf where the alternative has probability 0."""
    return np.where(alternative < LOG_ZERO / 2, np.inf, log_posterior - alternative)


def _expected_span(
    prefix: Boundaries, suffix: Boundaries, labels: IntArray, log_posterior: float
) -> FloatArray:
    """Posterior mean boundaries at which each phone begins and ends, `[N, 2]`."""
    n_labels = labels.size
    begins = prefix.meeting(labels, slice(0, n_labels)) + suffix.phone[:, :n_labels]
    ends = prefix.phone[:, 1:] + suffix.meeting(labels, slice(1, n_labels + 1))
    boundary = np.arange(len(begins), dtype=np.float64)[:, None]
    means = [(boundary * np.exp(paths - log_posterior)).sum(axis=0) for paths in (begins, ends)]
    return np.stack(means, axis=1)
