"""Ordinals and decades: *5th*, *2e*, *3.º*, *1990s*, *3. Stock*."""

from __future__ import annotations

import re

from nativeear.speech.tables import column
from nativeear.speech.text.numerals import cardinal, ordinal, parse, year
from nativeear.speech.text.spoken import Passage

_DIGITS = r"\d{1,3}(?:[,.\u2009]\d{3})+|\d+"
ORDINAL = re.compile(
    rf"""(?<![\w.,])(?P<digits>{_DIGITS})(?:
        (?P<en>st|nd|rd|th) | (?P<fr>ers?|res?|ères?|e|es|èmes?|emes?|ièmes?|nde?s?|de?)
      | (?P<romance>\.?(?:º|ª|°|er|[rdtmvn]?[oa])) )(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)
GERMAN = re.compile(
    r"(?<![\w.,])(?P<digits>\d{1,4})\. ?"
    r"(?=[A-ZÄÖÜ]|(?P<list>(?:bis|und|oder|-) ?\d{1,2}\. ?[A-ZÄÖÜ]))"
)
DECADE = re.compile(r"(?<![\w.,])'?(?P<digits>\d{2,4})(?:(?P<en>'?s)|(?P<de>ern?))(?!\w)")


def read_ordinal(match: re.Match[str], passage: Passage) -> str | None:
    """An ordinal that is written with digits; None where the language writes none like it."""
    number = parse(match["digits"], passage.language)
    if number is None or number.mark or len(number.whole) > 9:
        return None
    value, primary, language = int(number.whole), passage.primary, passage.language
    mark = (match["romance"] or match["fr"] or match["en"] or "").lower()
    if primary in {"en", "nl"}:
        return ordinal(value, language) if match["en"] or primary == "nl" else None
    if primary == "fr" and (match["fr"] or mark == "nd"):
        if mark.startswith(("n", "d")):
            return "seconde" if "de" in mark else "second"
        return ordinal(value, language, "f" if mark.removesuffix("s") in {"re", "ère"} else "m")
    if primary in {"es", "it", "pt"} and (match["romance"] or mark == "er"):
        spoken = ordinal(value, language, "f" if mark[-1] in "ªa" else "m")
        return apocope(spoken, primary) if mark.endswith("er") else spoken
    return None


def read_german(match: re.Match[str], passage: Passage) -> str | None:
    """*3. Stock*: an ordinal before a noun that is counted so."""
    genders = column("ordinal_nouns", passage.primary, "noun", "gender")
    gender = genders.get(passage.word_after(match.end()))
    if match["list"] and passage.primary == "de":
        gender = "m"  # vom 1. bis 3. Mai
    return gender and german_ordinal(int(match["digits"]), gender, passage, match.start())


def german_ordinal(value: int, gender: str, passage: Passage, at: int) -> str:
    """A German ordinal with the ending that the word before it asks for."""
    stem = ordinal(value, passage.language)
    before = passage.word_before(at).lower()
    if before in passage.words("weak-ordinal") or (before == "der" and gender == "f"):
        return f"{stem}en"
    if before in passage.words("article"):
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
    plural = re.sub("y$", "ie", last) + "s"
    return " ".join([*front, re.sub("xs$", "xes", plural)])


def apocope(spoken: str, primary: str) -> str:
    """Spanish ordinals before a masculine noun: *primer*, *tercer*."""
    return re.sub("(prime|terce)ro$", r"\1r", spoken) if primary == "es" else spoken


def says_before(primary: str, noun: str) -> str:
    """How a number after a noun is said (*chapter* IV, *version* 3.10); empty where not told."""
    return column("numbered", primary, "noun", "says").get(noun.lower(), "")
