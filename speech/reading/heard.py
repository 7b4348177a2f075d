"""Which word a run of phones is, where a dictionary has one like it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nativeear.speech.canonical import Pronunciation
from nativeear.speech.g2p.cmudict import by_phones
from nativeear.speech.inventory import PhoneInventory

LEAST = 4
"""Phones from which a word that differs in one of them is still that word."""


def heard_word(phones: Sequence[str], inventory: PhoneInventory, text: Pronunciation) -> str | None:
    """A word that is said with these phones; None where none is.

    Words of the text come first, then those of CMUdict in English, each with the same phones
    before those with one phone more, less or another.
    """
    said = tuple(phones)
    own = {form.phones: word.word for word in reversed(text.words) for form in word.variants}
    listed = by_phones() if inventory.notation == "arpabet" else {}
    for sources in (own, listed):
        if said in sources:
            return sources[said]
    if len(said) >= LEAST:
        near = tuple(_one_off(said, inventory.symbols))
        for sources in (own, listed):
            for other in near:
                if other in sources:
                    return sources[other]
    return None


def _one_off(said: tuple[str, ...], symbols: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for i in range(len(said)):
        for symbol in symbols:
            yield (*said[:i], symbol, *said[i + 1 :])
    for i in range(len(said)):
        yield (*said[:i], *said[i + 1 :])
    for i in range(len(said) + 1):
        for symbol in symbols:
            yield (*said[:i], symbol, *said[i:])
