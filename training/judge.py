"""Fit the `expert` calibration: `python -m training.judge --evidence training/data`.

Everything is fitted on evidence on learners whom the encoder that heard them never heard, see
`training.evidence`. What ships is fitted on all of them; the figures are those of outer folds of
speakers, each judged by what was fitted on the others alone, the second pass and the marks on what
inner folds had found. Nothing but the trees' settings was chosen on these learners.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.isotonic import IsotonicRegression
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
    COLUMNS,
    RISING_AROUND,
    PhoneModel,
    around,
    phone_table,
)
from nativeear.scoring.fusion.trees import LEAF, Trees
from nativeear.scoring.grading import FALSE_REJECTIONS
from nativeear.scoring.metrics import expected_calibration_error, pearson, ranks, roc_auc
from nativeear.speech.encoders.catalogue import load_encoder
from training.evidence import GROSS
from training.tables import Evidence, Readings, readings_of

WRONG = 0.5
"""Expert score below which a phone is called mispronounced."""

SEEDS = (0, 1)
SETTINGS: dict[str, Any] = {
    "learning_rate": 0.04,
    "max_iter": 250,
    "max_leaf_nodes": 16,
    "min_samples_leaf": 40,
    "l2_regularization": 5.0,
    "max_features": 0.4,
    "early_stopping": False,
}
"""Of the trees over phones; chosen on 26 learners of fold 0 among a dozen whose means differed by
less than the spread of the folds."""

MARK_SETTINGS = SETTINGS | {"max_iter": 200, "max_leaf_nodes": 10, "min_samples_leaf": 20}
"""Of the trees over words and readings, by analogy."""

CLAIMED_WEIGHT = 0.5
"""Weight of a phone of a recording that is there a second time, see `training.evidence`."""

SHRINKAGE = 30
"""How many phones of average score are added to what a phone got, before its average is taken."""

PRESENT = 0.2
"""A measure that a smaller share of the readings has is not weighed."""

RATES = np.concatenate([[0.0], np.geomspace(0.002, 0.5, 60)])
"""Shares of faultless phones of which less is expected than at a border that may be set."""

PENALTIES = np.logspace(0, 4, 9)
"""Of the line's weights, among which leaving one out chooses."""

ROWS = 4_096
"""Rows of a table that trees look at together."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def fit_trees(
    table: FloatArray,
    target: FloatArray,
    *,
    rising: Sequence[int],
    weights: FloatArray | None = None,
    settings: Mapping[str, Any] = SETTINGS,
    seeds: Sequence[int] = SEEDS,
) -> Trees:
    """The mean of boosted trees of several seeds, rising in the columns that are marked by 1."""
    return exported(
        [
            HistGradientBoostingRegressor(
                monotonic_cst=list(rising), random_state=seed, **settings
            ).fit(table, target, sample_weight=weights)
            for seed in seeds
        ]
    )


def exported(models: Sequence[Any]) -> Trees:
    """The mean of several fitted models as plain arrays."""
    columns: dict[str, list[Any]] = {
        name: [] for name in ("feature", "threshold", "missing_left", "left", "right", "value")
    }
    roots, size = [], 0
    for model in models:
        for (tree,) in model._predictors:
            nodes = tree.nodes
            leaf = nodes["is_leaf"].astype(bool)
            roots.append(size)
            columns["feature"].append(np.where(leaf, LEAF, nodes["feature_idx"].astype(np.int64)))
            columns["threshold"].append(np.where(leaf, 0.0, nodes["num_threshold"]))
            columns["missing_left"].append(nodes["missing_go_to_left"])
            for side in ("left", "right"):
                columns[side].append(np.where(leaf, 0, nodes[side].astype(np.int64) + size))
            columns["value"].append(np.where(leaf, nodes["value"], 0.0))
            size += len(nodes)
    joined: dict[str, NDArray[Any]] = {k: np.concatenate(v) for k, v in columns.items()}
    joined["roots"] = np.array(roots)
    joined["base"] = np.array([np.mean([np.ravel(m._baseline_prediction)[0] for m in models])])
    joined["scale"] = np.array([1.0 / len(models)])
    return Trees.of(joined)


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
    """Both passes; the second learns on what the first finds of folds that it was not fitted on."""
    averages = averages_of(evidence)
    table = phone_table(evidence.features, evidence.phone.tolist(), averages)
    rising = [int(name in RISING) for name in COLUMNS] + [0]
    weights = np.where(evidence.claimed, CLAIMED_WEIGHT, 1.0)

    def first_pass(rows: BoolArray, seeds: Sequence[int]) -> Trees:
        return fit_trees(
            table[rows], evidence.expert[rows], rising=rising, weights=weights[rows], seeds=seeds
        )

    found = np.empty(len(table))
    for fold in evidence.folds:
        own = evidence.fold == fold
        found[own] = _in_parts(first_pass(~own, SEEDS[:1]), table[own])
    found = np.clip(found, 0.0, BEST)
    context = _around_all(found, evidence)
    second = fit_trees(
        np.column_stack([table, found, context]),
        evidence.expert,
        rising=[*rising, 1, *(int(name in RISING_AROUND) for name in AROUND)],
        weights=weights,
    )
    return PhoneModel(first_pass(np.ones(len(table), dtype=bool), SEEDS), second, averages)


def expected_of(model: PhoneModel, evidence: Evidence) -> FloatArray:
    """What a model expects of every phone, `[N]`: of all recordings at once."""
    table = phone_table(evidence.features, evidence.phone.tolist(), model.averages)
    found = np.clip(_in_parts(model.first, table), 0.0, BEST)
    table = np.column_stack([table, found, _around_all(found, evidence)])
    return np.clip(_in_parts(model.second, table), 0.0, BEST)


def _in_parts(trees: Trees, table: FloatArray) -> FloatArray:
    """Values of a long table, a few thousand rows at a time."""
    return np.concatenate([trees(table[at : at + ROWS]) for at in range(0, len(table), ROWS)])


def _around_all(found: FloatArray, evidence: Evidence) -> FloatArray:
    parts = [around(found[rows], evidence.word[rows]) for rows in evidence.recordings]
    return np.concatenate(parts)


def expected_across(evidence: Evidence) -> FloatArray:
    """The same, every fold judged by what was fitted on the others, `[N]`."""
    found = np.empty(len(evidence.expert))
    for fold in evidence.folds:
        others = [other for other in evidence.folds if other != fold]
        model = fit_phones(evidence.part(others))
        found[evidence.fold == fold] = expected_of(model, evidence.part([fold]))
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
    trees = fit_trees(table, target, rising=[0] * table.shape[1], settings=MARK_SETTINGS)
    return SentenceModel(trees, usual, spread, line.coef_, float(line.intercept_))


def probability_curve(expected: FloatArray, wrong: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Probability of an error by what is expected, falling: knots and values, `[K]` each."""
    fitted = IsotonicRegression(increasing=False).fit(expected, wrong.astype(np.float64))
    return np.asarray(fitted.X_thresholds_), np.asarray(fitted.y_thresholds_)


