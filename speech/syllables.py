"""Syllables of a phone sequence: one per vowel or syllabic consonant, onsets as long as allowed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
from nativeear.speech.tables import has_table, table

_SONORITY = {"stop": 0, "affricate": 0, "fricative": 1, "nasal": 2, "liquid": 3, "glide": 4}


def syllabify(phones: Sequence[str], inventory: PhoneInventory) -> tuple[tuple[int, int], ...]:
    """Split a word into syllables by the maximal onset principle.

    Where the language has a list of legal onsets (English), the longest legal one is taken;
    elsewhere the longest whose sonority rises towards the vowel.

    Parameters
    ----------
    phones
        Symbols of `inventory`.

    Returns
    -------
    tuple of (first, past_last)
        Spans that touch and cover the word. A word without a vowel is one syllable; an empty
        one has none.
    """
    nuclei = [i for i, phone in enumerate(phones) if inventory.is_syllabic(phone)]
    if not nuclei:
        return ((0, len(phones)),) if phones else ()
    starts = [0]
    for left, right in pairwise(nuclei):
        starts.append(_onset_start(phones, left + 1, right, inventory))
    return tuple(zip(starts, [*starts[1:], len(phones)], strict=True))


def _onset_start(phones: Sequence[str], first: int, nucleus: int, inventory: PhoneInventory) -> int:
    """Where the onset of `nucleus` begins, the consonants in question starting at `first`."""
    onsets = _onsets(primary_subtag(inventory.language))
    for start in range(first, nucleus):
        onset = tuple(phones[start:nucleus])
        if onset in onsets if onsets else _rises(onset, inventory):
            return start
    return nucleus


def _rises(onset: Sequence[str], inventory: PhoneInventory) -> bool:
    levels = [_SONORITY[inventory.phone(phone).kind] for phone in onset]
    return all(a < b for a, b in pairwise(levels))


@cache
def _onsets(language: str) -> frozenset[tuple[str, ...]]:
    name = f"onsets_{language}"
    if not has_table(name):
        return frozenset()
    return frozenset(tuple(row["onset"].split()) for row in table(name))
