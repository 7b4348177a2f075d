"""What ought to be heard: the words of a text, their forms, and the phones of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

SOURCES = (
    "lexicon",
    "cmudict",
    "new words",
    "weak forms",
    "homographs",
    "liaison",
    "espeak",
    "graphemes",
    "given",
)
"""Where a phone sequence can come from."""


@dataclass(frozen=True)
class PhoneSequence:
    """One way to pronounce a word.

    Attributes
    ----------
    phones
        Inventory symbols: ARPAbet without digits in English (`HH`), IPA in other languages, or
        letters where there is nothing better.
    stress
        One per phone. On vowels 0 none, 1 primary, 2 secondary; None on consonants and where the
        stress is not known.
    syllables
        Spans of `phones` as `[first, past_last)`; they touch and cover the word.
    source
        One of `SOURCES`.
    """

    phones: tuple[str, ...]
    stress: tuple[int | None, ...]
    syllables: tuple[tuple[int, int], ...]
    source: str

    def __len__(self) -> int:
        return len(self.phones)


@dataclass(frozen=True)
class WordPronunciation:
    """A word as displayed, and every way to pronounce it, the commonest first."""

    word: str
    variants: tuple[PhoneSequence, ...]


@dataclass(frozen=True)
class CanonicalPhone:
    """One phone that ought to be heard, and the word that it belongs to."""

    phone: str
    stress: int | None
    word_index: int


@dataclass(frozen=True)
class Pronunciation:
    """The words of a text with their pronunciations.

    Attributes
    ----------
    language
        BCP 47 tag.
    words
        In reading order.
    warnings
        What was read in a way that a person may not expect, or dropped; plain sentences.
    """

    language: str
    words: tuple[WordPronunciation, ...]
    warnings: tuple[str, ...] = ()

    def taken(self, variants: Sequence[int] = ()) -> tuple[int, ...]:
        """A variant for each word: as they were chosen, or the first ones if none were.

        Raises
        ------
        ValueError
            If there is another number of them than of words.
        """
        chosen = tuple(variants) or (0,) * len(self.words)
        if len(chosen) != len(self.words):
            raise ValueError(f"{len(chosen)} variants were chosen for {len(self.words)} words")
        return chosen

    def narrowed(self, variants: Sequence[int] = ()) -> Pronunciation:
        """With one variant of each word alone, see `taken`."""
        words = tuple(
            replace(word, variants=(word.variants[variant],))
            for word, variant in zip(self.words, self.taken(variants), strict=True)
        )
        return replace(self, words=words)

    def canonical(self, variants: Sequence[int] = ()) -> tuple[CanonicalPhone, ...]:
        """Every phone in reading order.

        Parameters
        ----------
        variants
            Which variant of each word to take, see `taken`.
        """
        return tuple(
            CanonicalPhone(phone, stress, word_index)
            for word_index, (word, variant) in enumerate(
                zip(self.words, self.taken(variants), strict=True)
            )
            for phone, stress in zip(
                word.variants[variant].phones, word.variants[variant].stress, strict=True
            )
        )
