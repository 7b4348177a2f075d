"""Signals whose pitch, pauses and syllables are known because they were put there."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.alignment import SILENCE, AlignedPhone, Alignment
from nativeear.speech.audio import SAMPLE_RATE


def sung(f0_hz: NDArray[np.float64], level: float = 0.3) -> NDArray[np.float32]:
    """A voice with the F0 of every sample, harmonics falling by 6 dB an octave up to 4 kHz."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / SAMPLE_RATE
    wave = np.zeros(len(f0_hz))
    for harmonic in range(1, 31):
        wave += np.where(harmonic * f0_hz < 4000, np.sin(harmonic * phase) / harmonic, 0.0)
    return (level * wave / np.abs(wave).max()).astype(np.float32)


def hush(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """Faint noise, 70 dB below full scale."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=round(seconds * SAMPLE_RATE)) * 3e-4).astype(np.float32)


def syllable_train(
    count: int, rate: float, hz: float = 140.0, dip_db: float = 12.0
) -> NDArray[np.float32]:
    """Syllables at a steady rate per second: a voice whose level dips between them."""
    t = np.arange(round(count / rate * SAMPLE_RATE)) / SAMPLE_RATE
    level_db = -dip_db * (1 + np.cos(2 * np.pi * rate * t)) / 2
    return sung(np.full(len(t), hz)) * (10 ** (level_db / 20)).astype(np.float32)


def laid(spans: Sequence[tuple[str, float, int, int | None]]) -> Alignment:
    """An alignment of `(phone, seconds, word, stress)`; word -1 is a silence."""
    at, phones = 0.0, []
    for phone, seconds, word, stress in spans:
        symbol = SILENCE if word < 0 else phone
        phones.append(AlignedPhone(symbol, at, at + seconds, word, 1.0, stress))
        at += seconds
    words = 1 + max(word for _, _, word, _ in spans)
    return Alignment(tuple(phones), tuple(f"w{i}" for i in range(words)))
