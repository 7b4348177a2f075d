"""How far aligners that need no trained model are from one that does.

    python -m benchmarks.alignment [--learners 400] [--workers 2]

Every aligner builds an index of the same corpora with the product's own command, and the spans of
its exemplars are compared with those of pocketsphinx, boundary by boundary, where both took the
same pronunciations. The corpora: Debian's English prompts (one speaker), and utterances of
speechocean762's training split (many speakers, children among them). The last columns say what an
index is worth: the share of native phones nearest to their own kind while their utterance (or
speaker, from five speakers on) was left out, and the seconds of the whole build.

`compact` has learnt from pocketsphinx's alignments of both corpora, so its rows tell what a user
gets and not what a flat start finds alone; `spectral` has learnt nothing.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.speech_data import speechocean_folder, write_table
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.corpus import read_corpus
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.alignment import SILENCE

REFERENCE = "pocketsphinx"
RUNS = (
    ("compact", REFERENCE),
    ("compact", "ctc"),
    ("compact", "flatstart"),
    ("spectral", REFERENCE),
    ("spectral", "flatstart"),
)
"""Encoder and aligner."""

SEED = 3

Spans = dict[str, tuple[tuple[str, float, float], ...]]


@dataclass(frozen=True)
class Built:
    """An index, its phones' spans by utterance, and what the build reported."""

    spans: Spans
    accuracy: float
    set_aside: int
    seconds: float
    audio_s: float


def build(corpus: str, encoder: str, aligner: str, folder: Path, workers: int) -> Built:
    """Build an index and read its spans."""
    out = folder / f"{encoder}-{aligner}"
    report = build_index(
        BuildRequest(
            corpora=(corpus,),
            language="en-US",
            out=out,
            aligner=aligner,
            encoder=encoder,
            workers=workers,
            embeddings=False,
        )
    )
    return Built(
        _spans(PhoneIndex.open(out)),
        report.native_accuracy,
        len(report.set_aside),
        report.seconds,
        report.audio_s,
    )


def _spans(index: PhoneIndex) -> Spans:
    rows = index.table.select(["utterance", "start_s", "end_s", "phone"]).to_pylist()
    rows.sort(key=lambda row: (row["utterance"], row["start_s"]))
    return {
        utterance: tuple(
            (row["phone"], row["start_s"], row["end_s"]) for row in own if row["phone"] != SILENCE
        )
        for utterance, own in groupby(rows, key=lambda row: row["utterance"])
    }


def errors_ms(spans: Spans, reference: Spans) -> tuple[np.ndarray, int]:
    """Distances of all boundaries in milliseconds, and of how many utterances."""
    found: list[float] = []
    compared = 0
    for utterance, own in spans.items():
        theirs = reference.get(utterance, ())
        if [span[0] for span in own] != [span[0] for span in theirs]:
            continue  # another pronunciation was heard
        compared += 1
        for one, other in zip(own, theirs, strict=True):
            found += [one[1] - other[1], one[2] - other[2]]
    return np.abs(np.array(found)) * 1000, compared


def learners(folder: Path, number: int) -> str:
    """A table of some utterances of the development speech, and its path."""
    utterances = list(read_corpus(speechocean_folder(), language="en-US").utterances)
    chosen = np.random.default_rng(SEED).permutation(len(utterances))[:number]
    drawn = [utterances[i] for i in sorted(chosen.tolist())]
    return str(write_table(folder / "learners.csv", drawn))


def rows(corpus: str, folder: Path, workers: int) -> Iterator[tuple[str, ...]]:
    """A row per encoder and aligner."""
    reference: Spans = {}
    for encoder, aligner in RUNS:
        built = build(corpus, encoder, aligner, folder, workers)
        if (encoder, aligner) == RUNS[0]:
            reference = built.spans
        measured = ("–",) * 5
        if aligner != REFERENCE:
            distance, compared = errors_ms(built.spans, reference)
            measured = (
                str(compared),
                f"{np.median(distance):.1f}",
                f"{np.percentile(distance, 90):.1f}",
                f"{(distance <= 20).mean():.1%}",
                f"{(distance <= 50).mean():.1%}",
            )
        yield (
            encoder,
            aligner,
            *measured,
            f"{built.accuracy:.1%}",
            str(built.set_aside),
            f"{built.seconds:.0f}",
            f"{built.audio_s / 60:.1f}",
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--learners", type=int, default=400, help="learners' utterances")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    console = Console(width=140)
    for name in ("Debian's English prompts", "speechocean762, training split"):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            corpus = (
                "asterisk:en" if name.startswith("Debian") else learners(place, options.learners)
            )
            table = Table(title=f"{name}: boundaries against {REFERENCE}")
            for column in (
                "encoder",
                "aligner",
                "utterances",
                "median ms",
                "90 % ms",
                "≤ 20 ms",
                "≤ 50 ms",
                "kNN accuracy",
                "set aside",
                "build s",
                "minutes",
            ):
                table.add_column(column)
            for row in rows(corpus, place, options.workers):
                table.add_row(*row)
            console.print(table)


if __name__ == "__main__":
    main()
