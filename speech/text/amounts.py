"""Money and measures: *$5.50*, *£2.5m*, *-$5*, *5 m/s*, *20 °C*, *100 m²*, *5'10"*."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from nativeear.speech.tables import Row, column, row_by, table
from nativeear.speech.text.magnitudes import magnitudes, partitive, scaled
from nativeear.speech.text.nouns import article_gender
from nativeear.speech.text.numerals import (
    AMOUNT,
    Numeral,
    agree,
    alternation,
    cardinal,
    numeral_words,
    parse,
)
from nativeear.speech.text.spoken import Passage

_POWERS = {"²": r"(?:²|\^?2)", "³": r"(?:³|\^?3)", "°C": r"°\ ?C", "°F": r"°\ ?F"}
# Here 1° before a word is an ordinal.
_RING_IS_ORDINAL = frozenset({"es", "it", "pt"})
# German leaves the cents unsaid: drei Euro fünfzig.
_CENTS_UNSAID = frozenset({"de"})

_FRACTION_BEFORE = re.compile(r"(\d ?)?([¼-¾⅐-⅞]|(?<![\d/])\d{1,2}/\d{1,3}) ?$")

HEIGHT = re.compile(r"(?<![\w'])(?P<feet>[1-9])' ?(?P<inches>\d|1[01])(?:\"|''|”|″)")
"""Feet and inches: *5'10"*."""


@cache
def money_pattern(primary: str) -> re.Pattern[str]:
    """Money in a language; signs that its table lacks are found too."""
    signs = {row["symbol"] for row in table("currencies") if len(row["symbol"]) == 1}
    signs = {sign for sign in signs if not sign.isalpha()}
    signs |= row_by("currencies", primary, "symbol").keys()
    coins = alternation(
        sign for sign in signs if not sign.isalpha() or (len(sign) > 1 and sign.isupper())
    )
    scales = alternation(magnitudes(primary))
    return re.compile(
        rf"""(?<![\w.,])(?P<sign>[-−]\ ?)?
        (?: (?P<coin>{coins})\ ?(?P<inner>[-−])?(?P<amount>{AMOUNT})
            (?:\ ?-\ ?(?P=coin)?(?P<to>{AMOUNT}))?
            (?:[ -]?(?P<scale>{scales})(?!\w))?(?!\w)
          | (?P<sum>{AMOUNT})(?:\ ?-\ ?(?P<upto>{AMOUNT}))?
            (?:[ -]?(?P<scaled>{scales}))?\ ?(?P<mint>{alternation(signs)})(?!\w|\ ?\d) )
        (?:\ ?/\ ?(?P<per>[^\W\d_]+[²³]?)(?!\w))?""",
        re.VERBOSE,
    )


def read_money(match: re.Match[str], passage: Passage) -> str | None:
    """A sum of money in words; None where it is no number, or of no known currency."""
    currencies = row_by("currencies", passage.primary, "symbol")
    row = currencies.get(match["coin"] or match["mint"])
    if row is None:
        return None
    # a five dollar bill
    before_coin = passage.word_after(match.end()) in passage.words("after-money")
    return _in_words(match, passage, row, before_coin, _sum)


def _sum(number: Numeral, row: Row, passage: Passage) -> str:
    """A sum with its cents, where the currency has them."""
    language, primary, gender = passage.language, passage.primary, row["gender"]
    if number.fraction.strip("0") and (len(number.fraction) != 2 or not row["cents"]):
        return _counted(number, row, passage)
    whole = Numeral(number.whole or "0", grouped=number.grouped)
    name = row["one" if whole.is_singular(primary) else "many"]
    if len(whole.whole) > 6 and whole.whole.endswith("000000"):
        name = partitive(magnitudes(primary).get("M", {}).get("joint", ""), name, primary)
    spoken = f"{numeral_words(whole, language, gender)} {name}"
    cents = Numeral(number.fraction.lstrip("0"))
    if not cents.whole:
        return spoken
    few = cardinal(cents.whole, language)
    if primary in _CENTS_UNSAID and whole.whole.strip("0"):
        return f"{spoken} {few}"
    coins = f"{agree(few, language, 'm' if gender else '')} "
    coins += row["cent" if cents.is_singular(primary) else "cents"]
    return f"{spoken} {passage.word('cents')} {coins}" if whole.whole.strip("0") else coins


