"""Lexicons of the user's own, which go before all other sources."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from nativeear.speech.canonical import PhoneSequence
from nativeear.speech.errors import InputError, PhoneError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phones import normal_ipa, phone_from_ipa
from nativeear.speech.sequences import from_labels, scheme_of

Entries = Mapping[str, Sequence[str]]
"""Words and their pronunciations, each a string of phones with spaces between them."""


def fold_case(word: str) -> str:
    """A word as lexicons are asked for it."""
    return unicodedata.normalize("NFC", word).casefold().replace("’", "'")


def read_entries(lexicon: Entries | Path | None) -> Entries:
    """The entries of a lexicon that is given, or that lies in a file.

    Raises
    ------
    InputError
        If the file cannot be read, or a word has no phones.
    """
    if lexicon is None or isinstance(lexicon, Mapping):
        return lexicon or {}
    path = Path(lexicon)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The lexicon {path} cannot be read.", cause=str(error)) from error
    entries: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith((";;;", "#")):
            continue
        word, *rest = line.split()
        word = re.sub(r"\(\d+\)$", "", word)
        # MFA's dictionaries have probabilities before the phones.
        phones = " ".join(item for item in rest if not re.fullmatch(r"-?\d+(?:\.\d+)?", item))
        if not phones:
            raise InputError(
                f"Line {number} of the lexicon {path} has no phones.", cause=line.strip()
            )
        entries[word] = (*entries.get(word, ()), phones)
    return entries


def parse_entries(
    entries: Entries, inventory: PhoneInventory
) -> dict[str, tuple[PhoneSequence, ...]]:
    """The entries' phones, by `fold_case` of the word.

    Raises
    ------
    PhoneError
        If the inventory lacks a phone.
    InputError
        If a word has no phones.
    """
    parsed = {}
    for word, pronunciations in entries.items():
        with_phones = []
        for phones in pronunciations:
            try:
                scheme = scheme_of(phones, inventory)
                with_phones.append(from_labels(phones.split(), inventory, scheme, "lexicon"))
            except PhoneError as error:
                raise _unusable(word, error, error.fix) from error
            if not phones.split():
                raise InputError(f'The lexicon has no phones for "{word}".')
        parsed[fold_case(word)] = tuple(with_phones)
    return parsed


def inventory_for(language: str, entries: Entries) -> PhoneInventory:
    """The shipped inventory, or else that of a lexicon's phones, which are IPA."""
    if not entries or PhoneInventory.ships(language):
        return PhoneInventory.load(language)
    labels: dict[str, None] = {}
    for word, pronunciations in entries.items():
        for label in " ".join(pronunciations).split():
            try:
                phone_from_ipa(normal_ipa(label))
            except PhoneError as error:
                fix = f"Write the phones in IPA: no inventory ships for {language}."
                raise _unusable(word, error, fix) from error
            labels[label] = None
    return PhoneInventory.from_labels(language, labels)


def _unusable(word: str, error: PhoneError, fix: str) -> PhoneError:
    message = f'The lexicon entry for "{word}" cannot be used: {error.message}'
    return PhoneError(message, cause=error.cause, fix=fix)
