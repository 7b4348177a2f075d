"""How well grades agree with experts, and how often natives are blamed.

    python -m benchmarks.quality [--calibration training-free] [--evidence training/data]
    OMP_NUM_THREADS=1 python -m benchmarks.quality --natives [--every 6]

An encoder may only be judged on learners whom it never heard, so the evidence comes from siblings
of the shipped encoder, see `training.evidence`. Every fold of speakers is judged by what was fitted
on the others alone, as `training.judge` does it: mean and spread over the folds, and what single
columns of evidence reach that nothing was fitted on. `--calibration training-free` takes threshold
and scale from the other folds' flawless phones, and tells what is flagged of each speaker's.

`--natives` assesses sentences of six natives whom neither the shipped encoder nor the judge has
heard (`native-english`) as anybody's would be, and tells which share of their phones is flagged:
of all, of each speaker's, of some phones, of function words; how many sentences have no remark, and
how their pronunciation is scored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nativeear
from benchmarks.reporting import options_of, show
from benchmarks.speech_data import DATA, SPEECHOCEAN, rows_of
from nativeear.indexes.native_margins import LOWEST, MARGIN_WEIGHT
from nativeear.indexes.unheard import kept_natives
from nativeear.scoring.fusion.phone_model import BEST
from nativeear.scoring.fusion.training_free import Scale
from nativeear.scoring.grading import FALSE_REJECTIONS
from nativeear.scoring.metrics import expected_calibration_error, pearson, roc_auc
from nativeear.scoring.verdicts import FLAGGED
from training.agreement import GROSS, WRONG, figures_of
from training.judge import outer_folds
from training.natives import fit, sums_of
from training.tables import Evidence

CHILD = 12
"""Oldest age that counts as a child."""

FAULTS = 20
"""A phone with fewer wrong ones is not told by itself."""

ADDED = {
    "frame_log_posterior": (0.5, "frames' log posterior"),
    "frame_margin": (2.0, "frames' margin"),
    "posterior": (0.5, "log posterior of retrieval"),
    "canonical_share": (1.0, "share of the neighbours"),
    "own_similarity": (2.0, "similarity of the nearest of its own"),
    "sf_sd": (0.25, "GOP-SF-SD"),
    "gop_margin": (0.25, "the head's margin"),
    "deletion": (0.1, "log ratio of deletion"),
    "rival": (0.1, "log ratio of the best rival"),
    "gap_s": (-5.0, "seconds between head and alignment"),
    "duration_here": (1.0, "log duration against natives"),
}
"""Columns that were tried beside the sum, their weights, and what they are."""

COLUMNS_ALONE = ("margin", "frame_log_posterior", "log_posterior", "sf_sd")

PHONES = ("AO", "AA", "EH", "AE", "AH", "IH", "IY", "UW", "UH", "ER", "EY", "HH", "D", "T")
FUNCTION_WORDS = """to the for and with your a of was that from can or are as have them than because
our were her his had you in it is at but their there would could"""


def measured(evidence: Evidence) -> Iterator[tuple[str, Sequence[float]]]:
    """Every row of the table: a figure of each fold, or one in all."""
    folds = list(outer_folds(evidence))
    for name in folds[0].figures:
        yield name, [fold.figures[name] for fold in folds]
    real = ~evidence.claimed
    for name in COLUMNS_ALONE:
        column = evidence.features.column(name)
        parts = [real & (evidence.fold == fold) for fold in evidence.folds]
        yield f"{name} alone, pcc", [pearson(column[p], evidence.expert[p]) for p in parts]
        wrong = evidence.expert < WRONG
        yield f"{name} alone, auc", [roc_auc(wrong[p], -column[p]) for p in parts]
    expected, probability = np.empty(len(real)), np.empty(len(real))
    for fold in folds:
        own = evidence.fold == fold.fold
        expected[own], probability[own] = fold.expected, fold.probability
    for group, own in groups_of(evidence).items():
        kept = real & own
        figures = figures_of(expected[kept], probability[kept], evidence.expert[kept])
        for name in ("pcc", "spearman", "auc", "best_f1", "ece"):
            yield f"{group}: {name}", [figures[name]]


def groups_of(evidence: Evidence) -> dict[str, NDArray[np.bool_]]:
    """Phones by age, sex and level of their learners, and by which phone, bool `[N]` each."""
    who = {row["speaker"]: row for row in rows_of(SPEECHOCEAN)}
    real, speaker = ~evidence.claimed, evidence.speaker
    child = np.array([float(who[name]["age"]) <= CHILD for name in speaker])
    female = np.array([who[name]["gender"].startswith("f") for name in speaker])
    means = {s: evidence.expert[real & (speaker == s)].mean() for s in np.unique(speaker)}
    low, high = np.quantile(list(means.values()), (1 / 3, 2 / 3))
    level = np.array([means[name] for name in speaker])
    groups = {
        f"up to {CHILD} years": child,
        f"over {CHILD} years": ~child,
        "female": female,
        "male": ~female,
        "weakest third of the learners": level <= low,
        "middle third": (level > low) & (level <= high),
        "strongest third": level > high,
    }
    wrong = real & (evidence.expert < WRONG)
    for phone in np.unique(evidence.phone).tolist():
        own = evidence.phone == phone
        if np.count_nonzero(wrong & own) >= FAULTS:
            groups[phone] = own
    return groups


def measured_by_natives(evidence: Evidence) -> Iterator[tuple[str, Sequence[float]]]:
    """The same of the training-free calibration."""
    sums, wrong = sums_of(evidence), evidence.expert < WRONG
    found: dict[str, list[float]] = {}
    shares: list[float] = []
    for fold in evidence.folds:
        kept = fit(evidence.part([other for other in evidence.folds if other != fold]))
        natives = kept_natives(kept)
        border = natives.at(FALSE_REJECTIONS)
        own = ~evidence.claimed & (evidence.fold == fold) & ~np.isnan(sums)
        scores = Scale.of(natives, FALSE_REJECTIONS).scores(sums[own])
        probability = np.interp(sums[own], *(kept["probability"][k] for k in ("sums", "values")))
        flawless = own & (evidence.expert == BEST)
        claimed = evidence.claimed & (evidence.fold == fold) & (evidence.expert == GROSS)
        figures = {
            "pcc": pearson(scores, evidence.expert[own]),
            "auc": roc_auc(wrong[own], -sums[own]),
            "ece": expected_calibration_error(wrong[own], probability),
            "flagged_flawless": float((sums[flawless] < border).mean()),
            "recall": float((sums[own & wrong] < border).mean()),
            "recall_claimed": float((sums[claimed] < border).mean()),
        }
        for name, value in figures.items():
            found.setdefault(name, []).append(value)
        shares += [
            float((sums[flawless & (evidence.speaker == speaker)] < border).mean())
            for speaker in np.unique(evidence.speaker[flawless])
        ]
    yield from found.items()
    for share in (0.1, 0.5, 0.9):
        yield f"flagged_flawless, speakers, quantile {share}", [float(np.quantile(shares, share))]


def evidence_tried(evidence: Evidence) -> list[tuple[str, ...]]:
    """What other evidence would reach, added to the sum or in its place.

    PCC and AUC of learners, mean over the folds; and the AUC by which errors are told from flawless
    phones in recordings in which one phone was claimed, of all folds together.
    """
    column = evidence.features.column
    heads, margins = np.maximum(column("log_posterior"), LOWEST), MARGIN_WEIGHT * column("margin")
    own = heads + margins
    tried = {
        "head": heads,
        "retrieval": margins,
        "both": own,
        "both, centred by phone on flawless ones": own - _usual_of_phones(evidence, own),
        "both, less the recording's mean / 2": own - 0.5 * _means(evidence.recording, own),
        **{
            f"both + {w} × the recording's mean": own + w * _means(evidence.recording, own)
            for w in (0.25, 0.5, 0.75)
        },
        **{
            f"both + {w} × the word's mean": own + w * _means(_words_of(evidence), own)
            for w in (0.25, 0.5)
        },
    }
    for name, (weight, what) in ADDED.items():
        tried[f"both + {weight:g} × {what}"] = own + weight * np.clip(column(name), LOWEST, 20.0)
    retrieved = np.maximum(column("posterior"), LOWEST) + np.maximum(
        column("frame_log_posterior"), LOWEST
    )
    four = own + 0.5 * retrieved
    tried["both + 0.5 × retrieval's log posteriors, and 0.5 × the mean"] = four + 0.5 * _means(
        evidence.recording, four
    )
    rows: list[tuple[str, ...]] = []
    for name, values in tried.items():
        known = ~np.isnan(values)
        real = [known & ~evidence.claimed & (evidence.fold == fold) for fold in evidence.folds]
        told = known & evidence.claimed & np.isin(evidence.expert, (GROSS, BEST))
        wrong = evidence.expert < WRONG
        rows.append(
            (
                name,
                f"{np.mean([pearson(values[r], evidence.expert[r]) for r in real]):.3f}",
                f"{np.mean([roc_auc(wrong[r], -values[r]) for r in real]):.4f}",
                f"{roc_auc(wrong[told], -values[told]):.4f}",
            )
        )
    return rows


def _means(groups: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    totals = np.bincount(groups, weights=np.where(known, values, 0.0))
    counts = np.bincount(groups, weights=known)
    means: NDArray[np.float64] = (totals / np.maximum(counts, 1))[groups]
    return means


def _words_of(evidence: Evidence) -> NDArray[np.int64]:
    _, words = np.unique(evidence.recording * 1_000 + evidence.word, return_inverse=True)
    return np.asarray(words, dtype=np.int64)


def _usual_of_phones(evidence: Evidence, values: NDArray[np.float64]) -> NDArray[np.float64]:
    flawless = ~evidence.claimed & (evidence.expert == BEST)
    usual = np.full(len(values), np.nan)
    for phone in np.unique(evidence.phone[flawless]):
        own = evidence.phone == phone
        usual[own] = np.nanmedian(values[own & flawless])
    return usual


def flag_natives(every: int) -> None:
    """Print which share of natives' phones is flagged."""
    rows = rows_of(DATA / "native-english")[::every]
    function_words = frozenset(FUNCTION_WORDS.split())
    judged: Counter[str] = Counter()
    flagged: dict[str, Counter[str]] = {}
    remarked: Counter[str] = Counter()
    scores: dict[str, list[float]] = {}
    speakers = sorted({row["speaker"] for row in rows})
    for calibration in ("expert", "training-free"):
        ear = nativeear.load("en-US", calibration=calibration)
        judged, flagged[calibration] = Counter(), Counter()
        for row in rows:
            result = ear.assess(row["audio"], row["text"])
            remarked[calibration] += bool(result.remarks)
            scores.setdefault(calibration, []).append(result.score.pronunciation or 0.0)
            for word in result.words:
                for phone in word.phones:
                    names = ["all phones", row["speaker"], phone.phone]
                    if word.word.casefold() in function_words:
                        names.append("function words")
                    judged.update(names)
                    if phone.verdict in FLAGGED:
                        flagged[calibration].update(names)
    shares = []
    for name in ("all phones", *speakers, *PHONES, "function words"):
        parts = (own[name] / max(1, judged[name]) for own in flagged.values())
        shares.append((name, judged[name], *(f"{part:.1%}" for part in parts)))
    quiet = (f"{1 - remarked[name] / len(rows):.1%}" for name in flagged)
    shares.append(("sentences without a remark", len(rows), *quiet))
    for quantile in (0.05, 0.5):
        marks = (f"{np.quantile(own, quantile):.1f}" for own in scores.values())
        shares.append((f"pronunciation of sentences, quantile {quantile}", len(rows), *marks))
    show(f"phones flagged in {len(rows)} native sentences", ("", "phones", *flagged), shares)


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--evidence", type=Path, default=Path("training/data"))
    parser.add_argument("--calibration", choices=("expert", "training-free"), default="expert")
    parser.add_argument("--natives", action="store_true", help="shares of natives' phones flagged")
    parser.add_argument("--every", type=int, default=1, help="every so many-th sentence of natives")
    options = parser.parse_args()
    if options.natives:
        flag_natives(options.every)
        return
    rows = []
    measure = measured if options.calibration == "expert" else measured_by_natives
    for name, values in measure(Evidence.read(options.evidence)):
        spread = f"{np.std(values):.3f}" if len(values) > 1 else "–"
        rows.append((name, f"{np.mean(values):.3f}", spread))
    show("Grades against experts, speaker-disjoint", ("measure", "mean", "spread (sd)"), rows)
    if options.calibration == "training-free":
        header = ("evidence", "pcc", "auc", "auc, one phone claimed")
        show("What was tried", header, evidence_tried(Evidence.read(options.evidence)))


if __name__ == "__main__":
    main()
