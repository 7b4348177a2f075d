"""Words as they are spoken, and the text that they were written in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from nativeear.speech.languages import primary_subtag
from nativeear.speech.tables import column, word_set

_SPELT = re.compile(r"(?:[^\W\d_]\.)+('?s)?")


@dataclass(frozen=True)
class TextWord:
    """One spoken word.

    Attributes
    ----------
    text
        As displayed.
    spoken
        As looked up; mostly the same.
    spelt
        Said letter by letter (`PBX`).
    """

    text: str
    spoken: str
    spelt: bool = False


@dataclass(frozen=True)
class SpokenText:
    """The words of a text in reading order, and what was done to it."""

    words: tuple[TextWord, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Passage:
    """A whole text that is being read.

    Attributes
    ----------
    text
        Cleaned: one kind of apostrophe, no invisible characters.
    language
        BCP 47 tag.
    known
        Whether a lexicon has a word.
    """

    text: str
    language: str
    known: Callable[[str], bool]

    @cached_property
    def primary(self) -> str:
        """The language without its region."""
        return primary_subtag(self.language)

    @cached_property
    def mixed_case(self) -> bool:
        """Whether capitals say something: the text has small letters too."""
        return any(char.islower() for char in self.text)

    def word_before(self, at: int) -> str:
        """The word that ends right before a place, with only a space or hyphen between."""
        found = re.search(r"([^\W\d_]['\w]*)\.?[ -]?$", self.text[max(0, at - 60) : at])
        return found[1] if found else ""

    def word_after(self, at: int) -> str:
        """The word that begins right after a place, with only a space or hyphen between."""
        found = re.compile(r"[ -]?([^\W\d_]['\w]*)").match(self.text, at)
        return found[1] if found else ""

    def word(self, name: str) -> str:
        """A word that numbers are read with (`point`, `per`); nothing where none is known."""
        return column("number_words", self.primary, "name", "spoken").get(name, "")

    def words(self, name: str) -> frozenset[str]:
        """A set of words of the language, see `speech.tables.word_set`."""
        return word_set(name, self.primary)

    def signed(self, sign: str | None, spoken: str) -> str:
        """A spoken number with *minus* before it where a sign was written."""
        return f"{self.word('minus') if sign else ''} {spoken}".strip()


def spoken_words(written: str, spoken: str) -> tuple[TextWord, ...]:
    """The words of a spoken form in which `U.S.` stands for letters said one by one.

    Parameters
    ----------
    written
        What the text has; it is shown where the whole form is spelt.
    spoken
        Words with spaces between them.
    """
    parts = spoken.split()
    words = []
    for part in parts:
        spelt = bool(_SPELT.fullmatch(part))
        word = part.replace(".", "") if spelt else part
        words.append(TextWord(written if spelt and len(parts) == 1 else word, word, spelt))
    return tuple(words)
