"""Bare numbers: amounts, years, ranges, fractions, versions, telephone numbers."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from speech.tables import table
from speech.text.nouns import gender_of, is_plural
from speech.text.numerals import (
    AMOUNT,
    Numeral,
    agree,
    cardinal,
    digit_words,
    is_code,
    numeral_words,
    ordinal,
    parse,
    word,
    year,
)
from speech.text.ordinals import says_before
from speech.text.spoken import Passage

NUMBER = re.compile(rf"(?P<sign>(?<![\w.)])[-−])?(?P<amount>{AMOUNT})")
RANGE = re.compile(rf"(?<![\w.,])(?P<first>{AMOUNT})(?P<rest>(?:-\d+(?:[.,]\d+)*)+)(?![\w-])")
VERSION = re.compile(r"(?<![\w.])(?P<v>[vV]\.? ?)(?P<digits>\d+(?:\.\d+)*)(?![\w.]*\w)")
VULGAR = re.compile(r"(?P<sign>(?<![\w.)])[-−])?(?:(?P<whole>\d+)[ -]?)?(?P<part>[¼-¾⅐-⅞])(?!\w)")
FRACTION = re.compile(
    r"(?P<sign>(?<![\w.)])[-−])?(?<![\w.,/])(?:(?P<whole>\d+)[ -])?"
    r"(?P<part>\d{1,4})[/⁄](?P<of>\d{1,4})(?![\w/]|[.,]\d)"
)
TELEPHONE = re.compile(
    r"""(?<![\w.])(?: (?P<plus>\+)\ ?(?P<international>\d[\d\ ().-]{5,24}\d)
      | (?P<national>\(\d{2,5}\)\ ?\d[\d\ -]{4,12}\d | \d{3}[ .-]\d{3}[ .-]\d{4}
          | [6-9]\d\d\ \d{3}\ \d{3} | 0\d{1,4}[ /-]\d{3,}(?:[ -]\d{2,})* | 0\d(?:[ .]\d\d){4}) )(?!\w|[.,]\d)""",
    re.VERBOSE,
)
TIMES = re.compile(r"[xX](?= ?\d)")
UNTIL = re.compile(r"-(?=\d)")
_DOTS_OF_ADDRESS = 3
# Denominators beyond twenty that are still said as fractions.
_DENOMINATORS = frozenset({*range(2, 21), 25, 32, 50, 64, 100, 1000})
_GERMAN_HALF = {"m": "ein halber", "f": "eine halbe", "n": "ein halbes"}
_DIALLED = frozenset({"call", "dial", "phone", "text", "extension", "room", "flight", "code"})


def read_number(match: re.Match[str], passage: Passage) -> str:
    """A number, by the words around it: an amount, a year, a code."""
    written, language = match["amount"], passage.language
    number = parse(written, language)
    if number is None:
        versioned = says_before(passage.primary, passage.word_before(match.start())) == "version"
        dot = word("point" if versioned else "dot", language)
        said = " ".join(
            dot if part == "." else _part(part, written, language)
            for part in re.findall(r"\d+|\.", written)
        )
    else:
        said = _in_context(number, match, passage)
    minus = word("minus", language) if match["sign"] else ""
    return f"{minus} {said}".strip()


def _part(digits: str, written: str, language: str) -> str:
    """One part of *1.2.3*; those of an internet address are said digit by digit."""
    if written.count(".") == _DOTS_OF_ADDRESS:
        return digit_words(digits, language)
    return plain(Numeral(digits), language)


def _in_context(number: Numeral, match: re.Match[str], passage: Passage) -> str:
    language, primary = passage.language, passage.primary
    before = passage.word_before(match.start()).lower()
    following = passage.word_after(match.end())
    if number.mark:
        versioned = says_before(primary, before) == "version" and number.fraction[0] != "0"
        if versioned and number.whole and len(number.fraction) < 4:
            point = word("point", language)
            return (
                f"{cardinal(number.whole, language)} {point} {cardinal(number.fraction, language)}"
            )
        return numeral_words(number, language)
    if primary == "en" and before in _DIALLED and len(number.whole) == 3:
        return digit_words(number.whole, language)
    if not match["sign"] and _is_year(number) and not is_plural(following, primary):
        return year(number.whole, language)
    gender = gender_of(following, primary)
    if primary == "de" and (not following[:1].isupper() or says_before(primary, before)):
        gender = ""
    return plain(number, language, gender)


def plain(number: Numeral, language: str, gender: str = "") -> str:
    """An amount, or a code digit by digit."""
    if is_code(number):
        return digit_words(number.whole, language)
    return numeral_words(number, language, gender)


def read_range(match: re.Match[str], passage: Passage) -> str:
    """*10-12* people, *1990-95*, *5-3=2*, or a number of several parts."""
    parts = match[0].split("-")
    language = passage.language
    numbers = [parse(part, language) for part in parts]
    is_phone = len(parts) > 2 or (len(parts[0]) == 3 and len(parts[1]) == 4)
    if is_phone or any(number is None or is_code(number) for number in numbers):
        return digit_words(match[0], language)
    difference = re.match(r" ?=", passage.text[match.end() :])
    joint = word("minus" if difference else "to", language)
    years = [number is not None and _is_year(number) for number in numbers]
    if len(parts[0]) == 4 and years[0] and len(parts[1]) == 2:
        years[1] = False
    last = gender_of(passage.word_after(match.end()), passage.primary)
    said = [
        year(number.whole, language) if is_year else numeral_words(number, language, last)
        for number, is_year in zip(numbers, years, strict=True)
        if number is not None
    ]
    return f" {joint} ".join(said)


def read_version(match: re.Match[str], passage: Passage) -> str | None:
    """*v2.0*; None where the language has no word for it."""
    name, point = word("version", passage.language), word("point", passage.language)
    parts = (cardinal(part, passage.language) for part in match["digits"].split("."))
    return f"{name} {f' {point} '.join(parts)}" if name else None


def read_telephone(match: re.Match[str], passage: Passage) -> str:
    """Digits one by one; French says them in pairs."""
    language = passage.language
    digits = match["international"] or match["national"]
    if passage.primary == "fr":
        groups = re.findall(r"\d+", digits)
        said = " ".join(plain(Numeral(group), language) for group in groups)
    else:
        said = digit_words(digits, language)
    return f"{_plus(passage.primary) if match['plus'] else ''} {said}".strip()


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


def read_times(match: re.Match[str], passage: Passage) -> str | None:
    """The x of *3x4*."""
    start = match.start()
    after_digit = re.search(r"\d ?$|\w $", passage.text[max(0, start - 2) : start])
    return word("by", passage.language) or None if after_digit else None


def read_until(match: re.Match[str], passage: Passage) -> str | None:
    """The hyphen of *9:00-17:00* and *9am-5pm*."""
    start = match.start()
    before = re.search(r"\d( ?[ap]\.?m\.?| ?h| Uhr)?$", passage.text[max(0, start - 8) : start])
    return word("to", passage.language) or None if before else None


def fraction(whole: str, part: int, of: int, passage: Passage, end: int) -> str | None:
    """A fraction in words, with a whole number before it or none."""
    language, primary = passage.language, passage.primary
    row = _fractions(primary).get(of)
    if row is None and primary not in {"en", "es", "fr", "de", "it"}:
        return None
    name = (row or _made(of, passage))["one" if part == 1 else "many"]
    count = agree(cardinal(part, language), language, "n" if primary == "de" else "m")
    if primary == "de":
        if not whole:
            noun = passage.word_after(end)
            if of == 2 and noun[:1].isupper():
                return _GERMAN_HALF[gender_of(noun, primary) or "m"]
            return f"{count} {name}"
        stem = agree(cardinal(whole, language), language, "m")
        return f"{stem}{count}{name.lower()}"
    joint = word("and", language)
    if of == 2 and part == 1 and primary != "en":
        if whole:
            return f"{cardinal(whole, language)} {joint} {name}"
        counted = gender_of(passage.word_after(end), primary)
        if counted and primary in {"es", "it"}:
            return name if counted == "m" else f"{name[:-1]}a"
        return f"{count} {name}" if primary != "fr" or not passage.word_after(end) else name
    if whole and part == 1 and primary == "en" and of in {2, 4}:
        count = "a"
    said = f"{count} {name}"
    return f"{cardinal(whole, language)} {joint} {said}" if whole else said


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


def _is_year(number: Numeral) -> bool:
    if number.mark or number.grouped or len(number.whole) != 4:
        return False
    return 1100 <= int(number.whole) < 2000 or 2010 <= int(number.whole) < 2100


def _plus(primary: str) -> str:
    rows = table("symbols")
    return next((r["spoken"] for r in rows if (r["language"], r["symbol"]) == (primary, "+")), "")


@cache
def _fractions(primary: str) -> dict[int, dict[str, str]]:
    rows = (row for row in table("fractions") if row["language"] == primary)
    return {int(row["denominator"]): row for row in rows}
