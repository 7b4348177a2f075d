"""What a learner is told of a sound beside its IPA: an example word, a respelling, and the mouth.

Example words and respellings are `service/data/sounds/LANGUAGE.csv`; a language without one has
the mouth alone, which follows from the IPA chart (`scoring.feedback.articulation`).
"""

from __future__ import annotations

import csv
import unicodedata
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from nativeear.scoring.feedback.articulation import place_and_manner, vowels_of
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.languages import primary_subtag
from nativeear.speech.phones import VOWEL_KINDS, Phone, feature_names

_NASAL_MARK = "\u0303"


class Vowel(BaseModel):
    """Where a vowel lies on the IPA chart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    height: str
    backness: str
    rounded: bool


class Mouth(BaseModel):
    """How a sound is made: a consonant by place and manner, a vowel by where it begins and ends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    voiced: bool
    nasal: bool
    place: str | None = None
    manner: str | None = None
    vowels: tuple[Vowel, ...] = ()


class Sound(BaseModel):
    """A phone for learners; `letters` are those of `example` that write it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phone: str
    ipa: str
    kind: str
    respelling: str | None = None
    example: str | None = None
    letters: str | None = None
    mouth: Mouth | None = None


@cache
def sounds(inventory: PhoneInventory) -> tuple[Sound, ...]:
    """Every phone of an inventory, in its order."""
    told = _told(primary_subtag(inventory.language))
    return tuple(
        Sound(
            phone=phone.symbol,
            ipa=phone.ipa,
            kind=phone.kind,
            mouth=_mouth(phone),
            **told.get(phone.symbol, {}),
        )
        for phone in inventory
    )


def _mouth(phone: Phone) -> Mouth | None:
    """None where the IPA chart does not know the sound."""
    voiced = phone.features[feature_names().index("voi")] > 0
    if phone.kind in VOWEL_KINDS:
        ends = tuple(
            Vowel(height=row["height"], backness=row["backness"], rounded=row["rounded"] == "yes")
            for row in vowels_of(phone)
        )
        nasal = _NASAL_MARK in unicodedata.normalize("NFD", phone.ipa)
        return Mouth(voiced=voiced, nasal=nasal, vowels=ends) if ends else None
    made = place_and_manner(phone)
    if made is None:
        return None
    place, manner = made
    return Mouth(voiced=voiced, nasal=manner == "nasal", place=place, manner=manner)


@cache
def _told(language: str) -> dict[str, dict[str, str]]:
    file = files("nativeear.service") / "data" / "sounds" / f"{language}.csv"
    if not file.is_file():
        return {}
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    return {row.pop("phone"): row for row in rows}
