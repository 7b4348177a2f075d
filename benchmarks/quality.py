"""How well grades agree with experts, and how often natives are blamed.

    python -m benchmarks.quality [--evidence training/data]
    OMP_NUM_THREADS=1 python -m benchmarks.quality --natives [--every 6]

An encoder may only be judged on learners whom it never heard, so the evidence comes from siblings
of the shipped encoder, see `training.evidence`. Every fold of speakers is judged by what was fitted
on the others alone, as `training.judge` does it: mean and spread over the folds, and what single
columns of evidence reach that nothing was fitted on.

`--natives` assesses sentences of six natives whom neither the shipped encoder nor the judge has
heard (`native-english`) as anybody's would be, and tells which share of their phones is flagged:
of all, of each speaker's, of some phones, of function words; and how many sentences have no remark.
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
from nativeear.scoring.metrics import pearson, roc_auc
from nativeear.scoring.verdicts import FLAGGED
from training.judge import WRONG, figures_of, outer_folds
from training.tables import Evidence

CHILD = 12
"""Oldest age that counts as a child."""

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
        for name in ("pcc", "auc", "ece"):
            yield f"{group}: {name}", [figures[name]]


def groups_of(evidence: Evidence) -> dict[str, NDArray[np.bool_]]:
    """Learners by age and sex, bool `[N]` each."""
    who = {row["speaker"]: row for row in rows_of(SPEECHOCEAN)}
    speaker = evidence.speaker
    child = np.array([float(who[name]["age"]) <= CHILD for name in speaker])
    female = np.array([who[name]["gender"].startswith("f") for name in speaker])
    return {
        f"up to {CHILD} years": child,
        f"over {CHILD} years": ~child,
        "female": female,
        "male": ~female,
    }


def flag_natives(every: int) -> None:
    """Print which share of natives' phones is flagged."""
    rows = rows_of(DATA / "native-english")[::every]
    function_words = frozenset(FUNCTION_WORDS.split())
    judged: Counter[str] = Counter()
    flagged: dict[str, Counter[str]] = {}
    remarked: Counter[str] = Counter()
    speakers = sorted({row["speaker"] for row in rows})
    for calibration in ("expert", "training-free"):
        ear = nativeear.load("en-US", calibration=calibration)
        judged, flagged[calibration] = Counter(), Counter()
        for row in rows:
            result = ear.assess(row["audio"], row["text"])
            remarked[calibration] += bool(result.remarks)
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
    show(f"phones flagged in {len(rows)} native sentences", ("", "phones", *flagged), shares)


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--evidence", type=Path, default=Path("training/data"))
    parser.add_argument("--natives", action="store_true", help="shares of natives' phones flagged")
    parser.add_argument("--every", type=int, default=1, help="every so many-th sentence of natives")
    options = parser.parse_args()
    if options.natives:
        flag_natives(options.every)
        return
    rows = []
    for name, values in measured(Evidence.read(options.evidence)):
        spread = f"{np.std(values):.3f}" if len(values) > 1 else "–"
        rows.append((name, f"{np.mean(values):.3f}", spread))
    show("Grades against experts, speaker-disjoint", ("measure", "mean", "spread (sd)"), rows)


if __name__ == "__main__":
    main()
