"""Fundamental frequency by Praat's autocorrelation, with limits from the speaker's own voice.

A first pass with wide limits finds the quartiles of the voice; a second one searches from 0.6
times the lower to 1.9 times the upper quartile (after De Looze and Hirst, Interspeech 2008), so
that neither half nor double the frequency, nor creak far below the voice, is within reach. What
still stands off its surroundings by an octave jump, and voicing too short to be a glottal tone,
is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.audio import Audio
from nativeear.speech.prosody.praat import FloatArray, praat_sound

HOP_S = 0.01
WIDEST_HZ = (60.0, 700.0)
LOWER_QUARTILE_FACTOR = 0.6
UPPER_QUARTILE_FACTOR = 1.9
JUMP_SEMITONES = 9.0
"""Farther than this from the median of the voiced frames around it, a frame is an octave error."""
JUMP_WINDOW_S = 0.25
SHORTEST_VOICING_FRAMES = 3


@dataclass(frozen=True, eq=False)
class Pitch:
    """F0 of T frames.

    Attributes
    ----------
    t_s
        float64 `[T]`, centres of the frames in seconds.
    f0_hz
        float64 `[T]`, NaN where unvoiced.
    """

    t_s: FloatArray
    f0_hz: FloatArray

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Which frames are voiced, bool `[T]`."""
        return ~np.isnan(self.f0_hz)

    @property
    def voiced_frames(self) -> int:
        """How many frames are voiced."""
        return int(self.voiced.sum())

    @property
    def median_hz(self) -> float:
        """Median F0, NaN where nothing is voiced."""
        return float(np.nanmedian(self.f0_hz)) if self.voiced_frames else float("nan")

    def semitones(self) -> FloatArray:
        """F0 in semitones above the median, float64 `[T]`, NaN where unvoiced."""
        semitones: FloatArray = 12 * np.log2(self.f0_hz / self.median_hz)
        return semitones

    def within(self, start_s: float, end_s: float) -> slice:
        """The frames whose centres lie in `[start_s, end_s)`."""
        first, past_last = np.searchsorted(self.t_s, [start_s, end_s])
        return slice(int(first), int(past_last))


def track_pitch(audio: Audio) -> Pitch:
    """Track the F0 of a recording in two passes; too short a recording has no frames."""
    first = _search(audio, *WIDEST_HZ)
    heard = first.f0_hz[first.voiced]
    if len(heard) == 0:
        return first
    lower, upper = np.quantile(heard, [0.25, 0.75])
    floor = max(WIDEST_HZ[0], LOWER_QUARTILE_FACTOR * float(lower))
    ceiling = min(WIDEST_HZ[1], UPPER_QUARTILE_FACTOR * float(upper))
    second = _search(audio, floor, ceiling)
    return Pitch(second.t_s, without_jumps(second.f0_hz))


def without_jumps(f0_hz: FloatArray) -> FloatArray:
    """A track `[T]` without octave jumps and without voicing of a frame or two."""
    kept: FloatArray = f0_hz.copy()
    if not len(kept):
        return kept
    reach = round(JUMP_WINDOW_S / HOP_S)
    semitones = np.pad(12 * np.log2(f0_hz), reach, constant_values=np.nan)
    around = np.sort(np.lib.stride_tricks.sliding_window_view(semitones, 2 * reach + 1), axis=1)
    known = np.count_nonzero(~np.isnan(around), axis=1)  # NaN come last
    frames = np.arange(len(kept))
    middle = [around[frames, np.maximum(at, 0)] for at in ((known - 1) // 2, known // 2)]
    with np.errstate(invalid="ignore"):
        off = np.abs(semitones[reach : reach + len(kept)] - np.mean(middle, axis=0))
    kept[off > JUMP_SEMITONES] = np.nan
    for start, stop in runs(~np.isnan(kept)):
        if stop - start < SHORTEST_VOICING_FRAMES:
            kept[start:stop] = np.nan
    return kept


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open ranges in which `flags` `[T]` are true, in order."""
    padded = np.concatenate([[False], flags, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(padded))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _search(audio: Audio, floor_hz: float, ceiling_hz: float) -> Pitch:
    if audio.duration_s < 3 / floor_hz + 2 * HOP_S:  # Praat's window holds three periods
        return Pitch(np.zeros(0), np.zeros(0))
    sound = praat_sound(audio)
    found = sound.to_pitch_ac(time_step=HOP_S, pitch_floor=floor_hz, pitch_ceiling=ceiling_hz)
    f0_hz = found.selected_array["frequency"]
    return Pitch(found.xs(), np.where(f0_hz > 0, f0_hz, np.nan))
