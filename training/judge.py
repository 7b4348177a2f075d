"""Fit the `expert` calibration: `python -m training.judge --evidence training/data`.

Everything is fitted on evidence on learners whom the encoder that heard them never heard, see
`training.evidence`. What ships is fitted on all of them; the figures are those of outer folds of
speakers, each judged by what was fitted on the others alone, the second pass and the marks on what
inner folds had found. Nothing but the settings of trees and network was chosen on these learners,
on those of fold 0.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.linear_model import RidgeCV

from nativeear.scoring.fusion.expert import (
    FOLDER,
    MODEL_FILE,
    RECORD_FILE,
    ExpertModel,
    written,
)
from nativeear.scoring.fusion.features import RISING
from nativeear.scoring.fusion.marks import (
    SENTENCE_MARKS,
    MarkModel,
    SentenceModel,
    measure_table,
)
from nativeear.scoring.fusion.phone_model import (
    AROUND,
    BEST,
    RISING_AROUND,
    Opinions,
    PhoneModel,
    around,
    phone_table,
)
from nativeear.scoring.fusion.trees import Trees
from nativeear.scoring.grading import FALSE_REJECTIONS
from nativeear.scoring.metrics import pearson
from nativeear.speech.encoders.catalogue import load_encoder
from training.agreement import WRONG, agreement, figures_of, flagged_figures, probability_curve
from training.boosting import SEEDS, SETTINGS, fit_trees, in_parts
from training.recurrent import fit_recurrent
from training.tables import Evidence, Readings, readings_of

MARK_SETTINGS = SETTINGS | {"max_iter": 200, "max_leaf_nodes": 10, "min_samples_leaf": 20}
"""Of the trees over words and readings, by analogy."""

CLAIMED_WEIGHT = 0.5
"""Weight of a phone of a recording that is there a second time, see `training.evidence`."""

SHRINKAGE = 30
"""How many phones of average score are added to what a phone got, before its average is taken."""

PRESENT = 0.2
"""A measure that a smaller share of the readings has is not weighed."""

DIALS = (0.01, 0.02, FALSE_REJECTIONS)
"""Shares of flawless phones that may be flagged, of which the record tells what they find."""

RATES = np.concatenate([[0.0], np.geomspace(0.002, 0.5, 60)])
"""Shares of faultless phones of which less is expected than at a border that may be set."""

PENALTIES = np.logspace(0, 4, 9)
"""Of the line's weights, among which leaving one out chooses."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def averages_of(evidence: Evidence) -> dict[str, float]:
    """What experts give each phone on average, drawn towards the mean over all."""
    real = ~evidence.claimed
    mean = float(evidence.expert[real].mean())
    found = {}
    for phone in np.unique(evidence.phone).tolist():
        own = evidence.expert[real & (evidence.phone == phone)]
        found[phone] = float((own.sum() + SHRINKAGE * mean) / (len(own) + SHRINKAGE))
    return found


def fit_phones(evidence: Evidence) -> PhoneModel:
    """Trees and network; the second pass learns on what the first finds of folds that it was not
    fitted on."""
    averages = averages_of(evidence)
    columns = evidence.features.names
    table = phone_table(evidence.features, evidence.phone.tolist(), averages, columns)
    rising = [int(name in RISING) for name in columns] + [0]
    weights = np.where(evidence.claimed, CLAIMED_WEIGHT, 1.0)

    def first_pass(rows: BoolArray, seeds: Sequence[int]) -> Trees:
        return fit_trees(
            table[rows],
            evidence.expert[rows],
            rising=rising,
            settings=SETTINGS,
            seeds=seeds,
            weights=weights[rows],
        )

    found = np.empty(len(table))
    for fold in evidence.folds:
        own = evidence.fold == fold
        found[own] = in_parts(first_pass(~own, SEEDS[:1]), table[own])
    found = np.clip(found, 0.0, BEST)
    context = _around_all(found, evidence)
    second = fit_trees(
        np.column_stack([table, found, context]),
        evidence.expert,
        rising=[*rising, 1, *(int(name in RISING_AROUND) for name in AROUND)],
        settings=SETTINGS,
        seeds=SEEDS,
        weights=weights,
    )
    first = first_pass(np.ones(len(table), dtype=bool), SEEDS)
    network = fit_recurrent(evidence, weights, tuple(averages), SEEDS)
    return PhoneModel(first, second, network, averages, columns)


