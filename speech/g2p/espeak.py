"""Words in about a hundred languages from espeak-ng, folded to the inventory of the language.

The library comes from the wheel `espeakng-loader` and is driven through `phonemizer`: no system
package is needed. Words are pronounced in isolation and many in one call. Of a word of one letter
(Russian *в*, French *y*) it then says the letter's name: a table puts the word before that.
"""

from __future__ import annotations

import ctypes
import logging
import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from nativeear.speech.errors import InputError, MissingDependencyError, PhoneError
from nativeear.speech.inventory import (
    VOWEL_KINDS,
    PhoneInventory,
    normal_ipa,
    phone_from_ipa,
    primary_subtag,
)
from nativeear.speech.pronunciation import WORDS_REMEMBERED, PhoneSequence
from nativeear.speech.remembered import Remembered
from nativeear.speech.syllables import syllabify
from nativeear.speech.tables import table
from nativeear.speech.text import script_of

VOICES = {
    "en": "en-us",
    "es-419": "es-419",
    "fr": "fr-fr",
    "nb": "nb",
    "no": "nb",
    "zh": "cmn",
}
"""espeak-ng voices whose name is not the BCP 47 tag or its first part."""

TONAL = frozenset({"cmn", "yue", "hak", "nan", "vi", "th", "my", "shn", "lus"})
"""Voices that mark tones, by their first part."""

FARTHEST_FOLD = 0.25
"""Feature distance beyond which a foreign phone has no counterpart in the inventory."""

_SWITCH = re.compile(r"\(([a-z]{2,3}[a-z0-9-]*)\)")
_MARKS = re.compile(r'[-^"_;!]|(?<=ː)ː')  # espeak's own marks of reduction and of length
# Its signs that are not IPA: glottal stop, ejective, voiceless (Danish, Amharic, Icelandic).
_SIGNS = str.maketrans({"?": "ʔ", "`": "ʼ", "#": "\u0325"})
_SOFT_SIGN = "ɪ^"  # Russian ь at the end of a word: no sound of its own
_AFFRICATED = frozenset("tdpbʈɖ")
_STRESS = {"ˈ": 1, "ˌ": 2}
# The library keeps global state, and ctypes lets other threads run during a call.
_lock = threading.Lock()


