"""How well retrieval by itself agrees with people: pooled margins, and no phone head.

    python -m benchmarks.retrieval [--encoder NAME] [--natives asterisk:en] [--utterances N]

Prints one table. Nothing is fitted on what is reported: the native pool is the Debian prompts
that are not held out; the expert-rated pool is, for each fold of learners, the phones that all
experts scored 2 in the other folds; folds are disjoint in speakers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.reporting import options_of, show
from benchmarks.speech_data import (
    DATA,
    SPEECHOCEAN,
    PooledSpeech,
    join,
    pool_corpus,
)
from nativeear.indexer.decision import fit_decision
from nativeear.indexer.discriminant import fit_lda
from nativeear.indexes.native_margins import NativeMargins, left_out_together
from nativeear.indexes.similarity import FloatArray, IntArray, class_similarities, margins
from nativeear.indexes.transform import Transform
from nativeear.scoring.grading import FALSE_REJECTIONS, score_of
from nativeear.scoring.metrics import pearson, roc_auc
from training.splits import FOLDS, fold_of, is_held_out


@dataclass(frozen=True, eq=False)
class Pool:
    """An index in memory, made by the same functions as a published one."""

    classes: tuple[str, ...]
    transform: Transform
    vectors: FloatArray
    bounds: IntArray
    top_m: int
    natives: dict[str, NativeMargins]
    native_accuracy: float

    @classmethod
    def build(cls, speech: PooledSpeech) -> Pool:
        order = np.argsort(speech.labels, kind="stable")
        labels = speech.labels[order]
        embeddings = speech.embeddings[order]
        transform = fit_lda(embeddings, tuple(labels))
        vectors = transform(embeddings)
        classes, counts = np.unique(labels, return_counts=True)
        bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        groups = left_out_together(
            *(
                np.unique(ids[order], return_inverse=True)[1]
                for ids in (speech.speaker, speech.utterance)
            )
        )
        names = tuple(str(c) for c in classes)
        fitted = fit_decision(embeddings, bounds, groups)
        natives = {
            str(phone): NativeMargins.fit(fitted.native_margins[bounds[p] : bounds[p + 1]])
            for p, phone in enumerate(classes)
        }
        return cls(
            names,
            transform,
            vectors,
            bounds,
            fitted.decision.top_m,
            natives,
            fitted.decision.native_accuracy,
        )

    def similarities(self, embeddings: FloatArray) -> FloatArray:
        return class_similarities(
            self.transform(embeddings), self.vectors, self.bounds, top_m=self.top_m
        )

    def judge(
        self, similar: FloatArray, canonical: NDArray[np.str_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Margins `[N]` and ln native quantiles `[N]`; NaN for phones that the pool lacks."""
        position = {phone: p for p, phone in enumerate(self.classes)}
        codes = np.array([position.get(str(phone), -1) for phone in canonical])
        margin = margins(similar, np.maximum(codes, 0)).astype(np.float64)
        margin[codes < 0] = np.nan
        quantile = np.full(len(margin), np.nan)
        for phone, natives in self.natives.items():
            own = canonical == phone
            quantile[own] = natives.log_quantile(margin[own])
        return margin, quantile


@dataclass(frozen=True)
class Row:
    """A line of the table: a value per fold, and what was tuned on what."""

    what: str
    measure: str
    values: tuple[float, ...]
    tuned: str


