"""English words in CMUdict, words younger than it, and the weak forms of function words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from functools import cache
from itertools import chain

from nativeear.speech.canonical import PhoneSequence
from nativeear.speech.g2p import cmudict
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.lexicon import fold_case
from nativeear.speech.sequences import from_table
from nativeear.speech.syllables import syllabify
from nativeear.speech.tables import rows_by

_STEM = re.compile(r"(\w+[^\Ws])('?s)|(\w+s)'s?", re.IGNORECASE)


class EnglishDictionary:
    """Looks words up, also without their accents or as a stem with an s.

    Raises
    ------
    InputError
        If the language is not English in ARPAbet.
    """

    def __init__(self, language: str, inventory: PhoneInventory) -> None:
        self._cmudict = cmudict.load(language, inventory)
        self._inventory = inventory

    def variants(self, word: str) -> tuple[PhoneSequence, ...]:
        """Every pronunciation of a word, weak forms last; none where it is not known."""
        found = self._full_forms(word)
        known = {form.phones for form in found}
        weak = from_table(weak_forms(word), self._inventory, "weak forms") if found else ()
        return found + tuple(form for form in weak if form.phones not in known)

    def _full_forms(self, word: str) -> tuple[PhoneSequence, ...]:
        for form in dict.fromkeys((word, _without_accents(word))):
            if found := self._entry(form):
                return found
        stem = _STEM.fullmatch(word)
        if not stem:
            return ()
        found = self._entry(stem[1] or stem[3])
        if stem[3] and not word.lower().endswith("'s"):
            return found  # users' sounds like users
        return tuple(with_s(form, self._inventory) for form in found)

    def _entry(self, word: str) -> tuple[PhoneSequence, ...]:
        """What a table of newer words has for a word as it is written, or else CMUdict."""
        newer = from_table(_forms("new_words", word), self._inventory, "new words")
        return newer or self._cmudict.pronounce([word])[0]


def weak_forms(word: str) -> tuple[str, ...]:
    """Phones of the reduced forms of an English word, stress marked; mostly none."""
    return _forms("weak_forms", word)


def with_s(sequence: PhoneSequence, inventory: PhoneInventory) -> PhoneSequence:
    """A word with the ending of the plural or the genitive."""
    ending: tuple[str, ...] = ("Z",)
    if sequence.phones[-1] in {"S", "Z", "SH", "ZH", "CH", "JH"}:
        ending = ("IH", "Z")
    elif sequence.phones[-1] in {"P", "T", "K", "F", "TH"}:
        ending = ("S",)
    phones = sequence.phones + ending
    stress = sequence.stress + ((0, None) if len(ending) > 1 else (None,))
    return replace(sequence, phones=phones, stress=stress, syllables=syllabify(phones, inventory))


def _forms(name: str, word: str) -> tuple[str, ...]:
    rows = rows_by(name, "en", "word").get(fold_case(word), ())
    return tuple(row["phones"] for row in rows)


def _without_accents(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(char for char in decomposed if unicodedata.category(char) != "Mn")


@cache
def words_by_phones() -> dict[tuple[str, ...], str]:
    """A word of every run of phones that is one, without stress; of several the shortest.

    Of words as short as each other it is the first of the alphabet.
    """
    tables = (rows_by(name, "en", "word") for name in ("new_words", "weak_forms"))
    of_tables = (
        (word, tuple(label.rstrip("012") for label in row["phones"].split()))
        for each in tables
        for word, rows in each.items()
        for row in rows
    )
    found: dict[tuple[str, ...], str] = {}
    for word, phones in chain(cmudict.listed_forms(), of_tables):
        if word.isalpha():
            found[phones] = min(found.get(phones, word), word, key=lambda one: (len(one), one))
    return found
