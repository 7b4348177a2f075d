"""Recordings as Praat takes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.audio import Audio

FloatArray = NDArray[np.float64]


def praat_sound(audio: Audio) -> Any:
    """The `parselmouth.Sound` of a recording."""
    import parselmouth  # here: it takes a while, and few commands need it

    return parselmouth.Sound(audio.samples.astype(np.float64), audio.sample_rate)
