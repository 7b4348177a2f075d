"""Build the index that ships: `indexes/en-US` from Debian's English prompts.

    python -m training.default_index --out indexes/en-US

One prompt in ten is held out, so that what is measured on those is measured on the shipped index.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from indexer.build import BuildReport, BuildRequest, build_index
from indexer.corpus import read_corpus
from training.splits import is_held_out

CORPUS = "asterisk:en"
LANGUAGE = "en-US"


def build_default(out: Path, workers: int = 2) -> BuildReport:
    """Build and publish the shipped index at `out`."""
    corpus = read_corpus(CORPUS, language=LANGUAGE)
    return build_index(
        BuildRequest(
            corpora=(CORPUS,),
            language=LANGUAGE,
            out=out,
            name=LANGUAGE,
            workers=workers,
            clips="opus",
            exclude=frozenset(u.id for u in corpus.utterances if is_held_out(u.id)),
        )
    )


def main() -> None:
    """Build and say what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    report = build_default(options.out, options.workers)
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
