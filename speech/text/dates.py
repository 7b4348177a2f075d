"""Dates: *12/25/2024*, *5.3.2024*, *2024-03-05*, *May 5, 2024*, *1 mai*, *am 21. Mai*."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from nativeear.speech.tables import column, rows_of
from nativeear.speech.text.numerals import alternation, cardinal, ordinal, year
from nativeear.speech.text.ordinals import german_ordinal
from nativeear.speech.text.spoken import Passage

NUMERIC = re.compile(
    r"""(?<![\w./,-])(?:
        (?P<iso_year>\d{4})-(?P<iso_month>\d\d)-(?P<iso_day>\d\d)
      | (?P<first>\d{1,2})(?P<mark>[/.-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)
      | (?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?=\ |$) )(?![\w/]|[.,-]\d)""",
    re.VERBOSE,
)
"""A date in digits."""

# The month stands before the day here.
_MONTH_FIRST = frozenset({"en", "en-US"})
# The first of a month is an ordinal; in Spanish it is so in America.
_FIRST_IS_ORDINAL = frozenset({"fr", "it"})


@dataclass(frozen=True)
class _Date:
    day: int
    month: str
    year: str
    day_first: bool
    at: int


@cache
def written(primary: str) -> re.Pattern[str]:
    """A day and a month by name, in either order, with a year or without."""
    names = alternation(row["name"] for row in rows_of("months", primary))
    month = rf"(?:{names}|(?:{alternation(_short_months(primary))})\b\.?)(?!\w)"
    return re.compile(
        rf"""(?<![\w.,/-])(?:
            (?P<month>{month})\ (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\w:/%-]|[.,]\d)
          | (?P<day_first>\d{{1,2}})(?P<mark>st|nd|rd|th|er|\.|°|º|\.º)?(?:\ (?:of|de)(?=\ ))?
            \ ?(?P<month_last>{month}) )
            (?:(?:,|\ de|\ del)?\ (?P<year>[12]\d{{3}})(?![\w%]|[.,]\d))?""",
        re.VERBOSE,
    )


def read_numeric(match: re.Match[str], passage: Passage) -> str | None:
    """A date in digits in words; None where it is none."""
    day_first = passage.language not in _MONTH_FIRST
    if match["iso_year"]:
        day, month, which = match["iso_day"], match["iso_month"], match["iso_year"]
    elif match["day"]:
        day, month, which = match["day"], match["month"], ""
    else:
        day, month, which = match["first"], match["second"], match["year"]
        if not day_first and int(day) <= 12:
            day, month = month, day
    name = column("months", passage.primary, "month", "name").get(str(int(month)), "")
    if not name or not 1 <= int(day) <= 31 or not _is_usual(match, passage.primary):
        return None
    return _in_words(_Date(int(day), name, which, day_first, match.start()), passage)


def _is_usual(match: re.Match[str], primary: str) -> bool:
    """Whether dates are written with these marks: English writes none with stops."""
    if match["day"]:
        return primary == "de"
    mark = match["mark"]
    return mark in {None, "/"} or (primary != "en" and (mark == "." or len(match["year"]) == 4))


def read_written(match: re.Match[str], passage: Passage) -> str | None:
    """A date with the name of its month in words; None where the day is none."""
    primary = passage.primary
    day = int(match["day"] or match["day_first"])
    month = match["month"] or match["month_last"]
    usual = match["mark"] == "." if primary == "de" else primary == "en" or not match["month"]
    # May 5 people come?
    counted = match["month"] and not match["year"] and passage.word_after(match.end())[-1:] == "s"
    if not 1 <= day <= 31 or not usual or counted:
        return None
    month = _short_months(primary).get(month.rstrip("."), month)
    day_first = bool(match["day_first"])
    return _in_words(_Date(day, month, match["year"] or "", day_first, match.start()), passage)


def _in_words(date: _Date, passage: Passage) -> str:
    language, primary = passage.language, passage.primary
    which = year(date.year, language) if len(date.year) == 4 else ""
    if len(date.year) == 2:
        oh = "oh " if date.year[0] == "0" and primary == "en" else ""
        which = oh + cardinal(date.year, language)
    if primary == "en":
        number = ordinal(date.day, language)
        article = "" if passage.word_before(date.at).lower() == "the" else "the "
        first, last = f"{article}{number} of {date.month}", f"{date.month} {number}"
        return f"{first if date.day_first else last} {which}".strip()
    if primary == "de":
        return f"{german_ordinal(date.day, 'm', passage, date.at)} {date.month} {which}".strip()
    american = primary == "es" and language not in {"es", "es-ES"}
    is_ordinal = date.day == 1 and (american or primary in _FIRST_IS_ORDINAL)
    day = ordinal(1, language) if is_ordinal else cardinal(date.day, language)
    joint = " de " if primary in {"es", "pt"} else " "
    return joint.join(filter(None, (day, date.month, which)))


@cache
def _short_months(primary: str) -> dict[str, str]:
    """Short names of months to their names."""
    rows = rows_of("months", primary)
    return {short: row["name"] for row in rows for short in row["short"].split()}
