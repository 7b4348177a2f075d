"""Bands from the scores of an assessment: a proportional-odds model kept in one JSON file.

ln P(band ≥ k) / P(band < k) = w · x − θₖ, with x the standardised scores, no weight below 0 and
rising thresholds (McCullagh 1980), so that a better score never means a lower band.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessment import Assessment, Level
from nativeear.speech.errors import InputError

FEATURES = ("pronunciation", "fluency", "prosody")
"""Scores of `scoring.assessment.Scores` that a band is told by."""

FloatArray = NDArray[np.float64]


class HeldOut(BaseModel):
    """How bands of speakers that the fit had not seen were told, by folds of speakers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact: float
    within_one: float
    weighted_kappa: float


class BandModel(BaseModel):
    """A fitted model, and what it holds for.

    Attributes
    ----------
    scale, bands
        `CEFR` or `IELTS`, and the K bands, lowest first.
    index, encoder
        Name of the index and fingerprint of its encoder.
    assessed
        How the rated recordings were assessed, see `how_assessed`.
    centres, spreads, weights
        Mean and standard deviation of each of `FEATURES` among the rated, and its weight.
    thresholds
        θ, K − 1 of them.
    recordings, speakers, held_out
        What it was fitted on, and how well it tells.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    scale: str
    bands: tuple[str, ...]
    index: str
    encoder: str
    assessed: str
    centres: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    thresholds: tuple[float, ...]
    recordings: int
    speakers: int
    held_out: HeldOut

    def check_index(self, index: PhoneIndex) -> None:
        """Refuse an index whose scores mean something else.

        Raises
        ------
        InputError
            If the bands were fitted with another index or encoder.
        """
        if (self.index, self.encoder) != (index.name, index.manifest.encoder.fingerprint):
            raise InputError(
                f"The bands were not fitted for the index {index.name} as it is.",
                cause=f"They were fitted for {self.index}, or for another encoder.",
                fix="Fit them again with `nativeear bands fit`.",
            )

    def with_level(self, assessment: Assessment) -> Assessment:
        """The same with its `level`, or with a warning that says why there is none."""
        why = ""
        scores = scores_of(assessment)
        if how_assessed(assessment) != self.assessed:
            why = f"they hold for recordings assessed by {self.assessed}"
        elif scores is None:
            why = "a score that they rest on was not measured"
        if why or scores is None:
            warning = f"The bands give no level: {why}."
            return assessment.model_copy(update={"warnings": (*assessment.warnings, warning)})
        at_least = self.at_least(scores[None])[0]
        number = int((at_least >= 0.5).sum())
        bounds = np.concatenate([[1.0], at_least, [0.0]])
        level = Level(
            scale=self.scale,
            band=self.bands[number],
            probability=float(bounds[number] - bounds[number + 1]),
        )
        return assessment.model_copy(update={"level": level})

    def at_least(self, scores: FloatArray) -> FloatArray:
        """P(band ≥ k) for k = 1 … K − 1, float64 `[N, K − 1]`, of scores `[N, F]`."""
        standard = (scores - np.array(self.centres)) / np.array(self.spreads)
        logits = (standard @ np.array(self.weights))[:, None] - np.array(self.thresholds)
        probabilities: FloatArray = 1 / (1 + np.exp(-logits))
        return probabilities

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            beside.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise InputError(f"The bands cannot be written to {path}.", cause=str(error)) from error

    @classmethod
    def load(cls, path: Path) -> BandModel:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If it is no such file.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise InputError(
                f"{path} holds no fitted bands.",
                cause=str(error).splitlines()[0],
                fix="Fit them with `nativeear bands fit`.",
            ) from error


def scores_of(assessment: Assessment) -> FloatArray | None:
    """The scores that a band is told by, float64 `[F]`; None where one was not measured."""
    values = [getattr(assessment.score, name) for name in FEATURES]
    return None if any(value is None for value in values) else np.array(values, dtype=np.float64)


def how_assessed(assessment: Assessment) -> str:
    """Calibration and source of the text: scores of one kind do not stand for another's."""
    source = "a given text" if assessment.transcript is None else assessment.transcript.source
    return f"{assessment.calibration}, {source}"
