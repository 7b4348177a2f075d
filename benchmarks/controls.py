"""What a score makes of recordings that are not what they should be.

    python -m benchmarks.controls [--sentences 12]

Natives whom neither the index nor any training has heard read sentences; each recording is treated
in one way and assessed against its text. Silence, noise and another sentence must not score; what
a telephone or a compressor does must cost little; the same sentence by another native nothing.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from rich.console import Console
from rich.table import Table

import nativeear
from benchmarks.speech_data import DATA
from nativeear.scoring.verdicts import FLAGGED
from nativeear.speech.audio import Audio
from nativeear.speech.errors import NativeEarError
from tests.support import treatments

SEED = 11
FOLDER = DATA / "native-english"


@dataclass(frozen=True)
class Sentence:
    """A sentence as two natives read it, and what others said."""

    text: str
    own: Audio
    another: Audio
    different: Audio
    babble: tuple[Audio, ...]


def sentences(n: int) -> list[Sentence]:
    """N sentences in a seeded order, with the voices in turn."""
    with (FOLDER / "utterances.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    by_name: dict[str, dict[str, dict[str, str]]] = {}
    for row in rows:
        by_name.setdefault(row["id"].split("_")[1], {})[row["speaker"]] = row
    rng = np.random.default_rng(SEED)
    names = [name for name in sorted(by_name) if len(by_name[name]) > 1]
    chosen = rng.permutation(names)[: n + 1].tolist()
    found = []
    for i, (name, other) in enumerate(pairwise(chosen)):
        voices = list(by_name[name].values())
        own, another = voices[i % len(voices)], voices[(i + 1) % len(voices)]
        different = next(iter(by_name[other].values()))
        load = [Audio.load(FOLDER / row["audio"]) for row in (own, another, different)]
        behind = tuple(
            Audio.load(FOLDER / rows[k]["audio"]) for k in rng.permutation(len(rows))[:4].tolist()
        )
        found.append(Sentence(own["text"], load[0], load[1], load[2], behind))
    return found


def treated(rng: np.random.Generator) -> dict[str, Callable[[Sentence], Audio]]:
    """What is done to a sentence, by name."""
    return {
        "as it is": lambda s: s.own,
        "another native": lambda s: s.another,
        "0.8 times as fast": lambda s: treatments.stretched(s.own, 0.8),
        "1.25 times as fast": lambda s: treatments.stretched(s.own, 1.25),
        "telephone band": lambda s: treatments.telephone(s.own),
        "MP3, 64 kbit/s": lambda s: treatments.mp3(s.own),
        "white noise, 20 dB": lambda s: treatments.noisy(s.own, 20, rng),
        "babble, 20 dB": lambda s: treatments.babble(s.own, s.babble, 20),
        "vocal tract 12 % longer": lambda s: treatments.resampled(s.own, 1.12),
        "another sentence": lambda s: s.different,
        "only loud noise": lambda s: treatments.loud_noise(s.own, rng),
        "only faint noise": lambda s: treatments.faint_noise(s.own, rng),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sentences", type=int, default=12)
    parser.add_argument("--calibration", default="auto")
    options = parser.parse_args()
    ear = nativeear.load(calibration=options.calibration)
    read = sentences(options.sentences)
    table = Table(title=f"{len(read)} sentences of unseen natives; seed {SEED}")
    for column in ("recording", "score", "phones flagged", "text does not match", "refused"):
        table.add_column(column, justify="left" if column == "recording" else "right")
    for name, treat in treated(np.random.default_rng(SEED)).items():
        scores: list[float] = []
        flags: list[bool] = []
        mismatched = refused = 0
        for sentence in read:
            try:
                result = ear.assess(treat(sentence), sentence.text)
            except NativeEarError:
                refused += 1
                continue
            scores.append(result.score.pronunciation or 0.0)
            flags += [phone.verdict in FLAGGED for phone in result.phones]
            mismatched += any("does not match" in warning for warning in result.warnings)
        heard = bool(scores)
        table.add_row(
            name,
            f"{np.mean(scores):.1f}" if heard else "–",
            f"{np.mean(flags):.1%}" if heard else "–",
            f"{mismatched} of {len(read) - refused}",
            str(refused),
        )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
