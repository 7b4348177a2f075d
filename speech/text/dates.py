"""Dates: *12/25/2024*, *5.3.2024*, *2024-03-05*, *May 5, 2024*, *1 mai*, *am 21. Mai*."""

from __future__ import annotations

import re
from functools import cache

from speech.tables import table
from speech.text.magnitudes import alternation
from speech.text.numerals import cardinal, ordinal, year
from speech.text.ordinals import german_ordinal
from speech.text.spoken import Passage

NUMERIC = re.compile(
    r"""(?<![\w./,-])(?:
        (?P<iso_year>\d{4})-(?P<iso_month>\d\d)-(?P<iso_day>\d\d)
      | (?P<first>\d{1,2})(?P<mark>[/.-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)
      | (?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?=\ |$) )(?![\w/]|[.,-]\d)""",
    re.VERBOSE,
)
# Day and month in this order but in the United States.
_MONTH_FIRST = frozenset({"en", "en-US"})


@cache
def written(primary: str) -> re.Pattern[str]:
    """A day and a month by name, in either order, with a year or without."""
    names = alternation(_months(primary))
    short = alternation(name for name in _short_months(primary))
    month = rf"(?:{names}|(?:{short})\b\.?)(?!\w)"
    return re.compile(
        rf"""(?<![\w.,/-])(?:
            (?P<month>{month})\ (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\w:/%-]|[.,]\d)
          | (?P<day_first>\d{{1,2}})(?P<mark>st|nd|rd|th|er|\.|°|º|\.º)?(?P<of>\ (?:of|de)(?=\ ))?
            \ ?(?P<month_last>{month}) )
            (?:(?:,|\ de|\ del)?\ (?P<year>[12]\d{{3}})(?![\w%]|[.,]\d))?""",
        re.VERBOSE,
    )


def read_numeric(match: re.Match[str], passage: Passage) -> str | None:
    """A date in digits in words; None where it is none."""
    if match["iso_year"]:
        day, month, which = match["iso_day"], match["iso_month"], match["iso_year"]
    elif match["day"]:
        if passage.primary != "de":
            return None
        day, month, which = match["day"], match["month"], ""
    else:
        if match["mark"] != "/" and (passage.primary == "en" or len(match["year"]) == 2):
            if match["mark"] != "." or passage.primary == "en":
                return None
        day, month, which = match["first"], match["second"], match["year"]
        if passage.language in _MONTH_FIRST and int(day) <= 12:
            day, month = month, day
    if not (1 <= int(day) <= 31 and 1 <= int(month) <= 12):
        return None
    name = next((n for n, number in _months(passage.primary).items() if number == int(month)), "")
    if not name:
        return None
    return _date(int(day), name, which, passage, match.start(), in_digits=True)


def read_written(match: re.Match[str], passage: Passage) -> str | None:
    """A date with the name of its month in words; None where the day is none."""
    day = int(match["day"] or match["day_first"])
    month = match["month"] or match["month_last"]
    if not 1 <= day <= 31:
        return None
    if passage.primary == "de" and match["mark"] != ".":
        return None
    if passage.primary != "en" and match["month"]:
        return None
    if match["month"] and not match["year"] and passage.word_after(match.end()).endswith("s"):
        return None  # May 5 people come?
    name = (
        month
        if month in _months(passage.primary)
        else _short_months(passage.primary)[month.rstrip(".")]
    )
    return _date(
        day, name, match["year"] or "", passage, match.start(), last=bool(match["day_first"])
    )


def _date(
    day: int,
    month: str,
    which: str,
    passage: Passage,
    at: int,
    in_digits: bool = False,
    last: bool = False,
) -> str:
    language, primary = passage.language, passage.primary
    said = year(which, language) if len(which) == 4 else cardinal(which, language) if which else ""
    if len(which) == 2 and which[0] == "0" and primary == "en":
        said = f"oh {said}"
    if primary == "en":
        number = ordinal(day, language)
        day_first = last or (in_digits and language not in _MONTH_FIRST)
        article = "" if passage.word_before(at).lower() == "the" else "the "
        date = f"{article}{number} of {month}" if day_first else f"{month} {number}"
        return f"{date} {said}".strip()
    if primary == "de":
        return f"{german_ordinal(day, 'm', passage, at)} {month} {said}".strip()
    number = agreeing_day(day, passage)
    joint = " de " if primary in {"es", "pt"} else " "
    return f"{number}{joint}{month}{joint + said if said else ''}".strip()


def agreeing_day(day: int, passage: Passage) -> str:
    """The day of a month: an ordinal for the first, where the language has one."""
    first_is_ordinal = passage.primary in {"fr", "it"} or (
        passage.primary == "es" and passage.language not in {"es", "es-ES"}
    )
    if day == 1 and first_is_ordinal:
        return ordinal(1, passage.language)
    return cardinal(day, passage.language)


@cache
def _months(primary: str) -> dict[str, int]:
    """Names of months to their numbers."""
    return {row["name"]: int(row["month"]) for row in table("months") if row["language"] == primary}


@cache
def _short_months(primary: str) -> dict[str, str]:
    """Short names of months to their names."""
    rows = (row for row in table("months") if row["language"] == primary)
    return {short: row["name"] for row in rows for short in row["short"].split()}
