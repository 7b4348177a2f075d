"""Verdicts and scores of one recording, a little later, quieter, or with silence around it.

A part of `benchmarks.robustness`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

import nativeear
from benchmarks.reporting import show
from benchmarks.speech_data import NATIVES, SPEECHOCEAN, rows_of
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.frames import FloatArray

Treatment = Callable[[FloatArray], FloatArray]


def _silence(seconds: float) -> FloatArray:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


TREATMENTS: Mapping[str, Treatment] = {
    "5 ms later": lambda s: np.concatenate([_silence(0.005), s]),
    "10 ms later": lambda s: np.concatenate([_silence(0.01), s]),
    "6 dB quieter": lambda s: s * np.float32(10 ** (-6 / 20)),
    "300 ms of silence before": lambda s: np.concatenate([_silence(0.3), s]),
    "1.2 s of silence behind": lambda s: np.concatenate([s, _silence(1.2)]),
}


@dataclass
class Changes:
    """What a treatment changed: verdicts, of how many phones, and points of the overall score."""

    verdicts: int = 0
    phones: int = 0
    points: list[float] = field(default_factory=list)

    def add(self, before: nativeear.Assessment, after: nativeear.Assessment) -> None:
        """Compare two results of one text; a word of which another form was heard has changed."""
        for word, other in zip(before.words, after.words, strict=True):
            self.phones += len(word.phones)
            if [phone.phone for phone in word.phones] != [phone.phone for phone in other.phones]:
                self.verdicts += len(word.phones)
                continue
            pairs = zip(word.phones, other.phones, strict=True)
            self.verdicts += sum(one.verdict != two.verdict for one, two in pairs)
        overall = before.score.overall, after.score.overall
        if overall[0] is not None and overall[1] is not None:
            self.points.append(abs(overall[0] - overall[1]))


def measure(ears: Mapping[str, nativeear.Assessor], natives: int, learners: int) -> None:
    """Print what every treatment changes."""
    rows = []
    for group, folder, count in (
        ("natives", NATIVES, natives),
        ("learners", SPEECHOCEAN, learners),
    ):
        found = rows_of(folder)
        chosen = found[:: max(1, len(found) // count)][:count]
        changes = {(name, treatment): Changes() for name in ears for treatment in TREATMENTS}
        for row in chosen:
            audio = Audio.load(row["audio"])
            for name, ear in ears.items():
                before = ear.assess(audio, row["text"])
                for treatment, treat in TREATMENTS.items():
                    changed = Audio(np.ascontiguousarray(treat(audio.samples), np.float32))
                    changes[name, treatment].add(before, ear.assess(changed, row["text"]))
        rows += [
            (
                f"{len(chosen)} {group}",
                name,
                treatment,
                f"{told.verdicts / told.phones:.2%}",
                f"{np.mean(told.points):.2f}",
                f"{np.max(told.points):.2f}",
            )
            for (name, treatment), told in changes.items()
        ]
    header = ("recordings", "calibration", "treatment", "verdicts changed", "points, mean", "most")
    show("The same speech otherwise recorded; points of the overall score", header, rows)
