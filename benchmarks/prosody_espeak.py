"""Prosody of speech that espeak-ng synthesised, whose phones and pauses are known to the sample.

    python -m benchmarks.prosody_espeak [--sentences N] [--words N]

espeak-ng reports where every phone begins. Sentences with a pause at the comma, of which one half
are said high and one half low, each at three rates, are aligned and measured like any recording, by
their text alone; the rates and pauses found are compared with what was synthesised.
Pitch is asked for in espeak-ng's units, of which 50 are an octave, without its melody; a monotone
voice gets a constant number of Hz besides, so that what is known is where the middle of three
heights lies between the others. Stress is moved by giving espeak-ng a word's phones with the mark
on its other vowel; the quality of the vowels stays.
"""

from __future__ import annotations

import argparse
import ctypes
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.prosody import MOVED_FOUND, STRESS_FOUND, Bench, open_bench, share, titled
from benchmarks.prosody_signals import MAX_EDGE_S, MAX_F0_ERROR, MAX_RATE_ERROR, Row, verdict
from nativeear.scoring.prosody.stress import polysyllables
from nativeear.speech.audio import Audio
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.prosody.pauses import MIN_PAUSE_S
from nativeear.speech.prosody.pitch import track_pitch

WORDS_PER_MINUTE = (130, 175, 220)
PITCHES = (40, 65)
HEIGHTS = (20, 60, 90)
MIDDLE, WITH_MELODY, MONOTONE = 50, 50, 0
UNITS_OF_OCTAVE = 50
BREAK_MS = 450
SENTENCES = (
    "When the rain had stopped, the children went into the garden.",
    "After a long and busy morning, my brother wanted a little water.",
    "If you have any questions, please ask the woman at the window.",
    "Before the second meeting, nobody had seen the new machine.",
    "In the middle of the city, there is a very old museum.",
    "Because the river was so high, we could not find the road.",
    "On a cold day in winter, the family moved to another village.",
    "As soon as he had eaten, the doctor returned to the hospital.",
)
WORDS = (
    "record insult permit import export window nation contract object subject present project "
    "hotel begin arrive believe garden number music control product profile concert transport "
    "machine guitar program complain perfume police"
)
CARRIER = ("She said ", " to me again.")
VOWELS = frozenset("aAeEiIoOuUV03@")
"""First letters of the names that espeak-ng gives to English vowels."""

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


