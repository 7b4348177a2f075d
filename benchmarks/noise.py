"""What white noise does to verdicts on learners, with and without relaying the alignment.

    OMP_NUM_THREADS=1 python -m benchmarks.noise [--utterances 100] [--decibels 20 10]

Learners of speechocean762 are judged as recorded and with white noise, by both calibrations: once
on evidence where the aligner lays their phones, once where they are relaid because the encoder's
phone head hears them elsewhere (`speech.realignment`). PCC is with the experts' scores per phone,
AUC of phones that they score below 0.5. The calibration has not learnt from these speakers, but
the shipped encoder has, so that only differences within the table mean something.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

import nativeear
from benchmarks.speech_data import DATA
from nativeear.scoring.assessor import Assessor
from nativeear.scoring.calibration import calibration_of
from nativeear.scoring.evidence import EvidenceGatherer, RecordingEvidence, lay
from nativeear.scoring.metrics import pearson, roc_auc
from nativeear.speech.audio import Audio
from nativeear.speech.errors import NativeEarError
from tests.support.treatments import noisy
from training.splits import fold_of

FOLDER = DATA / "speechocean762-train"
WRONG_BELOW = 0.5
SEED = 0
CALIBRATIONS = ("expert", "training-free")
FITTED_ON = (0,)
"""Folds whose learners the expert calibration was fitted on."""


@dataclass(frozen=True)
class Rated:
    """A recording, its canonical phones, and the experts' score of each, 0–2."""

    audio: Audio
    phones: str
    scores: tuple[float, ...]


def recordings(count: int) -> list[Rated]:
    """Recordings of speakers whom the calibration has not learnt from, evenly spread."""
    with (FOLDER / "utterances.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    unheard = [row for row in rows if fold_of(row["speaker"]) not in FITTED_ON]
    return [
        Rated(
            Audio.load(FOLDER / row["audio"]),
            row["phones"],
            tuple(map(float, row["phone_scores"].replace("|", " ").split())),
        )
        for row in unheard[:: max(1, len(unheard) // count)][:count]
    ]


def heard_twice(
    assessor: Assessor, recording: Audio, phones: str
) -> tuple[RecordingEvidence, RecordingEvidence] | None:
    """The evidence as laid and as relaid; None where the phones cannot be laid."""
    meant = assessor.pronounce(None, phones)
    frames = assessor.encoder.encode(recording)
    try:
        laid = lay(assessor.aligner, recording, meant, frames, assessor.inventory)
    except NativeEarError:
        return None
    gatherer = EvidenceGatherer(assessor.index)
    as_laid = gatherer.gather(frames, laid.alignment, laid.gop)
    if laid.relaid is laid.alignment:
        return as_laid, as_laid
    return as_laid, gatherer.gather(frames, laid.relaid, laid.gop)


def agreement(grades: list[float | None], experts: list[float]) -> str:
    """PCC and AUC over the phones that were judged."""
    score = np.array([np.nan if grade is None else grade for grade in grades], dtype=np.float64)
    expert = np.array(experts)
    known = ~np.isnan(score)
    pcc = pearson(score[known], expert[known])
    auc = roc_auc(expert[known] < WRONG_BELOW, -score[known])
    return f"{pcc:.3f}, {auc:.3f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--utterances", type=int, default=100)
    parser.add_argument("--decibels", type=float, nargs="*", default=[20.0, 10.0])
    options = parser.parse_args()
    assessor = nativeear.load("en-US")
    rated = recordings(options.utterances)
    table = Table("noise", "calibration", "as laid: PCC, AUC", "relaid: PCC, AUC")
    for decibels in (None, *options.decibels):
        rng = np.random.default_rng(SEED)
        found: dict[tuple[str, int], list[float | None]] = {}
        experts: list[float] = []
        for one in rated:
            audio = one.audio if decibels is None else noisy(one.audio, decibels, rng)
            heard = heard_twice(assessor, audio, one.phones)
            if heard is None or len(heard[0].phones) != len(one.scores):
                continue
            experts += one.scores
            for name in CALIBRATIONS:
                calibration = calibration_of(name, assessor.index)
                for k, evidence in enumerate(heard):
                    grades = [grade.score for grade in calibration.grades(evidence)]
                    found.setdefault((name, k), []).extend(grades)
        noise = "none" if decibels is None else f"{decibels:g} dB below"
        for name in CALIBRATIONS:
            table.add_row(noise, name, *(agreement(found[name, k], experts) for k in (0, 1)))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
