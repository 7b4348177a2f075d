"""Which layer and which pooling serve retrieval best: the sweep that is kept.

    python -m benchmarks.layers --encoder compact:FOLDER --folds 0 [--frozen PART1 PART2]

Every layer (0 enters the first block, the last one is what the phone head reads), both poolings,
and two pools: native prompts that are not held out, and phones that all experts scored 2, of
learners of the other folds. The measures are of the bare margin, which no fit has touched: ROC-AUC
for an expert score below 0.5, and the correlation with the experts. `benchmarks.retrieval` measures
the score that is built on it. The encoder must not have learnt from the folds that are judged.

For GOP there is no such sweep: posteriors come from the phone head, and the head reads one layer,
the last. Another layer would need another head, which is a question for training.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.hidden_states import (
    POOLINGS,
    LayeredEncoder,
    LayeredSpeech,
    layered_encoders,
    margin_pool,
    pool_layers,
)
from benchmarks.retrieval import SEED
from benchmarks.speech_data import CACHE, PooledSpeech, speechocean_folder
from nativeear.indexer.corpus import Corpus, Utterance, read_corpus
from nativeear.indexer.utterances import (
    PooledPhone,
    PooledUtterance,
    PoolingRequest,
    UtterancePooler,
    pool_into,
    record_name,
)
from nativeear.scoring.metrics import pearson, roc_auc
from nativeear.speech.alignment import SILENCE
from nativeear.speech.pooling import Pooling
from training.splits import fold_of, is_held_out

LANGUAGE = "en-US"
Aligned = list[tuple[Utterance, tuple[PooledPhone, ...]]]


def align(corpus: Corpus, utterances: Sequence[Utterance]) -> Aligned:
    """Phones and spans, from the benchmarks' records where any encoder has left one."""
    kept = sorted(CACHE.glob("*-middle-third"))
    pooler: UtterancePooler | None = None
    found: Aligned = []
    for utterance in utterances:
        name = record_name(corpus.name, utterance.id)
        path = next((folder / name for folder in kept if (folder / name).is_file()), None)
        if path is None:
            pooler = pooler or UtterancePooler(
                PoolingRequest(LANGUAGE, "auto", "spectral", None, "middle-third")
            )
            folder = CACHE / f"{pooler.encoder.fingerprint[7:23]}-middle-third"
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            reason = pool_into(pooler, utterance, path)
            if reason:
                print(f"set aside {utterance.id}: {reason}", file=sys.stderr)
                continue
        found.append((utterance, rated_again(utterance, PooledUtterance.load(path).phones)))
    return found


def rated_again(utterance: Utterance, phones: tuple[PooledPhone, ...]) -> tuple[PooledPhone, ...]:
    """The phones with the corpus's ratings; a record may be older than these."""
    if utterance.ratings is None:
        return phones
    spoken = [phone for phone in phones if phone.phone != SILENCE]
    if len(spoken) != len(utterance.ratings):
        raise ValueError(f"{utterance.id}: {len(spoken)} phones, {len(utterance.ratings)} ratings")
    ratings = iter(utterance.ratings)
    return tuple(
        phone if phone.phone == SILENCE else replace(phone, rating=next(ratings))
        for phone in phones
    )


def draw(utterances: Sequence[Utterance], fold: int, most: int) -> list[Utterance]:
    """At most so many utterances of the learners of all folds but one."""
    others = [utterance for utterance in utterances if fold_of(utterance.speaker) != fold]
    order = np.random.default_rng(SEED).permutation(len(others))
    return [others[i] for i in order[:most]]


def judged(pool: PooledSpeech, test: PooledSpeech) -> tuple[float, float]:
    """AUC and PCC of the bare margins of `test` in `pool`."""
    made = margin_pool(pool)
    margin, _ = made.judge(made.similarities(test.embeddings), test.labels)
    known = ~np.isnan(margin)
    margin = np.where(known, margin, margin[known].min())  # a phone that the pool lacks
    return roc_auc(test.expert < 0.5, -margin), pearson(margin, test.expert)


class Sweep:
    """One encoder's pooled speech and the folds it is judged on."""

    def __init__(
        self,
        native: LayeredSpeech,
        learners: LayeredSpeech,
        pools: dict[int, frozenset[str]],
    ) -> None:
        self._native = native
        self._learners = learners
        self._pools = pools

    def measure(self, pooling: Pooling, layer: int) -> list[tuple[float, float]]:
        """AUC and PCC of the native pool and of the expert-rated pool, means over the folds."""
        native = self._native.layer(pooling, layer)
        learners = self._learners.layer(pooling, layer)
        fold = np.array([fold_of(str(speaker)) for speaker in learners.speaker])
        good = (learners.expert == 2) | ~learners.spoken
        found = []
        for f, drawn in self._pools.items():
            test = learners.take((fold == f) & learners.spoken)
            own = np.isin(learners.utterance, sorted(drawn))
            rated = learners.take((fold != f) & own & good)
            found.append([judged(native, test), judged(rated, test)])
        return [(float(auc), float(pcc)) for auc, pcc in np.mean(found, axis=0)]


def rows(
    encoder: LayeredEncoder, sweep: Sweep
) -> Iterator[tuple[str, int, Pooling, list[tuple[float, float]]]]:
    """Every layer and pooling of one encoder."""
    for layer in range(encoder.n_layers):
        for pooling in POOLINGS:
            yield encoder.name, layer, pooling, sweep.measure(pooling, layer)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--encoder", default="compact", help="compact, or compact:FOLDER")
    parser.add_argument("--frozen", type=Path, nargs="+", help="packages of Whisper base")
    parser.add_argument("--folds", type=int, nargs="+", default=[0], help="folds that are judged")
    parser.add_argument("--pool", type=int, default=500, help="rated utterances in a pool")
    options = parser.parse_args()

    prompts = read_corpus("asterisk:en", language=LANGUAGE)
    learners = read_corpus(str(speechocean_folder()), language=LANGUAGE)
    rated = {f: draw(learners.utterances, f, options.pool) for f in options.folds}
    pools = {f: frozenset(u.id for u in drawn) for f, drawn in rated.items()}
    wanted = frozenset().union(*pools.values())
    heard = [
        utterance
        for utterance in learners.utterances
        if utterance.id in wanted or fold_of(utterance.speaker) in options.folds
    ]
    native = align(prompts, [u for u in prompts.utterances if not is_held_out(u.id)])
    learnt = align(learners, heard)

    table = Table(
        title=f"{options.encoder.partition(':')[0]}, bare margins, folds {options.folds}; "
        f"native pool: {len(native)} prompts; rated pool: {options.pool} utterances; seed {SEED}"
    )
    for column in ("encoder", "layer", "pooling", "native AUC", "PCC", "rated AUC", "PCC"):
        table.add_column(column)
    with layered_encoders(options.encoder, options.frozen) as encoders:
        for encoder in encoders:
            print(f"hearing with {encoder.name}", file=sys.stderr)
            sweep = Sweep(pool_layers(encoder, native), pool_layers(encoder, learnt), pools)
            for name, layer, pooling, measured in rows(encoder, sweep):
                values = [f"{value:.3f}" for pair in measured for value in pair]
                table.add_row(name, str(layer) if encoder.n_layers > 1 else "–", pooling, *values)
                print(name, layer, pooling, *values, file=sys.stderr)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
