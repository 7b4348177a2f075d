"""What a native's take is checked for at once, before it may go into an index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nativeear.scoring.assessment import Assessment
from nativeear.speech.audio import Audio
from nativeear.speech.prosody.intensity import signal_to_noise_db, track_intensity
from nativeear.speech.sound_checks import CLIPPED_WARNING_SHARE, FULL_SCALE

LEAST_LEVEL_DB = -45.0
"""Speech that is softer, in dB below full scale, is read again nearer to the microphone."""

LEAST_SNR_DB = 15.0
"""Speech that stands less above its noise is read again where it is quieter."""

Fault = Literal["soft", "clipped", "noisy", "other-text", "omitted", "repeated", "restart", "extra"]


@dataclass(frozen=True)
class Check:
    """What was found of a take.

    Attributes
    ----------
    faults
        Why it is not kept, and the word that `omitted`, `repeated`, `restart` or `extra` is about
        (empty before the first word, and of what is about all); of a good take there are none.
    level_db
        Mean power of the words, dB of full scale; None where nothing was read.
    snr_db
        How far they stand above the noise, dB; None where there is too little silence to tell.
    clipped
        Share of the samples at full scale.
    """

    faults: tuple[tuple[Fault, str], ...]
    level_db: float | None
    snr_db: float | None
    clipped: float


def check_take(audio: Audio, result: Assessment) -> Check:
    """Tell whether a take is good enough to compare learners with.

    Parameters
    ----------
    audio
        The take.
    result
        Its assessment against the line that was to be read: where words lie, and how it was read.
    """
    faults: list[tuple[Fault, str]] = []
    clipped = float(np.mean(np.abs(audio.samples) >= FULL_SCALE))
    if clipped >= CLIPPED_WARNING_SHARE:
        faults.append(("clipped", ""))
    if result.reading is None or not result.reading.matches:
        return Check((*faults, ("other-text", "")), None, None, clipped)
    spans = [
        (word.start_s, word.end_s)
        for word in result.words
        if word.start_s is not None and word.end_s is not None
    ]
    level_db, snr_db = _level_db(audio, spans), _snr_db(audio, spans)
    if level_db is None or level_db < LEAST_LEVEL_DB:
        faults.append(("soft", ""))
    if snr_db is not None and snr_db < LEAST_SNR_DB:
        faults.append(("noisy", ""))
    for event in result.reading.events:
        word = result.words[event.word_index].word if event.word_index >= 0 else ""
        faults.append((event.kind, word))
    return Check(tuple(faults), level_db, snr_db, clipped)


def _level_db(audio: Audio, spans: list[tuple[float, float]]) -> float | None:
    parts = [audio.slice(*span).samples for span in spans if span[0] < span[1]]
    if not parts:
        return None
    power = float(np.mean(np.concatenate(parts).astype(np.float64) ** 2))
    return round(float(10 * np.log10(max(power, 1e-12))), 1)


def _snr_db(audio: Audio, spans: list[tuple[float, float]]) -> float | None:
    edges = [0.0, *(edge for span in spans for edge in span), audio.duration_s]
    silences = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
    found = signal_to_noise_db(track_intensity(audio), spans, silences)
    return None if found is None else round(found, 1)
