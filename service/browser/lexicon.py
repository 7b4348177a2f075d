"""The English dictionary as one compressed text: a word and its forms per line."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Any

from nativeear.speech.canonical import PhoneSequence
from nativeear.speech.english import EnglishDictionary
from nativeear.speech.g2p.cmudict import listed_words
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
from nativeear.speech.reading.heard import common_words
from nativeear.speech.tables import rows_by, table, word_set


def lexicon_text(language: str, inventory: PhoneInventory) -> bytes:
    """Every word of the dictionary with all its forms, gzipped.

    A line has the word, a tab, and its forms with `|` between them, the commonest first: phones
    with spaces between them, and digits of stress on vowels.
    """
    dictionary = EnglishDictionary(language, inventory)
    words = sorted({*listed_words(), *rows_by("new_words", "en", "word")})
    lines = (f"{word}\t{'|'.join(map(_form, dictionary.variants(word)))}" for word in words)
    return gzip.compress("\n".join(lines).encode(), mtime=0)


def _form(form: PhoneSequence) -> str:
    pairs = zip(form.phones, form.stress, strict=True)
    return " ".join(phone if stress is None else f"{phone}{stress}" for phone, stress in pairs)


def common_by_phones() -> dict[str, str]:
    """The commonest short words by their phones, with spaces between."""
    return {" ".join(phones): word for phones, word in common_words().items()}


def reading_rules(language: str) -> dict[str, Any]:
    """What else is asked of a text: onsets of syllables, homographs, and mergers of the accent."""
    primary = primary_subtag(language)
    return {
        "onsets": [row["onset"] for row in table(f"onsets_{primary}")],
        "homographs": {
            word: [_reading(row) for row in rows]
            for word, rows in rows_by("homographs", primary, "word").items()
        },
        "word_sets": {
            name: sorted(word_set(name, primary)) for name in rows_by("word_sets", primary, "set")
        },
        "mergers": [
            {"phone": row["phone"], "also": row["also"], "not_before": row["not_before"]}
            for row in table("mergers")
            if row["language"].lower() == language.lower()
        ],
    }


def spelling_costs(language: str) -> dict[str, dict[str, float]]:
    """What it costs that letters write one phone or two, by their phones with a space between."""
    costs: dict[str, dict[str, float]] = {}
    for row in table(f"spelling_{primary_subtag(language)}"):
        costs.setdefault(row["phones"], {})[row["letters"]] = float(row["cost"])
    return costs


def _reading(row: dict[str, str]) -> dict[str, Sequence[str]]:
    return {
        "kinds": row["kinds"].split(),
        "forms": row["phones"].split("; "),
        "beside": row["beside"].split(),
    }
