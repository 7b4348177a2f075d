"""Recordings with another stress, rate, pitch or ending, by Praat's overlap-add resynthesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nativeear.speech.alignment import Alignment
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.prosody.pitch import track_pitch

STEP_S = 1e-4
RISE_S = 0.3
"""The end that is made to rise, or to fall."""


@dataclass(frozen=True, eq=False)
class Prompt:
    """A native prompt, aligned."""

    id: str
    text: str
    audio: Audio
    alignment: Alignment


class Resynthesis:
    """Praat's manipulation of one recording: change its tiers, then listen."""

    def __init__(self, audio: Audio) -> None:
        import parselmouth
        from parselmouth.praat import call

        self._call: Any = call
        self._manipulation = call(_sound(parselmouth, audio), "To Manipulation", 0.01, 75, 500)
        self._tier = call(self._manipulation, "Extract pitch tier")
        self._durations = call("Create DurationTier", "changed", 0, audio.duration_s)
        self._duration_s = audio.duration_s

    def set_pitch(self, span_s: tuple[float, float], points: Sequence[tuple[float, float]]) -> None:
        """Draw the pitch of a span through points of time and Hz."""
        self._call(self._tier, "Remove points between", *span_s)
        for time_s, hz in points:
            self._call(self._tier, "Add point", time_s, hz)

    def multiply_pitch(self, factor: float) -> None:
        """Shift the whole melody."""
        self._call(self._tier, "Multiply frequencies", 0, self._duration_s, factor)

    def set_length(self, span_s: tuple[float, float], factor: float) -> None:
        """Make a span longer or shorter."""
        start_s, end_s = span_s
        for time_s, own in (
            (start_s - STEP_S, 1.0),
            (start_s, factor),
            (end_s, factor),
            (end_s + STEP_S, 1.0),
        ):
            self._call(self._durations, "Add point", time_s, own)

    def heard(self) -> Audio:
        """The changed recording."""
        self._call([self._tier, self._manipulation], "Replace pitch tier")
        self._call([self._durations, self._manipulation], "Replace duration tier")
        sound = self._call(self._manipulation, "Get resynthesis (overlap-add)")
        return Audio(np.ascontiguousarray(sound.values[0], dtype=np.float32))


def at_rate(audio: Audio, factor: float) -> Audio:
    """Spoken `factor` times as fast."""
    changed = Resynthesis(audio)
    changed.set_length((2 * STEP_S, audio.duration_s - 2 * STEP_S), 1 / factor)
    return changed.heard()


def at_pitch(audio: Audio, semitones: float) -> Audio:
    """Spoken higher or lower."""
    changed = Resynthesis(audio)
    changed.multiply_pitch(2 ** (semitones / 12))
    return changed.heard()


def with_ending(prompt: Prompt, semitones: float) -> Audio | None:
    """The last 300 ms of voice moved from the median by so many semitones; None without voice."""
    pitch = track_pitch(prompt.audio)
    voiced = np.flatnonzero(pitch.voiced)
    if len(voiced) == 0:
        return None
    end_s = float(pitch.t_s[voiced[-1]]) + 0.01
    start_s = max(0.0, end_s - RISE_S)
    hz = pitch.median_hz
    changed = Resynthesis(prompt.audio)
    changed.set_pitch(
        (start_s, prompt.audio.duration_s), [(start_s, hz), (end_s, hz * 2 ** (semitones / 12))]
    )
    return changed.heard()


def with_moved_stress(prompt: Prompt, number: int, inventory: PhoneInventory) -> Prompt:
    """The prompt with the other syllable of a word of two stressed.

    That vowel gets 1.6 times the length of the stressed one, 6 dB more, and 3 semitones above the
    median; the stressed one 0.7 times the other's length, 6 dB less, and a semitone below it. The
    quality of the vowels stays as it was.
    """
    phones = list(prompt.alignment.phones)
    own = [i for i, p in enumerate(phones) if p.word_index == number]
    vowels = [i for i in own if inventory.is_syllabic(phones[i].phone)]
    stressed = next(i for i in vowels if phones[i].stress == 1)
    other = next(i for i in vowels if i != stressed)
    samples = prompt.audio.samples.copy()
    for i, gain_db in ((stressed, -6.0), (other, 6.0)):
        a, b = (round(t * SAMPLE_RATE) for t in (phones[i].start_s, phones[i].end_s))
        samples[a:b] *= 10 ** (gain_db / 20)
    lengths = {
        stressed: max(0.04, 0.7 * phones[other].duration_s) / phones[stressed].duration_s,
        other: 1.6 * phones[stressed].duration_s / phones[other].duration_s,
    }
    changed = Resynthesis(Audio(samples))
    hz = track_pitch(prompt.audio).median_hz
    changed.set_pitch(
        (phones[own[0]].start_s, phones[own[-1]].end_s),
        sorted(
            ((phones[i].start_s + phones[i].end_s) / 2, hz * 2 ** (semitones / 12))
            for i, semitones in ((stressed, -1.0), (other, 3.0))
        ),
    )
    for i, factor in lengths.items():
        changed.set_length((phones[i].start_s, phones[i].end_s), factor)
    at_s, shifted = 0.0, []
    for i, phone in enumerate(phones):
        length_s = phone.duration_s * lengths.get(i, 1.0)
        shifted.append(replace(phone, start_s=at_s, end_s=at_s + length_s))
        at_s += length_s
    alignment = replace(prompt.alignment, phones=tuple(shifted))
    return replace(prompt, audio=changed.heard(), alignment=alignment)


def _sound(parselmouth: Any, audio: Audio) -> Any:
    return parselmouth.Sound(audio.samples.astype(np.float64), audio.sample_rate)
