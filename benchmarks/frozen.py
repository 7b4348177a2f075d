"""Training-free from end to end: an encoder that never heard a learner, and natives alone.

    python -m benchmarks.frozen --whisper-base base1 base2 [--every 4] [--keep DIR]

Whisper base as it is (`training.frozen_start`; `training/README.md` says where its weights are)
hears the six natives of `native-english`, `nativeear index build` lays their phones by what it
learns from these recordings alone, and the learners of `speechocean762-train` are asked about
them. Nothing in this has heard a learner: neither encoder nor aligner, index, threshold or scale.
What comes of it is compared with experts, mean and spread over folds of speakers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nativeear
from benchmarks.reporting import options_of, show
from benchmarks.speech_data import NATIVES, SPEECHOCEAN, rows_of
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexes.native_margins import COMPANY
from nativeear.scoring.fusion.phone_model import BEST
from nativeear.scoring.fusion.training_free import TrainingFree
from nativeear.scoring.grading import FALSE_REJECTIONS
from nativeear.scoring.metrics import pearson, roc_auc
from nativeear.speech.errors import NativeEarError
from training import frozen_start
from training.agreement import WRONG
from training.splits import FOLDS, fold_of

FloatArray = NDArray[np.float64]

COLUMNS = ("margin", "frame_margin", "frame_log_posterior", "posterior", "canonical_share")
"""Evidence that is told alone, too."""

TOGETHER = "both log posteriors in company"
"""Those of a phone and of its frames, and `COMPANY` times their mean over the recording: about what
the score is made of, before it is put on its scale."""


@dataclass(frozen=True, eq=False)
class Heard:
    """N phones of learners that were judged.

    Attributes
    ----------
    expert
        float64 `[N]`, the experts' mean score 0–2.
    fold
        int64 `[N]`, of the speaker.
    values
        float64 `[N]` by name: `score`, `log_share`, `TOGETHER`, and those of `COLUMNS`.
    """

    expert: FloatArray
    fold: NDArray[np.int64]
    values: dict[str, FloatArray]

    def over_folds(self, figure: Callable[[NDArray[np.bool_]], float]) -> tuple[float, float]:
        """Mean and spread of a figure of each fold's phones."""
        found = [figure(self.fold == fold) for fold in range(FOLDS)]
        return float(np.mean(found)), float(np.std(found))


def build(folder: Path, options: argparse.Namespace) -> Path:
    """Write the encoder, and build the natives' index by it, unless they are there."""
    encoder, index = folder / "whisper-base", folder / "natives"
    if not encoder.is_dir():
        frozen_start.write(options.whisper_base, encoder)
    if not index.is_dir():
        report = build_index(
            BuildRequest(
                corpora=(str(NATIVES),),
                language="en-US",
                out=index,
                aligner="flatstart",
                encoder=str(encoder),
                layer=options.layer,
                workers=options.workers,
            )
        )
        print(f"{report.exemplars:,} exemplars, {report.native_accuracy:.1%} heard right left out")
    return index


def hear(index: Path, every: int) -> Heard:
    """Ask the natives about the phones that experts judged."""
    ear = nativeear.load(index, calibration="training-free")
    judge = TrainingFree(ear.index)
    expert: list[float] = []
    folds: list[int] = []
    values: dict[str, list[FloatArray]] = {}
    rows = rows_of(SPEECHOCEAN)[::every]
    for done, row in enumerate(rows):
        try:
            audio = nativeear.Audio.load(row["audio"])
            evidence = ear.gather_evidence(audio, ear.pronounce(row["text"], row["phones"]))
        except NativeEarError as error:
            print(f"{row['id']}: {error.message}", file=sys.stderr)
            continue
        given = [float(s) for s in row["phone_scores"].replace("|", " ").split()]
        found = judge.judge(evidence.features)
        columns = {name: evidence.features.column(name) for name in COLUMNS}
        both = columns["posterior"] + columns["frame_log_posterior"]
        for name, value in {
            "score": found.scores,
            "log_share": found.log_shares,
            TOGETHER: both + COMPANY * np.nanmean(both),
            **columns,
        }.items():
            values.setdefault(name, []).append(value)
        expert += given
        folds += [fold_of(row["speaker"])] * len(given)
        if done % 100 == 0:
            print(f"{done} of {len(rows)}", file=sys.stderr, flush=True)
    return Heard(
        np.array(expert),
        np.array(folds),
        {name: np.concatenate(parts) for name, parts in values.items()},
    )


def figures(heard: Heard) -> Iterator[tuple[str, str, str]]:
    """Rows of the table: a measure, its mean and its spread over the folds."""
    wrong, flawless = heard.expert < WRONG, heard.expert == BEST
    flagged = heard.values["log_share"] < np.log(FALSE_REJECTIONS)
    known = ~np.isnan(heard.values["score"])

    def row(name: str, figure: Callable[[NDArray[np.bool_]], float]) -> tuple[str, str, str]:
        mean, spread = heard.over_folds(lambda part: figure(part & known))
        return name, f"{mean:.3f}", f"{spread:.3f}"

    yield "phones", f"{int(known.sum()):,}", ""
    for name in ("score", TOGETHER, *COLUMNS):
        values = heard.values[name]
        yield row(f"{name}: pcc", partial(_pcc, values, heard.expert))
        yield row(f"{name}: auc", partial(_auc, values, wrong))
    yield row("flagged of flawless phones", lambda part: float(flagged[part & flawless].mean()))
    yield row("flagged of wrong phones", lambda part: float(flagged[part & wrong].mean()))


def _pcc(values: FloatArray, expert: FloatArray, part: NDArray[np.bool_]) -> float:
    return pearson(values[part], expert[part])


def _auc(values: FloatArray, wrong: NDArray[np.bool_], part: NDArray[np.bool_]) -> float:
    return roc_auc(wrong[part], -values[part])


def main() -> None:
    """Build, measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--whisper-base", type=Path, nargs="+", metavar="DIR", required=True)
    parser.add_argument("--layer", type=int, help="the usual one of Whisper by default")
    parser.add_argument("--every", type=int, default=1, help="every so many-th recording")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the index, or find it here")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as name:
        heard = hear(build(Path(name), options), options.every)
    show("Learners by natives and a frozen encoder", ("measure", "mean", "sd"), figures(heard))


if __name__ == "__main__":
    main()
