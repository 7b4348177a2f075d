"""Fractions: *½*, *1½*, *2/3*, *1 1/2*, and one number over another."""

from __future__ import annotations

import re
import unicodedata

from nativeear.speech.tables import Row, row_by
from nativeear.speech.text.nouns import gender_of
from nativeear.speech.text.numerals import agree, cardinal, ordinal
from nativeear.speech.text.spoken import Passage

VULGAR = re.compile(r"(?P<sign>(?<![\w.)])[-−])?(?:(?P<whole>\d+)[ -]?)?(?P<part>[¼-¾⅐-⅞])(?!\w)")
FRACTION = re.compile(
    r"(?P<sign>(?<![\w.)])[-−])?(?<![\w.,/])(?:(?P<whole>\d+)[ -])?"
    r"(?P<part>\d{1,4})[/⁄](?P<of>\d{1,4})(?![\w/]|[.,]\d)"
)
# Denominators beyond twenty that are still said as fractions.
_DENOMINATORS = frozenset({*range(2, 21), 25, 32, 50, 64, 100, 1000})
_GERMAN_HALF = {"m": "ein halber", "f": "eine halbe", "n": "ein halbes"}


def read_vulgar(match: re.Match[str], passage: Passage) -> str | None:
    """*½*, *1½*."""
    part, _, of = unicodedata.normalize("NFKC", match["part"]).partition("⁄")
    if not of.isdecimal() or not part.isdecimal():
        return None
    return _fraction(match, int(part), int(of), passage)


def read_fraction(match: re.Match[str], passage: Passage) -> str | None:
    """*2/3*, *1 1/2*; or one number over another."""
    part, of = int(match["part"]), int(match["of"])
    if len(match["part"]) == 4 or (match["whole"] and part >= of) or of == 0:
        return None
    if 0 < part < of and of in _DENOMINATORS:
        return _fraction(match, part, of, passage)
    over = passage.word("over")
    above, below = (cardinal(number, passage.language) for number in (part, of))
    return f"{above} {over} {below}" if over else None


def _fraction(match: re.Match[str], part: int, of: int, passage: Passage) -> str | None:
    """A fraction in words, with the whole number and the sign before it, if any."""
    language, primary, whole = passage.language, passage.primary, match["whole"]
    names = row_by("fractions", primary, "denominator")
    if not names:
        return None
    row = names.get(str(of)) or _named(of, passage)
    name = row["one" if part == 1 else "many"]
    count = agree(cardinal(part, language), language, "n" if primary == "de" else "m")
    if not whole:
        is_half = (part, of) == (1, 2)
        spoken = _half(name, passage, match.end()) if is_half else f"{count} {name}"
    elif primary == "de":
        spoken = f"{agree(cardinal(whole, language), language, 'm')}{count}{name.lower()}"
    else:
        after = f"{count} {name}"
        if (part, of) == (1, 2) and primary != "en":
            after = name
        elif primary == "en" and part == 1 and of in {2, 4}:
            after = f"a {name}"
        spoken = f"{cardinal(whole, language)} {passage.word('and')} {after}"
    return passage.signed(match["sign"], spoken)


def _half(name: str, passage: Passage, end: int) -> str:
    """*one half*, *media taza*, *demi heure*, *eine halbe Stunde*: by what is counted."""
    primary, noun = passage.primary, passage.word_after(end)
    gender = gender_of(noun, primary)
    if primary == "de" and noun[:1].isupper():
        return _GERMAN_HALF[gender or "m"]
    if primary in {"es", "it"} and gender:
        return f"{name[:-1]}a" if gender == "f" else name
    one = agree(cardinal(1, passage.language), passage.language, "m")
    return name if primary == "fr" and noun else f"{one} {name}"


def _named(of: int, passage: Passage) -> Row:
    """The name of a denominator made from its ordinal."""
    language, primary = passage.language, passage.primary
    if primary == "es":
        one = cardinal(of, language).replace(" ", "") + "avo"
        return {"one": one, "many": f"{one}s"}
    one = ordinal(of, language)
    if primary == "de":
        one = f"{one}el".capitalize()
        return {"one": one, "many": one}
    return {"one": one, "many": f"{one[:-1]}i" if primary == "it" else f"{one}s"}