def grade_rows(name: str, pools: dict[int, Pool], learners: PooledSpeech, tuned: str) -> list[Row]:
    """AUC and PCC of one kind of pool; fold f of the learners is judged by `pools[f]`."""
    folds = np.array([fold_of(str(s)) for s in learners.speaker])
    found: dict[str, list[float]] = {"margin auc": [], "auc": [], "pcc": [], "flagged": []}
    for f, pool in pools.items():
        test = learners.take((folds == f) & learners.spoken)
        margin, quantile = pool.judge(pool.similarities(test.embeddings), test.labels)
        score = np.array([math.nan if np.isnan(q) else score_of(q) for q in quantile])
        wrong = test.expert < 0.5
        good = test.expert == 2
        found["margin auc"].append(roc_auc(wrong, -margin))
        found["auc"].append(roc_auc(wrong, -score))
        found["pcc"].append(pearson(score, test.expert))
        found["flagged"].append(float((quantile[good] < math.log(FALSE_REJECTIONS)).mean()))
    return [
        Row(name, "ROC-AUC, expert < 0.5, bare margin", tuple(found["margin auc"]), tuned),
        Row(name, "ROC-AUC, expert < 0.5, score", tuple(found["auc"]), tuned),
        Row(name, "phone PCC, score", tuple(found["pcc"]), tuned),
        Row(name, "flagged among phones rated 2", tuple(found["flagged"]), tuned),
    ]


def native_rows(name: str, who: str, pool: Pool, natives: PooledSpeech) -> list[Row]:
    """False rejections of natives, a value per speaker."""
    spoken = natives.take(natives.spoken)
    _, quantile = pool.judge(pool.similarities(spoken.embeddings), spoken.labels)
    rejected = quantile < math.log(FALSE_REJECTIONS)
    rates = [float(rejected[spoken.speaker == s].mean()) for s in np.unique(spoken.speaker)]
    return [Row(name, f"{who}: false rejections at 4 %", tuple(rates), "nothing")]


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--layer", type=int)
    parser.add_argument("--natives", default="asterisk:en", help="corpus of the native pool")
    parser.add_argument("--utterances", type=int, help="of each corpus, evenly spread")
    parser.add_argument(
        "--folds",
        type=int,
        nargs="+",
        default=list(range(FOLDS)),
        help="folds that are judged: for an encoder that learnt from the others",
    )
    options = parser.parse_args()
    encoder, folds = options.encoder, options.folds

    def pooled(corpus: str) -> PooledSpeech:
        return pool_corpus(corpus, encoder=encoder, layer=options.layer, limit=options.utterances)

    prompts = pooled(options.natives)
    held_out = np.array([is_held_out(str(u)) for u in prompts.utterance])
    native = Pool.build(prompts.take(~held_out))
    learners = pooled(str(SPEECHOCEAN))
    fold = np.array([fold_of(str(s)) for s in learners.speaker])
    good = (learners.expert == 2) | ~learners.spoken
    ours = prompts.take(~held_out)
    rated = {f: Pool.build(learners.take((fold != f) & good)) for f in folds}
    both = {f: Pool.build(join([ours, learners.take((fold != f) & good)])) for f in folds}
    rows = [
        *grade_rows("native pool", dict.fromkeys(folds, native), learners, "nothing"),
        *grade_rows("expert-rated-2 pool", rated, learners, "pool: other folds"),
        *grade_rows("both pools", both, learners, "pool: other folds"),
        *native_rows("native pool", "held-out prompts", native, prompts.take(held_out)),
        *native_rows("both pools", "held-out prompts", both[folds[0]], prompts.take(held_out)),
    ]
    if (DATA / "native-english").is_dir():
        natives = pooled(str(DATA / "native-english"))
        rows += native_rows("native pool", "six unseen natives", native, natives)
        rows += native_rows("expert-rated-2 pool", "six unseen natives", rated[folds[0]], natives)
        rows += native_rows("both pools", "six unseen natives", both[folds[0]], natives)
    title = f"encoder {encoder}, judged: folds {folds} of {FOLDS}, speaker-disjoint"
    table = []
    for row in rows:
        spread = f"{np.std(row.values):.3f}" if len(row.values) > 1 else "–"
        table.append((row.what, row.measure, f"{np.mean(row.values):.3f}", spread, row.tuned))
    show(title, ("pool", "measure", "mean", "spread (sd)", "fitted on"), table)
    print(
        f"Left-out native phones whose nearest class is their own: {native.native_accuracy:.3f} "
        f"of {len(native.vectors)}."
    )


if __name__ == "__main__":
    main()
