"""Intensity by Praat, what of it is quiet, and how far speech stands above the noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nativeear.speech.audio import Audio
from nativeear.speech.prosody.praat import FloatArray, praat_sound

HOP_S = 0.005
SHARPEST_HZ = 200.0
"""Praat smooths over 3.2 periods of this: 16 ms, short enough to place the end of a word."""

QUIET_DB = 25.0
"""This far below the loud frames begins silence (de Jong and Wempe 2009)."""
ABOVE_NOISE_DB = 6.0
"""But where the noise is louder than that, silence reaches this far above it."""
MIN_NOISE_S = 0.1


@dataclass(frozen=True, eq=False)
class Intensity:
    """Intensity of T frames.

    Attributes
    ----------
    t_s
        float64 `[T]`, centres of the frames in seconds.
    db
        float64 `[T]`, dB; only differences mean anything.
    """

    t_s: FloatArray
    db: FloatArray

    def within(self, start_s: float, end_s: float) -> FloatArray:
        """The values whose frames lie in `[start_s, end_s)`; the nearest one if none does."""
        first, past_last = np.searchsorted(self.t_s, [start_s, end_s])
        if first < past_last:
            return self.db[first:past_last]
        nearest = min(int(first), len(self.db) - 1)
        return self.db[nearest : nearest + 1]

    def at(self, t_s: FloatArray) -> FloatArray:
        """Interpolated at other times, float64, same shape; NaN where nothing was measured."""
        if len(self.t_s) == 0:
            return np.full(t_s.shape, np.nan)
        values: FloatArray = np.interp(t_s, self.t_s, self.db)
        return values

    @property
    def quiet_db(self) -> float:
        """Below this, a frame is quiet; -inf where loud and quiet cannot be told apart."""
        if len(self.db) == 0:
            return float("-inf")
        noise, loud = np.quantile(self.db, [0.02, 0.95])
        threshold = max(float(loud) - QUIET_DB, float(noise) + ABOVE_NOISE_DB)
        return threshold if threshold < loud - ABOVE_NOISE_DB else float("-inf")


def track_intensity(audio: Audio) -> Intensity:
    """Track the intensity of a recording; too short a recording has no frames."""
    if audio.duration_s < 6.4 / SHARPEST_HZ + 2 * HOP_S:
        return Intensity(np.zeros(0), np.zeros(0))
    sound = praat_sound(audio)
    found = sound.to_intensity(minimum_pitch=SHARPEST_HZ, time_step=HOP_S)
    return Intensity(found.xs(), found.values[0])


def signal_to_noise_db(
    intensity: Intensity,
    speech: Sequence[tuple[float, float]],
    silences: Sequence[tuple[float, float]],
) -> float | None:
    """Mean power of speech over the power of the noise in its silences, in dB; spans in seconds.

    None where the silences are shorter than 0.1 s together: then the noise is not known.
    """
    inside = [_inside(intensity, span) for span in silences]
    noise = np.concatenate([np.zeros(0), *inside])
    voices = [intensity.within(*span) for span in speech]
    if len(noise) * HOP_S < MIN_NOISE_S or not voices:
        return None
    # The median: a breath or a cough in a silence is no noise floor.
    power = np.mean(10 ** (np.concatenate(voices) / 10))
    return float(10 * np.log10(power) - np.median(noise))


def _inside(intensity: Intensity, span: tuple[float, float], edge_s: float = 0.03) -> FloatArray:
    """What is heard in a silence, away from its edges, which aligners place loosely."""
    first, past_last = np.searchsorted(intensity.t_s, [span[0] + edge_s, span[1] - edge_s])
    return intensity.db[first:past_last]
