"""How many bad utterances a build finds, and how many good ones it loses.

    python -m benchmarks.bad_utterances [--languages it] [--limit 120] [--workers 2]

Of Debian's prompts, some are spoiled on purpose: they get the text of another prompt, are replaced
by music of synthetic tones, overdriven into clipping, or replaced by a prompt in another language,
under its own text or under that of the one it replaces. Then an index is built as always.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.speech_data import write_table
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.corpus import Utterance, read_corpus
from nativeear.indexer.readers.asterisk import VOICES
from nativeear.speech.audio import SAMPLE_RATE, Audio

SEED = 3
EVERY = 20
"""One utterance in so many is spoiled in each way: a quarter of the corpus in all."""

KINDS = ("wrong text", "music", "clipped", "other language", "other language and its text")
OVERDRIVE = 30.0
"""Factor by which a peak goes beyond full scale: about 30 dB."""


def spoiled(
    utterances: Sequence[Utterance], others: Sequence[Utterance], folder: Path
) -> tuple[Path, dict[str, str]]:
    """A corpus with bad utterances as a table, and the kind of each bad one by its id.

    Parameters
    ----------
    utterances
        Good ones.
    others
        Utterances in another language.
    folder
        Where recordings and the table go.
    """
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(utterances)).tolist()
    each = max(1, len(utterances) // EVERY)
    kinds = {
        utterances[i].id: kind
        for n, kind in enumerate(KINDS)
        for i in order[n * each : (n + 1) * each]
    }
    strangers = iter(rng.permutation(len(others)).tolist())
    made = []
    for number, utterance in enumerate(utterances):
        kind = kinds.get(utterance.id)
        path, text = utterance.audio, utterance.text
        if kind == "wrong text":
            text = utterances[(number + len(utterances) // 2) % len(utterances)].text
        elif kind in {"music", "clipped"}:
            audio = Audio.load(utterance.audio)
            samples = (
                music(len(audio.samples), rng)
                if kind == "music"
                else np.clip(audio.samples / np.abs(audio.samples).max() * OVERDRIVE, -1, 1)
            )
            path = folder / f"{number}.wav"
            soundfile.write(path, samples, SAMPLE_RATE)
        elif kind is not None:
            stranger = others[next(strangers)]
            path = stranger.audio
            text = stranger.text if kind.endswith("its text") else text
        made.append(replace(utterance, audio=path, text=text))
    return write_table(folder / "corpus.csv", made), kinds


def music(length: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Chords of decaying tones, a new one every quarter of a second, float64 `[length]`."""
    samples = np.zeros(length)
    beat = SAMPLE_RATE // 4
    for start in range(0, length, beat):
        t = np.arange(min(beat, length - start)) / SAMPLE_RATE
        for step in rng.choice(24, 3, replace=False):
            hz = 220.0 * 2 ** (step / 12)
            for partial in range(1, 6):
                samples[start : start + len(t)] += (
                    0.1 / partial * np.sin(2 * np.pi * hz * partial * t) * np.exp(-4 * t)
                )
    return samples


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--languages", nargs="+", choices=tuple(VOICES), default=["it"])
    parser.add_argument("--limit", type=int, help="prompts of each language")
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    table = Table(title=f"utterances set aside; seed {SEED}")
    table.add_column("corpus")
    for column in (*KINDS, "good ones"):
        table.add_column(column, justify="right")
    for language in options.languages:
        corpus = read_corpus(f"asterisk:{language}")
        other = "fr" if language != "fr" else "it"
        with tempfile.TemporaryDirectory() as folder:
            path, kinds = spoiled(
                corpus.utterances[: options.limit],
                read_corpus(f"asterisk:{other}").utterances,
                Path(folder),
            )
            report = build_index(
                BuildRequest(
                    corpora=(str(path),),
                    language=corpus.language,
                    out=Path(folder) / language,
                    encoder=options.encoder,
                    workers=options.workers,
                )
            )
        found = Counter(kinds.get(identity, "") for identity, _ in report.set_aside)
        total = Counter(kinds.values())
        good = len(corpus.utterances[: options.limit]) - len(kinds)
        table.add_row(
            language,
            *(f"{found[kind]} of {total[kind]}" for kind in KINDS),
            f"{found['']} of {good}",
        )
        for identity, reason in report.set_aside:
            print(f"{kinds.get(identity, 'GOOD')}: {identity}: {reason}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
