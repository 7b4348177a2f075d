"""Checks of what an encoder's CTC head and a pronunciation hand to the sums of `speech.ctc`.

What passes is float64 `[T, V]` and int64 `[N]`; what does not is refused with the utterance named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from nativeear.speech.ctc import LOG_ZERO, FloatArray, IntArray, log_sum
from nativeear.speech.errors import InputError

if TYPE_CHECKING:
    import torch

_TOTAL_TOLERANCE = 1e-2
"""How far from 1 a frame's probabilities may sum: room for half-precision encoders only."""


def name_of(utterance: str) -> str:
    """How an error message begins: with the utterance where it has a name."""
    return f"utterance {utterance!r}: " if utterance else ""


def frame_scores(values: ArrayLike | torch.Tensor, utterance: str = "") -> FloatArray:
    """Scores of every label in every frame as float64 `[T, V]`, in the processor's memory.

    Parameters
    ----------
    values
        Array or torch tensor on any device, `[T, V]`: logits or log posteriors.
    utterance
        Name for error messages.

    Raises
    ------
    InputError
        Not `[T, V]` with T ≥ 1 and V ≥ 2, NaN, or +inf.
    """
    tensor: Any = values
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu().double().numpy()
    scores: FloatArray = np.asarray(tensor, dtype=np.float64)
    if scores.ndim != 2 or scores.shape[0] < 1 or scores.shape[1] < 2:
        raise InputError(
            f"{name_of(utterance)}frames have shape {list(scores.shape)}",
            cause="expected [T, V] with at least one frame and two labels, the blank among them",
            fix="pass one utterance at a time, without a batch axis",
        )
    usable = scores < np.inf  # NaN compares false
    if not usable.all():
        frame, label = np.argwhere(~usable)[0]
        raise InputError(
            f"{name_of(utterance)}frame {frame}, label {label} is {scores[frame, label]}",
            cause="a log probability or logit must be a number below +inf",
            fix="check the recording and the encoder: NaN usually comes from half precision",
        )
    return scores


def normalised_log_probs(values: ArrayLike | torch.Tensor, utterance: str = "") -> FloatArray:
    """Log posteriors as float64 `[T, V]`, each frame checked to sum to 1, raised to `LOG_ZERO`.

    Raises
    ------
    InputError
        As `frame_scores`, or the probabilities of a frame do not sum to 1.
    """
    log_probs = np.maximum(frame_scores(values, utterance), LOG_ZERO)
    log_totals = log_sum(log_probs.copy(), axis=1)
    frame = int(np.argmax(np.abs(log_totals)))
    if abs(log_totals[frame]) > _TOTAL_TOLERANCE:
        raise InputError(
            f"{name_of(utterance)}log_probs are not normalised: the probabilities of frame "
            f"{frame} sum to exp({log_totals[frame]:.4g})",
            cause="logits or probabilities were passed where log posteriors are expected",
            fix="apply log_softmax over the labels first",
        )
    return log_probs


def label_ids(canonical: ArrayLike, n_vocabulary: int, blank: int, utterance: str = "") -> IntArray:
    """Canonical label ids as int64 `[N]`, checked against the vocabulary.

    Raises
    ------
    InputError
        `blank` is no label; `canonical` is empty, not a list of integers, or names the blank or a
        label that does not exist.
    """
    if not 0 <= blank < n_vocabulary:
        raise InputError(
            f"{name_of(utterance)}blank {blank} is not a label",
            cause=f"log_probs have {n_vocabulary} labels, 0 to {n_vocabulary - 1}",
            fix="pass the encoder's blank id",
        )
    ids = np.asarray(canonical)
    if ids.ndim != 1 or ids.size == 0:
        raise InputError(
            f"{name_of(utterance)}the canonical sequence has shape {list(ids.shape)}",
            cause="expected a list of at least one label id",
            fix="check that the text has a pronunciation",
        )
    if not np.issubdtype(ids.dtype, np.integer):
        raise InputError(
            f"{name_of(utterance)}the canonical sequence holds {ids.dtype}, not integers",
            cause="labels are given as ids: columns of log_probs",
            fix="map phones to label ids first",
        )
    wrong = np.flatnonzero((ids < 0) | (ids >= n_vocabulary) | (ids == blank))
    if wrong.size:
        position, label = int(wrong[0]), int(ids[wrong[0]])
        raise InputError(
            f"{name_of(utterance)}canonical label {label} at position {position} "
            + ("is the blank" if label == blank else "is out of range"),
            cause=f"a phone is one of 0 to {n_vocabulary - 1} except the blank, {blank}",
            fix="check that the labels come from this encoder's own label map",
        )
    return ids.astype(np.int64)
