"""Signals whose pitch, pauses and syllables are known, and what is measured of them."""

from __future__ import annotations

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
Row = tuple[str, ...]
"""What was measured, its figure, its value, and whether it keeps to its tolerance."""


def verdict(kept: bool) -> str:
    """How a figure is marked that keeps to its tolerance, or does not."""
    return "pass" if kept else "MISS"


def _voice(f0_hz: Samples) -> NDArray[np.float32]:
    """A voice with the F0 of every sample: harmonics falling by 6 dB an octave up to 4 kHz."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / SAMPLE_RATE
    wave = sum(np.where(h * f0_hz < 4000, np.sin(h * phase) / h, 0.0) for h in range(1, 41))
    return np.asarray(0.3 * wave / np.abs(wave).max(), dtype=np.float32)


def _hush(seconds: float, rng: np.random.Generator) -> NDArray[np.float32]:
    return np.asarray(rng.normal(size=round(seconds * SAMPLE_RATE)) * 3e-4, dtype=np.float32)


def pitch_rows() -> list[Row]:
    """Pitch of sweeps, vibrato and jitter."""
    rng = np.random.default_rng(SEED)
    slow = np.repeat(rng.normal(size=300), len(SECONDS) // 300)
    truths = {
        "steady, 80 Hz": np.full(len(SECONDS), 80.0),
        "steady, 350 Hz": np.full(len(SECONDS), 350.0),
        "sweep, 100–300 Hz": 100 * 3.0 ** (SECONDS / 3),
        "vibrato of a semitone at 5.5 Hz": 180 * 2 ** (np.sin(2 * np.pi * 5.5 * SECONDS) / 12),
        "jitter of 1 %": 120 * (1 + 0.01 * slow),
    }
    rows: list[Row] = []
    for name, truth in truths.items():
        pitch = track_pitch(Audio(_voice(truth)))
        own = truth[np.round(pitch.t_s * SAMPLE_RATE).astype(int)]
        error = (np.abs(pitch.f0_hz - own) / own)[pitch.voiced]
        middle, gross = float(np.median(error)), float(np.mean(error > 0.2))
        told = f"{100 * middle:.2f} %, {100 * gross:.2f} %, {100 * np.mean(~pitch.voiced):.1f} %"
        kept = middle <= MAX_F0_ERROR and gross <= MAX_GROSS
        figure = "F0 median error, gross errors, frames missed"
        rows.append((name, figure, told, verdict(kept)))
    return rows


def pause_rows() -> list[Row]:
    """Voice with pauses of 250–1200 ms, and the farthest boundary from where it was put."""
    rng = np.random.default_rng(SEED)
    errors, missed, invented = [], 0, 0
    for _ in range(30):
        parts, known, at = [_hush(0.3, rng)], [], 0.3
        for turn in range(5):
            voiced, silent = 0.4 + 0.6 * rng.random(), 0.3 + 0.9 * rng.random()
            parts.append(_voice(np.full(round(voiced * SAMPLE_RATE), 100 + 150 * rng.random())))
            at += len(parts[-1]) / SAMPLE_RATE
            parts.append(_hush(silent, rng))
            if turn < 4:
                known.append((at, at + len(parts[-1]) / SAMPLE_RATE))
            at += len(parts[-1]) / SAMPLE_RATE
        found = find_pauses(track_intensity(Audio(np.concatenate(parts)))).spans
        missed += max(0, len(known) - len(found))
        invented += max(0, len(found) - len(known))
        if len(found) == len(known):
            errors += np.abs(np.array(found) - np.array(known)).ravel().tolist()
    told = f"{1000 * np.median(errors):.0f} ms, {1000 * max(errors):.0f} ms, {missed}, {invented}"
    figure = "boundary error median and largest, missed, invented"
    kept = max(errors) <= MAX_EDGE_S and not missed and not invented
    return [("voice with 120 pauses", figure, told, verdict(kept))]


def syllable_rows() -> list[Row]:
    """Syllable trains."""
    rng = np.random.default_rng(SEED)
    rows: list[Row] = []
    for rate in (2.5, 4.0, 6.0):
        t = np.arange(round(30 / rate * SAMPLE_RATE)) / SAMPLE_RATE
        level = 10 ** (-12 * (1 + np.cos(2 * np.pi * rate * t)) / 40)
        train = _voice(np.full(len(t), 140.0)) * level.astype(np.float32)
        audio = Audio(np.concatenate([_hush(0.3, rng), train, _hush(0.3, rng)]))
        nuclei = syllable_nuclei(audio, track_pitch(audio), track_intensity(audio))
        found = 1 / float(np.median(np.diff(nuclei)))
        rows.append(
            (
                f"train of 30 syllables, {rate:g} per second",
                "counted; error of the rate",
                f"{len(nuclei)}; {100 * abs(found - rate) / rate:.1f} %",
                verdict(abs(found - rate) <= MAX_RATE_ERROR * rate),
            )
        )
    return rows
