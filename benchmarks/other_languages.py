"""Whether fine-tuning on English cost other languages, and which layer lost least.

    python -m benchmarks.other_languages --encoder compact:FOLDER [--frozen PART1 PART2]

Simulated substitutions on Debian's Italian and French prompts: every phone is judged once as it is
and once as if another phone had been meant (`any` other, or one of the eight nearest in PanPhon
features); the AUC of the bare margin tells the two apart, a mean over seeded draws. The index pool
is the other prompts of the same language and voice. `held out` are the prompts that
`training.splits.is_held_out` names, one in ten; `in turn` judges all prompts, a fifth at a time, by
a pool of the other four, and so rests on about ten times as many phones.

No aligner here knows Italian or French. Each phone is therefore laid on the recording as its
nearest English phone by PanPhon, with pocketsphinx, and gets its own label back afterwards. That is
crude: borders are off where the languages differ, and every figure is lower than it would be with a
real aligner. All encoders are judged with the same spans, so the figures compare; they are no
measure of how well Italian or French learners would be judged.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.hidden_states import (
    LayeredEncoder,
    LayeredSpeech,
    layered_encoders,
    margin_pool,
    pool_layers,
)
from benchmarks.retrieval import NEAR, SEED, _nearest
from benchmarks.speech_data import PooledSpeech
from nativeear.indexer.corpus import Utterance, read_corpus
from nativeear.indexer.utterances import MIN_SILENCE_S, PooledPhone
from nativeear.scoring.metrics import roc_auc
from nativeear.speech.aligners.pocketsphinx import PocketsphinxAligner
from nativeear.speech.alignment import SILENCE
from nativeear.speech.audio import Audio
from nativeear.speech.errors import NativeEarError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pooling import Pooling
from nativeear.speech.pronunciation import Pronouncer, Pronunciation
from training.splits import FOLDS, fold_of, is_held_out

LANGUAGES = ("it", "fr")
POOLING: Pooling = "middle-third"
DRAWS = 10
KINDS = ("any", "near")


class BorrowedAligner:
    """Lays the phones of any language on a recording as their nearest English ones."""

    def __init__(self, language: str) -> None:
        english = PhoneInventory.load("en-US")
        self._pronouncer = Pronouncer(language)
        self.inventory = self._pronouncer.inventory
        self._english = {phone.symbol: english.nearest(phone)[0] for phone in self.inventory.phones}
        self._aligner = PocketsphinxAligner()

    def align(self, utterance: Utterance) -> tuple[PooledPhone, ...]:
        """Phones and silences with their spans.

        Raises
        ------
        NativeEarError
            If a word cannot be pronounced, or no path through the recording is found.
        """
        own = self._pronouncer.pronounce(utterance.text or "")
        aligned = self._aligner.align(Audio.load(utterance.audio), self._borrow(own))
        labels = iter(own.canonical(aligned.variants))
        return tuple(
            PooledPhone(
                phone=SILENCE if span.is_silence else next(labels).phone,
                left="",
                right="",
                stress=-1,
                word="",
                start_s=span.start_s,
                end_s=span.end_s,
            )
            for span in aligned.phones
            if not span.is_silence or (span.phone == SILENCE and span.duration_s >= MIN_SILENCE_S)
        )

    def _borrow(self, pronunciation: Pronunciation) -> Pronunciation:
        words = tuple(
            replace(
                word,
                variants=tuple(
                    replace(variant, phones=tuple(self._english[p] for p in variant.phones))
                    for variant in word.variants
                ),
            )
            for word in pronunciation.words
        )
        return Pronunciation("en-US", words)


def align(
    aligner: BorrowedAligner, utterances: Sequence[Utterance]
) -> list[tuple[Utterance, tuple[PooledPhone, ...]]]:
    """Every utterance that can be aligned."""
    found = []
    for utterance in utterances:
        try:
            found.append((utterance, aligner.align(utterance)))
        except NativeEarError as error:
            print(f"set aside {utterance.id}: {error.message}", file=sys.stderr)
    return found


def auc_of_errors(
    pool: PooledSpeech, test: PooledSpeech, inventory: PhoneInventory
) -> dict[str, float]:
    """AUC of the bare margin for substitutions of every kind, a mean over draws."""
    made = margin_pool(pool)
    phones = [phone for phone in made.classes if phone != SILENCE]
    test = test.take(test.spoken & np.isin(test.labels, phones))
    similar = made.similarities(test.embeddings)
    right, _ = made.judge(similar, test.labels)
    rng = np.random.default_rng(SEED)
    found = {}
    for kind, most in zip(KINDS, (len(phones), NEAR), strict=True):
        near = {phone: _nearest(inventory, phone, phones)[:most] for phone in phones}
        found[kind] = float(
            np.mean(
                [_auc(made.judge(similar, meant)[0], right) for meant in _draws(test, near, rng)]
            )
        )
    return found


def _draws(
    test: PooledSpeech, near: dict[str, list[str]], rng: np.random.Generator
) -> list[NDArray[np.str_]]:
    return [np.array([rng.choice(near[str(p)]) for p in test.labels]) for _ in range(DRAWS)]


def _auc(wrong: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    truth = np.repeat([False, True], [len(right), len(wrong)])
    return roc_auc(truth, -np.concatenate([right, wrong]))


def measure(speech: PooledSpeech, inventory: PhoneInventory) -> list[float]:
    """AUC of `KINDS` on the held-out prompts, then with every fifth in turn."""
    held_out = np.array([is_held_out(str(prompt)) for prompt in speech.utterance])
    once = auc_of_errors(speech.take(~held_out), speech.take(held_out), inventory)
    part = np.array([fold_of(str(prompt)) for prompt in speech.utterance])
    turns = [
        auc_of_errors(speech.take(part != p), speech.take(part == p), inventory)
        for p in range(FOLDS)
    ]
    means = [float(np.mean([turn[kind] for turn in turns])) for kind in KINDS]
    return [*(once[kind] for kind in KINDS), *means]


def add_rows(
    table: Table,
    language: str,
    encoder: LayeredEncoder,
    speech: LayeredSpeech,
    inventory: PhoneInventory,
) -> None:
    """Measure every layer of one encoder."""
    for layer in range(encoder.n_layers):
        values = [f"{v:.3f}" for v in measure(speech.layer(POOLING, layer), inventory)]
        which = str(layer) if encoder.n_layers > 1 else "–"
        table.add_row(language, encoder.name, which, *values)
        print(language, encoder.name, which, *values, file=sys.stderr)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--encoder", default="compact", help="compact, or compact:FOLDER")
    parser.add_argument("--frozen", type=Path, nargs="+", help="packages of Whisper base")
    parser.add_argument("--languages", nargs="+", default=list(LANGUAGES))
    options = parser.parse_args()

    table = Table(
        title=f"simulated errors, bare margins, {POOLING}; borrowed English alignments (crude, the "
        f"same for every encoder); seed {SEED}, {DRAWS} draws"
    )
    for column in ("prompts", "encoder", "layer", "held out: any", "near", "in turn: any", "near"):
        table.add_column(column)
    counts = []
    with layered_encoders(options.encoder, options.frozen) as encoders:
        for language in options.languages:
            corpus = read_corpus(f"asterisk:{language}")
            aligner = BorrowedAligner(corpus.language)
            aligned = align(aligner, corpus.utterances)
            for encoder in encoders:
                speech = pool_layers(encoder, aligned)
                add_rows(table, language, encoder, speech, aligner.inventory)
            phones = [
                (is_held_out(utterance.id), phone.phone != SILENCE)
                for utterance, own in aligned
                for phone in own
            ]
            counts.append(
                f"{language}: {len(aligned)} of {len(corpus.utterances)} prompts aligned, "
                f"{sum(spoken for _, spoken in phones)} phones, "
                f"{sum(held and spoken for held, spoken in phones)} of them held out."
            )
    console = Console(width=110)
    console.print(table)
    console.print("\n".join(counts))


if __name__ == "__main__":
    main()
