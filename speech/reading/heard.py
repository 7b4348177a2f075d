"""Which word a run of phones is, where that is sure enough to be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from nativeear.speech.canonical import Pronunciation
from nativeear.speech.english import words_by_phones
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.tables import table

LEAST = 4
"""Phones from which a word that differs in one of them is still that word."""

LEAST_RARE = 5
"""The same for a word that is neither in the text nor common, even where no phone differs."""

Words = Mapping[tuple[str, ...], str]


def heard_word(phones: Sequence[str], inventory: PhoneInventory, text: Pronunciation) -> str | None:
    """A word that is said with these phones; None where none is, or where it may be several.

    Words of the text come first, then, in English, common ones, if need be with one phone more,
    less or another, then those of the dictionary. Such a word is told only where it is alone.
    """
    said = tuple(phones)
    own = {form.phones: word.word for word in reversed(text.words) for form in word.variants}
    common, listed = (
        (common_words(), words_by_phones()) if inventory.notation == "arpabet" else ({}, {})
    )
    rare = listed if len(said) >= LEAST_RARE else {}
    near = tuple(_one_off(said, inventory.symbols)) if len(said) >= LEAST else ()
    tried: tuple[tuple[Words, tuple[tuple[str, ...], ...]], ...] = (
        (own, (said,)),
        (common, (said,)),
        (own, near),
        (common, near),
        (rare, (said,)),
        (rare, near),
    )
    for source, forms in tried:
        found = {source[form] for form in forms if form in source}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


@cache
def common_words() -> dict[tuple[str, ...], str]:
    """The commonest short words of English by their phones, of several the commonest."""
    rows = reversed(table("common_words_en"))
    return {tuple(row["phones"].split()): row["word"] for row in rows}


def _one_off(said: tuple[str, ...], symbols: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for i in range(len(said)):
        for symbol in symbols:
            yield (*said[:i], symbol, *said[i + 1 :])
    for i in range(len(said)):
        yield (*said[:i], *said[i + 1 :])
    for i in range(len(said) + 1):
        for symbol in symbols:
            yield (*said[:i], symbol, *said[i:])
