"""Ordinals, decades and Roman numerals: *5th*, *XXe*, *3.º*, *1990s*, *Henry VIII*, *3. Stock*."""

from __future__ import annotations

import re
from functools import cache

from speech.tables import table
from speech.text.nouns import gender_of
from speech.text.numerals import cardinal, ordinal, parse, year
from speech.text.spoken import Passage

_DIGITS = r"\d{1,3}(?:[,.\u2009]\d{3})+|\d+"
ORDINAL = re.compile(
    rf"""(?<![\w.,])(?P<digits>{_DIGITS})(?:
        (?P<en>st|nd|rd|th) | (?P<fr>ers?|res?|ères?|e|es|èmes?|emes?|ièmes?|nde?s?|de?)
      | (?P<romance>\.?(?:º|ª|°|er|[rdtmvn]?[oa])) )(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)
GERMAN = re.compile(
    r"(?<![\w.,])(?P<digits>\d{1,4})\. ?(?=[A-ZÄÖÜ]|(?P<list>(?:bis|und|oder|-) ?\d{1,2}\. ?[A-ZÄÖÜ]))"
)
DECADE = re.compile(r"(?<![\w.,])'?(?P<digits>\d{2,4})(?:(?P<en>'?s)|(?P<de>ern?))(?!\w)")
ROMAN = re.compile(
    r"(?<![\w'.-])(?P<roman>[IVXLCDM]+)(?P<mark>'s|ère|ème|er|re|e|\.(?=\ [a-zäöü]|\ ?$))?(?![\w'-])"
)
_VALID = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
# What follows the first king of a name, and not the pronoun.
_AFTER_FIRST = frozenset(
    {"was", "of", "and", "ruled", "reigned", "died", "became", "in", "is", "had"}
)
_TITLES = frozenset({"king", "queen", "pope", "emperor", "tsar", "czar", "saint", "prince"})
_LONGEST_FUNCTION_WORD = 3  # letters
_GERMAN_WEAK = frozenset(
    "am im vom zum zur beim dem den des ab seit nach bis einem einen einer eines jedem jeden".split()
)


def read_ordinal(match: re.Match[str], passage: Passage) -> str | None:
    """An ordinal that is written with digits; None where the language writes none like it."""
    number = parse(match["digits"], passage.language)
    if number is None or number.mark or len(number.whole) > 9:
        return None
    value, primary, language = int(number.whole), passage.primary, passage.language
    if match["en"] and primary in {"en", "nl"}:
        return ordinal(value, language)
    if match["fr"] and primary in {"fr", "nl"}:
        feminine = match["fr"].lower() in {"re", "ère", "res", "ères"}
        if match["fr"].lower().startswith(("n", "d")):
            return "seconde" if "de" in match["fr"].lower() else "second"
        return ordinal(value, language, "f" if feminine else "m")
    mark = match["romance"] or match["fr"] or ""
    if (
        primary not in {"es", "it", "pt"}
        or not mark
        or mark.lower() in {"e", "re", "d", "de", "es"}
    ):
        return None
    said = ordinal(value, language, "f" if mark[-1] in "ªaA" else "m")
    return re.sub("(prime|terce)ro$", r"\1r", said) if mark.lower().endswith("er") else said


def read_german(match: re.Match[str], passage: Passage) -> str | None:
    """*3. Stock*: an ordinal before a noun that is counted so."""
    gender = _ordinal_nouns(passage.primary).get(passage.word_after(match.end()))
    if match["list"] and passage.primary == "de":
        gender = "m"  # vom 1. bis 3. Mai
    if gender is None:
        return None
    return german_ordinal(int(match["digits"]), gender, passage, match.start())


def german_ordinal(value: int, gender: str, passage: Passage, at: int) -> str:
    """A German ordinal with the ending that the word before it asks for."""
    stem = ordinal(value, passage.language)
    before = passage.word_before(at).lower()
    if before in _GERMAN_WEAK or (before == "der" and gender == "f"):
        return f"{stem}en"
    if before in {"der", "die", "das", "dieser", "diese", "dieses"}:
        return f"{stem}e"
    return stem + {"m": "er", "f": "e", "n": "es"}[gender]


def read_decade(match: re.Match[str], passage: Passage) -> str | None:
    """*the 1990s*, *in den 80ern*."""
    digits, language = match["digits"], passage.language
    if match["de"] and passage.primary == "de":
        return f"{year(digits, language)}{match['de']}"
    short = len(digits) < 4
    if not match["en"] or passage.primary != "en" or (short and not digits.endswith("0")):
        return None
    if short and digits == "10" and not match[0].startswith("'"):
        return None
    # 90s, but 5s is five seconds.
    *front, last = (cardinal(digits, language) if short else year(digits, language)).split()
    last = (
        f"{last[:-1]}ies"
        if last.endswith("y")
        else f"{last}es"
        if last.endswith("x")
        else f"{last}s"
    )
    return " ".join([*front, last])


def read_roman(match: re.Match[str], passage: Passage) -> str | None:
    """A Roman numeral by what stands before and after it; None for a word or an initialism."""
    value = roman_value(match["roman"])
    mark = match["mark"] or ""
    if not value:
        return None
    primary, language = passage.primary, passage.language
    before = passage.word_before(match.start())
    says = says_before(primary, before)
    if says in {"cardinal", "ordinal"}:
        if len(match["roman"]) == 1 and match["roman"] not in "IVX":
            return None
        return (
            _limited_ordinal(value, language, "m")
            if says == "ordinal"
            else cardinal(value, language)
        )
    gender = _regnal_names().get(before)
    if gender and _is_regnal(match, passage):
        return _regnal(value, gender, passage) + ("'s" if mark == "'s" else "")
    if primary == "fr" and mark.rstrip("s") in {"e", "er", "re", "ère", "ème"} and mark:
        return ordinal(value, language, "f" if mark in {"re", "ère"} else "m")
    following = passage.word_after(match.end())
    if (
        match["roman"] in {"I", "V", "X"}
        and primary == "es"
        and following[:1].isupper()
        and not mark
    ):
        return _before_noun(value, following, passage)
    if len(match["roman"]) < 2 or (not passage.mixed_case and len(match["roman"]) < 3):
        return None
    sure = set(match["roman"]) <= set("IVX") or len(match["roman"]) > 4
    if not sure or passage.known(match["roman"]):
        return None
    counts = primary in {"es", "it"} and len(following) > _LONGEST_FUNCTION_WORD
    if counts or _counts(primary, following):
        return _before_noun(value, following, passage)
    return cardinal(value, language)


def _before_noun(value: int, noun: str, passage: Passage) -> str:
    said = ordinal(value, passage.language, gender_of(noun, passage.primary) or "m")
    return re.sub("(prime|terce)ro$", r"\1r", said) if passage.primary == "es" else said


def _is_regnal(match: re.Match[str], passage: Passage) -> bool:
    if match["roman"] != "I" or match["mark"]:
        return True
    # The pronoun: Henry I think.
    if passage.primary != "en":
        return True
    start = match.start()
    name = passage.word_before(start)
    title = passage.word_before(start - len(name) - 1).lower()
    following = passage.word_after(match.end())
    return title in _TITLES or not following or following in _AFTER_FIRST


def _regnal(value: int, gender: str, passage: Passage) -> str:
    language, primary = passage.language, passage.primary
    if primary == "en":
        return f"the {ordinal(value, language)}"
    if primary == "de":
        return f"{'die' if gender == 'f' else 'der'} {ordinal(value, language)}e"
    if primary == "fr":
        return ordinal(1, language, gender) if value == 1 else cardinal(value, language)
    if primary == "it":
        return ordinal(value, language, gender)
    return _limited_ordinal(value, language, gender)


def _limited_ordinal(value: int, language: str, gender: str) -> str:
    """Spanish counts kings and centuries with ordinals up to ten; Italian always."""
    if value > 10 and not language.startswith("it"):
        return cardinal(value, language)
    return ordinal(value, language, gender)


def _counts(primary: str, following: str) -> bool:
    return primary == "en" and following.lower() in {
        "century",
        "centuries",
        "dynasty",
        "anniversary",
    }


def roman_value(numeral: str) -> int:
    """The value of a Roman numeral; 0 where it is not well formed."""
    if not numeral or not _VALID.fullmatch(numeral):
        return 0
    values = [_VALUES[char] for char in numeral]
    following = [*values[1:], 0]
    return sum(-a if a < b else a for a, b in zip(values, following, strict=True))


def says_before(primary: str, noun: str) -> str:
    """How a number after a noun is said (*chapter* IV, *version* 3.10); empty where not told."""
    return _numbered(primary).get(noun.lower(), "")


@cache
def _numbered(primary: str) -> dict[str, str]:
    return {
        row["noun"].lower(): row["says"] for row in table("numbered") if row["language"] == primary
    }


@cache
def _regnal_names() -> dict[str, str]:
    return {row["name"]: row["gender"] for row in table("regnal_names")}


@cache
def _ordinal_nouns(primary: str) -> dict[str, str]:
    return {
        row["noun"]: row["gender"] for row in table("ordinal_nouns") if row["language"] == primary
    }
