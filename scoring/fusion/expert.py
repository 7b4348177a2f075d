"""The `expert` calibration: what experts would say, learnt from their scores of learners.

Score, probability and verdict are one judgement: all three follow from the expert score that a
phone is expected to get (`scoring.fusion.phone_model`). Below the border that leaves a given share
of flawless phones it is flagged; of what kind the error is, evidence of its kind says. Words and
the whole reading get the marks that experts would give them (`scoring.fusion.marks`).
`training.judge` fits all of it and writes the record that lies beside it.
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
from nativeear.scoring.fusion.marks import MarkModel, SentenceModel
from nativeear.scoring.fusion.phone_model import BEST, PhoneModel
from nativeear.scoring.fusion.recurrent import RecurrentNetwork
from nativeear.scoring.fusion.training_free import TrainingFree
from nativeear.scoring.fusion.trees import Trees
from nativeear.scoring.grading import (
    BELOW,
    DELETED,
    FALSE_REJECTIONS,
    GOOD_SCORE,
    LIKELY,
    UNCERTAIN,
    Grade,
)
from nativeear.scoring.verdicts import FLAGGED, Verdict
from nativeear.speech.languages import primary_subtag

FOLDER = Path(__file__).parents[1] / "data" / "expert-en"
MODEL_FILE = "judge.safetensors"
RECORD_FILE = "record.json"
LANGUAGE = "en"

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ExpertModel:
    """What was fitted.

    Attributes
    ----------
    phones
        Gives the expert score 0–2 that each phone is expected to get.
    marks
        Gives words and readings the marks that experts would give.
    rates, expected_below
        float64 `[Q]`, rising: the share of phones that all experts called right, by speakers whom
        the model was not fitted on, of which it expects less than each of the second.
    expected, probabilities
        float64 `[K]`, rising and falling: the probability that experts call a phone mispronounced
        by what it is expected to get, among such speakers.
    """

    phones: PhoneModel
    marks: MarkModel
    rates: FloatArray
    expected_below: FloatArray
    expected: FloatArray
    probabilities: FloatArray

    def of(self, evidence: RecordingEvidence) -> FloatArray:
        """What every canonical phone of a recording is expected to get, `[N]`."""
        return self.phones.expected(
            evidence.features,
            [phone.phone for phone in evidence.phones],
            np.array([phone.word_index for phone in evidence.phones]),
        )

    def border(self, false_rejections: float) -> float:
        """Expected score below which this share of phones without fault lies."""
        return float(np.interp(false_rejections, self.rates, self.expected_below))

    def probability(self, expected: FloatArray) -> FloatArray:
        """Probability that experts call phones mispronounced, 0–1, `[N]`."""
        return np.interp(expected, self.expected, self.probabilities)


class ExpertCalibration:
    """Grades as experts would. Safe to share between threads.

    Parameters
    ----------
    model
        What was fitted.
    by_natives
        Says which phones natives would be flagged for. One that they would not, and that is
        likelier right than wrong, is not blamed for the company it is in: no less is expected of
        it than at the border.
    false_rejections
        Share of phones without fault that may be flagged.
    """

    name = "expert"
    deleted = DELETED

    def __init__(
        self,
        model: ExpertModel,
        by_natives: TrainingFree,
        *,
        false_rejections: float = FALSE_REJECTIONS,
    ) -> None:
        self._by_natives = by_natives
        self.marks: MarkModel | None = model.marks
        self._model = model
        self._border = model.border(false_rejections)

    def grades(self, evidence: RecordingEvidence) -> tuple[Grade, ...]:
        """Grade every canonical phone, in order."""
        if not evidence.phones:
            return ()
        expected = self._model.of(evidence)
        likely = self._model.probability(expected) >= LIKELY
        by_natives = self._by_natives.grades(evidence)
        like_natives = np.array([grade.verdict not in FLAGGED for grade in by_natives])
        spared = like_natives & ~likely
        expected = np.where(spared, np.maximum(expected, self._border), expected)
        # Experts give nothing for a phone that was not said; but natives drop some, too.
        unsaid = evidence.deleted & (expected < self._border) & likely
        expected = np.where(unsaid, 0.0, expected)
        scores = self.scores(expected)
        probabilities = self._model.probability(expected)
        unjudged = np.isnan(evidence.features.column("margin_quantile"))
        grades = []
        for i, retrieved in enumerate(evidence.retrieval):
            if unjudged[i]:
                grades.append(UNCERTAIN)
                continue
            verdict: Verdict = "correct"
            if expected[i] < self._border:
                verdict = "substituted" if retrieved.margin < 0 else "accented"
                verdict = "deleted" if unsaid[i] else verdict
            grades.append(
                Grade.of(
                    float(scores[i]),
                    float(probabilities[i]),
                    verdict,
                    border=GOOD_SCORE,
                    expected=float(expected[i]),
                )
            )
        return tuple(grades)

    def scores(self, expected: FloatArray) -> FloatArray:
        """Scores 0–100, rising with what is expected: `GOOD_SCORE` lies at the border."""
        return np.where(
            expected < self._border,
            (GOOD_SCORE - BELOW) * expected / self._border,
            GOOD_SCORE + (100 - GOOD_SCORE) * (expected - self._border) / (BEST - self._border),
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

    record = json.loads((FOLDER / RECORD_FILE).read_text(encoding="utf-8"))
    return read_model(load_file(FOLDER / MODEL_FILE), record)


def read_model(arrays: dict[str, NDArray[Any]], record: dict[str, Any]) -> ExpertModel:
    """A model from what `written` gave, and its record."""

    def part(name: str) -> dict[str, NDArray[Any]]:
        prefix = f"{name}."
        return {
            key.removeprefix(prefix): value
            for key, value in arrays.items()
            if key.startswith(prefix)
        }

    def sentence(name: str) -> SentenceModel:
        line = part(f"line.{name}")
        return SentenceModel(
            Trees.of(part(f"sentence.{name}")),
            line["usual"],
            line["spread"],
            line["weights"],
            float(line["offset"][0]),
        )

    curves = part("curves")
    return ExpertModel(
        PhoneModel(
            Trees.of(part("first")),
            Trees.of(part("second")),
            RecurrentNetwork.of(part("network"), tuple(record["averages"])),
            record["averages"],
            tuple(record["columns"]),
        ),
        MarkModel(
            {name: Trees.of(part(f"word.{name}")) for name in record["word_marks"]},
            {name: sentence(name) for name in record["sentence_marks"]},
            tuple(record["measures"]),
        ),
        curves["rates"],
        curves["expected_below"],
        curves["expected"],
        curves["probabilities"],
    )


def written(model: ExpertModel) -> dict[str, NDArray[Any]]:
    """All arrays of a model, by name, for safetensors."""
    trees = {"first": model.phones.first, "second": model.phones.second}
    trees |= {f"word.{name}": fitted for name, fitted in model.marks.words.items()}
    trees |= {f"sentence.{name}": fitted.trees for name, fitted in model.marks.sentences.items()}
    arrays = {
        f"{prefix}.{name}": values
        for prefix, fitted in trees.items()
        for name, values in fitted.arrays().items()
    }
    arrays |= {f"network.{name}": array for name, array in model.phones.network.arrays().items()}
    for name, fitted in model.marks.sentences.items():
        for part in ("usual", "spread", "weights"):
            arrays[f"line.{name}.{part}"] = getattr(fitted, part)
        arrays[f"line.{name}.offset"] = np.array([fitted.offset])
    for name in ("rates", "expected_below", "expected", "probabilities"):
        arrays[f"curves.{name}"] = getattr(model, name)
    return {name: np.ascontiguousarray(values) for name, values in arrays.items()}
