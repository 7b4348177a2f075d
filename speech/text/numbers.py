"""Bare numbers: amounts, years, ranges, versions, telephone numbers."""

from __future__ import annotations

import re

from nativeear.speech.tables import table, word_set
from nativeear.speech.text.nouns import gender_of, is_plural
from nativeear.speech.text.numerals import (
    AMOUNT,
    Numeral,
    cardinal,
    digit_words,
    is_code,
    numeral_words,
    parse,
    word,
    year,
)
from nativeear.speech.text.ordinals import says_before
from nativeear.speech.text.spoken import Passage

NUMBER = re.compile(rf"(?P<sign>(?<![\w.)])[-−])?(?P<amount>{AMOUNT})")
RANGE = re.compile(rf"(?<![\w.,])(?P<first>{AMOUNT})(?P<rest>(?:-\d+(?:[.,]\d+)*)+)(?![\w-])")
VERSION = re.compile(r"(?<![\w.])(?P<v>[vV]\.? ?)(?P<digits>\d+(?:\.\d+)*)(?![\w.]*\w)")
TELEPHONE = re.compile(
    r"""(?<![\w.])(?: (?P<plus>\+)\ ?(?P<international>\d[\d\ ().-]{5,24}\d)
      | (?P<national>\(\d{2,5}\)\ ?\d[\d\ -]{4,12}\d | \d{3}[ .-]\d{3}[ .-]\d{4}
          | [6-9]\d\d\ \d{3}\ \d{3} | 0\d{1,4}[ /-]\d{3,}(?:[ -]\d{2,})*
          | 0\d(?:[ .]\d\d){4}) )(?!\w|[.,]\d)""",
    re.VERBOSE,
)
TIMES = re.compile(r"[xX](?= ?\d)")
UNTIL = re.compile(r"-(?=\d)")
_DOTS_OF_ADDRESS = 3


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
    if before in word_set("dialled", primary) and len(number.whole) == 3:
        return digit_words(number.whole, language)
    # In 1066, but 1066 people.
    early = re.fullmatch("10[0-9][0-9]", number.whole) is not None and not number.grouped
    dated = early and before in word_set("before-year", primary)
    if not match["sign"] and (dated or _is_year(number)) and not is_plural(following, primary):
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


def _is_year(number: Numeral) -> bool:
    if number.mark or number.grouped or len(number.whole) != 4:
        return False
    return 1100 <= int(number.whole) < 2000 or 2010 <= int(number.whole) < 2100


def _plus(primary: str) -> str:
    rows = table("symbols")
    return next((r["spoken"] for r in rows if (r["language"], r["symbol"]) == (primary, "+")), "")
