"""How well grades agree with experts, and how often natives are blamed.

    python -m benchmarks.quality --sibling ENCODER INDEX FOLD... --cache DIR

An encoder may only be judged on learners whom it never heard, so the evidence comes from siblings
of the shipped encoder, see `training.calibration`. `expert` rows are means over five
speaker-disjoint folds of these learners, each judged by what was fitted on the other four;
`training-free` rows are the same learners fold by fold, and nothing was fitted on them but the
choices that `scoring.fusion.training_free` names. Natives are never fitted on.
"""

from __future__ import annotations

import argparse
import csv
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.speech_data import DATA
from nativeear.indexer.corpus import read_corpus
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.fusion.expert import BEST, COLUMNS, HIGHEST_FLAGGED, plainly_another
from nativeear.scoring.fusion.training_free import TrainingFree
from nativeear.scoring.grading import FALSE_REJECTIONS
from nativeear.scoring.metrics import expected_calibration_error, pearson, roc_auc
from training.calibration import (
    LEARNERS,
    WRONG,
    Judged,
    collect,
    fit,
    judge_across,
    speaker_folds,
    table_of,
)
from training.listening import HeardCorpus, heard_once, listen
from training.splits import fold_of, is_held_out

HEAD = ("log_posterior", "sf_s", "sf_sd", "gop_margin", "deletion", "rival", "occupied_frames")
INDEX = ("frame_", "margin", "posterior", "canonical_share", "own_similarity")
NORMALISED = {
    "native quantiles": ("quantile",),
    "the recording's company": ("_recording", "_recording_low"),
    "the word's and neighbours' company": ("_word", "_word_least", "_before", "_after"),
    "durations": ("duration", "duration_here", "occupied_frames"),
}
"""Columns by which a phone is compared with something: left out in turn."""

CHILD = 12
"""Oldest age that counts as a child."""

EXPERTS = 5
"""Who scored every phone: their mean has so many steps a point."""

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Row:
    """A line of the table: one value per fold, or one in all."""

    what: str
    measure: str
    values: tuple[float, ...]


def columns_of(*kinds: str) -> tuple[str, ...]:
    """The columns that come from the head, from the index, or from both."""
    head = tuple(name for name in COLUMNS if name.startswith(HEAD))
    index = tuple(name for name in COLUMNS if name.startswith(INDEX))
    chosen = {"head": head, "index": index}
    wanted = {name for kind in kinds for name in chosen[kind]}
    return tuple(name for name in COLUMNS if name in wanted)


def agreement(
    what: str, heard: HeardCorpus, score: NDArray[np.float64], fold: NDArray[np.int64]
) -> Iterator[Row]:
    """Correlation and ROC-AUC of a score, by fold."""
    parts = [fold == f for f in np.unique(fold)]
    yield Row(what, "phone PCC", tuple(pearson(score[p], heard.expert[p]) for p in parts))
    yield Row(
        what,
        "ROC-AUC, expert < 0.5",
        tuple(roc_auc(heard.expert[p] < WRONG, -score[p]) for p in parts),
    )


def weighted_pearson(
    x: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> float:
    """Pearson's correlation of two series `[N]` whose members weigh `weight` `[N]`."""
    covariance = np.cov(x, y, aweights=weight)
    return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))


def without(*endings: str) -> tuple[str, ...]:
    """The columns that do not end so; with `quantile`, those of its company neither."""
    left = tuple(name for name in COLUMNS if not name.endswith(endings))
    return tuple(n for n in left if "quantile" not in n) if "quantile" in endings else left


def by_pool(
    siblings: Sequence[tuple[Path, Path, frozenset[int]]], cache: Path
) -> Iterator[tuple[str, HeardCorpus]]:
    """The learners as part of the index hears them: its natives alone, its learners alone."""
    encoder, folder, folds = siblings[0]
    index = PhoneIndex.open(folder)
    speakers = frozenset(index.speakers[1])
    learners = read_corpus(str(DATA / LEARNERS), language="en-US")
    rated = frozenset((learners.name, u.speaker) for u in learners.utterances)
    for name, silenced in (("native", speakers & rated), ("rated", speakers - rated)):
        path = cache / f"learners-{'-'.join(map(str, sorted(folds)))}-{name}.npz"
        hear = partial(
            listen,
            str(DATA / LEARNERS),
            index=folder,
            encoder=str(encoder),
            wanted=lambda u: fold_of(u.speaker) in folds,
            silenced=silenced,
            workers=2,
        )
        yield name, heard_once(path, hear)


def by_age(heard: HeardCorpus, judged: Judged, flagged: BoolArray) -> Iterator[Row]:
    """The expert calibration for children and for others.

    A correlation grows with the spread of what it is taken over, and experts score children of
    this corpus more alike. So it is also given with children's phones weighed to have the experts'
    scores in the same shares as others'.
    """
    with (DATA / LEARNERS / "utterances.csv").open(encoding="utf-8", newline="") as file:
        ages = {row["speaker"]: float(row["age"]) for row in csv.DictReader(file)}
    child = np.array([ages[str(speaker)] <= CHILD for speaker in heard.speaker])
    for name, own in ((f"up to {CHILD} years", child), (f"over {CHILD} years", ~child)):
        speakers = len(np.unique(heard.speaker[own]))
        what = f"expert, {speakers} learners {name}"
        right = own & (heard.expert == BEST)
        yield Row(what, "phone PCC", (pearson(judged.score[own], heard.expert[own]),))
        level = np.round(heard.expert * EXPERTS).astype(np.int64)
        shares = [
            np.bincount(level[of], minlength=level.max() + 1) / of.sum() for of in (own, ~child)
        ]
        weight = (shares[1] / np.maximum(shares[0], 1e-9))[level[own]]
        alike = weighted_pearson(judged.score[own], heard.expert[own], weight)
        yield Row(what, "phone PCC, experts' scores in the others' shares", (alike,))
        wrong = heard.expert[own] < WRONG
        yield Row(what, "ROC-AUC, expert < 0.5", (roc_auc(wrong, judged.probability[own]),))
        yield Row(what, "flagged among phones rated 2", (float(flagged[right].mean()),))


