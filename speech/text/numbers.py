"""Bare numbers: amounts, years, ranges, versions, telephone numbers."""

from __future__ import annotations

import re

from nativeear.speech.text.nouns import gender_of, is_plural
from nativeear.speech.text.numerals import (
    AMOUNT,
    Numeral,
    cardinal,
    digit_words,
    numeral_words,
    parse,
    plain,
    year,
)
from nativeear.speech.text.ordinals import says_before
from nativeear.speech.text.spoken import Passage
from nativeear.speech.text.symbols import symbols

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
    number = parse(match["amount"], passage.language)
    spoken = _in_context(number, match, passage) if number else _dotted(match, passage)
    return passage.signed(match["sign"], spoken)


def _dotted(match: re.Match[str], passage: Passage) -> str:
    """*1.2.3*; the parts of an internet address are said digit by digit."""
    written = match["amount"]
    versioned = says_before(passage.primary, passage.word_before(match.start())) == "version"
    say = digit_words if written.count(".") == _DOTS_OF_ADDRESS else _part
    return " ".join(
        passage.word("point" if versioned else "dot")
        if part == "."
        else say(part, passage.language)
        for part in re.findall(r"\d+|\.", written)
    )


def _part(digits: str, language: str) -> str:
    return plain(Numeral(digits), language)


def _in_context(number: Numeral, match: re.Match[str], passage: Passage) -> str:
    language, primary = passage.language, passage.primary
    before = passage.word_before(match.start()).lower()
    following = passage.word_after(match.end())
    says = says_before(primary, before)
    if number.mark:
        versioned = says == "version" and number.fraction[0] != "0"
        if versioned and number.whole and len(number.fraction) < 4:
            whole, fraction = (cardinal(n, language) for n in (number.whole, number.fraction))
            return f"{whole} {passage.word('point')} {fraction}"
        return numeral_words(number, language)
    if before in passage.words("dialled") and len(number.whole) == 3:
        return digit_words(number.whole, language)
    # In 1066, but 1066 people.
    early = re.fullmatch("10[0-9][0-9]", number.whole) is not None and not number.grouped
    dated = early and before in passage.words("before-year")
    if not match["sign"] and (dated or number.is_year) and not is_plural(following, primary):
        return year(number.whole, language)
    gender = gender_of(following, primary)
    if primary == "de" and (not following[:1].isupper() or says):
        gender = ""
    return plain(number, language, gender)


def read_range(match: re.Match[str], passage: Passage) -> str:
    """*10-12* people, *1990-95*, *5-3=2*, or a number of several parts."""
    parts = match[0].split("-")
    language = passage.language
    numbers = [number for part in parts if (number := parse(part, language))]
    is_phone = len(parts) > 2 or (len(parts[0]) == 3 and len(parts[1]) == 4)
    if is_phone or len(numbers) < len(parts) or any(number.is_code for number in numbers):
        return digit_words(match[0], language)
    difference = re.match(r" ?=", passage.text[match.end() :])
    joint = passage.word("minus" if difference else "to")
    years = [number.is_year for number in numbers]
    if len(parts[0]) == 4 and years[0] and len(parts[1]) == 2:
        years[1] = False
    last = gender_of(passage.word_after(match.end()), passage.primary)
    spoken = [
        year(number.whole, language) if is_year else numeral_words(number, language, last)
        for number, is_year in zip(numbers, years, strict=True)
    ]
    return f" {joint} ".join(spoken)


def read_version(match: re.Match[str], passage: Passage) -> str | None:
    """*v2.0*; None where the language has no word for it."""
    name, point = passage.word("version"), passage.word("point")
    parts = (cardinal(part, passage.language) for part in match["digits"].split("."))
    return f"{name} {f' {point} '.join(parts)}" if name else None


def read_telephone(match: re.Match[str], passage: Passage) -> str:
    """Digits one by one; French says them in pairs."""
    digits = match["international"] or match["national"]
    pairs = passage.primary == "fr"
    groups = (_part(group, passage.language) for group in re.findall(r"\d+", digits))
    spoken = " ".join(groups) if pairs else digit_words(digits, passage.language)
    plus = symbols(passage.primary).get("+", "") if match["plus"] else ""
    return f"{plus} {spoken}".strip()


def read_times(match: re.Match[str], passage: Passage) -> str | None:
    """The x of *3x4*."""
    start = match.start()
    after_digit = re.search(r"\d ?$|\w $", passage.text[max(0, start - 2) : start])
    return passage.word("by") or None if after_digit else None


def read_until(match: re.Match[str], passage: Passage) -> str | None:
    """The hyphen of *9:00-17:00* and *9am-5pm*."""
    start = match.start()
    before = re.search(r"\d( ?[ap]\.?m\.?| ?h| Uhr)?$", passage.text[max(0, start - 8) : start])
    return passage.word("to") or None if before else None
