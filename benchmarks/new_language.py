"""A language that no aligner serves: built from audio and text, then asked about held-out speech.

    python -m benchmarks.new_language [--language it] [--workers 2]

The index is built with the product's own command from Debian's prompts of that language, without
one prompt in ten. Every held-out prompt is then assessed as it is, and once more with one of its
phones exchanged, in what was meant, for a phone near to it in articulation (the CMU Kids
protocol): the first should not be blamed, and in the second the exchanged phone should be.
One native speaker, in the index and in the test.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import nativeear
from indexer.build import BuildRequest, build_index
from indexer.corpus import read_corpus
from indexer.readers.asterisk import VOICES
from indexes.trust import UNHEARD, phone_trust
from scoring.grading import FLAGGED
from scoring.metrics import roc_auc
from speech.audio import Audio
from speech.errors import NativeEarError
from training.splits import is_held_out

SEED = 11
NEAR = 8
"""Phones near in articulation from which a simulated error is drawn."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--language", choices=tuple(VOICES), default="it")
    parser.add_argument("--aligner", default="flatstart")
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    corpus = read_corpus(f"asterisk:{options.language}")
    held_out = [u for u in corpus.utterances if is_held_out(u.id)]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / options.language
        report = build_index(
            BuildRequest(
                corpora=(f"asterisk:{options.language}",),
                language=corpus.language,
                out=out,
                aligner=options.aligner,
                encoder=options.encoder,
                workers=options.workers,
                exclude=frozenset(u.id for u in held_out),
            )
        )
        ear = nativeear.load(out)
        rng = np.random.default_rng(SEED)
        trust = phone_trust(ear.index)
        symbols = [p.symbol for p in ear.inventory if trust.get(p.symbol, UNHEARD).judged()]
        rejected: list[bool] = []
        clean: list[float] = []
        wrong: list[float] = []
        caught: list[bool] = []
        beside: list[bool] = []
        blamed_prompts = 0
        for utterance in held_out:
            audio = Audio.load(utterance.audio)
            try:
                result = ear.assess(audio, utterance.text)
            except NativeEarError:
                continue
            flags = [phone.verdict in FLAGGED for phone in result.phones]
            rejected += flags
            blamed_prompts += sum(flags) > 0.2 * len(flags)
            clean += [
                p.probability_mispronounced
                for p in result.phones
                if p.probability_mispronounced is not None  # uncertain
            ]
            meant = [[phone.phone for phone in word.phones] for word in result.words]
            places = [(w, i) for w, word in enumerate(meant) for i in range(len(word))]
            w, i = places[rng.integers(len(places))]
            own = meant[w][i]
            near = sorted(
                (other for other in symbols if other != own),
                key=lambda other: (ear.inventory.distance(own, other), other),
            )[:NEAR]
            meant[w][i] = str(rng.choice(near))
            simulated = ear.assess(audio, phones=" | ".join(" ".join(word) for word in meant))
            judged = [list(word.phones) for word in simulated.words]
            caught.append(judged[w][i].verdict in FLAGGED)
            wrong.append(judged[w][i].probability_mispronounced or 0.0)
            flat = [phone for word in judged for phone in word]
            at = sum(len(word) for word in judged[:w]) + i
            beside += [flat[j].verdict in FLAGGED for j in (at - 1, at + 1) if 0 <= j < len(flat)]
    auc = roc_auc(np.array([False] * len(clean) + [True] * len(wrong)), np.array(clean + wrong))
    table = Table(title=f"{corpus.language}: {len(held_out)} held-out prompts; seed {SEED}")
    table.add_column("measure")
    table.add_column("value")
    for measure, value in (
        ("build, seconds", f"{report.seconds:.0f}"),
        ("speech, minutes", f"{report.audio_s / 60:.1f}"),
        ("prompts used / set aside", f"{report.utterances} / {len(report.set_aside)}"),
        ("left-out native phones nearest to their own", f"{report.native_accuracy:.1%}"),
        ("held-out phones falsely rejected at the 4 % setting", f"{np.mean(rejected):.1%}"),
        ("held-out prompts with more than a fifth of phones blamed", str(blamed_prompts)),
        ("simulated substitutions (near phones) flagged", f"{np.mean(caught):.1%}"),
        (
            "AUC, simulated against all untouched phones",
            f"{auc:.3f}",
        ),
        ("neighbours of a simulated error falsely rejected", f"{np.mean(beside):.1%}"),
    ):
        table.add_row(measure, value)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
