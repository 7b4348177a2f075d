"""What tables list beside a dictionary: newer words, weak forms, and phones that natives merge.

`speech/data/README.md` names the sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from nativeear.speech.inventory import primary_subtag
from nativeear.speech.tables import table


def weak_forms(language: str, word: str) -> tuple[str, ...]:
    """Phones of the reduced forms of a word in small letters, stress marked; mostly none."""
    return _forms("weak_forms").get((primary_subtag(language), word), ())


def new_words(language: str, word: str) -> tuple[str, ...]:
    """Phones of a word in small letters that is younger than the dictionary; mostly none."""
    return _forms("new_words").get((primary_subtag(language), word), ())


def merged(language: str) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """What natives of an accent may say for a phone, and the phone before which they do not."""
    # English without a region is American here, as everywhere.
    tag = language.replace("_", "-").lower()
    return _mergers().get("en-us" if tag == "en" else tag, {})


@cache
def _forms(name: str) -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in table(name):
        key = row["language"], row["word"]
        found[key] = (*found.get(key, ()), row["phones"])
    return found


@cache
def _mergers() -> dict[str, dict[str, tuple[tuple[str, str], ...]]]:
    """By language and phone: the other phone, and the phone before which they are told apart."""
    found: dict[str, dict[str, tuple[tuple[str, str], ...]]] = {}
    for row in table("mergers"):
        own = found.setdefault(row["language"].lower(), {})
        own[row["phone"]] = (*own.get(row["phone"], ()), (row["also"], row["not_before"]))
    return found
