"""Syllable nuclei without a text: intensity peaks that are voiced and stand out of their dips.

After de Jong and Wempe, Behavior Research Methods 41 (2009).
"""

from __future__ import annotations

import numpy as np

from nativeear.speech.audio import Audio
from nativeear.speech.prosody.intensity import Intensity
from nativeear.speech.prosody.pitch import Pitch
from nativeear.speech.prosody.praat import FloatArray, praat_sound

MIN_DIP_DB = 2.0
SMOOTH_HZ = 50.0
"""Praat smooths over 3.2 periods of this, 64 ms: wide enough that pulses make no peaks."""
STEP_S = 0.01


def syllable_nuclei(audio: Audio, pitch: Pitch, intensity: Intensity) -> FloatArray:
    """Times of the syllable nuclei in seconds, float64 `[S]`: each is voiced and not quiet."""
    if audio.duration_s < 6.4 / SMOOTH_HZ + 2 * STEP_S or pitch.voiced_frames == 0:
        return np.zeros(0)
    sound = praat_sound(audio)
    smooth = sound.to_intensity(minimum_pitch=SMOOTH_HZ, time_step=STEP_S)
    t_s, db = smooth.xs(), smooth.values[0]
    peaks = np.flatnonzero((db[1:-1] > db[:-2]) & (db[1:-1] >= db[2:])) + 1
    peaks = peaks[db[peaks] >= intensity.quiet_db]
    nuclei: list[int] = []
    for peak in peaks:
        if not nuclei:
            nuclei.append(int(peak))
            continue
        dip = db[nuclei[-1] : peak].min()
        if min(db[peak], db[nuclei[-1]]) - dip >= MIN_DIP_DB:
            nuclei.append(int(peak))
        elif db[peak] > db[nuclei[-1]]:
            nuclei[-1] = int(peak)  # the higher of two peaks of one nucleus
    times: FloatArray = t_s[nuclei]
    nearest = np.clip(np.searchsorted(pitch.t_s, times), 0, len(pitch.t_s) - 1)
    return times[pitch.voiced[nearest]]
