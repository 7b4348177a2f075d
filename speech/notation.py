"""The notation of an alignment: whose labels these are, and the phones that they stand for."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nativeear.speech.errors import InputError, PhoneError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.labels import SCHEMES

NAMES = {"arpabet": "arpabet", "mfa": "mfa", "ipa": "ipa", "espeak": "espeak", "sampa": "xsampa"}
"""Notations as people name them, and the scheme that reads each."""

NOT_JUDGED = "-"
"""In a table of labels, the phone of a label that is no phone."""


def scheme_of_labels(labels: Iterable[str], inventory: PhoneInventory) -> str | None:
    """The scheme that reads most of an alignment's labels; of several the first of `SCHEMES`.

    One label alone tells nothing: SAMPA's `D` is the first sound of *this*, ARPAbet's that of
    *dis*. None where no scheme reads any.
    """
    asked = set(labels)
    known = {scheme: sum(inventory.knows(each, scheme) for each in asked) for scheme in SCHEMES}
    best = max(SCHEMES, key=lambda scheme: known[scheme])
    return best if known[best] else None


@dataclass(frozen=True)
class Notation:
    """How labels of an alignment are read.

    Attributes
    ----------
    inventory
        Whose phones they become.
    scheme
        One of `speech.labels.SCHEMES`; None where nothing is known of them.
    own
        A person's own readings, which go before: phones by label, none for what is no phone.
    """

    inventory: PhoneInventory
    scheme: str | None = None
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def read(self, label: str) -> tuple[str, ...] | None:
        """The phones that a label stands for; None where it is unknown."""
        label = label.strip()
        if label in self.own:
            return self.own[label]
        try:
            return self.inventory.split(label, self.scheme)
        except PhoneError:
            return None


def read_labels(file: Path, inventory: PhoneInventory) -> dict[str, tuple[str, ...]]:
    """A person's own readings of labels: a CSV file with the columns `label` and `phones`.

    `phones` are of the inventory, with spaces between several; `-` is no phone, and not judged.

    Raises
    ------
    InputError
        If the file is no such table, or names a phone that the inventory lacks (`PhoneError`).
    """
    shape = "Give a CSV file in UTF-8 with the columns label,phones."
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            table = csv.DictReader(opened, strict=True)
            columns, rows = table.fieldnames or (), list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"The labels {file} cannot be read.", cause=str(error), fix=shape
        ) from error
    if not {"label", "phones"} <= set(columns):
        raise InputError(f"The table {file} has no columns label and phones.", fix=shape)
    found = {}
    for row in rows:
        label, phones = row.get("label"), row.get("phones")
        if not label or not (phones or "").strip():
            raise InputError(f"The labels {file} lack a label or its phones.", fix=shape)
        symbols = tuple((phones or "").split())
        symbols = () if symbols == (NOT_JUDGED,) else symbols
        for symbol in symbols:
            inventory.phone(symbol)
        found[label.strip()] = symbols
    return found
