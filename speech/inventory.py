"""The phones of a language, and what other people's labels for them mean.

Symbols are ARPAbet without stress digits in English and IPA in every other language; where nobody
knows a language's sounds, its letters stand in for them. Everything that is knowledge rather than
logic lies in tables under `speech/data`; see the README there.
"""

from __future__ import annotations

import csv
import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nativeear.speech.errors import InputError, MissingDependencyError, PhoneError
from nativeear.speech.remembered import Remembered

SCHEMES = ("arpabet", "mfa", "ipa", "espeak", "xsampa")
"""Notations that labels may come in, in the order in which they are tried."""

VOWEL_KINDS = frozenset({"vowel", "diphthong"})
LETTER = "letter"
"""Kind of a letter that stands for its sound, whatever that is: its features are all 0."""

KINDS = VOWEL_KINDS | {"stop", "affricate", "fricative", "nasal", "liquid", "glide", LETTER}

LABELS_REMEMBERED = 5_000
"""Labels whose readings an inventory keeps: whoever gives phones may write what he likes."""

_DATA = Path(__file__).parent / "data"
_NEAREST = 4  # known labels named in an error
_TIE_BARS = "\u0361\u035c"
_STRESS_MARKS = "ˈˌ'"
_LOOK_ALIKES = str.maketrans("gε:", "ɡɛː")  # the middle one is Greek, and espeak-ng's in Danish
_ARPABET = re.compile(r"([A-Za-z]{1,4}(?:-[Hh])?)([0-2]?)(?:_[BIES])?")
# Glottal and pharyngeal consonants, which PanPhon's features call sonorants.
_MISFILED = {"h": "fricative", "ɦ": "fricative", "ħ": "fricative", "ʕ": "fricative", "ʔ": "stop"}
_FEATURE_SIGNS = {"+": 1, "-": -1, "0": 0}


@dataclass(frozen=True)
class Phone:
    """One phone of an inventory.

    Attributes
    ----------
    symbol
        How the project writes it: `AY` in English, IPA elsewhere.
    ipa
        IPA transcription; of a letter the letter in angle brackets, as linguists quote spelling.
    kind
        One of `KINDS`.
    features
        PanPhon's 24 articulatory features as -1, 0 or 1, in the order of `feature_names`; of a
        diphthong, those of its beginning.
    glide
        Features of the end of a diphthong; empty for every other phone.
    """

    symbol: str
    ipa: str
    kind: str
    features: tuple[int, ...]
    glide: tuple[int, ...] = ()


