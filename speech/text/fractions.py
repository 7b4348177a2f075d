"""Fractions: *½*, *1½*, *2/3*, *1 1/2*, and one number over another."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from nativeear.speech.tables import table
from nativeear.speech.text.nouns import gender_of
from nativeear.speech.text.numerals import agree, cardinal, ordinal, word
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
    return _signed(
        match, passage, fraction(match["whole"] or "", int(part), int(of), passage, match.end())
    )


def read_fraction(match: re.Match[str], passage: Passage) -> str | None:
    """*2/3*, *1 1/2*; or one number over another."""
    part, of = int(match["part"]), int(match["of"])
    if len(match["part"]) == 4 or (match["whole"] and part >= of) or of == 0:
        return None
    if part < of and of in _DENOMINATORS and part > 0:
        said = fraction(match["whole"] or "", part, of, passage, match.end())
        return _signed(match, passage, said) if said else None
    over = word("over", passage.language)
    language = passage.language
    return f"{cardinal(part, language)} {over} {cardinal(of, language)}" if over else None


def fraction(whole: str, part: int, of: int, passage: Passage, end: int) -> str | None:
    """A fraction in words, with a whole number before it or none.

    Parameters
    ----------
    whole
        Digits before the fraction; empty where there are none.
    part, of
        Numerator and denominator.
    end
        Where the text goes on: what is counted decides on the form of a half.
    """
    language, primary = passage.language, passage.primary
    if not _fractions(primary):
        return None
    if not whole and (part, of) == (1, 2):
        return _half(passage, end)
    row = _fractions(primary).get(of) or _made(of, passage)
    name = row["one" if part == 1 else "many"]
    count = agree(cardinal(part, language), language, "n" if primary == "de" else "m")
    said = f"{count} {name}"
    if not whole:
        return said
    if primary == "de":
        return f"{agree(cardinal(whole, language), language, 'm')}{count}{name.lower()}"
    if (part, of) == (1, 2) and primary != "en":
        said = name
    elif primary == "en" and part == 1 and of in {2, 4}:
        said = f"a {name}"
    return f"{cardinal(whole, language)} {word('and', language)} {said}"


def _half(passage: Passage, end: int) -> str:
    """*one half*, *media taza*, *demi heure*, *eine halbe Stunde*."""
    primary, noun = passage.primary, passage.word_after(end)
    name, gender = _fractions(primary)[2]["one"], gender_of(noun, primary)
    one = agree(cardinal(1, passage.language), passage.language, "m")
    if primary == "de" and noun[:1].isupper():
        return _GERMAN_HALF[gender or "m"]
    if primary in {"es", "it"} and gender:
        return f"{name[:-1]}a" if gender == "f" else name
    return name if primary == "fr" and noun else f"{one} {name}"


def _made(of: int, passage: Passage) -> dict[str, str]:
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


def _signed(match: re.Match[str], passage: Passage, said: str | None) -> str | None:
    minus = word("minus", passage.language) if match["sign"] else ""
    return f"{minus} {said}".strip() if said else None


@cache
def _fractions(primary: str) -> dict[int, dict[str, str]]:
    rows = (row for row in table("fractions") if row["language"] == primary)
    return {int(row["denominator"]): row for row in rows}