def opinions_of(model: PhoneModel, evidence: Evidence) -> Opinions:
    """What each part of a model expects of every phone, of all recordings at once."""
    phones = evidence.phone.tolist()
    table = phone_table(evidence.features, phones, model.averages, model.columns)
    first = np.clip(in_parts(model.first, table), 0.0, BEST)
    second = in_parts(model.second, np.column_stack([table, first, _around_all(first, evidence)]))
    network = np.concatenate(
        [
            model.network(table[rows, :-1], evidence.phone[rows].tolist())
            for rows in evidence.recordings
        ]
    )
    return Opinions(first, np.clip(second, 0.0, BEST), np.clip(network, 0.0, BEST))


def _around_all(found: FloatArray, evidence: Evidence) -> FloatArray:
    parts = [around(found[rows], evidence.word[rows]) for rows in evidence.recordings]
    return np.concatenate(parts)


def expected_across(evidence: Evidence, groups: Sequence[Sequence[int]]) -> FloatArray:
    """The same, every group of folds judged by what was fitted on the others, `[N]`."""
    found = np.empty(len(evidence.expert))
    for group in groups:
        others = [fold for fold in evidence.folds if fold not in group]
        model = fit_phones(evidence.part(others))
        found[np.isin(evidence.fold, group)] = opinions_of(model, evidence.part(group)).mean
    return found


def fit_marks(given: Readings) -> MarkModel:
    """Fit every mark of words and readings."""
    names = sorted({name for row in given.readings for name in row})
    table = measure_table(given.readings, names)
    kept = np.isfinite(table).mean(axis=0) > PRESENT
    table, names = table[:, kept], [name for name, keep in zip(names, kept, strict=True) if keep]
    words = {
        mark: fit_trees(
            given.words,
            target,
            rising=[0] * given.words.shape[1],
            settings=MARK_SETTINGS,
            seeds=SEEDS,
        )
        for mark, target in given.word_marks.items()
    }
    sentences = {mark: _fit_sentence(table, given.sentence_marks[mark]) for mark in SENTENCE_MARKS}
    return MarkModel(words, sentences, tuple(names))


def _fit_sentence(table: FloatArray, target: FloatArray) -> SentenceModel:
    usual = np.nanmean(table, axis=0)
    filled = np.where(np.isnan(table), usual, table)
    spread = filled.std(axis=0) + 1e-9
    line = RidgeCV(PENALTIES).fit((filled - usual) / spread, target)
    trees = fit_trees(
        table, target, rising=[0] * table.shape[1], settings=MARK_SETTINGS, seeds=SEEDS
    )
    return SentenceModel(trees, usual, spread, line.coef_, float(line.intercept_))


@dataclass(frozen=True, eq=False)
class OuterFold:
    """One fold of speakers, judged by what was fitted on the others alone.

    Attributes
    ----------
    fold
        Its number.
    expected, probability
        float64 `[n]`, of each of its phones.
    figures
        Agreement with experts.
    """

    fold: int
    expected: FloatArray
    probability: FloatArray
    figures: dict[str, float]


def outer_folds(evidence: Evidence, workers: int = 1) -> Iterator[OuterFold]:
    """Judge every fold of speakers; all that is fitted is fitted within the others."""
    judge = partial(_outer_fold, evidence)
    if workers == 1:
        yield from map(judge, evidence.folds)
        return
    with ProcessPoolExecutor(
        workers, get_context("spawn")
    ) as executor:  # threads don't survive forks
        yield from executor.map(judge, evidence.folds)


