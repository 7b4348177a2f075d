"""What is refused, warned of or put right in the sound of a recording."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.errors import AudioError

SAMPLE_RATE = 16_000
"""Samples per second of every loaded recording."""

MIN_DURATION_S = 0.1
MAX_CHANNELS = 8

SILENCE_PEAK = 1e-3
"""-60 dBFS. Speech that peaks at -50 dBFS passes; dither of 16-bit sound (-90 dBFS) does not."""

MAX_PEAK = 2.0**32
"""Floats up to here may be integers that nobody scaled; beyond, they are no samples."""

FULL_SCALE = 0.975
"""Samples from here up count as clipped: mu-law, the coarsest code, ends at 0.980."""

CLIPPED_WARNING_SHARE = 0.01  # speech normalised to full scale has about 0.001
CLIPPED_REFUSAL_SHARE = 1 / 3  # speech driven 20 dB into clipping has about 0.25

RESAVE = "Record it again, or save it again as 16-bit WAV or FLAC."

Samples = NDArray[np.float32]


def check_limit(limit_s: float) -> None:
    """Refuse what is no limit of a recording's length."""
    if not (math.isfinite(limit_s) and limit_s > 0):
        raise AudioError("The length limit is a positive number of seconds.", cause=f"{limit_s=}")


def check_length(duration_s: float, name: str, limit_s: float) -> None:
    """Refuse a recording that is longer than its limit."""
    if duration_s > limit_s:
        raise AudioError(
            f"{name} is longer than the limit of {limit_s:g} s.",
            cause=f"It has at least {duration_s:.1f} s.",
            fix="Cut it into shorter recordings, or set a higher limit.",
        )


def check_format(rate: int, channels: int, name: str) -> None:
    """Refuse too many channels, and a rate that is none of speech."""
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(
            f"{name} has {channels} channels; at most {MAX_CHANNELS} are accepted.",
            fix="Keep the channel of the speaker. An array has the shape [samples, channels].",
        )
    if not 4_000 <= rate <= 768_000:
        raise AudioError(
            f"{name} is sampled at {rate} Hz, at which no speech is recorded.",
            fix="Record at 16000 Hz or more.",
        )


def checked_level(block: Samples, name: str) -> tuple[float, int]:
    """The highest level of a block, and how many samples are clipped; refuses what is no sound."""
    level = np.abs(block)
    highest = float(level.max(initial=0))
    if not highest <= MAX_PEAK:  # also true of NaN
        raise AudioError(
            f"{name} holds samples that are NaN, infinite or far out of range.",
            cause=f"A sample of {highest:g} was found.",
            fix=RESAVE,
        )
    return highest, int((level >= FULL_SCALE).sum())


def checked_completeness(
    duration_s: float, promised_s: float, complaint: str, name: str
) -> tuple[str, ...]:
    """Warn of missing data; refuse where more than half is gone."""
    # A codec's padding and an estimated MP3 length are off by a few frames.
    if promised_s - duration_s > max(0.1, 0.02 * promised_s):
        missing = f"{duration_s:.2f} s of {promised_s:.2f} s are there"
        if duration_s < promised_s / 2:
            raise AudioError(f"{name} is cut off.", cause=f"Only {missing}.", fix=RESAVE)
        return (f"The file is cut off: {missing}.",)
    if complaint:
        return (f"The file is damaged; what could be decoded was used ({complaint}).",)
    return ()


def checked_speech(
    channels: Samples, peak: float, clipped: float, duration_s: float, name: str
) -> tuple[Samples, list[str]]:
    """Refuse what is no speech; scale, mix down and remove an offset, with a warning of each.

    Parameters
    ----------
    channels
        float32 `[S, C]` at 16 kHz; may be written over.
    peak, clipped
        The highest level, and the share of clipped samples, before resampling.
    """
    if len(channels) == 0:
        raise AudioError(f"{name} holds no sound.", cause="It has 0 samples.", fix=RESAVE)
    if duration_s < MIN_DURATION_S:
        raise AudioError(
            f"{name} is {duration_s:.3f} s long; at least {MIN_DURATION_S} s are needed.",
            fix="Record the whole utterance.",
        )
    warnings = []
    if peak > 2:
        channels /= np.float32(peak)
        warnings.append(f"The samples went up to {peak:.3g} and were scaled to 1.")
        clipped = 0.0  # beyond full scale there is nothing to clip at
    samples, mixing = _mixed(channels)
    warnings += mixing
    offset = float(samples.mean(dtype=np.float64))
    _check_audible(samples, offset, name)
    if clipped >= CLIPPED_REFUSAL_SHARE:
        raise AudioError(
            f"{name} is clipped to noise.",
            cause=f"{clipped:.0%} of its samples are at full scale.",
            fix="Lower the recording level, or move away from the microphone, and record again.",
        )
    if clipped >= CLIPPED_WARNING_SHARE:
        warnings.append(f"{clipped:.0%} of the samples are clipped; lower the recording level.")
    if abs(offset) > 0.01:
        samples -= np.float32(offset)
        warnings.append(f"A constant offset of {offset:+.0%} of full scale was removed.")
    return samples, warnings


def _mixed(channels: Samples) -> tuple[Samples, list[str]]:
    """Mix `[S, C]` down to `[S]`, leaving out dead channels and those that would cancel."""
    count = channels.shape[1]
    if count == 1:
        return channels[:, 0], []
    rms = np.array([_rms(channel) for channel in channels.T])
    live = np.flatnonzero(rms >= 0.1 * rms.max())
    mix = channels[:, live].mean(axis=1, dtype=np.float32)
    if _rms(mix) < 0.25 * rms.max():
        loudest = int(rms.argmax())
        return channels[:, loudest].copy(), [
            f"The {count} channels cancel each other out; channel {loudest + 1} alone was taken."
        ]
    left_out = f"; {count - len(live)} of them nearly silent, left out" if len(live) < count else ""
    return mix, [f"{count} channels were mixed down to one{left_out}."]


def _rms(samples: Samples) -> float:
    return math.sqrt(float(np.square(samples).mean(dtype=np.float64)))


def _check_audible(samples: Samples, offset: float, name: str) -> None:
    """Refuse silence and constants: less than 50 ms swing beyond `SILENCE_PEAK`.

    The swing within 10 ms is blind to an offset, and 50 ms are more than a click has, or than a
    resampler makes of the edges of a constant.
    """
    window = SAMPLE_RATE // 100
    windows = samples[: len(samples) // window * window].reshape(-1, window)
    swing = np.ptp(windows, axis=1) / 2
    if int((swing >= SILENCE_PEAK).sum()) >= 5:
        return
    if abs(offset) >= SILENCE_PEAK:
        raise AudioError(
            f"{name} holds a constant signal, no sound.",
            cause=f"All samples are about {offset:.3f}.",
            fix="Check the microphone and its cable.",
        )
    raise AudioError(
        f"{name} is silent.",
        cause="It hardly ever rises above -60 dBFS.",
        fix="Check that the microphone is on and is the one selected, and record again.",
    )
