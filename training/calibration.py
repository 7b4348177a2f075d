"""Fit the `expert` calibration: `python -m training.calibration --help`.

A regressor learns what experts' scores follow from the evidence of `scoring.fusion.features`. Its
examples are learners whom the encoder never heard: each `--sibling` is an encoder that was trained
without some folds, its index without the same learners, and these folds. What ships is fitted on
all of them; the figures of its record are those of five speaker-disjoint folds among them.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from nativeear.indexer.corpus import Utterance
from nativeear.scoring.fusion.expert import BEST, COLUMNS, RECORD_FILE, TREES_FILE
from nativeear.scoring.fusion.features import RISING, FeatureTable
from nativeear.scoring.fusion.trees import LEAF, Trees
from nativeear.scoring.metrics import expected_calibration_error, pearson, roc_auc
from nativeear.speech.encoders.catalogue import load_encoder
from training.listening import HeardCorpus, heard_once, join, listen
from training.splits import FOLDS, fold_of

LEARNERS = "speechocean762-train"
WRONG = 0.5
SEEDS = (0, 1, 2, 3)
SETTINGS: dict[str, Any] = {
    "learning_rate": 0.04,
    "max_iter": 250,
    "max_leaf_nodes": 16,
    "min_samples_leaf": 40,
    "l2_regularization": 5.0,
    "max_features": 0.4,
    "early_stopping": False,
}
"""Of the boosted trees. Chosen on the folds that the record reports, among a dozen settings whose
means differed by less than the spread of the folds."""

RATES = np.concatenate([[0.0], np.geomspace(0.002, 0.5, 60)])
"""Shares of faultless phones above whose probabilities a threshold may be set."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fitted:
    """Two sums of trees: the expected expert score 0–2, and the logit of a mispronunciation."""

    score: Trees
    error: Trees


def fit(table: FloatArray, names: tuple[str, ...], expert: FloatArray) -> Fitted:
    """Fit on N phones `[N, F]` with their experts' scores."""
    rising = [1 if name in RISING else 0 for name in names]
    falling = [-r for r in rising]
    scores = [
        HistGradientBoostingRegressor(monotonic_cst=rising, random_state=seed, **SETTINGS).fit(
            table, expert
        )
        for seed in SEEDS
    ]
    errors = [
        HistGradientBoostingClassifier(monotonic_cst=falling, random_state=seed, **SETTINGS).fit(
            table, expert < WRONG
        )
        for seed in SEEDS
    ]
    return Fitted(exported(scores), exported(errors))


def exported(models: list[Any]) -> Trees:
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


@dataclass(frozen=True, eq=False)
class Judged:
    """N phones, each judged by what was fitted on other speakers: `[N]` each."""

    score: FloatArray
    probability: FloatArray
    fold: NDArray[np.int64]


def judge_across(heard: HeardCorpus, names: tuple[str, ...]) -> Judged:
    """Judge every fold of speakers by what was fitted on the other four."""
    table = table_of(heard.features, names)
    folds = speaker_folds(heard)
    score, logit = np.empty(len(table)), np.empty(len(table))
    for f in range(FOLDS):
        test = folds == f
        fitted = fit(table[~test], names, heard.expert[~test])
        score[test], logit[test] = fitted.score(table[test]), fitted.error(table[test])
    return Judged(score, 1 / (1 + np.exp(-logit)), folds)


def figures_by_fold(heard: HeardCorpus, judged: Judged) -> list[dict[str, float]]:
    """Agreement with experts in each fold of speakers."""
    found = []
    for f in range(FOLDS):
        test = judged.fold == f
        score, probability = judged.score[test], judged.probability[test]
        expert = heard.expert[test]
        wrong = expert < WRONG
        found.append(
            {
                "phones": float(test.sum()),
                "pcc": pearson(score, expert),
                "auc": roc_auc(wrong, probability),
                "auc_of_score": roc_auc(wrong, -score),
                "ece": expected_calibration_error(wrong, probability),
            }
        )
    return found


