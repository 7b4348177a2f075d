"""Acoustic correlates of stress, per syllable of the words that have several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.prosody.pitch import Pitch
from nativeear.speech.prosody.praat import FloatArray, praat_sound

CORRELATES = (
    "log_duration",
    "onset_s",
    "f0_semitones",
    "f0_mean_semitones",
    "movement_semitones",
    "emphasis_db",
    "tilt_db",
)
EMPHASIS_HZ = (500.0, 4000.0)
"""Effort of the voice shows above the first harmonics (Sluijter and van Heuven 1996)."""
MIN_DURATION_S = 0.01
TINY_ENERGY = 1e-16

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
    onset_s
        Length of the consonants of the word between the nucleus before and this one.
    f0_semitones, f0_mean_semitones
        Highest and mean F0 in the vowel, semitones above the speaker's median; NaN where unvoiced.
    movement_semitones
        F0 at the end of the vowel less that at its beginning; NaN where unvoiced.
    emphasis_db
        Energy of the vowel between 500 and 4000 Hz, dB below the highest of the utterance.
    tilt_db
        That energy over the energy below 500 Hz, in dB.
    fullness
        How much more the vowel resembles full vowels than reduced ones, where an index was asked
        (`retriever.vowel_fullness`); NaN where not. It is no measure of the sound alone, and no
        index keeps it.
    """

    word: int
    place: int
    stress: int
    finality: int
    log_duration: float
    onset_s: float
    f0_semitones: float
    f0_mean_semitones: float
    movement_semitones: float
    emphasis_db: float
    tilt_db: float
    fullness: float = float("nan")


def measure_syllables(
    audio: Audio, alignment: Alignment, inventory: PhoneInventory, pitch: Pitch
) -> tuple[Syllable, ...]:
    """Measure the nuclei of every word, in order."""
    phones = alignment.phones
    nuclei = [
        i for i, p in enumerate(phones) if not p.is_silence and inventory.is_syllabic(p.phone)
    ]
    if not nuclei:
        return ()
    sound = praat_sound(audio)
    energies = [_energies_db(sound, phones[i]) for i in nuclei]
    most = max(high for _, high in energies)
    semitones = pitch.semitones() if pitch.voiced_frames else np.full(len(pitch.t_s), np.nan)
    last_of_word = {phones[i].word_index: i for i in nuclei}
    measured = []
    place: dict[int, int] = {}
    for i, (low_db, high_db) in zip(nuclei, energies, strict=True):
        phone = phones[i]
        word = phone.word_index
        peak, mean, movement = _tone(semitones[pitch.within(phone.start_s, phone.end_s)])
        measured.append(
            Syllable(
                word=word,
                place=place.get(word, 0),
                stress=-1 if phone.stress is None else phone.stress,
                finality=_finality(phones, i) if last_of_word[word] == i else 0,
                log_duration=float(np.log(max(phone.duration_s, MIN_DURATION_S))),
                onset_s=_onset_s(phones, i, inventory),
                f0_semitones=peak,
                f0_mean_semitones=mean,
                movement_semitones=movement,
                emphasis_db=high_db - most,
                tilt_db=high_db - low_db,
            )
        )
        place[word] = place.get(word, 0) + 1
    return tuple(measured)


def _tone(semitones: FloatArray) -> tuple[float, float, float]:
    """Peak, mean and movement of F0; the peak leaves out a twentieth, for a stray frame is none."""
    heard = semitones[~np.isnan(semitones)]
    if len(heard) == 0:
        return float("nan"), float("nan"), float("nan")
    return float(np.quantile(heard, 0.95)), float(heard.mean()), float(heard[-1] - heard[0])


def _energies_db(sound: Any, phone: AlignedPhone) -> tuple[float, float]:
    """Energy of a vowel below 500 Hz and from there to 4000 Hz, dB."""
    import parselmouth

    end_s = max(phone.end_s, phone.start_s + MIN_DURATION_S)
    part = sound.extract_part(phone.start_s, end_s, parselmouth.WindowShape.HANNING)
    spectrum = part.to_spectrum()
    bands = ((0.0, EMPHASIS_HZ[0]), EMPHASIS_HZ)
    low, high = (10 * np.log10(spectrum.get_band_energy(*band) + TINY_ENERGY) for band in bands)
    return float(low), float(high)


def _onset_s(phones: Sequence[AlignedPhone], nucleus: int, inventory: PhoneInventory) -> float:
    length_s = 0.0
    for phone in reversed(phones[:nucleus]):
        if phone.word_index != phones[nucleus].word_index or inventory.is_syllabic(phone.phone):
            break
        length_s += phone.duration_s
    return length_s


def _finality(phones: Sequence[AlignedPhone], nucleus: int) -> int:
    """Whether the word of its last nucleus ends before a silence (2) or not (1)."""
    word = phones[nucleus].word_index
    after = next((phone for phone in phones[nucleus:] if phone.word_index != word), None)
    return 2 if after is None or after.is_silence else 1
