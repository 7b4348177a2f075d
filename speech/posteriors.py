"""Checks of what an encoder's CTC head and a pronunciation hand to the sums of `speech.ctc`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nativeear.speech.ctc import LOG_ZERO, FloatArray, IntArray, frames_needed, log_sum
from nativeear.speech.errors import InputError

_TOTAL_TOLERANCE = 1e-2
"""How far from 1 a frame's probabilities may sum: room for half-precision encoders only."""


def checked_posteriors(
    log_probs: ArrayLike, canonical: ArrayLike, blank: int
) -> tuple[FloatArray, IntArray]:
    """Log posteriors float64 `[T, V]` and label ids int64 `[N]` that CTC can sum over.

    Parameters
    ----------
    log_probs
        Array, or torch tensor on any device, `[T, V]`: normalised log posteriors.
    canonical
        N label ids.
    blank
        Id of the blank.

    Raises
    ------
    InputError
        Fewer frames than the canonical sequence needs, an empty sequence, an id out of range,
        or values that are NaN or not normalised.
    """
    posteriors = _normalised(_scores(log_probs))
    n_frames, n_vocabulary = posteriors.shape
    labels = _label_ids(canonical, n_vocabulary, blank)
    needed = frames_needed(labels)
    if n_frames < needed:
        raise InputError(
            f"{n_frames} frames are too few for {labels.size} phones, which need {needed}",
            cause=f"CTC needs a frame per phone and one between each of the "
            f"{needed - labels.size} pairs of equal neighbours",
            fix="check that the text belongs to the recording and that the recording is complete",
        )
    return posteriors, labels


def _scores(values: ArrayLike) -> FloatArray:
    """Scores of every label in every frame as float64 `[T, V]`, in the processor's memory."""
    tensor: Any = values
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu().double().numpy()
    scores: FloatArray = np.asarray(tensor, dtype=np.float64)
    if scores.ndim != 2 or scores.shape[0] < 1 or scores.shape[1] < 2:
        raise InputError(
            f"frames have shape {list(scores.shape)}",
            cause="expected [T, V] with at least one frame and two labels, the blank among them",
            fix="pass one utterance at a time, without a batch axis",
        )
    usable = scores < np.inf  # NaN compares false
    if not usable.all():
        frame, label = np.argwhere(~usable)[0]
        raise InputError(
            f"frame {frame}, label {label} is {scores[frame, label]}",
            cause="a log probability must be a number below +inf",
            fix="check the recording and the encoder: NaN usually comes from half precision",
        )
    return scores


def _normalised(scores: FloatArray) -> FloatArray:
    """Log posteriors, each frame checked to sum to 1, raised to `LOG_ZERO`."""
    log_probs = np.maximum(scores, LOG_ZERO)
    log_totals = log_sum(log_probs.copy(), axis=1)
    frame = int(np.argmax(np.abs(log_totals)))
    if abs(log_totals[frame]) > _TOTAL_TOLERANCE:
        raise InputError(
            f"log_probs are not normalised: the probabilities of frame {frame} sum to "
            f"exp({log_totals[frame]:.4g})",
            cause="logits or probabilities were passed where log posteriors are expected",
            fix="apply log_softmax over the labels first",
        )
    return log_probs


def _label_ids(canonical: ArrayLike, n_vocabulary: int, blank: int) -> IntArray:
    """Canonical label ids as int64 `[N]`, checked against the vocabulary."""
    if not 0 <= blank < n_vocabulary:
        raise InputError(
            f"blank {blank} is not a label",
            cause=f"log_probs have {n_vocabulary} labels, 0 to {n_vocabulary - 1}",
            fix="pass the encoder's blank id",
        )
    ids = np.asarray(canonical)
    if ids.ndim != 1 or ids.size == 0:
        raise InputError(
            f"the canonical sequence has shape {list(ids.shape)}",
            cause="expected a list of at least one label id",
            fix="check that the text has a pronunciation",
        )
    if not np.issubdtype(ids.dtype, np.integer):
        raise InputError(
            f"the canonical sequence holds {ids.dtype}, not integers",
            cause="labels are given as ids: columns of log_probs",
            fix="map phones to label ids first",
        )
    wrong = np.flatnonzero((ids < 0) | (ids >= n_vocabulary) | (ids == blank))
    if wrong.size:
        position, label = int(wrong[0]), int(ids[wrong[0]])
        raise InputError(
            f"canonical label {label} at position {position} "
            + ("is the blank" if label == blank else "is out of range"),
            cause=f"a phone is one of 0 to {n_vocabulary - 1} except the blank, {blank}",
            fix="check that the labels come from this encoder's own label map",
        )
    return ids.astype(np.int64)