class PhoneInventory:
    """The phone set of one language.

    Parameters
    ----------
    language
        BCP 47 tag.
    phones
        The phones; their order is kept.
    """

    def __init__(self, language: str, phones: Iterable[Phone]) -> None:
        self.language = language
        self.phones: tuple[Phone, ...] = tuple(phones)
        self._by_symbol = {phone.symbol: phone for phone in self.phones}
        if len(self._by_symbol) != len(self.phones):
            raise InputError(f"The phone inventory of {language} names a phone twice.")
        if all(re.fullmatch("[A-Z]+", phone.symbol) for phone in self.phones):
            self._notation = "arpabet"
        elif any(phone.kind == LETTER for phone in self.phones):
            self._notation = "letters"
        else:
            self._notation = "ipa"
        self._found: Remembered[tuple[str, str | None], tuple[str, ...]] = Remembered(
            LABELS_REMEMBERED
        )

    @staticmethod
    def ships(language: str) -> bool:
        """Whether `load` has an inventory for `language`."""
        return _phones_file(language).exists()

    @classmethod
    def load(cls, language: str) -> PhoneInventory:
        """The inventory that ships for `language`.

        Raises
        ------
        InputError
            If none ships; `Pronouncer.for_texts` makes one from a corpus.
        """
        path = _phones_file(language)
        if not path.exists():
            known = sorted(p.stem.removeprefix("phones_") for p in _DATA.glob("phones_*.csv"))
            raise InputError(
                f"No phone inventory ships for language {language!r}.",
                cause=f"There is one for {', '.join(known)}.",
                fix="Make it from the texts of a corpus with Pronouncer.for_texts, from a lexicon"
                " in IPA, or from labels with PhoneInventory.from_labels.",
            )
        return cls(
            language,
            (
                Phone(
                    row["symbol"],
                    row["ipa"],
                    row["kind"],
                    _parse_features(row["features"]),
                    _parse_features(row["glide"]),
                )
                for row in _rows(path)
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

        Raises
        ------
        InputError
            If there is no letter.
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

    @property
    def notation(self) -> str:
        """How this inventory writes its phones: `arpabet`, `ipa` or `letters`."""
        return self._notation

    def phone(self, symbol: str) -> Phone:
        """The phone that `symbol` stands for.

        Raises
        ------
        PhoneError
            If the inventory has no such symbol.
        """
        try:
            return self._by_symbol[symbol]
        except KeyError:
            raise self._unknown(symbol) from None

    def symbol(self, label: str, scheme: str | None = None) -> str:
        """The inventory's symbol for one label of another notation.

        Parameters
        ----------
        label
            For instance `AH0`, `tʲ`, `əʊ`.
        scheme
            One of `SCHEMES`. Without it they are tried in that order, and the first that knows
            the label decides: name the scheme where labels are ambiguous (X-SAMPA `D` is the
            first sound of *this*, ARPAbet `D` that of *dis*).

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

        Raises
        ------
        PhoneError
            If the label is unknown.
        """
        found = self._find(label, scheme)
        if not found:
            raise self._unknown(label)
        return found

    def knows(self, label: str, scheme: str | None = None) -> bool:
        """Whether `split` has an answer."""
        return bool(self._find(label, scheme))

    def ipa(self, symbol: str) -> str:
        """IPA transcription of a symbol."""
        return self.phone(symbol).ipa

    def features(self, symbol: str) -> tuple[int, ...]:
        """PanPhon features of a symbol, in the order of `feature_names`."""
        return self.phone(symbol).features

    def is_vowel(self, symbol: str) -> bool:
        """Whether a symbol is a vowel or a diphthong."""
        return self.phone(symbol).kind in VOWEL_KINDS

    def is_syllabic(self, symbol: str) -> bool:
        """Whether a symbol carries a syllable: a vowel, or a syllabic consonant."""
        return self.phone(symbol).features[0] > 0

    def distance(self, a: str, b: str) -> float:
        """PanPhon's weighted feature distance of two symbols, from 0 (same) to 1.

        A diphthong is compared at its beginning and at its end, and the two are averaged; a
        simple vowel ends as it began. A letter has no features: it is 1 from everything else.
        """
        return phone_distance(self.phone(a), self.phone(b))

    def nearest(self, phone: Phone) -> tuple[str, float]:
        """The symbol closest to any phone, known or not, and its distance."""
        return min(
            ((own.symbol, phone_distance(own, phone)) for own in self.phones),
            key=lambda pair: pair[1],
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, for manifests."""
        return {
            "language": self.language,
            "phones": [
                {
                    "symbol": phone.symbol,
                    "ipa": phone.ipa,
                    "kind": phone.kind,
                    "features": list(phone.features),
                    "glide": list(phone.glide),
                }
                for phone in self.phones
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PhoneInventory:
        """Read back what `to_json` gave.

        Raises
        ------
        InputError
            If the data has another shape.
        """
        try:
            phones = [
                Phone(
                    str(row["symbol"]),
                    str(row["ipa"]),
                    str(row["kind"]),
                    tuple(int(value) for value in row["features"]),
                    tuple(int(value) for value in row["glide"]),
                )
                for row in data["phones"]
            ]
            language = str(data["language"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("This is not a phone inventory.", cause=repr(error)) from error
        if any(
            phone.kind not in KINDS or len(phone.features) != len(feature_names())
            for phone in phones
        ):
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

    def _find(self, label: str, scheme: str | None) -> tuple[str, ...]:
        found = self._found.get((label, scheme))
        if found is None:
            if scheme is not None and scheme not in SCHEMES:
                raise InputError(
                    f"There is no label scheme {scheme!r}.", cause=f"Known: {', '.join(SCHEMES)}."
                )
            if self._notation == "letters":
                # No notation of sounds applies: `ɡ` is not the letter g.
                letter = unicodedata.normalize("NFC", label.strip())
                found = (letter,) if letter in self else ()
            else:
                reader = _Reader(self, label.strip())
                found = next(filter(None, map(reader, self._schemes(scheme))), ())
            self._found.add({(label, scheme): found})
        return found

    def _schemes(self, scheme: str | None) -> tuple[str, ...]:
        if scheme is not None:
            return (scheme,)
        return (
            SCHEMES if self._notation == "arpabet" else tuple(s for s in SCHEMES if s != "arpabet")
        )

    def _unknown(self, label: str) -> PhoneError:
        return PhoneError(
            f"The phone label {label!r} is not known in {self.language}.",
            cause=f"The nearest known ones are {', '.join(self._nearest_labels(label))}.",
            fix="Use one of the inventory's phones: " + " ".join(self.symbols) + ".",
        )

    def _nearest_labels(self, label: str) -> list[str]:
        close = difflib.get_close_matches(label.upper(), self.symbols, n=2, cutoff=0.5)
        try:
            phone = None if self._notation == "letters" else phone_from_ipa(normal_ipa(label))
        except (PhoneError, MissingDependencyError):
            phone = None
        if phone is None:
            # Not IPA: only the look of the label is left to go by.
            looks = difflib.get_close_matches(label, self.symbols, n=_NEAREST, cutoff=0.0)
            return list(dict.fromkeys([*close, *looks]))[:_NEAREST]
        sound = phone
        ranked = sorted(self.phones, key=lambda own: phone_distance(own, sound))
        return list(dict.fromkeys([*close, *(own.symbol for own in ranked)]))[:_NEAREST]


class _Reader:
    """Reads one label under a scheme; gives the symbols, or nothing where it is unknown."""

    def __init__(self, inventory: PhoneInventory, label: str) -> None:
        self._inventory = inventory
        self._label = label
        self._table = _label_table(primary_subtag(inventory.language))

    def __call__(self, scheme: str) -> tuple[str, ...]:
        if not self._label:
            return ()
        if scheme == "arpabet":
            return self._arpabet()
        if scheme == "xsampa":
            ipa = _ipa_from_xsampa(self._label)
            return self._ipa(ipa, "ipa") if ipa else ()
        return self._ipa(self._label, scheme)

    def _arpabet(self) -> tuple[str, ...]:
        match = _ARPABET.fullmatch(self._label)
        if match is None or self._inventory.notation != "arpabet":
            return ()
        symbol = match[1].upper()
        if symbol in self._inventory:
            # A digit on a consonant is a slip that must not pass for stress.
            vowel = self._inventory.is_syllabic(symbol)
            return (symbol,) if vowel or not match[2] else ()
        return self._known(self._table.get(("arpabet", symbol)))

    def _ipa(self, label: str, scheme: str) -> tuple[str, ...]:
        # From the narrowest reading to the broadest: diacritics go last to first, then length.
        for form in _broader_forms(normal_ipa(label)):
            found = self._known(self._table.get((scheme, form)))
            if not found and self._inventory.notation == "ipa":
                found = self._known((form,))
            found = found or self._own_ipa(form)
            if found:
                return found
        return ()

    def _own_ipa(self, form: str) -> tuple[str, ...]:
        return tuple(p.symbol for p in self._inventory.phones if p.ipa == form)[:1]

    def _known(self, symbols: tuple[str, ...] | None) -> tuple[str, ...]:
        # An inventory made from a corpus need not have what the language's table points to.
        return symbols if symbols and all(s in self._inventory for s in symbols) else ()


def primary_subtag(language: str) -> str:
    """The language without script and region: `en` of `en-US`."""
    return language.replace("_", "-").split("-")[0].lower()


def normal_ipa(label: str) -> str:
    """One spelling for one IPA label: NFD, no stress marks or tie bars, `ɡ`, `ː`."""
    text = unicodedata.normalize("NFD", label).translate(_LOOK_ALIKES)
    text = "".join(char for char in text if char not in _TIE_BARS + _STRESS_MARKS)
    # NFD takes ç apart, which IPA reads as one letter; PanPhon and the tables are asked in NFC.
    return unicodedata.normalize("NFC", text)


def feature_names() -> tuple[str, ...]:
    """Names of the 24 features, in the order of `Phone.features`."""
    return tuple(row["feature"] for row in _feature_rows())


@lru_cache(maxsize=1 << 14)  # every pair of several languages, and each is asked again and again
def phone_distance(a: Phone, b: Phone) -> float:
    """Weighted feature distance of two phones, from 0 to 1; see `PhoneInventory.distance`."""
    if LETTER in {a.kind, b.kind}:
        return 0.0 if a.symbol == b.symbol else 1.0
    begin = _feature_distance(a.features, b.features)
    end = _feature_distance(a.glide or a.features, b.glide or b.features)
    return (begin + end) / 2


def phone_from_ipa(ipa: str) -> Phone:
    """A phone made from its IPA transcription, with PanPhon's features.

    Raises
    ------
    PhoneError
        If it is not one IPA phone.
    """
    # PanPhon has no rhotic vowels: they are the vowel with a coronal gesture.
    rhotic = "˞" in ipa or any(char in ipa for char in "ɚɝ")
    plain = ipa.replace("˞", "").replace("ɚ", "ə").replace("ɝ", "ɜ")
    segments = next(filter(None, map(_segments, _broader_forms(plain))), [])
    if not segments:
        raise PhoneError(f"The phone label {ipa!r} is not IPA.")
    first, last = segments[0], segments[-1]
    if rhotic:
        cor = feature_names().index("cor")
        first = tuple(1 if i == cor else value for i, value in enumerate(first))
    kind = _kind(plain, segments)
    return Phone(ipa, ipa, kind, first, last if kind == "diphthong" else ())


def _kind(ipa: str, segments: list[tuple[int, ...]]) -> str:
    names = feature_names()
    first = dict(zip(names, segments[0], strict=True))
    if first["syl"] > 0 and first["cons"] < 0:
        return "vowel" if len(segments) == 1 else "diphthong"
    if ipa[0] in _MISFILED:
        return _MISFILED[ipa[0]]
    if first["nas"] > 0:
        return "nasal"
    if first["son"] > 0:
        return "liquid" if first["cons"] > 0 or ipa[0] in "ɹɻ" else "glide"
    if first["cont"] > 0:
        return "fricative"
    return "affricate" if first["delrel"] > 0 or len(segments) > 1 else "stop"


def _segments(ipa: str) -> list[tuple[int, ...]]:
    """Features of the IPA segments of a label; empty where a piece of it is not IPA."""
    table, longest = _panphon()
    text = unicodedata.normalize("NFD", ipa)
    if len(text) > 1 and text[1] in "sʃɕʂzʒʑʐfθ" and text[0] in "tdpbʈɖ":
        tied = text[0] + "\u0361" + text[1:]
        if tied in table:
            return [table[tied]]
    found = []
    while text:
        size = next((n for n in range(min(longest, len(text)), 0, -1) if text[:n] in table), 0)
        if not size:
            return []
        found.append(table[text[:size]])
        text = text[size:]
    return found


def _broader_forms(label: str) -> Iterator[str]:
    yield label
    text = unicodedata.normalize("NFD", label)
    while True:
        marks = [i for i, char in enumerate(text) if _is_modifier(char) and i > 0]
        if not marks:
            return
        text = text[: marks[-1]] + text[marks[-1] + 1 :]
        yield unicodedata.normalize("NFC", text)


def _is_modifier(char: str) -> bool:
    # The cedilla of ç and the rhotic hook tell phones apart; no other mark does so in the tables.
    return unicodedata.category(char) in {"Mn", "Lm"} and char not in "\u0327˞"


def _feature_distance(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    weights = _feature_weights()
    total = sum(weight * abs(x - y) for weight, x, y in zip(weights, a, b, strict=True))
    return total / (2 * sum(weights))


def _phones_file(language: str) -> Path:
    return _DATA / f"phones_{primary_subtag(language)}.csv"


def _parse_features(text: str) -> tuple[int, ...]:
    return tuple(_FEATURE_SIGNS[sign] for sign in text)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _feature_rows() -> tuple[dict[str, str], ...]:
    return tuple(_rows(_DATA / "features.csv"))


@cache
def _feature_weights() -> tuple[float, ...]:
    return tuple(float(row["weight"]) for row in _feature_rows())


@cache
def _label_table(language: str) -> dict[tuple[str, str], tuple[str, ...]]:
    path = _DATA / f"labels_{language}.csv"
    if not path.exists():
        return {}
    return {
        (row["scheme"], unicodedata.normalize("NFC", row["label"])): tuple(row["symbol"].split())
        for row in _rows(path)
    }


@cache
def _xsampa() -> tuple[dict[str, str], int]:
    table = {row["xsampa"]: row["ipa"] for row in _rows(_DATA / "xsampa.csv")}
    return table, max(map(len, table))


def _ipa_from_xsampa(label: str) -> str:
    table, longest = _xsampa()
    text, ipa = label.lstrip('"%'), ""
    while text:
        size = next((n for n in range(longest, 0, -1) if text[:n] in table), 0)
        if not size:
            return ""
        ipa += table[text[:size]]
        text = text[size:]
    return ipa


@cache
def _panphon() -> tuple[dict[str, tuple[int, ...]], int]:
    """PanPhon's segment table and the length of its longest segment.

    The table is read straight from PanPhon's data file: importing the package brings pandas and
    takes two seconds.
    """
    spec = find_spec("panphon")
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError("PanPhon is not installed.", fix="pip install panphon")
    path = Path(spec.submodule_search_locations[0]) / "data" / "ipa_all.csv"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        table = {
            unicodedata.normalize("NFD", row[0]): tuple(_FEATURE_SIGNS[s] for s in row[1:])
            for row in reader
        }
    return table, max(map(len, table))
