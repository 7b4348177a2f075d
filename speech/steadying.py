"""A recording as it is heard: the same however loud it is and whatever silence lies around it.

Encoders know where in a recording a frame lies, hear it in steps of 20 ms, and hear how loud it
is. None of that is the speaker's doing. So a recording is cut to a margin around the sound in it,
or filled up to that margin with silence, and brought to one level. The cut is made at the sample
where the sound begins: what was recorded 5 ms later is cut 5 ms later, and every step falls where
it fell before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from nativeear.speech.audio import Audio

WINDOW_S = 0.05
"""Over which power is averaged: a click is shorter, the nucleus of a syllable is not."""

SOUND_DB = -35.0
"""Power beside the loudest, above which there is sound. Breath and rooms mostly lie below."""

MARGIN_S = 0.3
"""What is heard before the first sound and behind the last: fricatives and releases are quieter."""

LOUDEST_DB = -12.0
"""Power of the loudest window beside full scale. Natives of the shipped index have −10.5 on the
median, learners of speechocean762 −16."""


@dataclass(frozen=True, eq=False)
class Steadied:
    """What is heard of a recording, and where in it that begins, in seconds; below 0 if filled."""

    audio: Audio
    start_s: float


_HEARD: WeakKeyDictionary[Audio, Steadied] = WeakKeyDictionary()


def steadied(audio: Audio) -> Steadied:
    """Cut a recording to the sound in it, and bring it to one level; silence stays as it is.

    The same recording gives the same object for as long as it lives, so that what was encoded of it
    is found again.
    """
    found = _HEARD.get(audio)
    return _HEARD.setdefault(audio, _steadied(audio)) if found is None else found


def _steadied(audio: Audio) -> Steadied:
    samples, rate = audio.samples, audio.sample_rate
    window, margin = round(WINDOW_S * rate), round(MARGIN_S * rate)
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    # of windows that end at each sample, and past the last; beyond the ends lies silence
    sums = np.concatenate([energy[1:], np.full(window - 1, energy[-1])])
    sums[window:] -= energy[1 : len(samples)]
    loudest = float(sums.max()) / window
    if loudest == 0.0:
        return Steadied(replace(audio), 0.0)
    sound = np.flatnonzero(sums >= loudest * window * 10 ** (SOUND_DB / 10))
    # the centres of the first and the last window with sound
    first = int(sound[0]) - window // 2 - margin
    past = int(sound[-1]) - window // 2 + margin
    heard = np.pad(samples[max(first, 0) : past], (max(-first, 0), max(past - len(samples), 0)))
    heard = heard * np.float32(np.sqrt(10 ** (LOUDEST_DB / 10) / loudest))
    return Steadied(replace(audio, samples=heard), first / rate)
