"""What an aligner takes from frames: where they lie in time, and where somebody speaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.audio import Audio
from nativeear.speech.frames import Frames

ENERGY_WINDOW_S = 0.025
SPEECH_SHARE = 0.35
"""Place between an utterance's quiet and loud frames, in decibels, above which it is speech."""

QUIET, LOUD = 5, 95
"""Percentiles that stand for quiet and loud frames."""


def frame_edges_s(frames: Frames, duration_s: float) -> NDArray[np.float64]:
    """Where every frame begins and the last one ends, float64 `[T + 1]`, within the recording.

    A frame reaches half a hop to either side of its centre; the first and the last reach to the
    ends of the recording.
    """
    inner = frames.offset_s + frames.hop_s * (np.arange(1, len(frames)) - 0.5)
    edges = np.concatenate([[0.0], inner, [duration_s]])
    return np.asarray(np.clip(edges, 0.0, duration_s))


def speech_frames(audio: Audio, frames: Frames, share: float = SPEECH_SHARE) -> NDArray[np.bool_]:
    """Which frames are loud enough to be speech, bool `[T]`; never none of them.

    `share` is the place between quiet and loud frames from which on they are.
    """
    energy = np.concatenate([[0.0], np.cumsum(audio.samples.astype(np.float64) ** 2)])
    half = round(ENERGY_WINDOW_S * audio.sample_rate / 2)
    centres = np.rint(frames.times_s * audio.sample_rate).astype(np.int64)
    first = np.clip(centres - half, 0, len(audio.samples) - 1)
    past = np.clip(centres + half, first + 1, len(audio.samples))
    decibels = 10 * np.log10((energy[past] - energy[first]) / (past - first) + 1e-12)
    quiet, loud = np.percentile(decibels, [QUIET, LOUD])
    return np.asarray(decibels >= quiet + share * (loud - quiet))