class Espeak:
    """Pronounces words of one language.

    Parameters
    ----------
    language
        BCP 47 tag.
    inventory
        What the phones are folded to.
    """

    name = "espeak"

    def __init__(self, language: str, inventory: PhoneInventory) -> None:
        self._voice = voice(language)
        self._inventory = inventory
        self._known: Remembered[str, tuple[PhoneSequence, ...]] = Remembered(WORDS_REMEMBERED)
        self._folds: dict[tuple[str, bool], tuple[str, ...]] = {}
        self._is_shipped = PhoneInventory.ships(language)

    def pronounce(self, words: Sequence[str]) -> list[tuple[PhoneSequence, ...]]:
        """One pronunciation per word; none where espeak-ng has no phones that fit the language.

        A word of one letter may have two: the word, and the name of the letter.
        """
        found = {word: known for word in words if (known := self._known.get(word)) is not None}
        new = [word for word in dict.fromkeys(words) if word not in found]
        # espeak-ng would name the letters of another script instead of saying the word.
        latin = script_of(self._inventory.language) == "LATIN"
        told: dict[str, tuple[PhoneSequence, ...]] = {
            word: () for word in new if latin and not _is_latin(word)
        }
        asked = [word for word in new if word not in told]
        for word, spoken in zip(asked, _transcribe(self._voice, asked), strict=True):
            sequences = self._short_word(word), self._sequence(word, spoken)
            told[word] = tuple(filter(None, sequences))
        self._known.add(told)
        found |= told
        return [found[word] for word in words]

    def _short_word(self, word: str) -> PhoneSequence | None:
        labels = _short_words().get((primary_subtag(self._inventory.language), word.casefold()))
        if labels is None or not all(self._inventory.knows(label, "ipa") for label in labels):
            return None
        phones = tuple(self._inventory.symbol(label, "ipa") for label in labels)
        stress = tuple(0 if self._inventory.is_syllabic(phone) else None for phone in phones)
        return PhoneSequence(phones, stress, syllabify(phones, self._inventory), "espeak")

    def _sequence(self, word: str, spoken: str) -> PhoneSequence | None:
        phones: list[str] = []
        stress: list[int | None] = []
        for label, marked, own in _labels(spoken, self._inventory.language, self._voice):
            if label == _SOFT_SIGN:
                if phones and f"{phones[-1]}ʲ" in self._inventory:
                    phones[-1] += "ʲ"
                continue
            try:
                symbols = self._fold(label, word, own)
            except PhoneError:
                return None
            # A mark belongs to the first vowel of its label.
            mark = marked
            for symbol in symbols:
                vowel = self._inventory.is_syllabic(symbol)
                phones.append(symbol)
                stress.append(mark if vowel else None)
                mark = 0 if vowel else mark
        if not phones:
            return None
        phones, stress = self._resound(*self._geminate(phones, stress))
        return PhoneSequence(
            tuple(phones), tuple(stress), syllabify(phones, self._inventory), "espeak"
        )

    def _fold(self, label: str, word: str, own: bool) -> tuple[str, ...]:
        if self._inventory.notation == "arpabet" and label == "ɾ":
            # The flap of *ladder* and *latter*; the spelling tells which.
            letters = word.lower()
            return ("D",) if "d" in letters and "t" not in letters else ("T",)
        if (label, own) not in self._folds:
            self._folds[label, own] = self._folded(label, own)
        return self._folds[label, own]

    def _folded(self, label: str, own: bool) -> tuple[str, ...]:
        try:
            return self._inventory.split(_doubled(label), "espeak")
        except PhoneError:
            if self._inventory.notation == "arpabet":
                raise
        if own and not self._is_shipped:
            # A phone of the language that its corpus never had: another would be a lie.
            return tuple(
                symbol
                for piece in _phones(label)
                for symbol in self._inventory.split(piece, "espeak")
            )
        # A loan's phone: the nearest of the language, piece by piece.
        pieces: list[str] = []
        for piece in _phones(label):
            whole = piece in self._inventory or _is_one_phone(piece)
            pieces += [piece] if whole else list(normal_ipa(piece))
        return tuple(self._nearest(piece) for piece in pieces if piece not in "ːˑ")

    def _nearest(self, label: str) -> str:
        if label in self._inventory:
            return label
        symbol, distance = self._inventory.nearest(phone_from_ipa(normal_ipa(label)))
        if distance > FARTHEST_FOLD:
            raise PhoneError(f"The phone {label!r} has no counterpart in this language.")
        return symbol

    def _resound(
        self, phones: list[str], stress: list[int | None]
    ) -> tuple[list[str], list[int | None]]:
        """Glides and soft consonants that the neighbours demand and espeak-ng leaves out."""
        sounding, marks = list(phones), list(stress)
        for said, meant in _sequences(primary_subtag(self._inventory.language)):
            for at in range(len(sounding) - len(said) + 1):
                span = slice(at, at + len(said))
                silenced = [
                    i
                    for i, phone in enumerate(meant, at)
                    if marks[i] is not None and not self._inventory.is_syllabic(phone)
                ]
                # A vowel that is stressed is no glide: Italian *magia* keeps its i.
                if tuple(sounding[span]) == said and not any(marks[i] for i in silenced):
                    sounding[span] = meant
                    for i in silenced:
                        marks[i] = None
        return sounding, marks

    def _geminate(
        self, phones: list[str], stress: list[int | None]
    ) -> tuple[list[str], list[int | None]]:
        """One long consonant for two equal ones, where the language has it (Italian *anno*)."""
        merged: list[str] = []
        marks: list[int | None] = []
        for phone, mark in zip(phones, stress, strict=True):
            if merged and merged[-1] == phone and f"{phone}ː" in self._inventory and mark is None:
                merged[-1] = f"{phone}ː"
            else:
                merged.append(phone)
                marks.append(mark)
        return merged, marks


def inventory(language: str, words: Iterable[str]) -> PhoneInventory:
    """The shipped inventory, or where there is none, the phones that these words have.

    Phones of English passages are left out: they are folded to the language's own.

    Raises
    ------
    InputError
        If espeak-ng does not speak the language, marks its tones, or has no phone in these words.
    """
    if PhoneInventory.ships(language):
        return PhoneInventory.load(language)
    name = voice(language)
    if primary_subtag(name) in TONAL:
        raise InputError(
            f"espeak-ng cannot give the phones of {language!r}.",
            cause="It writes tones with signs that also stand for vowels (ɜ).",
            fix="Give the pronunciations in a lexicon, or take letters for phones: graphemes.",
        )
    script = "LATIN" if script_of(language) == "LATIN" else None
    distinct = [word for word in dict.fromkeys(words) if script is None or _is_latin(word)]
    symbols = {
        phone
        for spoken in _transcribe(name, distinct)
        for label, _, own in _labels(spoken, language, name)
        if own and label != _SOFT_SIGN
        for phone in _phones(label)
        if _is_ipa(phone)
    }
    for word in distinct:
        symbols.update(_short_words().get((primary_subtag(language), word.casefold()), ()))
    if not symbols:
        raise InputError(
            f"espeak-ng has no phones for the words given in {language!r}.",
            fix="Give the texts of the corpus.",
        )
    return PhoneInventory.from_labels(language, symbols)


def load(language: str, inventory: PhoneInventory) -> Espeak:
    """espeak-ng for one language.

    Raises
    ------
    InputError
        If espeak-ng does not speak the language.
    MissingDependencyError
        If the library cannot be loaded.
    """
    return Espeak(language, inventory)


@cache
def library_version() -> str:
    """Version of the espeak-ng library itself; empty where it cannot be loaded."""
    try:
        import espeakng_loader

        library = ctypes.CDLL(espeakng_loader.get_library_path())
        library.espeak_Info.restype = ctypes.c_char_p
        told: bytes = library.espeak_Info(None) or b""
    except (ImportError, OSError, AttributeError):
        return ""
    return told.decode(errors="replace")


