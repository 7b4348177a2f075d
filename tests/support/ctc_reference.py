"""Log probabilities of label sequences, and GOP made of them, by torch's CTC loss."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")

FloatArray = NDArray[np.float64]
Labels = Sequence[int]


def random_log_probs(
    rng: np.random.Generator, n_frames: int, n_vocabulary: int, sharpness: float
) -> FloatArray:
    logits = sharpness * rng.normal(size=(n_frames, n_vocabulary))
    return np.asarray(log_softmax(logits, axis=1))


def reference_log_p(
    log_probs: FloatArray,
    sequences: Sequence[Labels],
    blank: int = 0,
    dtype: torch.dtype = torch.float64,
) -> FloatArray:
    """log p of every sequence by torch's own CTC loss, in one batch; -inf where impossible."""
    n_frames, n_vocabulary = log_probs.shape
    # torch wants no blank among the targets, and pads what is shorter than the longest.
    targets = torch.full((len(sequences), max(map(len, sequences)) or 1), (blank + 1) % 2)
    for row, sequence in zip(targets, sequences, strict=True):
        row[: len(sequence)] = torch.tensor(list(sequence), dtype=torch.long)
    frames = torch.tensor(log_probs, dtype=dtype)[:, None].expand(
        n_frames, len(sequences), n_vocabulary
    )
    loss = torch.nn.functional.ctc_loss(
        frames,
        targets,
        torch.full((len(sequences),), n_frames),
        torch.tensor([len(sequence) for sequence in sequences]),
        blank=blank,
        reduction="none",
    )
    log_p = -loss.double().numpy()
    for i, sequence in enumerate(sequences):
        if not sequence:
            log_p[i] = log_probs[:, blank].sum()
    return np.asarray(log_p)


def reference_features(
    log_probs: FloatArray, canonical: Labels, blank: int
) -> dict[str, FloatArray | float]:
    """Every field that is a sum over sequences, straight from its definition."""
    labels, phones = list(canonical), [v for v in range(log_probs.shape[1]) if v != blank]
    n = len(labels)
    wanted: set[tuple[int, ...]] = {tuple(labels)}
    substituted = [[(*labels[:i], v, *labels[i + 1 :]) for v in phones] for i in range(n)]
    inserted = [[(*labels[:j], v, *labels[j:]) for v in phones] for j in range(n + 1)]
    deleted = [(*labels[:i], *labels[i + 1 :]) for i in range(n)]
    for group in (*substituted, *inserted, deleted):
        wanted.update(group)
    sequences = sorted(wanted)
    log_p = dict(zip(sequences, reference_log_p(log_probs, sequences, blank).tolist(), strict=True))

    def log_total(alternatives: set[tuple[int, ...]]) -> float:
        return float(logsumexp([log_p[sequence] for sequence in alternatives]))

    whole = log_p[tuple(labels)]
    substitution = np.full((n, log_probs.shape[1]), np.nan)
    substitution[:, phones] = [[whole - log_p[s] for s in row] for row in substituted]
    sets = [set(substituted[i]) for i in range(n)]
    with_deletion = [sets[i] | {deleted[i]} for i in range(n)]
    with_insertion = [with_deletion[i] | {*inserted[i], *inserted[i + 1]} for i in range(n)]
    return {
        "log_posterior": whole,
        "substitution": substitution,
        "deletion": np.array([whole - log_p[s] for s in deleted]),
        "insertion": np.array([whole - log_total(set(row)) for row in inserted]),
        "sf_s": np.array([whole - log_total(s) for s in sets]),
        "sf_sd": np.array([whole - log_total(s) for s in with_deletion]),
        "sf_sdi": np.array([whole - log_total(s) for s in with_insertion]),
    }


def needed(canonical: Labels) -> int:
    return len(canonical) + sum(a == b for a, b in itertools.pairwise(canonical))