def measured(siblings: Sequence[tuple[Path, Path, frozenset[int]]], cache: Path) -> Iterator[Row]:
    """Every row of the table."""
    heard = collect(DATA, list(siblings), cache)
    fold = speaker_folds(heard)
    judged = judge_across(heard, COLUMNS)
    wrong = heard.expert < WRONG
    encoder, folder, _ = siblings[0]
    index = PhoneIndex.open(folder)
    free = TrainingFree(index)
    low = math.log(FALSE_REJECTIONS)

    def plain(speech: HeardCorpus) -> BoolArray:
        """What is flagged whatever the trees say, `[N]`."""
        return plainly_another(speech.features) & (free.judge(speech.features)[1] < low)

    highest = HIGHEST_FLAGGED / 100 * BEST
    overruled = np.where(plain(heard), np.minimum(judged.score, highest), judged.score)
    yield from agreement("expert", heard, overruled, fold)
    yield from agreement("expert, the trees alone", heard, judged.score, fold)
    parts = [fold == f for f in np.unique(fold)]
    yield Row(
        "expert, the trees alone",
        "ROC-AUC of the probability",
        tuple(roc_auc(wrong[p], judged.probability[p]) for p in parts),
    )
    yield Row(
        "expert, the trees alone",
        "ECE of the probability",
        tuple(expected_calibration_error(wrong[p], judged.probability[p]) for p in parts),
    )
    for what, names in (
        ("expert, index alone", columns_of("index")),
        ("expert, phone head alone", columns_of("head")),
        ("expert, both, nothing else", columns_of("index", "head")),
    ):
        part = judge_across(heard, names)
        yield from agreement(what, heard, part.score, fold)
    for what, endings in NORMALISED.items():
        part = judge_across(heard, without(*endings))
        yield from agreement(f"expert, without {what}", heard, part.score, fold)
    for name, by_part in by_pool(siblings, cache):
        part = judge_across(by_part, COLUMNS)
        own = speaker_folds(by_part)
        yield from agreement(f"expert, {name} exemplars alone", by_part, part.score, own)
        for column in ("margin", "frame_log_posterior"):
            values = by_part.features.column(column)
            yield from agreement(f"{column}, {name} exemplars alone", by_part, values, own)

    score, quantile = free.judge(heard.features)
    yield from agreement("training-free", heard, score, fold)
    for name in ("margin", "frame_log_posterior", "log_posterior", "sf_sd"):
        yield from agreement(f"{name} alone", heard, heard.features.column(name), fold)

    right = heard.expert == BEST
    threshold = float(np.quantile(judged.probability[right], 1 - FALSE_REJECTIONS))

    def blame(probability: NDArray[np.float64], speech: HeardCorpus) -> BoolArray:
        """What the expert calibration flags, `[N]`."""
        return np.asarray((probability > threshold) | plain(speech))

    flagged = blame(judged.probability, heard)
    yield from by_age(heard, judged, flagged)
    yield Row("expert", "found of expert < 0.5, at the 4 % setting", (flagged[wrong].mean(),))
    yield Row("expert", "flagged among phones rated 2", (flagged[right].mean(),))
    yield Row("training-free", "flagged among phones rated 2", ((quantile[right] < low).mean(),))
    yield Row("training-free", "found of expert < 0.5", ((quantile[wrong] < low).mean(),))

    fitted = fit(table_of(heard.features, COLUMNS), COLUMNS, heard.expert)
    by_sibling = partial(listen, index=folder, encoder=str(encoder))
    prompts = heard_once(
        cache / "prompts.npz",
        lambda: by_sibling("asterisk:en", wanted=lambda u: is_held_out(u.id), own="utterance"),
    )
    natives = heard_once(
        cache / "natives.npz",
        lambda: by_sibling(
            str(DATA / "native-english"),
            wanted=lambda u: zlib.crc32(u.id.encode()) % 4 == 0,  # a quarter tells the same
        ),
    )
    for what, speech in (("held-out prompts", prompts), ("six unseen natives", natives)):
        logit = fitted.error(table_of(speech.features, COLUMNS))
        blamed = blame(1 / (1 + np.exp(-logit)), speech)
        below = free.judge(speech.features)[1] < low
        speakers = [speech.speaker == s for s in np.unique(speech.speaker)]
        for name, rejected in (("expert", blamed), ("training-free", below)):
            rates = tuple(float(rejected[own].mean()) for own in speakers)
            yield Row(name, f"{what}: false rejections, by speaker", rates)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sibling", nargs="+", action="append", required=True)
    parser.add_argument("--cache", type=Path, required=True)
    options = parser.parse_args()
    siblings = [
        (Path(encoder), Path(index), frozenset(map(int, folds)))
        for encoder, index, *folds in options.sibling
    ]
    table = Table(title="Grades against experts, speaker-disjoint")
    for column in ("calibration", "measure", "mean", "spread (sd)", "least", "most"):
        table.add_column(column)
    for row in measured(siblings, options.cache):
        values = np.array(row.values)
        spread = f"{values.std():.3f}" if len(values) > 1 else "–"
        table.add_row(
            row.what,
            row.measure,
            f"{values.mean():.3f}",
            spread,
            f"{values.min():.3f}",
            f"{values.max():.3f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
