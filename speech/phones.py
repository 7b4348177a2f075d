"""Single phones: their articulatory features, how far two are apart, and IPA spelling."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from nativeear.speech.errors import PhoneError
from nativeear.speech.tables import DATA, table

VOWEL_KINDS = frozenset({"vowel", "diphthong"})
LETTER = "letter"
"""Kind of a letter that stands for its sound, whatever that is: its features are all 0."""

KINDS = VOWEL_KINDS | {"stop", "affricate", "fricative", "nasal", "liquid", "glide", LETTER}

_TIE_BARS = "\u0361\u035c"
_STRESS_MARKS = "ˈˌ'"
_LOOK_ALIKES = str.maketrans("gε:", "ɡɛː")  # the middle one is Greek, and espeak-ng's in Danish
# Glottal and pharyngeal consonants, which PanPhon's features call sonorants.
_MISFILED = {"h": "fricative", "ɦ": "fricative", "ħ": "fricative", "ʕ": "fricative", "ʔ": "stop"}
_LONGEST_PIECE = 8  # characters of one segment in any table
_FEATURE_SIGNS = {"+": 1, "-": -1, "0": 0}

Features = tuple[int, ...]
"""PanPhon's 24 articulatory features as -1, 0 or 1, in the order of `feature_names`."""


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
        Of a diphthong, those of its beginning.
    glide
        Features of the end of a diphthong; empty for every other phone.
    """

    symbol: str
    ipa: str
    kind: str
    features: Features
    glide: Features = ()


def feature_names() -> tuple[str, ...]:
    """Names of the 24 features, in the order of `Phone.features`."""
    return tuple(row["feature"] for row in table("features"))


def parse_features(signs: str) -> Features:
    """Features from a string of `+`, `-` and `0`."""
    return tuple(_FEATURE_SIGNS[sign] for sign in signs)


def normal_ipa(label: str) -> str:
    """One spelling for one IPA label: NFC, no stress marks or tie bars, `ɡ`, `ː`."""
    text = unicodedata.normalize("NFD", label).translate(_LOOK_ALIKES)
    text = "".join(char for char in text if char not in _TIE_BARS + _STRESS_MARKS)
    # NFD takes ç apart, which IPA reads as one letter; PanPhon and the tables are asked in NFC.
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=1 << 14)  # every pair of several languages, and each is asked again and again
def phone_distance(a: Phone, b: Phone) -> float:
    """PanPhon's weighted feature distance of two phones, from 0 (same) to 1.

    A diphthong is compared at its beginning and at its end, and the two are averaged; a simple
    vowel ends as it began. A letter has no features: it is 1 from everything else.
    """
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
    segments = next(filter(None, map(_segments, broader_labels(plain))), [])
    if not segments:
        raise PhoneError(f"The phone label {ipa!r} is not IPA.")
    first, last = segments[0], segments[-1]
    if rhotic:
        cor = feature_names().index("cor")
        first = tuple(1 if i == cor else value for i, value in enumerate(first))
    kind = _kind(plain, segments)
    return Phone(ipa, ipa, kind, first, last if kind == "diphthong" else ())


def broader_labels(label: str) -> Iterator[str]:
    """An IPA label, then without its last diacritic or length mark, and so on."""
    yield label
    text = unicodedata.normalize("NFD", label)
    while marks := [i for i, char in enumerate(text) if _is_modifier(char) and i > 0]:
        text = text[: marks[-1]] + text[marks[-1] + 1 :]
        yield unicodedata.normalize("NFC", text)


def _is_modifier(char: str) -> bool:
    # The cedilla of ç and the rhotic hook tell phones apart; no other mark does so in the tables.
    return unicodedata.category(char) in {"Mn", "Lm"} and char not in "\u0327˞"


def _kind(ipa: str, segments: list[Features]) -> str:
    first = dict(zip(feature_names(), segments[0], strict=True))
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


def _segments(ipa: str) -> list[Features]:
    """Features of the IPA segments of a label; empty where a piece of it is not IPA."""
    text = unicodedata.normalize("NFD", ipa)
    if len(text) > 1 and text[1] in "sʃɕʂzʒʑʐfθ" and text[0] in "tdpbʈɖ":
        tied = text[0] + "\u0361" + text[1:]
        if tied in _segment_table():
            return [parse_features(_segment_table()[tied])]
    pieces = longest_pieces(text, _segment_table())
    return [parse_features(_segment_table()[piece]) for piece in pieces]


def longest_pieces(text: str, known: Container[str]) -> list[str]:
    """A text cut from left to right into the longest known pieces; empty if that fails."""
    pieces = []
    while text:
        size = next((n for n in range(_LONGEST_PIECE, 0, -1) if text[:n] in known), 0)
        if not size:
            return []
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def _feature_distance(a: Features, b: Features) -> float:
    weights = _feature_weights()
    total = sum(weight * abs(x - y) for weight, x, y in zip(weights, a, b, strict=True))
    return total / (2 * sum(weights))


@cache
def _feature_weights() -> tuple[float, ...]:
    return tuple(float(row["weight"]) for row in table("features"))


@cache
def _segment_table() -> dict[str, str]:
    """PanPhon's segments and the signs of their features."""
    with (DATA / "segments.csv").open(encoding="utf-8", newline="") as file:
        return dict(csv.reader(file))  # a third of what `table` takes
