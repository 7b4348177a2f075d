"""Signals whose pitch, pauses and syllables are known, and what is measured of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.prosody.intensity import track_intensity
from nativeear.speech.prosody.nuclei import syllable_nuclei
from nativeear.speech.prosody.pauses import find_pauses
from nativeear.speech.prosody.pitch import track_pitch

SEED = 8
SECONDS = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
MAX_F0_ERROR, MAX_GROSS, MAX_EDGE_S, MAX_RATE_ERROR = 0.01, 0.01, 0.03, 0.05

Samples = NDArray[np.float64]
Row = tuple[str, str, str, str]
"""What was measured, its figure, its value, and whether it keeps to its tolerance."""


def verdict(kept: bool) -> str:
    """How a figure is marked that keeps to its tolerance, or does not."""
    return "pass" if kept else "MISS"


def voice(f0_hz: Samples) -> NDArray[np.float32]:
    """A voice with the F0 of every sample: harmonics falling by 6 dB an octave up to 4 kHz."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / SAMPLE_RATE
    wave = sum(np.where(h * f0_hz < 4000, np.sin(h * phase) / h, 0.0) for h in range(1, 41))
    return np.asarray(0.3 * wave / np.abs(wave).max(), dtype=np.float32)


def hush(seconds: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Faint noise."""
    return np.asarray(rng.normal(size=round(seconds * SAMPLE_RATE)) * 3e-4, dtype=np.float32)


def known_pitch() -> Iterator[Row]:
    """Pitch of sweeps, vibrato and jitter."""
    slow = np.repeat(np.random.default_rng(SEED).normal(size=300), len(SECONDS) // 300)
    truths = {
        "steady, 80 Hz": np.full(len(SECONDS), 80.0),
        "steady, 350 Hz": np.full(len(SECONDS), 350.0),
        "sweep, 100–300 Hz": 100 * 3.0 ** (SECONDS / 3),
        "vibrato of a semitone at 5.5 Hz": 180 * 2 ** (np.sin(2 * np.pi * 5.5 * SECONDS) / 12),
        "jitter of 1 %": 120 * (1 + 0.01 * slow),
    }
    for name, truth in truths.items():
        pitch = track_pitch(Audio(voice(truth)))
        own = truth[np.round(pitch.t_s * SAMPLE_RATE).astype(int)]
        error = (np.abs(pitch.f0_hz - own) / own)[pitch.voiced]
        middle, gross = float(np.median(error)), float(np.mean(error > 0.2))
        told = f"{middle:.2%}, {gross:.2%}, {np.mean(~pitch.voiced):.1%}"
        kept = middle <= MAX_F0_ERROR and gross <= MAX_GROSS
        yield name, "F0 median error, gross errors, frames missed", told, verdict(kept)


def of_pauses(what: str, edges: list[float], missed: int, invented: int) -> Row:
    """How far boundaries of pauses are from where they were put."""
    middle, most = 1000 * float(np.median(edges)), 1000 * max(edges)
    kept = most <= 1000 * MAX_EDGE_S and not missed and not invented
    figure = "boundary error median and largest, missed, invented"
    return what, figure, f"{middle:.0f} ms, {most:.0f} ms, {missed}, {invented}", verdict(kept)


def known_pauses() -> Row:
    """Voice with pauses of 300–1200 ms."""
    rng = np.random.default_rng(SEED)
    errors, missed, invented = list[float](), 0, 0
    for _ in range(30):
        parts, known, at = [hush(0.3, rng)], [], 0.3
        for turn in range(5):
            voiced, silent = 0.4 + 0.6 * rng.random(), 0.3 + 0.9 * rng.random()
            parts.append(voice(np.full(round(voiced * SAMPLE_RATE), 100 + 150 * rng.random())))
            at += len(parts[-1]) / SAMPLE_RATE
            parts.append(hush(silent, rng))
            if turn < 4:
                known.append((at, at + len(parts[-1]) / SAMPLE_RATE))
            at += len(parts[-1]) / SAMPLE_RATE
        found = find_pauses(track_intensity(Audio(np.concatenate(parts)))).spans
        missed += max(0, len(known) - len(found))
        invented += max(0, len(found) - len(known))
        if len(found) == len(known):
            errors += np.abs(np.array(found) - np.array(known)).ravel().tolist()
    return of_pauses("voice with 120 pauses", errors, missed, invented)


def known_syllables() -> Iterator[Row]:
    """Syllable trains."""
    rng = np.random.default_rng(SEED)
    for rate in (2.5, 4.0, 6.0):
        t = np.arange(round(30 / rate * SAMPLE_RATE)) / SAMPLE_RATE
        level = 10 ** (-12 * (1 + np.cos(2 * np.pi * rate * t)) / 40)
        train = voice(np.full(len(t), 140.0)) * level.astype(np.float32)
        audio = Audio(np.concatenate([hush(0.3, rng), train, hush(0.3, rng)]))
        nuclei = syllable_nuclei(audio, track_pitch(audio), track_intensity(audio))
        error = abs(1 / float(np.median(np.diff(nuclei))) / rate - 1)
        name = f"train of 30 syllables, {rate:g} per second"
        told = f"{len(nuclei)}; {error:.1%}"
        yield name, "counted; error of the rate", told, verdict(error <= MAX_RATE_ERROR)
