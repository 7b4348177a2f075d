"""What is kept apart from what: one rule for all training and all benchmarks."""

from __future__ import annotations

import zlib

FOLDS = 5


def fold_of(speaker: str) -> int:
    """Fold of a learner, 0–4; folds are disjoint in speakers."""
    return zlib.crc32(speaker.encode()) % FOLDS


def is_held_out(prompt: str) -> bool:
    """Whether a native prompt is held out of the shipped index and of all training: one in ten."""
    return zlib.crc32(prompt.encode()) % 10 == 0
