"""Goodness of pronunciation from CTC posteriors, without a segmentation (GOP-SF).

Each canonical phone is judged by how much likelier the recording is under the canonical sequence L
than under L with that phone replaced, left out, or joined by another. All alignments are summed
over, so none is needed. Scores after Cao et al., 2025, "Segmentation-free goodness of
pronunciation" (arXiv 2507.16838); the sums are exact, in float64 log space, see `speech.ctc`.

Log ratios are natural logarithms: 0 means no difference, positive favours the canonical phone.
An alternative that T frames cannot emit has probability 0 and the log ratio +inf.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

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
from nativeear.speech.occupancy import mean_log_posterior, occupancy, sequence_log_posterior
from nativeear.speech.posteriors import checked_posteriors


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
    log_probs: ArrayLike,
    canonical: ArrayLike,
    *,
    blank: int = 0,
    insertions: bool = True,
) -> GopFeatures:
    """Compare the canonical sequence with everything that differs from it in one place.

    Parameters
    ----------
    log_probs
        Normalised log posteriors `[T, V]`, as an array or a torch tensor; the sums
        run in float64 on the processor.
    canonical
        N label ids.
    blank
        Id of the blank.
    insertions
        Whether to measure `insertion` and `sf_sdi` too, which is a quarter of the work.

    Raises
    ------
    InputError
        Fewer frames than the canonical sequence needs, an empty sequence, an id out of range,
        values that are NaN or not normalised, or a canonical sequence of probability 0.
    """
    posteriors, labels = checked_posteriors(log_probs, canonical, blank)
    prefix, suffix = boundaries(posteriors, labels, blank)
    log_posterior = sequence_log_posterior(prefix)

    substituted, inserted = one_label_changes(posteriors, prefix, suffix, insertions=insertions)
    position = np.arange(labels.size)
    substituted[position, labels] = log_posterior  # equal up to rounding; makes its ratio exactly 0
    substituted[:, blank] = inserted[:, blank] = LOG_ZERO
    deleted = deletions(prefix, suffix)
    s = log_sum(substituted.copy(), axis=1)
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


def mean_margins(
    log_probs: ArrayLike, canonical: IntArray, spans: FloatArray, *, blank: int = 0
) -> FloatArray:
    """Canonical log posterior less the strongest competitor's, mean over a span, `[N]`.

    After arXiv 2506.12067; the logits that it speaks of differ from log posteriors by one number
    per frame, which a margin cancels.

    Parameters
    ----------
    log_probs
        `[T, V]`.
    canonical
        N label ids.
    spans
        `[N, 2]`, first frame and the frame after the last, from 0 to T. A span covers every frame
        that it touches, and one at least.
    """
    scores = np.maximum(np.asarray(log_probs, dtype=np.float64), LOG_ZERO)
    first = np.minimum(np.floor(spans[:, 0]), len(scores) - 1).astype(np.int64)
    past = np.maximum(np.ceil(spans[:, 1]).astype(np.int64), first + 1)
    margins = np.empty(len(canonical))
    for i, label in enumerate(canonical.tolist()):
        inside = scores[first[i] : past[i]]
        rivals = np.delete(inside, [blank, label], axis=1)
        margins[i] = (inside[:, label] - rivals.max(axis=1, initial=LOG_ZERO)).mean()
    return margins


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
