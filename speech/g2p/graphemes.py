"""Letters in place of phones, for languages whose sounds nobody has written down for us.

A letter is a base letter with its combining marks, folded to lower case and composed (NFC):
*Ǫ́* is one letter, in whatever way it was typed. This is honest where spelling is close to
speech, and rough where it is not: English *gh* is two letters and mostly no sound.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from nativeear.speech.canonical import PhoneSequence
from nativeear.speech.errors import InputError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
from nativeear.speech.sequences import sequence

_DOTLESS = frozenset({"tr", "az", "tt", "crh", "kk"})
"""Languages in which the small letter of I is ı, where written in Latin."""


class Graphemes:
    """Spells words in the letters of an inventory; a word with another one cannot be said."""

    name = "graphemes"

    def __init__(self, language: str, inventory: PhoneInventory) -> None:
        self._language = language
        self._inventory = inventory

    def pronounce(self, words: Sequence[str]) -> list[tuple[PhoneSequence, ...]]:
        """One pronunciation per word; none for a word with digits or letters never seen."""
        return [self._spelt(word) for word in words]

    def _spelt(self, word: str) -> tuple[PhoneSequence, ...]:
        phones = letters(word, self._language)
        if not phones or any(phone not in self._inventory for phone in phones):
            return ()
        return (sequence(phones, [None] * len(phones), self._inventory, self.name),)


def letters(word: str, language: str = "und") -> tuple[str, ...]:
    """The letters of a word, in order; none where it has digits, which no letter tells.

    Apostrophes, hyphens and other signs between letters are passed over.
    """
    if primary_subtag(language) in _DOTLESS:
        word = word.replace("I", "ı").replace("İ", "i")
    # Folding may take composed letters apart (İ), and composing may join them again.
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", word).casefold())
    found: list[str] = []
    for char in folded:
        category = unicodedata.category(char)
        if category.startswith("N"):
            return ()
        if category.startswith("L"):
            found.append(char)
        elif category.startswith("M") and found:
            found[-1] += char
    return tuple(found)


def inventory(language: str, words: Iterable[str]) -> PhoneInventory:
    """An inventory of the letters of these words; see `PhoneInventory.from_letters`."""
    return PhoneInventory.from_letters(
        language, (letter for word in words for letter in letters(word, language))
    )


def load(language: str, inventory: PhoneInventory) -> Graphemes:
    """Spelling for one language, whose inventory has letters."""
    if inventory.notation != "letters":
        raise InputError(
            f"The phone inventory of {language} has sounds, and graphemes give letters.",
            fix="Make the letters from the texts of the corpus: Pronouncer.for_texts(language,"
            " texts, g2p='graphemes').",
        )
    return Graphemes(language, inventory)
