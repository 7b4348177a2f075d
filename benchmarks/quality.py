"""How well grades agree with experts, and how often natives are blamed.

    python -m benchmarks.quality --sibling ENCODER INDEX FOLD... --cache DIR
    OMP_NUM_THREADS=1 python -m benchmarks.quality --natives [--every 6]

An encoder may only be judged on learners whom it never heard, so the evidence comes from siblings
of the shipped encoder, see `training.calibration`. `expert` rows are means over five
speaker-disjoint folds of these learners, each judged by what was fitted on the other four;
`training-free` rows are the same learners fold by fold, and nothing was fitted on them but the
choices that `scoring.fusion.training_free` names. Natives are never fitted on.

`--natives` assesses sentences of six natives whom neither the shipped encoder nor the trees have
heard (`native-english`) as anybody's would be, and tells which share of their phones is flagged:
of all, of some phones, and of function words.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nativeear
from benchmarks.reporting import options_of, show
from benchmarks.speech_data import DATA, SPEECHOCEAN, rows_of
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.fusion.expert import BEST, COLUMNS, HIGHEST_FLAGGED, plainly_another
from nativeear.scoring.fusion.training_free import TrainingFree
from nativeear.scoring.grading import FALSE_REJECTIONS
from nativeear.scoring.metrics import expected_calibration_error, pearson, roc_auc
from nativeear.scoring.verdicts import FLAGGED
from training.calibration import (
    WRONG,
    Judged,
    collect,
    fit,
    judge_across,
    speaker_folds,
    table_of,
)
from training.listening import HeardCorpus, heard_once, listen
from training.splits import is_held_out

HEAD = ("log_posterior", "sf_s", "sf_sd", "gop_margin", "deletion", "rival", "occupied_frames")
INDEX = ("frame_", "margin", "posterior", "canonical_share", "own_similarity")
CHILD = 12
"""Oldest age that counts as a child."""

EXPERTS = 5
"""Who scored every phone: their mean has so many steps a point."""

PHONES = ("AO", "AA", "EH", "AE", "AH", "IH", "IY", "UW", "UH", "ER", "EY", "HH", "D", "T")
FUNCTION_WORDS = """to the for and with your a of was that from can or are as have them than because
our were her his had you in it is at but their there would could"""

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


def by_age(heard: HeardCorpus, judged: Judged, flagged: BoolArray) -> Iterator[Row]:
    """The expert calibration for children and for others.

    A correlation grows with the spread of what it is taken over, and experts score children of
    this corpus more alike. So it is also given with children's phones weighed to have the experts'
    scores in the same shares as others'.
    """
    ages = {row["speaker"]: float(row["age"]) for row in rows_of(SPEECHOCEAN)}
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


def flag_natives(every: int) -> None:
    """Print which share of natives' phones is flagged."""
    rows = rows_of(DATA / "native-english")[::every]
    function_words = frozenset(FUNCTION_WORDS.split())
    judged: Counter[str] = Counter()
    flagged: dict[str, Counter[str]] = {}
    for calibration in ("expert", "training-free"):
        ear = nativeear.load("en-US", calibration=calibration)
        judged, flagged[calibration] = Counter(), Counter()
        for row in rows:
            for word in ear.assess(row["audio"], row["text"]).words:
                for phone in word.phones:
                    names = ["all phones", phone.phone]
                    if word.word.casefold() in function_words:
                        names.append("function words")
                    judged.update(names)
                    if phone.verdict in FLAGGED:
                        flagged[calibration].update(names)
    shares = []
    for name in ("all phones", *PHONES, "function words"):
        parts = (own[name] / max(1, judged[name]) for own in flagged.values())
        shares.append((name, judged[name], *(f"{part:.1%}" for part in parts)))
    show(f"phones flagged in {len(rows)} native sentences", ("", "phones", *flagged), shares)


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--sibling", nargs="+", action="append", default=[])
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--natives", action="store_true", help="shares of natives' phones flagged")
    parser.add_argument("--every", type=int, default=1, help="every so many-th sentence of natives")
    options = parser.parse_args()
    if options.natives:
        flag_natives(options.every)
        return
    if not (options.sibling and options.cache):
        parser.error("give --sibling and --cache, or --natives")
    siblings = [
        (Path(encoder), Path(index), frozenset(map(int, folds)))
        for encoder, index, *folds in options.sibling
    ]
    rows = []
    for row in measured(siblings, options.cache):
        values = np.array(row.values)
        figures = [values.mean(), values.std(), values.min(), values.max()]
        told = [f"{figure:.3f}" for figure in figures]
        told[1] = told[1] if len(values) > 1 else "–"
        rows.append((row.what, row.measure, *told))
    header = ("calibration", "measure", "mean", "spread (sd)", "least", "most")
    show("Grades against experts, speaker-disjoint", header, rows)


if __name__ == "__main__":
    main()
