"""What thinning an index costs, against dropping exemplars at random.

    python -m benchmarks.thinning [--index en-US] [--corpus asterisk:en] [--limit 100]

Prompts that the index does not hold are pooled as the index was. Every phone of them is judged once
as it is and once as if another had been meant, one of the eight nearest in PanPhon's features; the
AUC of the bare margin tells the two apart, a mean over seeded draws. `thinned` is `nativeear index
thin`; `random` keeps as many exemplars of every phone, a mean over seeded draws. Where the index
keeps embeddings, the transform is fitted on what is left.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.retrieval import NEAR, SEED
from nativeear.indexer.corpus import read_corpus
from nativeear.indexer.discriminant import class_sums, transformed
from nativeear.indexer.thinning import thinning
from nativeear.indexer.utterances import PooledUtterance, PoolingRequest, UtterancePooler
from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import EMBEDDINGS, IntArray, PhoneIndex
from nativeear.indexes.similarity import FloatArray, class_similarities, margins
from nativeear.scoring.metrics import roc_auc
from nativeear.speech.alignment import SILENCE
from nativeear.speech.errors import NativeEarError
from training.splits import is_held_out

SHARES = (1.0, 0.5, 0.25, 0.1)
DRAWS = 10
RANDOM_DRAWS = 3


def pooled_test(index: PhoneIndex, corpus: str, limit: int | None) -> list[PooledUtterance]:
    """Held-out prompts, pooled as the index was."""
    manifest = index.manifest
    pooler = UtterancePooler(
        PoolingRequest(
            manifest.language,
            manifest.aligner,
            manifest.encoder.name,
            manifest.encoder.layer,
            manifest.pooling,
            g2p=manifest.g2p,
            lexicon=index.lexicon,
            inventory=index.inventory,
            model=index.aligner_model,
            dtype=manifest.encoder.dtype,
        )
    )
    held = set(index.utterances[1])
    read = read_corpus(corpus, language=index.language)
    chosen = [
        utterance
        for utterance in read.utterances
        if is_held_out(utterance.id) and (read.name, utterance.id) not in held
    ]
    found = []
    for utterance in track(chosen[:limit], "Pooling held-out prompts"):
        try:
            found.append(pooler.pool(utterance))
        except NativeEarError:
            continue
    return found


class Test:
    """Held-out phones with their substitutes, asked of ever thinner pools."""

    def __init__(self, index: PhoneIndex, utterances: list[PooledUtterance]) -> None:
        self._index = index
        places = {phone: p for p, phone in enumerate(index.classes) if phone != SILENCE}
        rows = [
            (places[phone.phone], embedding)
            for utterance in utterances
            for phone, embedding in zip(utterance.phones, utterance.embeddings, strict=True)
            if phone.phone in places
        ]
        self.own: IntArray = np.array([own for own, _ in rows], dtype=np.int64)
        self._embeddings = np.stack([embedding for _, embedding in rows])
        near = {
            place: [
                places[other]
                for other in sorted(
                    (other for other in places if other != phone),
                    key=lambda other: (index.inventory.distance(phone, other), other),
                )[:NEAR]
            ]
            for phone, place in places.items()
        }
        rng = np.random.default_rng(SEED)
        self._meant = [
            np.array([rng.choice(near[p]) for p in self.own.tolist()]) for _ in range(DRAWS)
        ]
        self._labels = np.repeat(np.arange(len(index.classes)), np.diff(index.bounds))
        self._kept = None
        if EMBEDDINGS in index.manifest.files:
            self._kept = np.load(index.path / EMBEDDINGS, mmap_mode="r")

    def auc(self, stays: NDArray[np.bool_]) -> float:
        """AUC against near substitutions where only some exemplars answer, bool `[n]`."""
        rows = np.flatnonzero(stays)
        labels = self._labels[rows]
        transform = self._index.transform
        if self._kept is not None:
            transform = class_sums(self._kept[rows], labels)[0].lda()
            vectors: FloatArray = transformed(transform, self._kept, rows)
        else:
            vectors = self._index.vectors[rows]
        similar = class_similarities(
            transform(self._embeddings),
            vectors,
            np.searchsorted(labels, np.arange(len(self._index.classes) + 1)),
            top_m=self._index.manifest.decision.top_m,
        )
        right = margins(similar, self.own)
        truth = np.repeat([False, True], len(right))
        return float(
            np.mean(
                [
                    roc_auc(truth, -np.concatenate([right, margins(similar, meant)]))
                    for meant in self._meant
                ]
            )
        )

    def at_random(self, stays: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
        """As many exemplars of every phone as stay, drawn at random, bool `[n]`."""
        rng = np.random.default_rng(seed)
        drawn = np.zeros(len(stays), dtype=bool)
        for p in range(len(self._index.classes)):
            rows = np.flatnonzero(self._labels == p)
            drawn[rng.choice(rows, int(stays[rows].sum()), replace=False)] = True
        return drawn


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--index", default="en-US")
    parser.add_argument("--corpus", default="asterisk:en")
    parser.add_argument("--limit", type=int, help="held-out prompts")
    options = parser.parse_args()
    index = PhoneIndex.open(find_index(options.index))
    test = Test(index, pooled_test(index, options.corpus, options.limit))
    size = index.manifest.counts.exemplars
    whole = test.auc(np.ones(size, dtype=bool))
    table = Table(
        title=f"{index.name}: AUC against near substitutions, {len(test.own)} held-out phones"
    )
    for column in ("share", "exemplars", "outliers", "thinned", "cost, points", "random", "cost"):
        table.add_column(column, justify="right")
    for share in SHARES:
        found = thinning(index, int(size * share))
        thin = test.auc(found.stays)
        random = np.mean(
            [test.auc(test.at_random(found.stays, seed)) for seed in range(RANDOM_DRAWS)]
        )
        table.add_row(
            f"{share:.0%}",
            f"{int(found.stays.sum()):,}",
            str(len(found.outliers)),
            f"{thin:.4f}",
            f"{100 * (whole - thin):+.2f}",
            f"{random:.4f}",
            f"{100 * (whole - random):+.2f}",
        )
    console = Console(width=110)
    console.print(table)
    console.print(f"all of it: {whole:.4f}")


if __name__ == "__main__":
    main()
