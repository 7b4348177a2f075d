"""Which sounds a learner's first language has, and which it lacks.

The shipped inventories (`speech/data/first_languages.csv`) and those that `convert_phoible` takes
from PHOIBLE's table have the same columns.
"""

from __future__ import annotations

import csv
import os
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nativeear.speech.errors import InputError
from nativeear.speech.languages import primary_subtag
from nativeear.speech.phones import Phone, normal_ipa
from nativeear.speech.tables import table

COLUMNS = (
    "Tag",
    "Glottocode",
    "ISO6393",
    "LanguageName",
    "Phoneme",
    "Marginal",
    "Allophonic",
    "Source",
)
"""One row per sound. `Marginal`: in loanwords only. `Allophonic`: a variant of another phoneme."""

_UNJUDGED = frozenset({"diphthong", "letter"})
_PHOIBLE = ("InventoryID", "Glottocode", "ISO6393", "LanguageName", "Phoneme", "Source")
# Length, aspiration, dentals and Korean tenseness: no reason to say that a sound is lacking.
_UNHEARD = frozenset("ːˑʰʱ\u032a\u0348")
# Transcriptions choose between these letters by habit; a claim that one is lacking could be false.
_ALIKE = {
    letter: group[0]
    for group in ("aɑɐ", "eɛ", "oɔ", "uɯ", "ʃʂɕ", "ʒʐʑ", "ɹɻ", "ɾɽ", "lɫ", "ʁʀ", "ɚɝ", "hɦ", "ʏɵ")
    for letter in group
}


@dataclass(frozen=True)
class FirstLanguage:
    """The sounds of one language.

    Attributes
    ----------
    name
        In English.
    sounds
        All its phonemes and allophones, in the reduced spelling of `_plain`.
    source
        Who published the inventory, and when.
    tag
        Its BCP 47 tag, where it has one.
    """

    name: str
    sounds: frozenset[str]
    source: str
    tag: str = ""

    def has(self, ipa: str) -> bool:
        """Whether the language has a sound, if only as a variant of another or in loanwords."""
        return _plain(ipa) in self.sounds

    def note(self, meant: Phone, heard: Phone | None = None) -> str | None:
        """Say that a phone is new to its speakers; None where it is not, or not certain.

        Diphthongs are not judged: whether a language has one depends on who counts.
        """
        if not self.lacks(meant):
            return None
        if heard is not None and self.knows(heard):
            return f"{self.name} has /{heard.ipa}/ but no /{meant.ipa}/."
        return f"{self.name} has no /{meant.ipa}/."

    def lacks(self, phone: Phone) -> bool:
        """Whether a phone is certainly new to its speakers."""
        return phone.kind not in _UNJUDGED and not self.has(phone.ipa)

    def knows(self, phone: Phone) -> bool:
        """Whether a phone is certainly not new to its speakers."""
        return phone.kind not in _UNJUDGED and self.has(phone.ipa)


def first_language(name: str) -> FirstLanguage:
    """Find a first language.

    Parameters
    ----------
    name
        A BCP 47 tag, an ISO 639-3 or Glottolog code, or an English name; case does not matter.
        `FILE.csv:NAME` looks in an imported table.

    Raises
    ------
    InputError
        If it is not known; the known ones are listed.
    """
    found, known = _find(name)
    if found is None:
        raise InputError(
            f"No sounds are known of the first language {name!r}.",
            cause=f"Known: {known}.",
            fix="Give one of these, or import more with `nativeear inventory import`.",
        )
    return found


def first_language_or_warning(name: str) -> tuple[FirstLanguage | None, str | None]:
    """As `first_language`, with a warning in the place of a language that is not known.

    Raises
    ------
    InputError
        If a table is named that cannot be read.
    """
    found, known = _find(name)
    if found is not None:
        return found, None
    return None, (
        f"No sounds are known of the first language {name!r}, so no remark says which sounds are "
        f"new to its speakers. Known: {known}."
    )


def known_first_languages() -> list[tuple[tuple[str, ...], FirstLanguage]]:
    """Those that ship, each with the names that it is found by, its tag first."""
    names: dict[FirstLanguage, list[str]] = {}
    for name, language in _shipped().items():
        names.setdefault(language, []).append(name)
    return [(tuple(own), language) for language, own in names.items()]


def _find(name: str) -> tuple[FirstLanguage | None, str]:
    """A language if it is known, and those that are."""
    path, _, wanted = name.rpartition(":")
    known = _imported(Path(path)) if path else _shipped()
    found = known.get(wanted.strip().lower()) or known.get(primary_subtag(wanted.strip()))
    tags = sorted({language.name: tag for tag, language in reversed([*known.items()])}.values())
    return found, f"{', '.join(tags[:40])}{' …' if len(tags) > 40 else ''}"


