"""What can happen to a recording that is not the speaker's doing."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from nativeear.speech.audio import SAMPLE_RATE, Audio

Samples = NDArray[np.float32]

PITCH_HZ = (60.0, 600.0)
TELEPHONE_HZ = (300.0, 3400.0)
MP3_LEVEL = 0.6
"""libsndfile's `compression_level` for about 64 kbit/s of 16 kHz mono at a constant rate."""


def stretched(audio: Audio, rate: float) -> Audio:
    """The same speech `rate` times as fast at the same pitch (Praat's overlap-add)."""
    import parselmouth
    from parselmouth.praat import call

    sound = parselmouth.Sound(audio.samples.astype(np.float64), SAMPLE_RATE)
    changed = call(sound, "Lengthen (overlap-add)", *PITCH_HZ, 1.0 / rate)
    return Audio.from_samples(changed.values[0].astype(np.float32), SAMPLE_RATE)


def telephone(audio: Audio) -> Audio:
    """Through a telephone: 300–3400 Hz."""
    spectrum = np.fft.rfft(audio.samples)
    hertz = np.fft.rfftfreq(len(audio.samples), 1 / SAMPLE_RATE)
    spectrum[(hertz < TELEPHONE_HZ[0]) | (hertz > TELEPHONE_HZ[1])] = 0
    samples = np.fft.irfft(spectrum, len(audio.samples)).astype(np.float32)
    return Audio.from_samples(samples, SAMPLE_RATE)


def mp3(audio: Audio) -> Audio:
    """Compressed to an MP3 of about 64 kbit/s and back."""
    stream = io.BytesIO()
    soundfile.write(
        stream,
        audio.samples,
        SAMPLE_RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=MP3_LEVEL,
    )
    return Audio.load(stream.getvalue())


def noisy(audio: Audio, decibels: float, rng: np.random.Generator) -> Audio:
    """With white noise at this ratio of speech to noise."""
    noise = rng.normal(size=len(audio.samples)).astype(np.float32)
    return _mixed(audio, noise, decibels)


def babble(audio: Audio, others: Sequence[Audio], decibels: float) -> Audio:
    """With several people talking behind, at this ratio of speech to babble."""
    n = len(audio.samples)
    voices = [np.resize(other.samples / (_level(other.samples) + 1e-9), n) for other in others]
    return _mixed(audio, np.sum(voices, axis=0).astype(np.float32), decibels)


def faint_noise(audio: Audio, rng: np.random.Generator) -> Audio:
    """As long, but only the hiss of a microphone."""
    samples = 1e-3 * rng.normal(size=len(audio.samples)).astype(np.float32)
    return Audio.from_samples(samples, SAMPLE_RATE)


def loud_noise(audio: Audio, rng: np.random.Generator) -> Audio:
    """As long and as loud, but only noise."""
    samples = _level(audio.samples) * rng.normal(size=len(audio.samples)).astype(np.float32)
    return Audio.from_samples(samples, SAMPLE_RATE)


def resampled(audio: Audio, factor: float) -> Audio:
    """As if the vocal tract were `factor` times as long: played slower, pitch and all."""
    samples = soxr.resample(audio.samples, SAMPLE_RATE, SAMPLE_RATE * factor)
    return Audio.from_samples(samples.astype(np.float32), SAMPLE_RATE)


def _mixed(audio: Audio, noise: Samples, decibels: float) -> Audio:
    scale = _level(audio.samples) / (_level(noise) + 1e-9) * 10 ** (-decibels / 20)
    samples = (audio.samples + scale * noise).astype(np.float32)
    return Audio.from_samples(samples / max(1.0, float(np.abs(samples).max())), SAMPLE_RATE)


def _level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
