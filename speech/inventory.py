"""The phones of a language.

Symbols are ARPAbet without stress digits in English and IPA in every other language; where nobody
knows a language's sounds, its letters stand in for them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nativeear.speech.errors import InputError, PhoneError
from nativeear.speech.labels import LabelReader
from nativeear.speech.languages import primary_subtag
from nativeear.speech.phones import (
    KINDS,
    LETTER,
    VOWEL_KINDS,
    Features,
    Phone,
    feature_names,
    normal_ipa,
    parse_features,
    phone_distance,
    phone_from_ipa,
)
from nativeear.speech.tables import DATA, has_table, table

_NEAREST = 4  # known labels named in an error


class PhoneInventory:
    """The phone set of one language.

    Parameters
    ----------
    language
        BCP 47 tag.
    phones
        The phones; their order is kept.

    Attributes
    ----------
    notation
        How this inventory writes its phones: `arpabet`, `ipa` or `letters`.
    """

    def __init__(self, language: str, phones: Iterable[Phone]) -> None:
        self.language = language
        self.phones: tuple[Phone, ...] = tuple(phones)
        self._by_symbol = {phone.symbol: phone for phone in self.phones}
        if len(self._by_symbol) != len(self.phones):
            raise InputError(f"The phone inventory of {language} names a phone twice.")
        self.notation = "ipa"
        if all(re.fullmatch("[A-Z]+", phone.symbol) for phone in self.phones):
            self.notation = "arpabet"
        elif any(phone.kind == LETTER for phone in self.phones):
            self.notation = "letters"
        self._labels = LabelReader(language, self._by_symbol, self.notation)

    @staticmethod
    def ships(language: str) -> bool:
        """Whether `load` has an inventory for `language`."""
        return has_table(f"phones_{primary_subtag(language)}")

    @classmethod
    def load(cls, language: str) -> PhoneInventory:
        """The inventory that ships for `language`.

        Raises
        ------
        InputError
            If none ships; `Pronouncer.for_texts` makes one from a corpus.
        """
        if not cls.ships(language):
            known = sorted(path.stem.removeprefix("phones_") for path in DATA.glob("phones_*.csv"))
            raise InputError(
                f"No phone inventory ships for language {language!r}.",
                cause=f"There is one for {', '.join(known)}.",
                fix="Make it from the texts of a corpus with Pronouncer.for_texts, from a lexicon"
                " in IPA, or from labels with PhoneInventory.from_labels.",
            )
        rows = table(f"phones_{primary_subtag(language)}")
        return cls(
            language,
            (
                Phone(
                    row["symbol"],
                    row["ipa"],
                    row["kind"],
                    parse_features(row["features"]),
                    parse_features(row["glide"]),
                )
                for row in rows
            ),
        )

    @classmethod
    def from_labels(cls, language: str, labels: Iterable[str]) -> PhoneInventory:
        """An inventory of the IPA labels that were seen in a corpus, sorted.

        Stress marks and tie bars are dropped and look-alikes unified (`g` is `ɡ`); everything
        else makes a phone of its own.

        Raises
        ------
        PhoneError
            If a label is not IPA.
        """
        symbols = sorted({normal_ipa(label) for label in labels})
        return cls(language, (phone_from_ipa(symbol) for symbol in symbols))

    @classmethod
    def from_letters(cls, language: str, letters: Iterable[str]) -> PhoneInventory:
        """An inventory in which each letter stands for its sound, sorted.

        What the sounds are is not known: the features are all 0, no letter is a vowel, and any two
        letters are as far apart as can be.
        """
        found = sorted(set(letters))
        if not found:
            raise InputError(
                f"There is no letter to make an inventory of for {language}.",
                fix="Give the texts of the corpus.",
            )
        nothing = (0,) * len(feature_names())
        return cls(language, (Phone(each, f"⟨{each}⟩", LETTER, nothing) for each in found))

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of `phones`, in the same order."""
        return tuple(self._by_symbol)

    def phone(self, symbol: str) -> Phone:
        """The phone that `symbol` stands for; a `PhoneError` where there is none."""
        try:
            return self._by_symbol[symbol]
        except KeyError:
            raise self._unknown(symbol) from None

    def symbol(self, label: str, scheme: str | None = None) -> str:
        """The inventory's symbol for one label of another notation, for instance `AH0` or `əʊ`.

        Parameters
        ----------
        scheme
            One of `speech.labels.SCHEMES`. Without it they are tried in that order, and the first
            that knows the label decides: name the scheme where labels are ambiguous (X-SAMPA `D`
            is the first sound of *this*, ARPAbet `D` that of *dis*).

        Raises
        ------
        PhoneError
            If the label is unknown, or stands for several phones (see `split`).
        """
        symbols = self.split(label, scheme)
        if len(symbols) != 1:
            raise PhoneError(
                f"The label {label!r} stands for {len(symbols)} phones: {' '.join(symbols)}.",
                fix="Write them one by one.",
            )
        return symbols[0]

    def split(self, label: str, scheme: str | None = None) -> tuple[str, ...]:
        """The inventory's symbols for a label that may stand for several: `ɔːɹ` is `AO R`.

        A `PhoneError` names the nearest known ones where the label is unknown.
        """
        found = self._labels.read(label, scheme)
        if not found:
            raise self._unknown(label)
        return found

    def knows(self, label: str, scheme: str | None = None) -> bool:
        """Whether `split` has an answer."""
        return bool(self._labels.read(label, scheme))

    def ipa(self, symbol: str) -> str:
        """IPA transcription of a symbol."""
        return self.phone(symbol).ipa

    def features(self, symbol: str) -> Features:
        """PanPhon features of a symbol, in the order of `feature_names`."""
        return self.phone(symbol).features

    def is_vowel(self, symbol: str) -> bool:
        """Whether a symbol is a vowel or a diphthong."""
        return self.phone(symbol).kind in VOWEL_KINDS

    def is_syllabic(self, symbol: str) -> bool:
        """Whether a symbol carries a syllable: a vowel, or a syllabic consonant."""
        return self.phone(symbol).features[0] > 0

    def distance(self, a: str, b: str) -> float:
        """Feature distance of two symbols, see `speech.phones.phone_distance`."""
        return phone_distance(self.phone(a), self.phone(b))

    def nearest(self, phone: Phone) -> tuple[str, float]:
        """The symbol closest to any phone, known or not, and its distance."""
        distances = ((own.symbol, phone_distance(own, phone)) for own in self.phones)
        return min(distances, key=lambda pair: pair[1])

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, for manifests."""
        phones = [
            {**vars(phone), "features": list(phone.features), "glide": list(phone.glide)}
            for phone in self.phones
        ]
        return {"language": self.language, "phones": phones}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PhoneInventory:
        """Read back what `to_json` gave; an `InputError` if it has another shape."""
        try:
            phones = [
                Phone(
                    str(row["symbol"]),
                    str(row["ipa"]),
                    str(row["kind"]),
                    tuple(map(int, row["features"])),
                    tuple(map(int, row["glide"])),
                )
                for row in data["phones"]
            ]
            language = str(data["language"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("This is not a phone inventory.", cause=repr(error)) from error
        size = len(feature_names())
        if any(phone.kind not in KINDS or len(phone.features) != size for phone in phones):
            raise InputError("This is not a phone inventory.", cause="A kind or a feature is off.")
        return cls(language, phones)

    def __len__(self) -> int:
        return len(self.phones)

    def __iter__(self) -> Iterator[Phone]:
        return iter(self.phones)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._by_symbol

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PhoneInventory):
            return NotImplemented
        return self.language == other.language and self.phones == other.phones

    def __hash__(self) -> int:
        return hash((self.language, self.phones))

    def __repr__(self) -> str:
        return f"PhoneInventory({self.language!r}, {len(self)} phones)"

    def _unknown(self, label: str) -> PhoneError:
        return PhoneError(
            f"The phone label {label!r} is not known in {self.language}.",
            cause=f"The nearest known ones are {', '.join(self._nearest_labels(label))}.",
            fix="Use one of the inventory's phones: " + " ".join(self.symbols) + ".",
        )

    def _nearest_labels(self, label: str) -> list[str]:
        close = difflib.get_close_matches(label.upper(), self.symbols, n=2, cutoff=0.5)
        try:
            if self.notation == "letters":
                raise PhoneError("Letters have no features.")
            sound = phone_from_ipa(normal_ipa(label))
            ranked = sorted(self.phones, key=lambda own: phone_distance(own, sound))
            close += [own.symbol for own in ranked]
        except PhoneError:
            # Not IPA: only the look of the label is left to go by.
            close += difflib.get_close_matches(label, self.symbols, n=_NEAREST, cutoff=0.0)
        return list(dict.fromkeys(close))[:_NEAREST]
