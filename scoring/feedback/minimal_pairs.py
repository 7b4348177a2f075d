"""Pairs of common words that differ in one phone only, and how much hangs on each contrast.

The words are the commonest short ones of a language (`speech/data/common_words_<language>.csv`,
written by `training/common_words.py`) in their dictionary pronunciation. A language without such a
table has no pairs.

How many pairs a contrast alone keeps apart is its functional load in the simplest form (Martinet
1955; used to choose what to teach by Brown 1988).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations

from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
from nativeear.speech.tables import has_table, table

MAX_PAIRS = 3

NOTHING = ""
"""The phone that a deleted phone is heard as."""

Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class MinimalPairs:
    """Every minimal pair of a list of words.

    Attributes
    ----------
    by_contrast
        Pairs of words under the two phones that they differ in, the word of the first phone
        first; the commonest pairs first. `NOTHING` stands for a phone that the second word lacks.
    """

    by_contrast: Mapping[tuple[str, str], tuple[Pair, ...]]

    def of(self, meant: str, heard: str) -> tuple[Pair, ...]:
        """All pairs, the word with `meant` first; of two phones in any order."""
        if (meant, heard) in self.by_contrast:
            return self.by_contrast[meant, heard]
        return tuple((b, a) for a, b in self.by_contrast.get((heard, meant), ()))

    def load(self, meant: str, heard: str) -> float:
        """Functional load of one contrast, 0–1; 0 where no common word hangs on it.

        Counts of one phone against another, and of a phone against `NOTHING`, are each divided by
        their largest.
        """
        largest = self._most_pairs[NOTHING in (meant, heard)]
        return len(self.of(meant, heard)) / largest

    @cached_property
    def _most_pairs(self) -> tuple[int, int]:
        """Of a contrast of two phones, and of a phone with `NOTHING`."""
        most = [1, 1]
        for contrast, pairs in self.by_contrast.items():
            gone = NOTHING in contrast
            most[gone] = max(most[gone], len(pairs))
        return most[0], most[1]

    def to_practise(self, meant: str, heard: str) -> tuple[Pair, ...]:
        """At most `MAX_PAIRS` of them, each word once."""
        chosen: list[Pair] = []
        for pair in self.of(meant, heard):
            if not {word for each in chosen for word in each} & set(pair):
                chosen.append(pair)
            if len(chosen) == MAX_PAIRS:
                break
        return tuple(chosen)


def find_pairs(words: Iterable[tuple[str, tuple[str, ...]]]) -> MinimalPairs:
    """Find every minimal pair.

    Parameters
    ----------
    words
        Words with their phones, the commonest first.
    """
    spelt: dict[tuple[str, ...], list[tuple[int, str]]] = {}
    frames: dict[tuple[tuple[str, ...], tuple[str, ...]], list[tuple[int, str, str]]] = {}
    for rank, (word, phones) in enumerate(words):
        spelt.setdefault(phones, []).append((rank, word))
        for i, phone in enumerate(phones):
            frames.setdefault((phones[:i], phones[i + 1 :]), []).append((rank, phone, word))
    found: dict[tuple[str, str], list[tuple[int, Pair]]] = {}
    for (before, after), members in frames.items():
        shorter = [(rank, NOTHING, word) for rank, word in spelt.get(before + after, ())]
        pairs = [*combinations(members, 2), *((a, b) for a in members for b in shorter)]
        for (rank, phone, word), (other_rank, other_phone, other) in pairs:
            if phone == other_phone:
                continue  # spelt otherwise, said alike
            key, pair = (phone, other_phone), (word, other)
            if other_phone and other_phone < phone:
                key, pair = (other_phone, phone), (other, word)
            found.setdefault(key, []).append((max(rank, other_rank), pair))
    return MinimalPairs(
        {
            key: tuple(dict.fromkeys(pair for _, pair in sorted(pairs)))
            for key, pairs in found.items()
        }
    )


@cache
def pairs_of(inventory: PhoneInventory) -> MinimalPairs | None:
    """The minimal pairs of the language of an inventory; None where no lexicon ships."""
    name = f"common_words_{primary_subtag(inventory.language)}"
    if not has_table(name):
        return None
    words = ((row["word"], tuple(row["phones"].split())) for row in table(name))
    return find_pairs(
        (word, phones) for word, phones in words if all(phone in inventory for phone in phones)
    )
