"""What evidence on unheard natives is like: `python -m training.natives --data ../shared/data`.

Two files are written. The first is for the shipped index.

Phones that all experts called right, by learners whom neither the encoder nor the index that heard
them had heard (`training.evidence`), are as near to natives of many voices as can be had with a
licence. Of their sums the training-free calibration of the shipped index takes its threshold and
scale, and of all learners' phones the probability that experts call one mispronounced.

The second is for indexes of one voice, in whatever language: how much worse than that voice, each
utterance left out, other voices do. The shipped index has a native woman's exemplars and flawless
phones of 125 other speakers, who are asked about hers. They are heard again, for her transform is
not the one of all these voices, in which they differ less.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nativeear.indexer.corpus import read_corpus
from nativeear.indexer.decision import TOP_M, fit_decision
from nativeear.indexer.discriminant import class_sums, transformed
from nativeear.indexer.utterances import recording_of
from nativeear.indexes.native_margins import NativeMargins, evidence_sums
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.reliability import MIN_COVERAGE
from nativeear.indexes.similarity import class_similarities, margins
from nativeear.indexes.unheard import NATIVES_FILE, VOICES_FILE, log_odds_of, spread_of
from nativeear.scoring.fusion.phone_model import BEST
from nativeear.scoring.grading import FALSE_REJECTIONS
from nativeear.speech.alignment import SILENCE
from nativeear.speech.encoders.catalogue import load_encoder
from nativeear.speech.pooling import pool
from training.agreement import WRONG, probability_curve
from training.default_index import LANGUAGE, NATIVE, RATED
from training.tables import Evidence

KNOTS = 1_001
"""Quantiles that are kept of the sums, evenly spaced."""

RECORDINGS = 4
"""Recordings of each other speaker whose phones are asked, the longest."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def sums_of(evidence: Evidence) -> FloatArray:
    """Every phone's sum with the head, in the company of its recording, `[N]`."""
    column = evidence.features.column
    both, _ = evidence_sums(column("margin"), column("log_posterior"), evidence.recording)
    return both


def fit(evidence: Evidence) -> dict[str, Any]:
    """What is kept of some learners, see `indexes.unheard`."""
    sums = sums_of(evidence)
    real = ~evidence.claimed & ~np.isnan(sums)
    flawless = real & (evidence.expert == BEST)
    names, speakers = np.unique(evidence.speaker[flawless], return_inverse=True)
    border = float(np.quantile(sums[flawless], FALSE_REJECTIONS))
    knots, values = probability_curve(sums[real], evidence.expert[real] < WRONG)
    return {
        "speakers": len(names),
        "phones": int(flawless.sum()),
        "spread": round(spread_of(sums[flawless], speakers, border), 4),
        "sums": np.quantile(sums[flawless], np.linspace(0, 1, KNOTS)).round(3).tolist(),
        "probability": {"sums": knots.round(3).tolist(), "values": values.round(4).tolist()},
    }


@dataclass(frozen=True, eq=False)
class Sounds:
    """Exemplars of some speakers, heard again and ordered by class."""

    embeddings: NDArray[np.float16]  # `[n, D]`
    own: IntArray  # int64 `[n]`, classes
    of: IntArray  # int64 `[n]`: what each is of, utterances or speakers


def fit_voices(index: PhoneIndex, data: Path) -> dict[str, Any]:
    """What is kept of how voices differ, see `indexes.unheard`."""
    speaker, names = index.speakers
    utterance = index.utterances[0]
    one = int(np.bincount(speaker).argmax())
    rows = np.flatnonzero(speaker == one)
    others = np.concatenate(
        [_longest(np.flatnonzero(speaker == s), utterance) for s in np.unique(speaker) if s != one]
    )
    found = shifted(
        _heard(index, rows, utterance, data),
        _heard(index, np.sort(others), speaker, data),
        index.classes.index(SILENCE),
    )
    return {
        "data": f"{found.pop('speakers')} speakers' flawless phones of index {index.name}, asked "
        f"about the exemplars of {' '.join(names[one])}, in the transform that an index of these "
        "alone has; CC BY 4.0 and CC BY-SA 3.0",
        **found,
    }