def main() -> None:
    """Synthesise, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sentences", type=int, default=len(SENTENCES))
    parser.add_argument("--words", type=int, default=len(WORDS.split()))
    options = parser.parse_args()
    bench, voice, console = open_bench(), Synthesiser(), Console(width=100)
    header: Row = ("said", "figure", "value", "")
    sentences = SENTENCES[: options.sentences]
    rows = [*_rates_and_pauses(bench, voice, sentences), _pitch(voice, sentences)]
    console.print(titled("Synthesised sentences", header, rows))
    header = ("asked", "words", "found", "")
    console.print(
        titled("Stress", header, _stress(bench, voice, tuple(WORDS.split()[: options.words])))
    )


def _rates_and_pauses(bench: Bench, voice: Synthesiser, sentences: tuple[str, ...]) -> list[Row]:
    rows: list[Row] = []
    edges: list[float] = []
    missed = invented = 0
    for rate in WORDS_PER_MINUTE:
        speaking: list[float] = []
        articulating: list[float] = []
        for number, sentence in enumerate(sentences):
            said = escape(sentence).replace(",", f',<break time="{BREAK_MS}ms"/>')
            spoken = voice.say(said, rate=rate, pitch=PITCHES[number % len(PITCHES)])
            prompt = bench.aligned(f"{rate}-{number}", spoken.audio, sentence)
            if prompt is None:
                missed += len(spoken.pauses)
                continue
            found = bench.measured(prompt)
            first, last = spoken.span_s
            silent = sum(end - start for start, end in spoken.pauses)
            count = spoken.syllables(bench.index.inventory)
            if found.syllables_per_s and found.articulation_rate:
                speaking.append(found.syllables_per_s / (count / (last - first)) - 1)
                articulating.append(found.articulation_rate / (count / (last - first - silent)) - 1)
            spans = found.pauses.spans if found.pauses else ()
            near = [
                [span for span in spans if span[0] < end and span[1] > start]
                for start, end in spoken.pauses
            ]
            missed += sum(not own for own in near)
            invented += len(spans) - sum(map(len, near))
            for (start, end), own in zip(spoken.pauses, near, strict=True):
                if own:
                    edges += [abs(own[0][0] - start), abs(own[-1][1] - end)]
        for name, errors in (("speaking", speaking), ("articulation", articulating)):
            middle = float(np.median(np.abs(errors)))
            worst = float(np.max(np.abs(errors)))
            rows.append(
                (
                    f"{len(errors)} sentences, {rate} words per minute",
                    f"{name} rate, median error, worst",
                    f"{100 * middle:.1f} %, {100 * worst:.1f} %",
                    verdict(middle <= MAX_RATE_ERROR),
                )
            )
    middle, most = float(np.median(edges)), float(np.max(edges))
    rows.append(
        (
            f"{len(edges) // 2 + missed} pauses at commas",
            "boundary error median and largest, missed, invented",
            f"{1000 * middle:.0f} ms, {1000 * most:.0f} ms, {missed}, {invented}",
            verdict(most <= MAX_EDGE_S and not missed and not invented),
        )
    )
    return rows


def _pitch(voice: Synthesiser, sentences: tuple[str, ...]) -> Row:
    """The middle one of three heights, foretold from the outer ones."""
    low, middle, high = (2 ** (height / UNITS_OF_OCTAVE) for height in HEIGHTS)
    errors = []
    for sentence in sentences:
        bottom, found, top = (
            track_pitch(voice.say(escape(sentence), pitch=height, melody=MONOTONE).audio).median_hz
            for height in HEIGHTS
        )
        foretold = bottom + (top - bottom) * (middle - low) / (high - low)
        errors.append(abs(found / foretold - 1))
    error = float(np.median(errors))
    return (
        f"{len(errors)} sentences at heights {', '.join(map(str, HEIGHTS))}",
        "median F0 of the middle height, median error, worst",
        f"{100 * error:.2f} %, {100 * max(errors):.2f} %",
        verdict(error <= MAX_F0_ERROR),
    )


def _stress(bench: Bench, voice: Synthesiser, words: tuple[str, ...]) -> list[Row]:
    """Words of two syllables as espeak-ng stresses them, and with the stress on the other."""
    model = bench.natives.stress
    if model is None:
        raise SystemExit("The index has too few words to learn stress from.")
    told: dict[bool, list[bool]] = {False: [], True: []}
    for word in words:
        places = voice.phones(word)
        vowels = [i for i, phone in enumerate(places) if phone.strip("',%=")[:1] in VOWELS]
        marked = [n for n, i in enumerate(vowels) if places[i].startswith("'")]
        if len(vowels) != 2 or len(marked) != 1:
            continue
        for moved in (False, True):
            stressed = 1 - marked[0] if moved else marked[0]
            bare = [phone.strip("',%=") for phone in places]
            bare[vowels[stressed]] = "'" + bare[vowels[stressed]]
            spoken = voice.say(f"{CARRIER[0]}[[{'|'.join(bare)}]]{CARRIER[1]}")
            prompt = bench.aligned(word, spoken.audio, word.join(CARRIER))
            number = len(CARRIER[0].split())
            found = prompt and polysyllables(bench.nuclei(prompt))
            for one in found or ():
                if one[0].word == number and len(one) == 2:
                    told[moved].append(model.observe(one).observed == stressed)
    return [
        share("as espeak-ng stresses it: found there", told[False], STRESS_FOUND),
        share("the mark on the other vowel: found there", told[True], MOVED_FOUND),
    ]


if __name__ == "__main__":
    main()
