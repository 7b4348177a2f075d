"""Numbers in words: num2words for what it knows, digit by digit for what nobody says otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

from nativeear.speech.languages import language_row, primary_subtag
from nativeear.speech.tables import column, rows_of

THIN_SPACE = "\u2009"
"""What parts groups of digits once a text is cleaned."""

AMOUNT = rf"(?:\d+(?:[.,'{THIN_SPACE}]\d+)*|(?<![\w.,])[.,]\d+)"
"""A number as it is written, for regular expressions."""

_LONGEST_SAID = 36  # digits; the scales of longer numbers are known to nobody
_LONGEST_UNGROUPED = 9  # digits; longer ones without separators are telephone numbers and the like
_LONGEST_FLOAT = 15  # digits that a float holds
_LONGEST_FRACTION = 2  # digits after the decimal mark that are said as one number, where it is done


@dataclass(frozen=True)
class Numeral:
    """A written number, taken apart.

    Attributes
    ----------
    whole
        Digits before the decimal mark without groups; empty in *.5*.
    mark
        The decimal mark as written, or nothing.
    fraction
        Digits after it.
    grouped
        Written with separators between groups of digits.
    """

    whole: str
    mark: str = ""
    fraction: str = ""
    grouped: bool = False

    @property
    def is_one(self) -> bool:
        """Exactly one."""
        return self.whole.lstrip("0") == "1" and not self.mark

    @property
    def is_code(self) -> bool:
        """Whether the digits are a telephone number or the like: no amount."""
        if self.mark or self.grouped:
            return False
        if len(self.whole) > 1 and self.whole[0] == "0":
            return True
        return len(self.whole) > _LONGEST_UNGROUPED and not self.whole.endswith("000")

    @property
    def is_year(self) -> bool:
        """Whether it is read as a year where nothing speaks against it."""
        if self.mark or self.grouped or len(self.whole) != 4:
            return False
        return 1100 <= int(self.whole) < 2000 or 2010 <= int(self.whole) < 2100

    def is_singular(self, primary: str) -> bool:
        """Whether a noun after it is singular; in French all below two is."""
        if primary == "fr":
            return self.whole.lstrip("0") in {"", "1"}
        return self.is_one


def parse(written: str, language: str) -> Numeral | None:
    """A written number taken apart by the marks of its language; None for a list or a version."""
    digits = written.replace(THIN_SPACE, "")
    row = language_row(language) or {"decimal": ".", "group": ","}
    decimal, group = row["decimal"], row["group"]
    if re.fullmatch(r"\d+", digits):
        return Numeral(digits, grouped=digits != written)
    # A full stop may part groups wherever it is no decimal mark: 1.000 € in French.
    for mark in dict.fromkeys((group, "'", *("." if decimal == "," else ""))):
        grouped = re.fullmatch(
            rf"(\d{{1,3}}(?:{re.escape(mark)}\d{{2,3}})*{re.escape(mark)}\d{{3}})"
            rf"(?:({re.escape(decimal)})(\d+))?",
            digits,
        )
        if grouped and digits[0] != "0":
            whole = grouped[1].replace(mark, "")
            return Numeral(whole, grouped[2] or "", grouped[3] or "", grouped=True)
    plain = re.fullmatch(r"(\d*)([.,])(\d+)", digits)
    # A comma is never a decimal mark where the point is one: it parts the items of a list.
    if plain and (plain[2] == decimal or decimal == ","):
        return Numeral(plain[1], plain[2], plain[3], grouped=digits != written)
    return None


def numeral_words(number: Numeral, language: str, gender: str = "") -> str:
    """A number in words, in agreement with a noun of a gender (`m`, `f`, `n`) if one is given."""
    whole = cardinal(number.whole, language) if number.whole else ""
    if not number.mark:
        return agree(whole, language, gender)
    names = column("number_words", primary_subtag(language), "name", "spoken")
    point = names.get("point" if number.mark == "." else "comma")
    if point:
        return " ".join(f"{whole} {point} {_fraction_digits(number.fraction, language)}".split())
    # What num2words makes of a decimal; its digits where it lacks the language.
    value = f"{number.whole or '0'}.{number.fraction}"
    is_float = len(number.whole + number.fraction) <= _LONGEST_FLOAT
    spoken = _num2words(float(value), language, "cardinal") if is_float else ""
    return spoken or " ".join(cardinal(part, language) for part in value.split("."))


def plain(number: Numeral, language: str, gender: str = "") -> str:
    """An amount, or a code digit by digit."""
    if number.is_code:
        return digit_words(number.whole, language)
    return numeral_words(number, language, gender)


def _fraction_digits(digits: str, language: str) -> str:
    one_by_one = primary_subtag(language) not in {"es", "fr", "it", "pt"}
    if one_by_one or len(digits) > _LONGEST_FRACTION or set(digits) == {"0"}:
        return digit_words(digits, language)
    zeros = digits[: len(digits) - len(digits.lstrip("0"))]
    return f"{digit_words(zeros, language)} {cardinal(digits.lstrip('0'), language)}".strip()


def cardinal(digits: str | int, language: str) -> str:
    """A whole number in words, of any length: digit by digit where there are no words for it."""
    digits = str(digits)
    spoken = _num2words(int(digits), language) if len(digits) <= _LONGEST_SAID else ""
    if spoken:
        return spoken
    # espeak-ng reads the digits of a language that num2words lacks.
    return digit_words(digits, language) if _num2words(0, language) else digits


def ordinal(value: int, language: str, gender: str = "m") -> str:
    """An ordinal in words; in German without its ending (*dritt*)."""
    spoken = _num2words(value, language, "ordinal") or cardinal(value, language)
    primary = primary_subtag(language)
    if primary == "fr":
        # num2words keeps the plural s of quatre-vingts and cents.
        spoken = re.sub(r"(?<=[gn]t)s(?=ième$)", "", spoken)
        return "première" if value == 1 and gender == "f" else spoken
    if primary == "de":
        return spoken.removesuffix("e")
    if primary in {"es", "it", "pt"} and gender == "f":
        return " ".join(re.sub("o$", "a", part) for part in spoken.split())
    return spoken


def year(digits: str, language: str) -> str:
    """A year in words."""
    spoken = primary_subtag(language) in {"en", "de", "nl"}
    return (spoken and _num2words(int(digits), language, "year")) or cardinal(digits, language)


def digit_words(digits: str, language: str) -> str:
    """Digits one by one."""
    return " ".join(_num2words(int(char), language) or char for char in digits if char.isdecimal())


def agree(spoken: str, language: str, gender: str) -> str:
    """A cardinal before a noun of a gender: *veintiún años*, *une heure*, *ein Euro*."""
    if not gender:
        return spoken
    *front, last = spoken.split() or [""]
    for row in rows_of("number_agreement", primary_subtag(language)):
        if row["gender"] != gender:
            continue
        if row["where"] == "any":
            front = [re.sub(rf"{row['ending']}$", row["becomes"], part) for part in front]
        if row["where"] != "alone" or not front:
            last = re.sub(rf"{row['ending']}$", row["becomes"], last)
    return " ".join([*front, last])


def alternation(written: Iterable[str]) -> str:
    """A regular expression for one of several strings, the longest first; never empty."""
    longest_first = sorted(set(written), key=lambda each: (-len(each), each))
    return "|".join(map(re.escape, longest_first)) or r"(?!)"


@lru_cache(maxsize=1 << 14, typed=True)  # 1.0 is not read as 1 is
def _num2words(value: int | float, language: str, to: str = "cardinal") -> str:
    """What num2words says; nothing where it lacks the language or the number is beyond it."""
    failures = (NotImplementedError, OverflowError, LookupError, AttributeError, ValueError)
    for name in dict.fromkeys((language.replace("-", "_"), primary_subtag(language))):
        try:
            spoken = str(import_module("num2words").num2words(value, lang=name, to=to))
        except (*failures, TypeError):
            continue
        spoken = re.sub(r"[-,]+", " ", spoken.replace("\u00ad", ""))
        if language in {"en", "en-US"}:
            spoken = spoken.replace(" and ", " ")
        if primary_subtag(language) == "es":
            spoken = re.sub(r"uno (?=mil|bill|trill)", "un ", spoken).replace(
                "veintiun ", "veintiún "
            )
        return " ".join(spoken.split())
    return ""
