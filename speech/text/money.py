"""Sums of money: *$5.50*, *3,50 €*, *£2.5m*, *CHF 20*, *-$5*."""

from __future__ import annotations

import re
from functools import cache

from nativeear.speech.tables import table, word_set
from nativeear.speech.text.magnitudes import (
    alternation,
    magnitudes,
    million_joint,
    partitive,
    scaled,
)
from nativeear.speech.text.numerals import (
    AMOUNT,
    Numeral,
    agree,
    cardinal,
    numeral_words,
    parse,
    word,
)
from nativeear.speech.text.spoken import Passage
from nativeear.speech.text.units import per

# German leaves the cents unsaid: drei Euro fünfzig.
_CENTS_UNSAID = frozenset({"de"})


@cache
def pattern(primary: str) -> re.Pattern[str]:
    """Money in a language; signs that its table lacks are found too."""
    signs = {row["symbol"] for row in table("currencies") if not row["symbol"].isalpha()}
    signs = {sign for sign in signs if len(sign) == 1}
    signs |= {row["symbol"] for row in table("currencies") if row["language"] == primary}
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


def read(match: re.Match[str], passage: Passage) -> str | None:
    """A sum of money in words; None where it is no number, or of no known currency."""
    language, primary = passage.language, passage.primary
    row = _currency(primary, match["coin"] or match["mint"])
    number = parse(match["amount"] or match["sum"], language)
    limit = match["to"] or match["upto"]
    upper = parse(limit, language) if limit else None
    if row is None or number is None or (limit and upper is None):
        return None
    said = word("minus", language) if match["sign"] or match["inner"] else ""
    if upper is not None:
        said += f" {numeral_words(number, language, row['gender'])} {word('to', language)}"
        number = upper
    before_coin = passage.word_after(match.end()) in word_set("after-money", primary)
    if before_coin or passage.after_article(match.start()):  # a five dollar bill
        row = {**row, "many": row["one"]}
    scale = match["scale"] or match["scaled"]
    said += " " + (
        scaled(number, scale, row["many"], passage) if scale else _sum(number, row, passage)
    )
    if match["per"]:
        said += " " + per(match["per"], passage)
    return " ".join(said.split())


def _sum(number: Numeral, row: dict[str, str], passage: Passage) -> str:
    language, gender = passage.language, row["gender"]
    if number.fraction.strip("0") and (len(number.fraction) != 2 or not row["cents"]):
        name = row["one" if number.is_singular(passage.primary) else "many"]
        return f"{numeral_words(number, language, gender)} {name}"
    whole = Numeral(number.whole or "0", grouped=number.grouped)
    name = row["one" if whole.is_singular(passage.primary) else "many"]
    if len(whole.whole) > 6 and whole.whole.endswith("000000"):
        name = partitive(million_joint(passage.primary), name, passage.primary)
    said = f"{numeral_words(whole, language, gender)} {name}"
    cents = Numeral(number.fraction.lstrip("0"))
    if not cents.whole:
        return said
    coin = row["cent" if cents.is_singular(passage.primary) else "cents"]
    few = cardinal(cents.whole, language)
    if passage.primary in _CENTS_UNSAID and whole.whole.strip("0"):
        return f"{said} {few}"
    few = agree(few, language, "m" if gender else "")
    if not whole.whole.strip("0"):
        return f"{few} {coin}"
    return f"{said} {word('cents', language)} {few} {coin}"


@cache
def _currency(primary: str, sign: str) -> dict[str, str] | None:
    for row in table("currencies"):
        if (row["language"], row["symbol"]) == (primary, sign):
            return row
    return None
