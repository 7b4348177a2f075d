"""The `expert` calibration: what experts would say, learnt from their scores of learners.

Two sums of boosted trees over the columns of `scoring.fusion.features`, both monotone in every
column that speaks for the phone: one gives the expected expert score, the other the probability
that experts call the phone mispronounced. `training.calibration` fits them and writes the record
that lies beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.fusion.features import FeatureTable
from scoring.fusion.trees import Trees

FOLDER = Path(__file__).parents[1] / "data" / "expert-en"
TREES_FILE = "trees.safetensors"
RECORD_FILE = "record.json"
LANGUAGE = "en"

BEST = 2.0
"""What experts give for a phone without fault."""

COLUMNS = (
    "log_posterior",
    "log_posterior_quantile",
    "sf_s",
    "sf_sd",
    "gop_margin",
    "deletion",
    "rival",
    "rival_distance",
    "occupied_frames",
    "frame_log_posterior",
    "frame_margin",
    "margin",
    "margin_quantile",
    "posterior",
    "canonical_share",
    "own_similarity",
    "duration",
    "duration_here",
    "gap_s",
    "in_word",
    "to_word_end",
    "vowel",
    "phones",
    *(
        f"{name}_{where}"
        for name in ("log_posterior", "frame_log_posterior", "margin_quantile")
        for where in ("before", "after", "word", "word_least", "recording", "recording_low")
    ),
)
"""Columns that are weighed, in this order."""


@dataclass(frozen=True, eq=False)
class ExpertCalibration:
    """The fitted trees."""

    score: Trees
    error: Trees

    def scores(self, features: FeatureTable) -> NDArray[np.float64]:
        """Expected expert score of every phone, 0–100, `[N]`."""
        expected = self.score(_table(features)) / BEST
        return np.asarray(100.0 * np.clip(expected, 0.0, 1.0))

    def probabilities(self, features: FeatureTable) -> NDArray[np.float64]:
        """Probability that experts call each phone mispronounced, 0–1, `[N]`."""
        return np.asarray(1.0 / (1.0 + np.exp(-self.error(_table(features)))))


@cache
def shipped() -> ExpertCalibration:
    """The calibration that comes with NativeEar."""
    from safetensors.numpy import load_file

    arrays = load_file(FOLDER / TREES_FILE)

    def part(name: str) -> Trees:
        prefix = f"{name}."
        own: dict[str, NDArray[Any]] = {
            key.removeprefix(prefix): value
            for key, value in arrays.items()
            if key.startswith(prefix)
        }
        return Trees.of(own)

    return ExpertCalibration(part("score"), part("error"))


def _table(features: FeatureTable) -> NDArray[np.float64]:
    return np.column_stack([features.column(name) for name in COLUMNS])
