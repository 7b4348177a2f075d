"""The `expert` calibration: what experts would say, learnt from their scores of learners.

Two sums of boosted trees over the columns of `scoring.fusion.features`, both monotone in every
column that speaks for the phone: one gives the expected expert score, the other the probability
that experts call the phone mispronounced. `training.calibration` fits them and writes the record
that lies beside them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.evidence import RecordingEvidence
from nativeear.scoring.fusion.features import CONTEXT_COLUMNS, FeatureTable
from nativeear.scoring.fusion.training_free import TrainingFree
from nativeear.scoring.fusion.trees import Trees
from nativeear.scoring.grading import (
    BELOW,
    FALSE_REJECTIONS,
    FLAGGED_SCORE,
    GOOD_SCORE,
    LIKELY,
    UNCERTAIN,
    Grade,
)
from nativeear.scoring.verdicts import FLAGGED, Verdict
from nativeear.speech.languages import primary_subtag

FOLDER = Path(__file__).parents[1] / "data" / "expert-en"
TREES_FILE = "trees.safetensors"
RECORD_FILE = "record.json"
LANGUAGE = "en"

PLAIN_NATS = -6.0
PLAIN_QUANTILE = 0.04
"""Another phone was plainly said where retrieval prefers one, as it does for fewer natives than
`PLAIN_QUANTILE`, and the head holds another sequence for e^6 times likelier. Tried on fold 0 and
on natives: quantiles from 0.025 to 1, and from e^2 to e^8 times. Whatever blames more overrules
experts too often; with 0.025 it hangs on a frame more or less of silence before the recording."""

PLAIN_PROBABILITY = 0.75
"""Probability of an error, at least, where another phone was plainly said. Where one phone in ten
is wrong, as `indexes.manifest.Decision` assumes, 75 to 85 % of such places are: they are 2 % of six
natives' phones and 68 to 89 % of the errors simulated in 60 of their sentences."""

MISSING_QUANTILE = 0.002
"""A phone was plainly not said where retrieval and the head miss it, and so few natives have less
evidence. Tried from 0.001 to 0.025 on learners, and on natives' recordings from which phones were
cut: with more, phones that experts call right are said to be missing."""

HIGHEST_FLAGGED = FLAGGED_SCORE - BELOW
"""Score that what is plainly another phone has at most."""

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
    *CONTEXT_COLUMNS,
)
"""Columns that are weighed, in this order."""


@dataclass(frozen=True, eq=False)
class ExpertModel:
    """The fitted trees, and what they say of phones without fault.

    Attributes
    ----------
    score, error
        Sums of trees: the expert score 0–2, and the logit of a mispronunciation.
    rates, probabilities_above
        float64 `[Q]`: the share of phones that all experts called right, by speakers whom the
        trees were not fitted on, whose probability of a mispronunciation is above each of the
        second. These voices are many; one native's prompts would be no measure for others.
    """

    score: Trees
    error: Trees
    rates: NDArray[np.float64]
    probabilities_above: NDArray[np.float64]

    def scores(self, features: FeatureTable) -> NDArray[np.float64]:
        """Expected expert score of every phone, 0–100, `[N]`."""
        expected = self.score(_table(features)) / BEST
        return np.asarray(100.0 * np.clip(expected, 0.0, 1.0))

    def probabilities(self, features: FeatureTable) -> NDArray[np.float64]:
        """Probability that experts call each phone mispronounced, 0–1, `[N]`."""
        return np.asarray(1.0 / (1.0 + np.exp(-self.error(_table(features)))))

    def threshold(self, false_rejections: float) -> float:
        """Probability above which this share of phones without fault lies."""
        return float(np.interp(false_rejections, self.rates, self.probabilities_above))


class ExpertCalibration:
    """Grades as experts would. Safe to share between threads.

    Parameters
    ----------
    model
        The fitted trees.
    by_natives
        Says of which phones natives would be flagged, too. What the trees find no likelier than
        not is flagged only there: they judge a phone in its context, and one wrong phone makes
        them doubt the right ones beside it. What was plainly another phone, or none, is flagged
        whatever they find: learners seldom make one such mistake among many flawless phones, so
        that the trees, which know only learners, all but overlook it.
    false_rejections
        Share of phones without fault that may be flagged.
    """

    name = "expert"

    def __init__(
        self,
        model: ExpertModel,
        by_natives: TrainingFree,
        *,
        false_rejections: float = FALSE_REJECTIONS,
    ) -> None:
        self._model = model
        self._by_natives = by_natives
        self._threshold = model.threshold(false_rejections)

    def grades(self, evidence: RecordingEvidence) -> tuple[Grade, ...]:
        """Grade every canonical phone, in order."""
        if not evidence.phones:
            return ()
        judged = ~np.isnan(evidence.features.column("margin_quantile"))
        scores = self._model.scores(evidence.features)
        probabilities = self._model.probabilities(evidence.features)
        another = plainly_another(evidence.features)
        _, quantiles = self._by_natives.judge(evidence.features)
        missing = evidence.deleted & (quantiles < np.log(MISSING_QUANTILE))
        by_natives = self._by_natives.grades(evidence)
        grades = []
        for i, retrieved in enumerate(evidence.retrieval):
            if not judged[i]:
                grades.append(UNCERTAIN)
                continue
            score, probability = float(scores[i]), float(probabilities[i])
            unlike_natives = by_natives[i].verdict in FLAGGED
            plain = unlike_natives and bool(another[i] or missing[i])
            if plain:
                score = min(score, HIGHEST_FLAGGED)
                alone = by_natives[i].probability_mispronounced or 0.0
                probability = max(probability, alone, PLAIN_PROBABILITY)
            suspected = probability > self._threshold and (unlike_natives or probability >= LIKELY)
            verdict: Verdict = "correct"
            if plain or suspected:
                verdict = "substituted" if retrieved.margin < 0 else "accented"
                verdict = "deleted" if evidence.deleted[i] else verdict
            grades.append(Grade.of(score, probability, verdict, border=GOOD_SCORE))
        return tuple(grades)


def plainly_another(features: FeatureTable) -> NDArray[np.bool_]:
    """Where retrieval and the head agree that another phone was said, bool `[N]`."""
    return np.asarray(
        (features.column("margin") < 0)
        & (features.column("margin_quantile") < np.log(PLAIN_QUANTILE))
        & (features.column("rival") < PLAIN_NATS)
    )


def serves(index: PhoneIndex) -> bool:
    """Whether the shipped calibration was made for this index: its language and its encoder."""
    record = FOLDER / RECORD_FILE
    if primary_subtag(index.language) != LANGUAGE or not record.is_file():
        return False
    made_for: str = json.loads(record.read_text(encoding="utf-8"))["encoder"]
    return made_for == index.manifest.encoder.fingerprint


@cache
def shipped() -> ExpertModel:
    """The calibration that comes with NativeEar."""
    from safetensors.numpy import load_file

    arrays = load_file(FOLDER / TREES_FILE)

    def part(name: str) -> dict[str, NDArray[Any]]:
        prefix = f"{name}."
        return {
            key.removeprefix(prefix): value
            for key, value in arrays.items()
            if key.startswith(prefix)
        }

    faultless = part("faultless")
    return ExpertModel(
        Trees.of(part("score")),
        Trees.of(part("error")),
        faultless["rates"],
        faultless["probabilities_above"],
    )


def _table(features: FeatureTable) -> NDArray[np.float64]:
    return np.column_stack([features.column(name) for name in COLUMNS])
