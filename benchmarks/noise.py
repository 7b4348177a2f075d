"""What white noise does to verdicts on learners, with and without relaying the alignment.

    OMP_NUM_THREADS=1 python -m benchmarks.noise [--utterances 100] [--decibels 20 10]

Learners of speechocean762 are assessed as recorded and with white noise, by both calibrations:
once as the aligner lays their phones, once relaid where the encoder's phone head hears them
elsewhere (`speech.realignment`). PCC is with the experts' scores per phone, AUC of phones that they
score below 0.5. The shipped encoder and calibration have learnt from these very speakers, so that
only differences within the table mean something.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

import nativeear
from benchmarks.speech_data import DATA
from benchmarks.treatments import noisy
from retriever.neighbours import Exclusion
from scoring.assessor import Assessor
from scoring.gop_evidence import measure_gop
from scoring.hearing import NOTHING, Hearing, Listener
from scoring.metrics import pearson, roc_auc
from speech.audio import Audio
from speech.errors import NativeEarError
from speech.pronunciation import Pronunciation

FOLDER = DATA / "speechocean762-train"
WRONG_BELOW = 0.5
SEED = 0


@dataclass(frozen=True)
class Rated:
    """A recording, its canonical phones, and the experts' score of each, 0–2."""

    audio: Audio
    phones: str
    scores: tuple[float, ...]


class AsLaid(Assessor):
    """Assesses by the aligner's boundaries, whatever the phone head hears."""

    def hear(
        self, recording: Audio, pronunciation: Pronunciation, exclusion: Exclusion = NOTHING
    ) -> Hearing:
        """As `Assessor.hear`, without relaying."""
        frames = self.encoder.encode(recording)
        alignment = self.aligner.align(recording, pronunciation, frames)
        phones = [phone.phone for phone in alignment.spoken]
        gop = measure_gop(frames, self.inventory, phones)
        return Listener(self.index).hear(frames, alignment, gop, exclusion)


def recordings(count: int) -> list[Rated]:
    """Recordings spread evenly over the speakers."""
    with (FOLDER / "utterances.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return [
        Rated(
            Audio.load(FOLDER / row["audio"]),
            row["phones"],
            tuple(map(float, row["phone_scores"].replace("|", " ").split())),
        )
        for row in rows[:: max(1, len(rows) // count)][:count]
    ]


def agreement(
    assessor: Assessor, heard: list[Rated], treat: Callable[[Audio], Audio]
) -> tuple[float, float]:
    """PCC and AUC over the phones that were judged."""
    scores: list[float] = []
    truth: list[float] = []
    for rated in heard:
        try:
            result = assessor.assess(treat(rated.audio), phones=rated.phones)
        except NativeEarError:
            continue
        judged = [phone.score for word in result.words for phone in word.phones]
        if len(judged) == len(rated.scores):
            scores += [np.nan if score is None else score for score in judged]
            truth += rated.scores
    score, expert = np.array(scores, dtype=float), np.array(truth)
    known = ~np.isnan(score)
    return (
        pearson(score[known], expert[known]),
        roc_auc(expert[known] < WRONG_BELOW, -score[known]),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--utterances", type=int, default=100)
    parser.add_argument("--decibels", type=float, nargs="*", default=[20.0, 10.0])
    options = parser.parse_args()
    heard = recordings(options.utterances)
    table = Table("noise", "calibration", "as laid: PCC, AUC", "relaid: PCC, AUC")
    for decibels in (None, *options.decibels):
        for name in ("expert", "training-free"):
            relaid = nativeear.load("en-US", calibration=name)
            parts = (relaid.index, relaid.encoder, relaid.aligner, relaid.pronouncer)
            told = []
            for assessor in (AsLaid(*parts, calibration=name), relaid):
                rng = np.random.default_rng(SEED)

                def treat(
                    audio: Audio,
                    decibels: float | None = decibels,
                    rng: np.random.Generator = rng,
                ) -> Audio:
                    return audio if decibels is None else noisy(audio, decibels, rng)

                pcc, auc = agreement(assessor, heard, treat)
                told.append(f"{pcc:.3f}, {auc:.3f}")
            noise = "none" if decibels is None else f"{decibels:g} dB below"
            table.add_row(noise, name, *told)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
