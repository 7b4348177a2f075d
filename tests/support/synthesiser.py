"""espeak-ng as a speaker who tells to the sample what was said when."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.audio import Audio
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.prosody.pauses import MIN_PAUSE_S

MIDDLE, WITH_MELODY, MONOTONE = 50, 50, 0
_RATE, _PITCH, _RANGE = 1, 3, 4
_RETRIEVAL, _PHONE_EVENTS, _IN_IPA = 2, 1, 2
_END, _PHONE = 0, 7
_UTF8, _SSML, _PHONES = 0x1, 0x10, 0x100


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h; the last field is a union of which phones use the letters."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("message", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


_Heard = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, eq=False)
class Spoken:
    """What espeak-ng said.

    Attributes
    ----------
    phones
        IPA with the mark of stress before a vowel, and where it begins and ends in seconds; the
        name of a pause is empty, and pauses are joined.
    """

    audio: Audio
    phones: tuple[tuple[str, float, float], ...]

    @property
    def span_s(self) -> tuple[float, float]:
        """From the first phone to the end of the last."""
        said = [phone for phone in self.phones if phone[0]]
        return said[0][1], said[-1][2]

    @property
    def pauses(self) -> tuple[tuple[float, float], ...]:
        """Those inside, of `MIN_PAUSE_S` or more."""
        first, last = self.span_s
        return tuple(
            (start_s, end_s)
            for name, start_s, end_s in self.phones
            if not name and end_s - start_s >= MIN_PAUSE_S and first < start_s and end_s <= last
        )

    def syllables(self, inventory: PhoneInventory) -> int:
        """How many vowels were said."""
        names = [name.lstrip("ˈˌ") for name, _, _ in self.phones if name]
        return sum(
            any(inventory.is_syllabic(one) for one in inventory.split(name, "espeak"))
            for name in names
        )


class Synthesiser:
    """espeak-ng's American English, in this process."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._sample_rate = self._library.espeak_Initialize(
            _RETRIEVAL, 0, espeakng_loader.get_data_path().encode(), _PHONE_EVENTS | _IN_IPA
        )
        if self._sample_rate <= 0 or self._library.espeak_SetVoiceByName(b"en-us"):
            raise SystemExit("The data of espeakng-loader cannot synthesise English.")
        self._parts: list[NDArray[np.int16]] = []
        self._events: list[tuple[str, int]] = []
        self._heard: Any = _Heard(self._hear)  # kept: the library holds but its address
        self._library.espeak_SetSynthCallback(self._heard)

    def say(
        self, text: str, *, rate: int = 175, pitch: int = MIDDLE, melody: int = WITH_MELODY
    ) -> Spoken:
        """Say SSML, with phones of espeak-ng's own notation between double brackets.

        Words must follow the brackets: right before a tag, espeak-ng reads the tag as phones.

        Parameters
        ----------
        rate
            Words per minute.
        pitch, melody
            Height and range, 0 to 99.
        """
        self._parts.clear()
        self._events.clear()
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, melody)):
            self._library.espeak_SetParameter(parameter, value, 0)
        said = f"<speak>{text}</speak>".encode()
        self._library.espeak_Synth(
            said, len(said) + 1, 0, 1, 0, _UTF8 | _SSML | _PHONES, None, None
        )
        samples = np.concatenate(self._parts).astype(np.float32) / 32768
        ends = [at for _, at in self._events[1:]] + [len(samples)]
        phones: list[tuple[str, float, float]] = []
        for (name, start), end in zip(self._events, ends, strict=True):
            start_s, end_s = start / self._sample_rate, end / self._sample_rate
            if phones and not name and not phones[-1][0]:
                phones[-1] = ("", phones[-1][1], end_s)
            else:
                phones.append((name, start_s, end_s))
        return Spoken(Audio.from_samples(samples, self._sample_rate), tuple(phones))

    def phones(self, word: str) -> list[str]:
        """The phones of a word in espeak-ng's notation, stress marks in their own places."""
        text = ctypes.c_char_p(word.encode())
        found = self._library.espeak_TextToPhonemes(ctypes.byref(text), 1, ord("_") << 8)
        return str(found.decode()).split("_")

    def _hear(self, wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            self._parts.append(np.ctypeslib.as_array(wave, (count,)).copy())
        i = 0
        while events[i].type != _END:
            if events[i].type == _PHONE:
                self._events.append((events[i].name.decode(), events[i].sample))
            i += 1
        return 0
