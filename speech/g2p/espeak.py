"""Words in about a hundred languages from espeak-ng, folded to the inventory of the language.

Of a word of one letter (Russian *в*, French *y*) espeak-ng says the letter's name: a table puts the
word before that.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from nativeear.speech.canonical import PhoneSequence
from nativeear.speech.errors import InputError, PhoneError
from nativeear.speech.g2p.espeak_library import transcribe, voice
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag, script_of
from nativeear.speech.phones import VOWEL_KINDS, normal_ipa, phone_from_ipa
from nativeear.speech.sequences import sequence
from nativeear.speech.tables import column, rows_of

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

Marked = tuple[list[str], list[int | None]]
"""Phones and their stress."""


class Espeak:
    """Pronounces words of one language, folded to the phones of an inventory."""

    name = "espeak"

    def __init__(self, language: str, inventory: PhoneInventory) -> None:
        self._voice = voice(language)
        self._inventory = inventory
        self._primary = primary_subtag(inventory.language)
        self._folds: dict[tuple[str, bool], tuple[str, ...]] = {}
        self._is_shipped = PhoneInventory.ships(language)

    def pronounce(self, words: Sequence[str]) -> list[tuple[PhoneSequence, ...]]:
        """One pronunciation per word; none where espeak-ng has no phones that fit the language.

        A word of one letter may have two: the word, and the name of the letter.
        """
        asked = [
            word for word in dict.fromkeys(words) if _is_written(word, self._inventory.language)
        ]
        found: dict[str, tuple[PhoneSequence, ...]] = {}
        for word, spoken in zip(asked, transcribe(self._voice, asked), strict=True):
            sequences = self._short_word(word), self._sequence(word, spoken)
            found[word] = tuple(filter(None, sequences))
        return [found.get(word, ()) for word in words]

    def _short_word(self, word: str) -> PhoneSequence | None:
        labels = _short_word(word, self._primary)
        if not labels or not all(self._inventory.knows(label, "ipa") for label in labels):
            return None
        phones = [self._inventory.symbol(label, "ipa") for label in labels]
        stress = [0 if self._inventory.is_syllabic(phone) else None for phone in phones]
        return sequence(phones, stress, self._inventory, self.name)

    def _sequence(self, word: str, spoken: str) -> PhoneSequence | None:
        phones: list[str] = []
        stress: list[int | None] = []
        for label, label_stress, own in _labels(spoken, self._primary, self._voice):
            if label == _SOFT_SIGN:
                if phones and f"{phones[-1]}ʲ" in self._inventory:
                    phones[-1] += "ʲ"
                continue
            try:
                symbols = self._fold(label, word, own)
            except PhoneError:
                return None
            # A mark belongs to the first vowel of its label.
            mark = label_stress
            for symbol in symbols:
                vowel = self._inventory.is_syllabic(symbol)
                phones.append(symbol)
                stress.append(mark if vowel else None)
                mark = 0 if vowel else mark
        if not phones:
            return None
        marked = self._with_glides(*self._with_geminates(phones, stress))
        return sequence(*marked, self._inventory, self.name)

    def _fold(self, label: str, word: str, own: bool) -> tuple[str, ...]:
        if self._inventory.notation == "arpabet" and label == "ɾ":
            # The flap of *ladder* and *latter*; the spelling tells which.
            letters = word.lower()
            return ("D",) if "d" in letters and "t" not in letters else ("T",)
        if (label, own) not in self._folds:
            self._folds[label, own] = self._folded(label, own)
        return self._folds[label, own]

    def _folded(self, label: str, own: bool) -> tuple[str, ...]:
        # espeak-ng writes some long consonants twice: ss.
        is_doubled = len(label) == 2 and label[0] == label[1]
        try:
            return self._inventory.split(f"{label[0]}ː" if is_doubled else label, "espeak")
        except PhoneError:
            if self._inventory.notation == "arpabet":
                raise
        pieces = _phones(label)
        if own and not self._is_shipped:
            # A phone of the language that its corpus never had: another would be a lie.
            return tuple(s for piece in pieces for s in self._inventory.split(piece, "espeak"))
        # A loan's phone: the nearest of the language, piece by piece.
        parts: list[str] = []
        for piece in pieces:
            whole = piece in self._inventory or _kind(normal_ipa(piece)) not in {"", "diphthong"}
            parts += [piece] if whole else list(normal_ipa(piece))
        return tuple(self._nearest(part) for part in parts if part not in "ːˑ")

    def _nearest(self, label: str) -> str:
        if label in self._inventory:
            return label
        symbol, distance = self._inventory.nearest(phone_from_ipa(normal_ipa(label)))
        if distance > FARTHEST_FOLD:
            raise PhoneError(f"The phone {label!r} has no counterpart in this language.")
        return symbol

    def _with_glides(self, phones: list[str], stress: list[int | None]) -> Marked:
        """Glides and soft consonants that the neighbours demand and espeak-ng leaves out."""
        for row in rows_of("espeak_sequences", self._primary):
            before, meant = row["said"].split(), row["phones"].split()
            for at in range(len(phones) - len(before) + 1):
                span = slice(at, at + len(before))
                silenced = [
                    i
                    for i, phone in enumerate(meant, at)
                    if stress[i] is not None and not self._inventory.is_syllabic(phone)
                ]
                # A vowel that is stressed is no glide: Italian *magia* keeps its i.
                if phones[span] == before and not any(stress[i] for i in silenced):
                    phones[span] = meant
                    for i in silenced:
                        stress[i] = None
        return phones, stress

    def _with_geminates(self, phones: list[str], stress: list[int | None]) -> Marked:
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
    name, primary = voice(language), primary_subtag(language)
    if primary_subtag(name) in TONAL:
        raise InputError(
            f"espeak-ng cannot give the phones of {language!r}.",
            cause="It writes tones with signs that also stand for vowels (ɜ).",
            fix="Give the pronunciations in a lexicon, or take letters for phones: graphemes.",
        )
    distinct = [word for word in dict.fromkeys(words) if _is_written(word, language)]
    symbols = {
        phone
        for spoken in transcribe(name, distinct)
        for label, _, own in _labels(spoken, primary, name)
        if own and label != _SOFT_SIGN
        for phone in _phones(label)
        if _kind(phone)
    }
    symbols.update(label for word in distinct for label in _short_word(word, primary))
    if not symbols:
        raise InputError(
            f"espeak-ng has no phones for the words given in {language!r}.",
            fix="Give the texts of the corpus.",
        )
    return PhoneInventory.from_labels(language, symbols)


def load(language: str, inventory: PhoneInventory) -> Espeak:
    """espeak-ng for one language; raises as `voice` does where it cannot."""
    return Espeak(language, inventory)


def _labels(spoken: str, own: str, name: str) -> Iterator[tuple[str, int, bool]]:
    """Labels, their stress, and whether they are the language's own.

    Flags of passages in another language are left out. Only English passages are read: espeak-ng
    knows loans from it. Others are the names of letters that the language does not have.
    """
    current = own
    for token in _SWITCH.sub(r" (\1) ", spoken).replace("|", " ").split():
        switch = _SWITCH.fullmatch(token)
        if switch:
            current = primary_subtag(switch[1])
            continue
        native = current in {own, primary_subtag(name)}
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
        both_vowels = joined and {_kind(joined[-1]), _kind(piece)} <= VOWEL_KINDS
        if both_vowels or (joined and joined[-1] in _AFFRICATED and _kind(piece) == "fricative"):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def _kind(label: str) -> str:
    """Kind of the phone that a label is in IPA; empty where it is none."""
    try:
        return phone_from_ipa(label).kind
    except PhoneError:
        return ""


def _short_word(word: str, primary: str) -> list[str]:
    return column("short_words", primary, "word", "phones").get(word.casefold(), "").split()


def _is_written(word: str, language: str) -> bool:
    """Whether a word is in the language's script: espeak-ng names the letters of others."""
    if script_of(language) != "LATIN":
        return True
    return all(unicodedata.name(c, "").startswith("LATIN") for c in word if c.isalpha())