def voice(language: str) -> str:
    """The espeak-ng voice for a BCP 47 tag.

    Raises
    ------
    InputError
        If there is none.
    """
    tag = language.replace("_", "-").lower()
    known = _voices()
    primary = primary_subtag(tag)
    # Spanish outside Spain and European French spoken elsewhere have a voice of their own or none.
    american_spanish = primary == "es" and "-" in tag and tag != "es-es"
    wanted = ("es-419",) if american_spanish else (VOICES.get(tag), tag, VOICES.get(primary))
    for name in (*wanted, primary):
        if name in known:
            return str(name)
    raise InputError(
        f"espeak-ng has no voice for language {language!r}.",
        fix="Give the pronunciations in a lexicon, or take letters for phones: graphemes.",
    )


def _labels(spoken: str, language: str, name: str) -> Iterator[tuple[str, int, bool]]:
    """Labels, their stress, and whether they are the language's own.

    Flags of passages in another language are left out. Only English passages are read: espeak-ng
    knows loans from it. Others are the names of letters that the language does not have.
    """
    own = primary_subtag(language)
    current = own
    for token in _SWITCH.sub(r" (\1) ", spoken).replace("|", " ").split():
        switch = _SWITCH.fullmatch(token)
        if switch:
            current = primary_subtag(switch[1])
            continue
        native = current == own or primary_subtag(name) == current
        if not native and current != "en":
            yield "?", 0, False  # never an IPA label: makes the word unpronounceable
            return
        mark = max((_STRESS.get(char, 0) for char in token), default=0)
        label = token.strip("ˈˌ")
        if label != _SOFT_SIGN:
            label = _MARKS.sub("", label).translate(_SIGNS)
            label = "j" if label == "ʲ" else label
        if label:
            yield label, mark, native


def _phones(label: str) -> list[str]:
    """A label cut where a vowel meets a consonant, or two consonants that are no affricate."""
    pieces: list[str] = []
    for char in normal_ipa(label):
        if pieces and unicodedata.category(char) in {"Mn", "Lm", "Sk"}:
            pieces[-1] += char
        else:
            pieces.append(char)
    joined: list[str] = []
    for piece in pieces:
        if joined and (
            (_is_vowel(joined[-1]) and _is_vowel(piece))
            or (joined[-1] in _AFFRICATED and _kind(piece) == "fricative")
        ):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def _kind(label: str) -> str:
    try:
        return phone_from_ipa(label).kind
    except PhoneError:
        return ""


def _is_ipa(label: str) -> bool:
    return bool(_kind(label))


def _is_vowel(label: str) -> bool:
    return _kind(label) in VOWEL_KINDS


@cache
def _short_words() -> dict[tuple[str, str], tuple[str, ...]]:
    return {
        (row["language"], row["word"]): tuple(row["phones"].split()) for row in table("short_words")
    }


@cache
def _sequences(language: str) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """What espeak-ng says and what is meant, phone by phone, in a language."""
    return tuple(
        (tuple(row["said"].split()), tuple(row["phones"].split()))
        for row in table("espeak_sequences")
        if row["language"] == language
    )


def _is_latin(word: str) -> bool:
    return all(unicodedata.name(c, "").startswith("LATIN") for c in word if c.isalpha())


def _doubled(label: str) -> str:
    # espeak-ng writes some long consonants twice: ss.
    if len(label) == 2 and label[0] == label[1]:
        return label[0] + "ː"
    return label


def _is_one_phone(label: str) -> bool:
    return _kind(normal_ipa(label)) not in {"", "diphthong"}


def _transcribe(name: str, words: Sequence[str]) -> list[str]:
    separator = import_module("phonemizer.separator").Separator(phone=" ", word="|", syllable="")
    if not words:
        return []
    with _lock:
        lines: list[str] = _backend(name).phonemize(list(words), separator=separator, strip=True)
    return lines


@cache
def _backend(name: str) -> Any:
    quiet = logging.getLogger("nativeear.espeak")
    quiet.setLevel(logging.ERROR)  # it warns of every language switch, which is dealt with above
    return _backend_class()(
        name,
        with_stress=True,
        preserve_punctuation=False,
        language_switch="keep-flags",
        words_mismatch="ignore",
        logger=quiet,
    )


@cache
def _voices() -> frozenset[str]:
    with _lock:
        return frozenset(_backend_class().supported_languages())


@cache
def _backend_class() -> Any:
    """phonemizer's backend, told to use the library of the wheel."""
    try:
        loader = import_module("espeakng_loader")
        wrapper = import_module("phonemizer.backend.espeak.wrapper").EspeakWrapper
        wrapper.set_library(loader.get_library_path())
        wrapper.set_data_path(loader.get_data_path())
        backend = import_module("phonemizer.backend").EspeakBackend
        backend.version()  # loads the library
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        raise MissingDependencyError(
            "The espeak-ng library cannot be loaded.",
            cause=str(error),
            fix="pip install --force-reinstall espeakng-loader phonemizer",
        ) from error
    return backend
