"""Acoustic correlates of stress, per syllable of the words that have several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from speech.alignment import AlignedPhone, Alignment
from speech.inventory import PhoneInventory
from speech.prosody.intensity import Intensity
from speech.prosody.pitch import FloatArray, Pitch

CORRELATES = ("log_duration", "f0_semitones", "movement_semitones", "intensity_db")
MIN_DURATION_S = 0.01

PRIMARY = 1


@dataclass(frozen=True)
class Syllable:
    """The nucleus of one syllable of a word.

    Attributes
    ----------
    word
        Index of its word in the utterance.
    place
        Which syllable of the word.
    stress
        Lexical stress: 0, 1 or 2; -1 where not known.
    finality
        0 inside a word, 1 last of its word, 2 last before a silence.
    log_duration
        ln of the vowel's length in seconds.
    f0_semitones
        Highest F0 in the vowel, semitones above the speaker's median; NaN where unvoiced.
    movement_semitones
        Range of F0 in the vowel; NaN where unvoiced.
    intensity_db
        Highest intensity in the vowel, dB below the loudest of the utterance.
    """

    word: int
    place: int
    stress: int
    finality: int
    log_duration: float
    f0_semitones: float
    movement_semitones: float
    intensity_db: float


def measure_syllables(
    alignment: Alignment, inventory: PhoneInventory, pitch: Pitch, intensity: Intensity
) -> tuple[Syllable, ...]:
    """Measure the nuclei of every word, in order."""
    phones = alignment.phones
    nuclei = [
        i for i, p in enumerate(phones) if not p.is_silence and inventory.is_syllabic(p.phone)
    ]
    if len(intensity.t_s) == 0 or not nuclei:
        return ()
    loudest = float(intensity.db.max())
    semitones = pitch.semitones() if pitch.voiced_frames else np.full(len(pitch.t_s), np.nan)
    last_of_word = {phones[i].word_index: i for i in nuclei}
    measured = []
    place: dict[int, int] = {}
    for i in nuclei:
        phone = phones[i]
        word = phone.word_index
        high, movement = _tone(semitones[pitch.within(phone.start_s, phone.end_s)])
        measured.append(
            Syllable(
                word=word,
                place=place.get(word, 0),
                stress=-1 if phone.stress is None else phone.stress,
                finality=_finality(phones, i) if last_of_word[word] == i else 0,
                log_duration=float(np.log(max(phone.duration_s, MIN_DURATION_S))),
                f0_semitones=high,
                movement_semitones=movement,
                intensity_db=float(intensity.within(phone.start_s, phone.end_s).max()) - loudest,
            )
        )
        place[word] = place.get(word, 0) + 1
    return tuple(measured)


def _tone(semitones: FloatArray) -> tuple[float, float]:
    """Highest F0 and range; the extremes of the middle 90 %, for a stray frame is no peak."""
    heard = semitones[~np.isnan(semitones)]
    if len(heard) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(heard, [0.05, 0.95])
    return float(high), float(high - low)


def _finality(phones: Sequence[AlignedPhone], nucleus: int) -> int:
    """Whether the word of its last nucleus ends before a silence (2) or not (1)."""
    word = phones[nucleus].word_index
    after = nucleus
    while after < len(phones) and phones[after].word_index == word:
        after += 1
    return 2 if after == len(phones) or phones[after].is_silence else 1
