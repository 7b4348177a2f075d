"""Build the index that ships: `indexes/en-US`.

    python -m training.default_index --data ../shared/data --out indexes/en-US

Two pools, each named in every exemplar: `asterisk-en`, a native speaker's prompts, whose
recordings are kept for playback; and `speechocean762-train`, phones of 125 learners that all
experts scored 2, so that more than one voice can answer. One prompt in ten is held out, so that
what is measured on those is measured on the shipped index.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from rich.console import Console

from nativeear.indexer.build import BuildReport, BuildRequest, build_index
from nativeear.indexer.corpus import read_corpus
from training.splits import FOLDS, fold_of, is_held_out

NATIVE = "asterisk:en"
RATED = "speechocean762-train"
LANGUAGE = "en-US"
FLAWLESS = 2.0  # what every expert gave


def build_default(
    data: Path,
    out: Path,
    workers: int = 2,
    encoder: str = "default",
    without_folds: frozenset[int] = frozenset(),
) -> BuildReport:
    """Build and publish the shipped index at `out`; an interrupted build is resumed.

    For measuring, the learners of some folds are left out, and another encoder is taken.
    """
    native = read_corpus(NATIVE, language=LANGUAGE)
    learners = read_corpus(str(data / RATED), language=LANGUAGE)
    held_out = {u.id for u in native.utterances if is_held_out(u.id)}
    held_out |= {u.id for u in learners.utterances if fold_of(u.speaker) in without_folds}
    return build_index(
        BuildRequest(
            corpora=(NATIVE, str(data / RATED)),
            language=LANGUAGE,
            out=out,
            name=LANGUAGE,
            encoder=encoder,
            workers=workers,
            licence="CC BY 4.0",  # speechocean762's (OpenSLR 101); the prompts state their own
            clips="opus",
            clips_of=frozenset({native.name}),
            min_rating=FLAWLESS,
            resume=True,
            embeddings=False,  # the wheel has to stay small
            exclude=frozenset(held_out),
        )
    )


def main() -> None:
    """Build and say what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="where speechocean762-train lies")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--encoder", default="default")
    parser.add_argument(
        "--without-folds",
        type=int,
        nargs="*",
        default=(),
        choices=range(FOLDS),
        help="learners to leave out, for a sibling that is measured on them",
    )
    options = parser.parse_args()
    report = build_default(
        Path(os.path.relpath(options.data)),  # the recipe names the folder of no machine
        options.out,
        options.workers,
        options.encoder,
        frozenset(options.without_folds),
    )
    console = Console()
    console.print(
        f"{report.exemplars} exemplars from {report.utterances} utterances, "
        f"{report.audio_s / 60:.1f} minutes, in {report.seconds:.0f} s; left-out natives nearest "
        f"to their own phone: {report.native_accuracy:.3f}."
    )
    for identity, reason in report.set_aside:
        console.print(f"set aside {identity}: {reason}")


if __name__ == "__main__":
    main()