def _outer_fold(evidence: Evidence, fold: int) -> OuterFold:
    train = evidence.part([other for other in evidence.folds if other != fold])
    test = evidence.part([fold])
    inner = expected_across(train, (train.folds[::2], train.folds[1::2]))
    opinions = opinions_of(fit_phones(train), test)
    found = opinions.mean
    real, train_real = ~test.claimed, ~train.claimed
    curve = probability_curve(inner[train_real], train.expert[train_real] < WRONG)
    probability = np.interp(found, *curve)
    figures = figures_of(found[real], probability[real], test.expert[real])
    flawless = inner[train_real & (train.expert == BEST)]
    for dial in DIALS:
        figures |= flagged_figures(test, found, dial, float(np.quantile(flawless, dial)))
    for part, expected in vars(opinions).items():
        figures |= {
            f"{name}_{part}": value
            for name, value in agreement(expected[real], test.expert[real]).items()
        }
    figures |= _mark_figures(fit_marks(readings_of(train, inner)), readings_of(test, found))
    return OuterFold(fold, found, probability, figures)


def main() -> None:
    """Measure in outer folds, fit on all, and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--evidence", type=Path, required=True, help="what training.evidence wrote")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the calibration")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    evidence = Evidence.read(options.evidence)
    outer, figures = np.empty(len(evidence.expert)), []
    for fold in outer_folds(evidence, options.workers):
        outer[evidence.fold == fold.fold] = fold.expected
        figures.append(fold.figures)
        print(fold.fold, {n: round(value, 4) for n, value in fold.figures.items()}, flush=True)
    for name in figures[0]:
        values = [figure[name] for figure in figures]
        print(f"{name:>24}  {np.mean(values):.4f} ± {np.std(values):.4f}")
    _write(evidence, outer, figures, options.out)


def _mark_figures(model: MarkModel, given: Readings) -> dict[str, float]:
    found = {
        f"word_{mark}": pearson(trees(given.words), given.word_marks[mark])
        for mark, trees in model.words.items()
    }
    table = measure_table(given.readings, model.measures)
    for mark, sentence in model.sentences.items():
        found[f"sentence_{mark}"] = pearson(sentence(table), given.sentence_marks[mark])
    found["sentence_completeness"] = pearson(given.complete, given.sentence_marks["completeness"])
    return found


def _write(
    evidence: Evidence, outer: FloatArray, figures: list[dict[str, float]], out: Path
) -> None:
    real = ~evidence.claimed
    phones = fit_phones(evidence)
    marks = fit_marks(readings_of(evidence, outer))
    knots, values = probability_curve(outer[real], evidence.expert[real] < WRONG)
    model = ExpertModel(
        phones,
        marks,
        RATES,
        np.quantile(outer[real & (evidence.expert == BEST)], RATES),
        knots,
        values,
    )
    out.mkdir(parents=True, exist_ok=True)
    save_file(written(model), out / MODEL_FILE)
    (out / MODEL_FILE).chmod(0o644)  # safetensors writes for its owner alone
    speakers = {row["speaker"] for row in evidence.readings}
    record = {
        "data": "speechocean762, training split (OpenSLR 101, CC BY 4.0): learners with Mandarin",
        "speakers": len(speakers),
        "utterances": len(evidence.readings),
        "phones": int(real.sum()),
        "folds": evidence.folds,
        "columns": list(phones.columns),
        "averages": phones.averages,
        "word_marks": list(marks.words),
        "sentence_marks": list(marks.sentences),
        "measures": list(marks.measures),
        "settings": {**SETTINGS, "seeds": list(SEEDS)},
        "figures_by_fold": figures,
        "encoder": load_encoder("default").fingerprint,
        "date": datetime.date.today().isoformat(),
        "sha256": hashlib.sha256((out / MODEL_FILE).read_bytes()).hexdigest(),
    }
    text = json.dumps(record, indent=1)
    (out / RECORD_FILE).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