def figures_of(
    expected: FloatArray, probability: FloatArray, expert: FloatArray
) -> dict[str, float]:
    """Agreement on phones."""
    wrong = expert < WRONG
    order = np.argsort(expected)
    hits = np.cumsum(wrong[order])
    best_f1 = float((2 * hits / (np.arange(1, len(order) + 1) + wrong.sum())).max())
    return {
        "phones": float(len(expert)),
        "pcc": pearson(expected, expert),
        "spearman": pearson(ranks(expected), ranks(expert)),
        "auc": roc_auc(wrong, -expected),
        "best_f1": best_f1,
        "ece": expected_calibration_error(wrong, probability),
    }


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


def outer_folds(evidence: Evidence) -> Iterator[OuterFold]:
    """Judge every fold of speakers; all that is fitted is fitted within the others."""
    for fold in evidence.folds:
        train = evidence.part([other for other in evidence.folds if other != fold])
        test = evidence.part([fold])
        inner = expected_across(train)
        found = expected_of(fit_phones(train), test)
        real, train_real = ~test.claimed, ~train.claimed
        curve = probability_curve(inner[train_real], train.expert[train_real] < WRONG)
        probability = np.interp(found, *curve)
        figures = figures_of(found[real], probability[real], test.expert[real])
        border = np.quantile(inner[train_real & (train.expert == BEST)], FALSE_REJECTIONS)
        figures |= _flagged_figures(test, found, float(border))
        figures |= _mark_figures(fit_marks(readings_of(train, inner)), readings_of(test, found))
        yield OuterFold(fold, found, probability, figures)


def main() -> None:
    """Measure in outer folds, fit on all, and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--evidence", type=Path, required=True, help="what training.evidence wrote")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the calibration")
    options = parser.parse_args()
    evidence = Evidence.read(options.evidence)
    outer, figures = np.empty(len(evidence.expert)), []
    for fold in outer_folds(evidence):
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


def _flagged_figures(test: Evidence, found: FloatArray, border: float) -> dict[str, float]:
    """What is flagged of flawless phones, of wrong ones and of claimed ones."""
    flagged, real = found < border, ~test.claimed
    wrong = real & (test.expert < WRONG)
    hits = float((flagged & wrong).sum())
    return {
        "flagged_flawless": float(flagged[real & (test.expert == BEST)].mean()),
        "recall": hits / float(wrong.sum()),
        "f1": 2 * hits / float((flagged & real).sum() + wrong.sum()),
    } | (
        {"recall_claimed": float(flagged[test.claimed & (test.expert == GROSS)].mean())}
        if test.claimed.any()
        else {}
    )


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
        "columns": list(COLUMNS),
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
