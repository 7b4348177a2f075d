"""Tables that somebody brings to an audit: words by level, or the sounds of languages."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

from nativeear.indexer.readers.lines import read_text
from nativeear.speech.errors import InputError
from nativeear.speech.first_languages import phonemes
from nativeear.speech.inventory import PhoneInventory

SUFFIXES = frozenset({".csv", ".tsv"})

WORD_COLUMNS = ("word", "headword", "lemma", "base word", "baseword")
LEVEL_COLUMNS = ("cefr", "level", "cefr level", "band")
"""What lists of words by level call their columns; case and underscores do not matter."""


def is_table(source: str) -> bool:
    """Whether what was named is a table, with or without a language of it (`FILE.csv:eng`)."""
    return _named(source)[0].suffix.lower() in SUFFIXES


def is_of_sounds(source: str) -> bool:
    """Whether a table has PHOIBLE's shape, and not a word in every row.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    header = next(iter(_rows(_named(source)[0])), [])
    return "Phoneme" in header


def words_by_level(source: str) -> dict[str, str]:
    """Words of a list and the level of each, in the list's order; '' where it has no levels.

    A word that comes again has the lowest of its levels; `a/an` are two words.

    Raises
    ------
    InputError
        If the table cannot be read or names no column of words.
    """
    path = _named(source)[0]
    header, *rows = _rows(path) or [[]]
    names = [" ".join(name.lower().replace("_", " ").split()) for name in header]
    word_at = next((names.index(name) for name in WORD_COLUMNS if name in names), None)
    level_at = next((names.index(name) for name in LEVEL_COLUMNS if name in names), None)
    if word_at is None:
        raise InputError(
            f"{path} names no column of words.",
            cause=f"Its columns: {', '.join(header) or 'none'}.",
            fix=f"Call one {' or '.join(WORD_COLUMNS[:2])}, and the levels' column CEFR.",
        )
    levels: dict[str, str] = {}
    for row in rows:
        level = row[level_at].strip() if level_at is not None and level_at < len(row) else ""
        for word in (row[word_at] if word_at < len(row) else "").split("/"):
            if word.strip():
                known = levels.setdefault(word.strip(), level)
                levels[word.strip()] = min(known, level)
    return levels


def sounds_of(source: str, inventory: PhoneInventory) -> tuple[str, ...]:
    """The sounds of a language of a table, as phones of an inventory where it has them.

    A sound that PHOIBLE writes more narrowly (`t̠ʃ`) is the phone with the same letters.

    Raises
    ------
    InputError
        If no language is named, or the table does not have it.
    """
    path, language = _named(source)
    if not language:
        raise InputError(
            f"{path} has the sounds of many languages.",
            fix=f"Name one by its ISO 639-3 or Glottolog code, as in {path}:eng.",
        )
    bare: dict[str, str] = {}
    for phone in inventory:
        bare.setdefault(_bare(phone.ipa), phone.symbol)
    return tuple(
        dict.fromkeys(
            inventory.symbol(sound) if inventory.knows(sound) else bare.get(_bare(sound), sound)
            for sound in phonemes(path, language)
        )
    )


def _bare(ipa: str) -> str:
    letters = unicodedata.normalize("NFD", ipa)
    return "".join(c for c in letters if unicodedata.category(c) not in {"Mn", "Lm"})


def _named(source: str) -> tuple[Path, str]:
    path, _, language = source.rpartition(":")
    if path and Path(path).suffix.lower() in SUFFIXES:
        return Path(path).expanduser(), language
    return Path(source).expanduser(), ""


def _rows(path: Path) -> list[list[str]]:
    text = read_text(path)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        return [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise InputError(f"{path} is no table.", cause=str(error)) from error
