"""Goodness of pronunciation inside given spans: GOP-SA, average log posteriors, logit margins.

A span is where an alignment, or `GopFeatures.expected_span`, puts a phone: `[start, end)` in
frames, fractions allowed. It covers every frame it touches, and one frame at least.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nativeear.scoring.substitutes import allowed_substitutes
from nativeear.speech.ctc import (
    LOG_ZERO,
    FloatArray,
    IntArray,
    boundaries,
    log_sum,
    one_label_changes,
)
from nativeear.speech.errors import InputError
from nativeear.speech.posteriors import frame_scores, label_ids, name_of, normalised_log_probs

if TYPE_CHECKING:
    import torch

_NO_LABELS = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class SegmentGop:
    """Probability-based scores of N canonical phones inside their spans. All float64 `[N]`, ≤ 0.

    A canonical log posterior of -inf makes both averages -inf, and `sa` too if it is so throughout.

    Attributes
    ----------
    sa
        GOP-SA, the segmentation-aware sibling of `GopFeatures.sf_s`: log p(canonical | span) -
        log Σ_v p(v | span), each p summed over all CTC paths in the span that say just that phone.
    average_log_posterior
        Mean over frames of the canonical log posterior (Witt and Young, 2000; Hu et al., 2015).
    average_log_ratio
        `average_log_posterior` less the largest such mean among the allowed phones.
    """

    sa: FloatArray
    average_log_posterior: FloatArray
    average_log_ratio: FloatArray


@dataclass(frozen=True, eq=False)
class LogitMargins:
    """Canonical logit less the strongest competitor's, per frame of a span. All float64 `[N]`.

    Attributes
    ----------
    mean
        Mean over the frames of the span.
    max
        Largest over the frames of the span: the frame where the phone is clearest.
    prior_corrected
        Mean, after the log prior of every label was taken off its logit; None without a prior.
    """

    mean: FloatArray
    max: FloatArray
    prior_corrected: FloatArray | None


def segment_gop(
    log_probs: ArrayLike | torch.Tensor,
    canonical: ArrayLike,
    spans: ArrayLike,
    *,
    blank: int = 0,
    substitutes: NDArray[np.bool_] | None = None,
    utterance: str = "",
) -> SegmentGop:
    """Score every canonical phone against its competitors inside its span.

    Parameters
    ----------
    log_probs
        Normalised log posteriors `[T, V]`, as an array or a torch tensor on any device.
    canonical
        N label ids.
    spans
        `[N, 2]`, first frame and the frame after the last; fractions are rounded outwards.
    blank
        Id of the blank; it never competes.
    substitutes
        bool `[V, V]`, as in `scoring.gop.gop_features`: limits the competitors. None allows every
        phone.
    utterance
        Name for error messages.

    Returns
    -------
    SegmentGop

    Raises
    ------
    InputError
        Values that are NaN or not normalised, ids out of range, or spans that are not N pairs of
        ascending frames within the recording.
    """
    posteriors = normalised_log_probs(log_probs, utterance)
    labels = label_ids(canonical, posteriors.shape[1], blank, utterance)
    allowed = allowed_substitutes(substitutes, labels, blank, posteriors.shape[1])
    sa, average, ratio = np.empty((3, labels.size))
    for i, frames in enumerate(_spanned_frames(spans, labels, len(posteriors), utterance)):
        inside = posteriors[frames]
        # The sequences of one phone are the empty sequence with that phone inserted.
        _, phone = one_label_changes(inside, *boundaries(inside, _NO_LABELS, blank))
        means = inside.mean(axis=0)
        sa[i] = phone[0, labels[i]] - log_sum(phone[0, allowed[i]], axis=0)
        average[i] = means[labels[i]]
        ratio[i] = average[i] - means[allowed[i]].max()
        never = inside[:, labels[i]] == LOG_ZERO
        if never.any():
            average[i] = ratio[i] = -np.inf
        if never.all():
            sa[i] = -np.inf
    return SegmentGop(sa=sa, average_log_posterior=average, average_log_ratio=ratio)


def logit_margins(
    logits: ArrayLike | torch.Tensor,
    canonical: ArrayLike,
    spans: ArrayLike,
    *,
    blank: int = 0,
    substitutes: NDArray[np.bool_] | None = None,
    log_prior: ArrayLike | None = None,
    utterance: str = "",
) -> LogitMargins:
    """Margins between the canonical logit and its strongest competitor (arXiv 2506.12067).

    Logits and their log posteriors differ by one number per frame, which a margin cancels: pass
    either.

    Parameters
    ----------
    logits
        Logits or log posteriors `[T, V]`, as an array or a torch tensor on any device.
    canonical, spans, blank, substitutes, utterance
        As in `segment_gop`.
    log_prior
        `[V]`, log of each label's share of the frames, for instance the log of the mean posterior
        over native speech. A constant offset doesn't matter.

    Returns
    -------
    LogitMargins

    Raises
    ------
    InputError
        As `segment_gop`, save that values need not be normalised but must be finite; a phone
        without any competitor; a prior that is not V finite numbers.
    """
    scores = frame_scores(logits, utterance)
    if not np.isfinite(scores).all():
        frame, label = np.argwhere(~np.isfinite(scores))[0]
        raise InputError(
            f"{name_of(utterance)}frame {frame}, label {label} is -inf",
            cause="a margin needs finite logits",
            fix="pass the encoder's logits or their log_softmax",
        )
    n_vocabulary = scores.shape[1]
    labels = label_ids(canonical, n_vocabulary, blank, utterance)
    competes = allowed_substitutes(substitutes, labels, blank, n_vocabulary)
    competes[np.arange(labels.size), labels] = False
    alone = np.flatnonzero(~competes.any(axis=1))
    if alone.size:
        raise InputError(
            f"{name_of(utterance)}label {labels[alone[0]]} at position {alone[0]} "
            "has no competitor",
            cause="`substitutes` allows none, so there is no margin",
            fix="allow at least one substitute for every phone",
        )
    prior = None if log_prior is None else np.asarray(log_prior, dtype=np.float64)
    if prior is not None and (prior.shape != (n_vocabulary,) or not np.isfinite(prior).all()):
        raise InputError(
            f"log_prior has shape {list(prior.shape)}, or values that are not finite",
            cause=f"expected one finite log prior for each of {n_vocabulary} labels",
            fix="give labels that never occur a small probability",
        )
    mean, largest, corrected = np.empty((3, labels.size))
    for i, frames in enumerate(_spanned_frames(spans, labels, len(scores), utterance)):
        inside = scores[frames]
        margin = inside[:, labels[i]] - inside[:, competes[i]].max(axis=1)
        mean[i], largest[i] = margin.mean(), margin.max()
        if prior is not None:
            inside = inside - prior
            corrected[i] = (inside[:, labels[i]] - inside[:, competes[i]].max(axis=1)).mean()
    return LogitMargins(
        mean=mean, max=largest, prior_corrected=None if prior is None else corrected
    )


def _spanned_frames(
    spans: ArrayLike, labels: IntArray, n_frames: int, utterance: str
) -> Iterator[slice]:
    """Frames that each span touches, at least one."""
    pairs = np.asarray(spans, dtype=np.float64)
    if pairs.shape != (labels.size, 2):
        raise InputError(
            f"{name_of(utterance)}spans have shape {list(pairs.shape)}",
            cause=f"expected a start and an end for each of {labels.size} phones",
            fix="pass one span per canonical phone",
        )
    usable = (pairs[:, 0] >= 0) & (pairs[:, 0] <= pairs[:, 1]) & (pairs[:, 1] <= n_frames)
    if not usable.all():
        i = int(np.argmin(usable))
        raise InputError(
            f"{name_of(utterance)}span {i} is {pairs[i, 0]:g} to {pairs[i, 1]:g}",
            cause=f"a span runs forward within the {n_frames} frames of the recording",
            fix="give spans in frames, not in seconds",
        )
    first = np.minimum(np.floor(pairs[:, 0]), n_frames - 1).astype(np.int64)
    past = np.maximum(np.ceil(pairs[:, 1]).astype(np.int64), first + 1)
    for start, stop in zip(first.tolist(), past.tolist(), strict=True):
        yield slice(start, stop)
