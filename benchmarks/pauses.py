"""Pauses by intensity, by Silero VAD and by both, on native speech with pauses put into it.

    python -m benchmarks.pauses [--prompts N]

Debian's native English prompts are cut from one loud place to another, so that speech stops and
starts exactly where it is cut, and joined with pauses of 300–1200 ms of faint noise. The same is
asked with white noise over everything, and with a burst of noise (a cough, a door) in each pause.
Boundaries are in milliseconds; a pause is missed that none found overlaps by half, and invented
that overlaps none. Cost is of one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from nativeear.indexer.corpus import read_corpus
from nativeear.indexer.utterances import recording_of
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.errors import NativeEarError
from nativeear.speech.prosody.intensity import track_intensity
from nativeear.speech.prosody.pauses import MIN_PAUSE_S, find_pauses, join_over_noises, quiet_spans
from nativeear.speech.prosody.voice_activity import silent_spans

SEED = 3
LOUD_DB = 12.0
"""Below the loudest frame: here speech is cut."""
LEAST_SPEECH_S = 0.6
HUSH = 3e-4
Span = tuple[float, float]
Samples = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Spliced:
    """Speech with pauses where we know them, in seconds."""

    audio: Audio
    pauses: tuple[Span, ...]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--prompts", type=int, default=80)
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    clean = _spliced(_cut_prompts(options.prompts), rng)
    conditions: dict[str, Callable[[Spliced], Spliced]] = {
        "faint noise": lambda spliced: spliced,
        "white noise, 20 dB": lambda spliced: _noisy(spliced, 20.0, rng),
        "white noise, 10 dB": lambda spliced: _noisy(spliced, 10.0, rng),
        "a burst in each pause": lambda spliced: _burst(spliced, rng),
    }
    detectors: dict[str, Callable[[Audio], tuple[Span, ...]]] = {
        "intensity": lambda audio: quiet_spans(track_intensity(audio)),
        "Silero": silent_spans,
        "both": lambda audio: join_over_noises(
            quiet_spans(track_intensity(audio)), silent_spans(audio)
        ),
    }
    header = ("speech", "found by", "pauses", "missed", "invented", "median", "95 %", "× real time")
    table = Table(*header, title="Pauses put into native prompts")
    for condition, treat in conditions.items():
        treated = [treat(spliced) for spliced in clean]
        for name, detect in detectors.items():
            table.add_row(condition, name, *_measured(treated, detect))
    Console(width=110).print(table)


def _cut_prompts(wanted: int) -> list[Samples]:
    """Prompts from the first loud frame to the last, without those that pause themselves."""
    cut: list[Samples] = []
    for utterance in read_corpus("asterisk:en").utterances:
        if len(cut) == wanted:
            break
        try:
            audio = recording_of(utterance)
        except NativeEarError:
            continue
        intensity = track_intensity(audio)
        if find_pauses(intensity).spans or any(
            end - start > MIN_PAUSE_S / 2
            for start, end in silent_spans(audio)
            if start > 0 and end < audio.duration_s - 0.05
        ):
            continue
        loud = np.flatnonzero(intensity.db >= intensity.db.max() - LOUD_DB)
        first_s, last_s = intensity.t_s[loud[0]], intensity.t_s[loud[-1]]
        if last_s - first_s >= LEAST_SPEECH_S:
            cut.append(audio.samples[round(first_s * SAMPLE_RATE) : round(last_s * SAMPLE_RATE)])
    return cut


def _spliced(prompts: list[Samples], rng: np.random.Generator) -> list[Spliced]:
    """Every four prompts with pauses between them, and half a second around."""
    made = []
    for first in range(0, len(prompts) - 3, 4):
        parts, spans = [_hush(0.5, rng)], []
        for i, prompt in enumerate(prompts[first : first + 4]):
            if i:
                start_s = sum(map(len, parts)) / SAMPLE_RATE
                parts.append(_hush(float(rng.uniform(0.3, 1.2)), rng))
                spans.append((start_s, sum(map(len, parts)) / SAMPLE_RATE))
            parts.append(prompt)
        made.append(Spliced(Audio(np.concatenate([*parts, _hush(0.5, rng)])), tuple(spans)))
    return made


def _hush(seconds: float, rng: np.random.Generator) -> Samples:
    return np.asarray(rng.normal(size=round(seconds * SAMPLE_RATE)) * HUSH, dtype=np.float32)


def _noisy(spliced: Spliced, snr_db: float, rng: np.random.Generator) -> Spliced:
    samples = spliced.audio.samples
    level = float(np.sqrt(np.mean(samples**2))) / 10 ** (snr_db / 20)
    noise = rng.normal(size=len(samples)) * level
    return Spliced(Audio((samples + noise).astype(np.float32)), spliced.pauses)


def _burst(spliced: Spliced, rng: np.random.Generator) -> Spliced:
    samples = spliced.audio.samples.copy()
    level = float(np.sqrt(np.mean(samples**2)))
    for start_s, end_s in spliced.pauses:
        at = round((start_s + end_s) / 2 * SAMPLE_RATE)
        half = round(0.04 * SAMPLE_RATE)
        samples[at - half : at + half] += level * np.hanning(2 * half) * rng.normal(size=2 * half)
    return Spliced(Audio(samples.astype(np.float32)), spliced.pauses)


def _measured(
    speech: list[Spliced], detect: Callable[[Audio], tuple[Span, ...]]
) -> tuple[str, ...]:
    errors: list[float] = []
    known = missed = invented = 0
    detect(speech[0].audio)  # loads what has to be loaded
    started = time.process_time()
    found_in = [detect(spliced.audio) for spliced in speech]
    cost = (time.process_time() - started) / sum(s.audio.duration_s for s in speech)
    for spliced, silences in zip(speech, found_in, strict=True):
        inside = [
            span
            for span in silences
            if span[1] - span[0] >= MIN_PAUSE_S and span[0] > 0.5 and span[1] < _last(spliced)
        ]
        known += len(spliced.pauses)
        for truth in spliced.pauses:
            overlaps = [max(0.0, min(truth[1], s[1]) - max(truth[0], s[0])) for s in inside]
            best = int(np.argmax(overlaps)) if overlaps else -1
            if best < 0 or overlaps[best] < (truth[1] - truth[0]) / 2:
                missed += 1
                continue
            errors += [abs(inside[best][edge] - truth[edge]) for edge in (0, 1)]
        invented += sum(
            all(min(t[1], s[1]) <= max(t[0], s[0]) for t in spliced.pauses) for s in inside
        )
    ms = 1000 * np.array(errors or [np.nan])
    figures = (f"{np.median(ms):.0f}", f"{np.quantile(ms, 0.95):.0f}", f"{cost:.4f}")
    return (str(known), str(missed), str(invented), *figures)


def _last(spliced: Spliced) -> float:
    return spliced.audio.duration_s - 0.5


if __name__ == "__main__":
    main()