@cache
def unit_pattern(primary: str) -> re.Pattern[str]:
    """An amount with a unit, or a unit with a slash alone."""
    symbols, denominators = alternation(_units(primary)), alternation(_denominators(primary))
    for power, either in _POWERS.items():
        symbols, denominators = (each.replace(power, either) for each in (symbols, denominators))
    scales = alternation(scale for scale in magnitudes(primary) if len(scale) > 2)
    return re.compile(
        rf"""(?:(?P<sign>(?<![\w.)])[-−]\ ?)?(?<![\w.,])(?P<amount>{AMOUNT})
             (?:\ ?-\ ?(?P<to>{AMOUNT}))?(?P<hyphen>-)?
             (?:\ ?(?P<scale>{scales})(?!\w))?\ ?(?P<unit>{symbols})
             (?:\ ?/\ ?(?P<per>{denominators}|[^\W\d_]{{3,}}))?(?![\w²³]))
          | (?<![\w/])(?P<alone>{symbols})/(?P<over>{denominators})(?![\w/²³])""",
        re.VERBOSE,
    )


def read_unit(match: re.Match[str], passage: Passage) -> str | None:
    """The amount and its unit in words; None where it is something else."""
    units = _units(passage.primary)
    if match["alone"]:
        whole = units.get(f"{match['alone']}/{match['over']}")
        rate = f"{units[_symbol(match['alone'])]['many']} {_per(match['over'], passage)}"
        return whole["many"] if whole else rate
    row = units[_symbol(match["unit"])]
    is_ring = row["symbol"] == "°" and passage.primary in _RING_IS_ORDINAL
    if is_ring and passage.word_after(match.end()):
        return None
    gender = article_gender(row["gender"], row["one"], passage.primary)
    is_hyphened = passage.primary == "en" and bool(match["hyphen"])
    return _in_words(match, passage, {**row, "gender": gender}, is_hyphened, _counted)


@cache
def fraction_unit_pattern(primary: str) -> re.Pattern[str]:
    """A unit alone, which may follow a fraction: *½ lb*."""
    return re.compile(rf"(?P<unit>{alternation(_units(primary))})(?![\w²³/])")


def read_fraction_unit(match: re.Match[str], passage: Passage) -> str | None:
    """The unit of a fraction; None where no fraction stands before it."""
    start = match.start()
    before = _FRACTION_BEFORE.search(passage.text[max(0, start - 12) : start])
    if before is None:
        return None
    return _units(passage.primary)[match["unit"]]["many" if before[1] else "one"]


def read_height(match: re.Match[str], passage: Passage) -> str | None:
    """Feet and inches in words."""
    feet, inches = (cardinal(match[name], passage.language) for name in ("feet", "inches"))
    return f"{feet} foot {inches}" if passage.primary == "en" else None


def _in_words(
    match: re.Match[str],
    passage: Passage,
    row: Row,
    is_adjective: bool,
    whole: Callable[[Numeral, Row, Passage], str],
) -> str | None:
    """One amount, or a range, of what a row names; None where it is no number."""
    language, groups = passage.language, match.groupdict()
    number = parse(groups["amount"] or groups.get("sum", ""), language)
    limit = groups["to"] or groups.get("upto")
    upper = parse(limit, language) if limit else number
    if number is None or upper is None:
        return None
    after_article = passage.word_before(match.start()).lower() in {"a", "an"}
    if is_adjective or (passage.primary == "en" and after_article):  # a five kilometer run
        row = {**row, "many": row["one"]}
    spoken = passage.word("minus") if groups["sign"] or groups.get("inner") else ""
    if limit:
        spoken += f" {numeral_words(number, language, row['gender'])} {passage.word('to')}"
    scale = groups["scale"] or groups.get("scaled")
    spoken += " " + (
        scaled(upper, scale, row["many"], passage) if scale else whole(upper, row, passage)
    )
    if groups["per"]:
        spoken += " " + _per(groups["per"], passage)
    return " ".join(spoken.split())


def _counted(number: Numeral, row: Row, passage: Passage) -> str:
    name = row["one" if number.is_singular(passage.primary) else "many"]
    return f"{numeral_words(number, passage.language, row['gender'])} {name}"


def _per(denominator: str, passage: Passage) -> str:
    """What a rate is for: *per second*, *all'ora*."""
    known = _denominators(passage.primary).get(_symbol(denominator))
    return known or f"{passage.word('per')} {denominator}".strip()


def _units(primary: str) -> dict[str, Row]:
    return row_by("units", primary, "symbol")


def _denominators(primary: str) -> dict[str, str]:
    return column("per_units", primary, "symbol", "spoken")


def _symbol(written: str) -> str:
    """The symbol as the tables have it: *m^2* is *m²*."""
    plain = written.replace("° ", "°")
    return re.sub(r"(?<=[a-z])\^?([23])$", lambda match: "²³"[int(match[1]) - 2], plain)