def table_of(features: FeatureTable, names: tuple[str, ...]) -> FloatArray:
    """Some columns of a table, `[N, F]`."""
    return np.column_stack([features.column(name) for name in names])


def speaker_folds(heard: HeardCorpus) -> NDArray[np.int64]:
    """Fold of every phone, `[N]`: speakers dealt out in the order of their mistakes."""
    speakers = np.unique(heard.speaker)
    mistakes = [float((heard.expert[heard.speaker == s] < WRONG).mean()) for s in speakers]
    dealt = {str(speakers[s]): i % FOLDS for i, s in enumerate(np.argsort(mistakes, kind="stable"))}
    return np.array([dealt[str(s)] for s in heard.speaker])


def collect(
    data: Path, siblings: list[tuple[Path, Path, frozenset[int]]], cache: Path
) -> HeardCorpus:
    """Every learner of the siblings' folds as the sibling hears them; kept in `cache`."""
    cache.mkdir(parents=True, exist_ok=True)
    parts = []
    for encoder, index, folds in siblings:
        kept = cache / f"learners-{'-'.join(map(str, sorted(folds)))}.npz"
        hear = partial(
            listen,
            str(data / LEARNERS),
            index=index,
            encoder=str(encoder),
            wanted=partial(_is_of, folds),
        )
        parts.append(heard_once(kept, hear))
    return join(parts)


def _is_of(folds: frozenset[int], utterance: Utterance) -> bool:
    return fold_of(utterance.speaker) in folds


def main() -> None:
    """Collect, measure, fit and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help=f"holds {LEARNERS}")
    parser.add_argument(
        "--sibling",
        nargs="+",
        action="append",
        required=True,
        metavar=("ENCODER INDEX", "FOLD"),
        help="an encoder's folder, its index, and the folds that neither has heard",
    )
    parser.add_argument("--cache", type=Path, required=True, help="keeps the evidence")
    parser.add_argument("--out", type=Path, help="folder of the calibration")
    options = parser.parse_args()
    siblings = [
        (Path(encoder), Path(index), frozenset(map(int, folds)))
        for encoder, index, *folds in options.sibling
    ]
    heard = collect(options.data, siblings, options.cache)
    judged = judge_across(heard, COLUMNS)
    figures = figures_by_fold(heard, judged)
    for name in figures[0]:
        values = [figure[name] for figure in figures]
        print(f"{name:>14}  {np.mean(values):.4f} ± {np.std(values):.4f}")
    if options.out is None:
        return
    fitted = fit(table_of(heard.features, COLUMNS), COLUMNS, heard.expert)
    options.out.mkdir(parents=True, exist_ok=True)
    arrays = {
        f"{part}.{name}": np.ascontiguousarray(values)
        for part, trees in vars(fitted).items()
        for name, values in trees.arrays().items()
    }
    faultless = judged.probability[heard.expert == BEST]
    arrays["faultless.rates"] = RATES
    arrays["faultless.probabilities_above"] = np.quantile(faultless, 1 - RATES)
    save_file(arrays, options.out / TREES_FILE)
    digest = hashlib.sha256((options.out / TREES_FILE).read_bytes()).hexdigest()
    record = {
        "data": "speechocean762, training split (OpenSLR 101, CC BY 4.0): learners with Mandarin",
        "speakers": len(np.unique(heard.speaker)),
        "utterances": len(np.unique(heard.utterance)),
        "phones": len(heard.expert),
        "folds": [sorted(folds) for _, _, folds in siblings],
        "columns": list(COLUMNS),
        "settings": {**SETTINGS, "seeds": list(SEEDS)},
        "figures_by_fold": figures,
        "encoder": load_encoder("default").fingerprint,
        "date": datetime.date.today().isoformat(),
        "sha256": digest,
    }
    text = json.dumps(record, indent=1)
    (options.out / RECORD_FILE).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