def shifted(native: Sounds, others: Sounds, silence: int) -> dict[str, float]:
    """By how much other voices are further from an index of one voice than its own natives are.

    Parameters
    ----------
    native
        Of one voice, `of` utterances.
    others
        `of` speakers.
    silence
        The class that is not asked.
    """
    classes, own = np.unique(native.own, return_inverse=True)
    bounds = np.searchsorted(own, np.arange(len(classes) + 1)).astype(np.int64)
    asked = classes[(np.diff(bounds) >= MIN_COVERAGE) & (classes != silence)]
    margin = fit_decision(native.embeddings, bounds, native.of).native_margins
    border = NativeMargins.of_all(margin[np.isin(native.own, asked)]).at(FALSE_REJECTIONS)
    transform = class_sums(native.embeddings, own)[0].lda()
    rows = np.flatnonzero(np.isin(others.own, asked))
    similar = class_similarities(
        transformed(transform, others.embeddings, rows),
        transformed(transform, native.embeddings, np.arange(len(own))),
        bounds,
        top_m=TOP_M,
    )
    far = margins(similar, np.searchsorted(classes, others.own[rows])).astype(np.float64)
    log_odds = log_odds_of(far, others.of[rows], border)
    log_odds -= np.log(FALSE_REJECTIONS / (1 - FALSE_REJECTIONS))
    return {
        "speakers": len(log_odds),
        "shift": round(float(log_odds.mean()), 3),
        "spread": round(float(log_odds.std()), 3),
    }


def _longest(rows: IntArray, utterance: IntArray) -> IntArray:
    """Rows of the `RECORDINGS` utterances that have most of them."""
    numbers, counts = np.unique(utterance[rows], return_counts=True)
    chosen = numbers[np.argsort(-counts, kind="stable")[:RECORDINGS]]
    return rows[np.isin(utterance[rows], chosen)]


def _heard(index: PhoneIndex, rows: IntArray, of: IntArray, data: Path) -> Sounds:
    """Exemplars of an index that keeps no embeddings."""
    encoder = load_encoder(index.manifest.encoder.name)
    index.check_encoder(encoder)
    own = np.repeat(np.arange(len(index.classes)), np.diff(index.bounds))
    corpora = [read_corpus(place, language=LANGUAGE) for place in (NATIVE, str(data / RATED))]
    spoken = {(c.name, u.id): u for c in corpora for u in c.utterances}
    start_s, end_s = index.values("start_s"), index.values("end_s")
    utterance, names = index.utterances
    embeddings = np.zeros((len(rows), index.manifest.encoder.dim), dtype=np.float16)
    for number in np.unique(utterance[rows]):
        here = utterance[rows] == number
        spans = list(zip(start_s[rows[here]], end_s[rows[here]], strict=True))
        frames = encoder.encode(recording_of(spoken[names[number]]))
        embeddings[here] = pool(frames, spans, index.manifest.pooling)
    return Sounds(embeddings, own[rows], of[rows])


def main() -> None:
    """Fit, and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--evidence", type=Path, default=Path("training/data"))
    parser.add_argument("--data", type=Path, required=True, help="where speechocean762-train lies")
    parser.add_argument("--index", type=Path, default=Path("indexes/en-US"))
    parser.add_argument("--out", type=Path, default=NATIVES_FILE)
    options = parser.parse_args()
    index = PhoneIndex.open(options.index)
    manifest = index.manifest
    found = {
        "data": "speechocean762, training split (OpenSLR 101, CC BY 4.0): phones that all experts "
        "called right, by learners with Mandarin whom neither encoder nor index had heard",
        "encoder": manifest.encoder.fingerprint,
        "transform": manifest.transform.fingerprint,
        **fit(Evidence.read(options.evidence)),
    }
    options.out.write_text(json.dumps(found) + "\n", encoding="utf-8")
    voices = fit_voices(index, options.data)
    text = json.dumps(voices, indent=1)
    options.out.with_name(VOICES_FILE.name).write_text(text + "\n", encoding="utf-8")
    print(f"shift {voices['shift']}, spread {voices['spread']} between voices")
    print(f"{found['speakers']} speakers, {found['phones']:,} phones, spread {found['spread']}")


if __name__ == "__main__":
    main()
