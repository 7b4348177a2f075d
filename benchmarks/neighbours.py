"""What a wrong word costs the words beside it. A part of `benchmarks.robustness`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import nativeear
from benchmarks.reporting import show
from benchmarks.speech_data import NATIVES, rows_of
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.frames import FloatArray

SEED = 11
FADE_S = 0.005
LEAST_PHONES = 3
"""Of the word that is replaced and of the one in its place."""

EACH = 2
"""Words of a sentence that are replaced, one at a time."""

NEAR = 0.35
"""Share by which the lengths of the two words may differ, so that it is as fast as it was."""

Span = tuple[int, int]


def spans_of(result: nativeear.Assessment) -> dict[int, Span]:
    """Where the words of three phones and more lie, in samples, by their index."""
    return {
        i: (round(word.start_s * SAMPLE_RATE), round(word.end_s * SAMPLE_RATE))
        for i, word in enumerate(result.words)
        if len(word.phones) >= LEAST_PHONES and word.start_s is not None and word.end_s is not None
    }


def replaced(samples: FloatArray, span: Span, other: FloatArray, source: Span) -> Audio:
    """Another sound in place of a span, at its loudness, with short cross-fades."""
    own, put = samples[slice(*span)], other[slice(*source)].copy()
    put *= np.sqrt((own**2).mean() / ((put**2).mean() + 1e-12))
    fade = round(FADE_S * SAMPLE_RATE)
    rise = np.linspace(0, 1, fade, dtype=np.float32)
    put[:fade] *= rise
    put[-fade:] *= rise[::-1]
    before, behind = samples[: span[0]].copy(), samples[span[1] :].copy()
    before[-fade:] *= rise[::-1][: len(before)]
    behind[:fade] *= rise[: len(behind)]
    return Audio(np.concatenate([before, put, behind]).astype(np.float32))


def measure(ears: Mapping[str, nativeear.Assessor], count: int) -> None:
    """Print what replaced words cost themselves, the words beside them, and those further on."""
    rng = np.random.default_rng(SEED)
    rows = rows_of(NATIVES)
    cost: dict[tuple[str, str], list[float]] = {
        (name, place): [] for name in ears for place in ("itself", "beside", "further on")
    }
    refused = dict.fromkeys(ears, 0)
    for row in rows[:: max(1, len(rows) // count)][:count]:
        donors = [r for r in rows if r["speaker"] == row["speaker"] and r is not row]
        other = donors[int(rng.integers(len(donors)))]
        audio, donor = (Audio.load(r["audio"]) for r in (row, other))
        before = {name: ear.assess(audio, row["text"]) for name, ear in ears.items()}
        plain = next(iter(before.values()))
        sources = spans_of(next(iter(ears.values())).assess(donor, other["text"]))
        spoken = {word.lower() for word in row["text"].split()}
        words = other["text"].split()
        targets = spans_of(plain)
        for i in rng.permutation(list(targets)).tolist()[:EACH]:
            length = targets[i][1] - targets[i][0]
            fitting = [
                source
                for j, source in sources.items()
                if abs((source[1] - source[0]) / length - 1) < NEAR
                and (j >= len(words) or words[j].lower() not in spoken)
            ]
            if not fitting:
                continue
            source = fitting[int(rng.integers(len(fitting)))]
            changed = replaced(audio.samples, targets[i], donor.samples, source)
            for name, ear in ears.items():
                after = ear.assess(changed, row["text"])
                if after.of_another_text:
                    refused[name] += 1
                    continue
                for j, (was, now) in enumerate(zip(before[name].words, after.words, strict=True)):
                    if was.score is None or now.score is None:
                        continue
                    place = ("itself", "beside")[abs(j - i)] if abs(j - i) < 2 else "further on"
                    cost[name, place].append(now.score - was.score)
    table = [
        (name, place, len(points), f"{np.mean(points):+.2f}", f"{np.median(points):+.2f}")
        for (name, place), points in cost.items()
    ]
    header = ("calibration", "word", "words", "points, mean", "median")
    told = ", ".join(f"{name} {number}" for name, number in refused.items())
    show(f"A word replaced by another of the speaker; refused: {told}; seed {SEED}", header, table)
