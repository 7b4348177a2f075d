"""Does the system hear what was said, or what was meant?

    python -m benchmarks.splices [--encoder compact]

A phone of a held-out native prompt is replaced, in the sound itself, by another phone of the same
speaker from another held-out prompt; everything around it stays. A judge that guesses phones from
their surroundings keeps calling it right. The table gives, for every layer and for the spectral
floor, the AUC between margins of spliced and of untouched phones, and how often the spliced phone
is nearest to what was really put in. Pools hold the native prompts that are not held out.
Nothing is fitted on what is reported.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.hidden_states import (
    CompactLayers,
    LayeredEncoder,
    SpectralLayer,
    compact_folder,
    margin_pool,
    pool_layers,
)
from nativeear.indexer.corpus import Utterance, read_corpus
from nativeear.indexer.utterances import PooledPhone
from nativeear.indexes.similarity import margins
from nativeear.scoring.metrics import roc_auc
from nativeear.service.demo import splice
from nativeear.speech.aligners.catalogue import load_aligner
from nativeear.speech.alignment import SILENCE, AlignedPhone, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.pooling import pool
from nativeear.speech.pronunciation import Pronouncer
from training.splits import is_held_out

SEED = 5
EACH = 6  # splices in a prompt
SHORTEST_S, LONGEST_S = 0.05, 0.25  # of the phones that are exchanged


@dataclass(frozen=True, eq=False)
class Aligned:
    """A prompt with its sound and its phones."""

    utterance: Utterance
    audio: Audio
    alignment: Alignment

    @property
    def exchangeable(self) -> list[AlignedPhone]:
        """Phones long enough to be heard and short enough to be one sound."""
        spoken = self.alignment.spoken
        return [p for p in spoken if SHORTEST_S <= p.duration_s <= LONGEST_S]


def align(utterances: Sequence[Utterance]) -> list[Aligned]:
    """Align prompts with pocketsphinx."""
    aligner, pronouncer = load_aligner("pocketsphinx"), Pronouncer("en-US")
    found = []
    for done, utterance in enumerate(utterances):
        audio = Audio.load(utterance.audio)
        alignment = aligner.align(audio, pronouncer.pronounce(utterance.text or ""))
        found.append(Aligned(utterance, audio, alignment))
        if done % 100 == 0:
            print(f"aligned {done} of {len(utterances)}", file=sys.stderr)
    return found


@dataclass(frozen=True, eq=False)
class Trial:
    """A recording, a span in it, what was meant there, and what was said."""

    audio: Audio
    span_s: tuple[float, float]
    meant: str
    said: str


def draw_trials(prompts: Sequence[Aligned]) -> list[Trial]:
    """Every splice, and the same phone untouched, one after the other."""
    rng = np.random.default_rng(SEED)
    donors = [(prompt, phone) for prompt in prompts for phone in prompt.exchangeable]
    trials = []
    for prompt in prompts:
        targets = prompt.exchangeable
        for i in rng.permutation(len(targets))[:EACH]:
            target = targets[i]
            others = [d for d in donors if d[0] is not prompt and d[1].phone != target.phone]
            donor, source = others[rng.integers(len(others))]
            spliced = splice(prompt.audio, target, donor.audio, source)
            end = target.start_s + source.duration_s
            own = (target.start_s, target.end_s)
            trials.append(Trial(spliced, (target.start_s, end), target.phone, source.phone))
            trials.append(Trial(prompt.audio, own, target.phone, target.phone))
    return trials


def judge(
    encoder: LayeredEncoder, natives: Sequence[Aligned], trials: Sequence[Trial]
) -> list[tuple[float, float]]:
    """AUC, and share of splices heard as what they are, for every layer."""
    speech = pool_layers(encoder, [(n.utterance, _spoken(n)) for n in natives])
    pooled = [
        np.stack([pool(frames, [trial.span_s])[0] for frames in encoder.hear(trial.audio)])
        for trial in trials
    ]
    spliced = np.array([trial.meant != trial.said for trial in trials])
    results = []
    for layer in range(encoder.n_layers):
        index = margin_pool(speech.layer("middle-third", layer))
        similar = index.similarities(np.stack([vectors[layer] for vectors in pooled]))
        known = np.array([trial.meant in index.classes for trial in trials])
        meant = np.array(
            [index.classes.index(t.meant) if t.meant in index.classes else 0 for t in trials]
        )
        margin = np.where(known, margins(similar, meant), np.nan)
        heard = np.array(index.classes)[np.nanargmax(similar, axis=1)]
        said = np.array([trial.said for trial in trials])
        results.append((roc_auc(spliced, -margin), float((heard == said)[spliced].mean())))
    return results


def _spoken(prompt: Aligned) -> list[PooledPhone]:
    """The phones as `pool_layers` takes them; nothing but the spans matters here."""
    return [
        PooledPhone(p.phone, SILENCE, SILENCE, -1, "", p.start_s, p.end_s)
        for p in prompt.alignment.spoken
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--encoder", default="compact")
    options = parser.parse_args()
    prompts = align(read_corpus("asterisk:en").utterances)
    held_out = [p for p in prompts if is_held_out(p.utterance.id)]
    natives = [p for p in prompts if not is_held_out(p.utterance.id)]
    trials = draw_trials(held_out)
    table = Table(title=f"{len(trials) // 2} splices in {len(held_out)} held-out prompts")
    for column in ("encoder", "layer", "AUC, spliced against untouched", "heard as what it is"):
        table.add_column(column)
    for encoder in (CompactLayers(compact_folder(options.encoder), "compact"), SpectralLayer()):
        for layer, (auc, heard) in enumerate(judge(encoder, natives, trials)):
            table.add_row(encoder.name, str(layer), f"{auc:.3f}", f"{heard:.3f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