def phonemes(path: Path, language: str) -> tuple[str, ...]:
    """The phonemes of a language in PHOIBLE's table or one of its shape.

    Allophones, and sounds of loanwords alone, are left out; of several inventories that of the
    lowest `InventoryID` is taken.

    Raises
    ------
    InputError
        If the table cannot be read or does not have the language.
    """
    wanted = language.strip().lower()
    columns = ("Glottocode", "ISO6393", "LanguageName")
    rows = [
        row
        for row in _read(path, (*columns, "Phoneme"))
        if wanted in {row[column].lower() for column in columns}
    ]
    if not rows:
        raise InputError(
            f"{path} has no sounds of a language {language!r}.",
            fix="Name it by its ISO 639-3 or Glottolog code, or as the table does.",
        )
    if "InventoryID" in rows[0]:
        first = min(_inventory_number(path, row) for row in rows)
        rows = [row for row in rows if _inventory_number(path, row) == first]
    unwanted = ("Marginal", "Allophonic")
    kept = (row for row in rows if "TRUE" not in {row.get(c, "").upper() for c in unwanted})
    return tuple(dict.fromkeys(row["Phoneme"] for row in kept))


def convert_phoible(source: Path, out: Path) -> int:
    """Turn PHOIBLE's table, or one like it, into a table of first languages.

    Where PHOIBLE has several inventories of a language, the one with the lowest `InventoryID` is
    taken.

    Parameters
    ----------
    source
        CSV with the columns InventoryID, Glottocode, ISO6393, LanguageName, Phoneme and Source,
        and, if it has them, Allophones (separated by spaces) and Marginal.
    out
        CSV to write.

    Returns
    -------
    int
        Number of languages.

    Raises
    ------
    InputError
        If `source` cannot be read or lacks a column, or `out` cannot be written.
    """
    rows = _read(source, _PHOIBLE)
    chosen: dict[str, int] = {}
    for row in rows:
        number = _inventory_number(source, row)
        chosen[_key(row)] = min(chosen.get(_key(row), number), number)
    lines: dict[tuple[str, str], tuple[str, ...]] = {}
    allophones: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in rows:
        key = _key(row)
        if chosen[key] != _inventory_number(source, row):
            continue
        facts = (key, row["Glottocode"], row["ISO6393"], row["LanguageName"])
        marginal = "TRUE" if row.get("Marginal", "").upper() == "TRUE" else "FALSE"
        phoneme = row["Phoneme"]
        lines[key, phoneme] = (*facts, phoneme, marginal, "FALSE", row["Source"])
        for sound in row.get("Allophones", "").split():
            if sound != "NA":
                allophones[key, sound] = (*facts, sound, "FALSE", "TRUE", row["Source"])
    _write(out, (allophones | lines).values())
    return len(chosen)


def _key(row: Mapping[str, str]) -> str:
    return row["ISO6393"] if row["ISO6393"] not in {"", "NA"} else row["Glottocode"]


def _inventory_number(source: Path, row: Mapping[str, str]) -> int:
    try:
        return int(row["InventoryID"])
    except ValueError:
        raise InputError(
            f"{source} has an InventoryID that is no number: {row['InventoryID']!r}.",
            fix="Give PHOIBLE's table as it was published.",
        ) from None


def _write(out: Path, lines: Iterable[tuple[str, ...]]) -> None:
    beside = out.with_name(out.name + ".partial")
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(lines)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(out)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InputError(
            f"{out} cannot be written.", cause=str(error), fix="Give another --out."
        ) from error


def _read(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True, restval="")
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(
                    f"{path} is no table of phone inventories.",
                    cause=f"It lacks the columns {', '.join(missing)}.",
                    fix="Give PHOIBLE's table, or one that `nativeear inventory import` wrote.",
                )
            rows = [row for row in reader if row["Phoneme"]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path} cannot be read.", cause=str(error), fix="Give a CSV file in UTF-8."
        ) from error
    if not rows:
        raise InputError(f"{path} has no phones.", fix="Give a table with one row per phone.")
    return rows


@cache
def _shipped() -> Mapping[str, FirstLanguage]:
    return _languages(table("first_languages"))


@cache
def _imported(path: Path) -> Mapping[str, FirstLanguage]:
    return _languages(_read(path, COLUMNS))


def _languages(rows: Iterable[Mapping[str, str]]) -> dict[str, FirstLanguage]:
    """Every language under its tag, and then its codes and name."""
    grouped: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        grouped.setdefault(row["Tag"].lower(), []).append(row)
    named: dict[str, FirstLanguage] = {}
    for tag, members in grouped.items():
        facts = members[0]
        sounds = frozenset(_plain(row["Phoneme"]) for row in members)
        tagged = facts["Tag"] if facts["Tag"] not in {facts["ISO6393"], facts["Glottocode"]} else ""
        named[tag] = FirstLanguage(facts["LanguageName"], sounds, facts["Source"], tagged)
    for tag, members in grouped.items():
        for column in ("ISO6393", "Glottocode", "LanguageName"):
            if members[0][column] not in {"", "NA"}:
                named.setdefault(members[0][column].lower(), named[tag])
    return named


def _plain(ipa: str) -> str:
    """Spelling in which sounds are compared: what does not make another sound is left out."""
    letters = unicodedata.normalize("NFD", normal_ipa(ipa))
    kept = "".join(_ALIKE.get(char, char) for char in letters if char not in _UNHEARD)
    return unicodedata.normalize("NFC", kept)
