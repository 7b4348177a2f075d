"""Amounts with a unit: *5 m/s*, *20 °C*, *3,5 kg*, *100 m²*, *5'10"*."""

from __future__ import annotations

import re
from functools import cache

from nativeear.speech.tables import table
from nativeear.speech.text.magnitudes import alternation, magnitudes, scaled
from nativeear.speech.text.nouns import article_gender
from nativeear.speech.text.numerals import AMOUNT, cardinal, numeral_words, parse, word
from nativeear.speech.text.spoken import Passage

_POWERS = {"²": r"(?:²|\^?2)", "³": r"(?:³|\^?3)"}
# Here 1° before a word is an ordinal.
_RING_IS_ORDINAL = frozenset({"es", "it", "pt"})

_FRACTION_BEFORE = re.compile(r"(\d ?)?([¼-¾⅐-⅞]|(?<![\d/])\d{1,2}/\d{1,3}) ?$")

HEIGHT = re.compile(r"(?<![\w'])(?P<feet>[1-9])' ?(?P<inches>\d|1[01])(?:\"|''|”|″)")
"""Feet and inches: *5'10"*."""


@cache
def pattern(primary: str) -> re.Pattern[str]:
    """An amount with a unit, or a unit with a slash alone."""
    symbols = alternation(units(primary))
    scales = alternation(scale for scale in magnitudes(primary) if len(scale) > 2)
    for power, either in _POWERS.items():
        symbols = symbols.replace(power, either)
    denominators = alternation(_denominators(primary))
    for power, either in _POWERS.items():
        denominators = denominators.replace(power, either)
    symbols = symbols.replace("°C", r"°\ ?C").replace("°F", r"°\ ?F")
    return re.compile(
        rf"""(?:(?P<sign>(?<![\w.)])[-−]\ ?)?(?<![\w.,])(?P<amount>{AMOUNT})
             (?:\ ?-\ ?(?P<to>{AMOUNT}))?(?P<hyphen>-)?
             (?:\ ?(?P<scale>{scales})(?!\w))?\ ?(?P<unit>{symbols})
             (?:\ ?/\ ?(?P<per>{denominators}|[^\W\d_]{{3,}}))?(?![\w²³]))
          | (?<![\w/])(?P<alone>{symbols})/(?P<over>{denominators})(?![\w/²³])""",
        re.VERBOSE,
    )


def read(match: re.Match[str], passage: Passage) -> str | None:
    """The amount and its unit in words; None where it is something else."""
    language, primary = passage.language, passage.primary
    if match["alone"]:
        whole = f"{match['alone']}/{match['over']}"
        row = units(primary).get(whole)
        return row["many"] if row else _rated(match["alone"], match["over"], passage)
    row = units(primary)[_symbol(match["unit"])]
    ring = row["symbol"] == "°" and primary in _RING_IS_ORDINAL
    if ring and passage.word_after(match.end()):
        return None
    number = parse(match["amount"], language)
    upper = parse(match["to"], language) if match["to"] else None
    if number is None or (match["to"] and upper is None):
        return None
    said = word("minus", language) if match["sign"] else ""
    gender = article_gender(row["gender"], row["one"], primary)
    if upper is not None:
        said += f" {numeral_words(number, language, gender)} {word('to', language)}"
        number = upper
    adjective = bool(match["hyphen"]) or passage.after_article(match.start())
    singular = number.is_singular(primary) or (primary == "en" and adjective)
    if match["scale"]:
        said += " " + scaled(number, match["scale"], row["many"], passage)
    else:
        name = row["one" if singular else "many"]
        said += f" {numeral_words(number, language, gender)} {name}"
    if match["per"]:
        said += " " + per(match["per"], passage)
    return " ".join(said.split())


@cache
def after_fraction(primary: str) -> re.Pattern[str]:
    """A unit alone, which may follow a fraction: *½ lb*."""
    return re.compile(rf"(?P<unit>{alternation(units(primary))})(?![\w²³/])")


def read_after_fraction(match: re.Match[str], passage: Passage) -> str | None:
    """The unit of a fraction; None where no fraction stands before it."""
    start = match.start()
    before = _FRACTION_BEFORE.search(passage.text[max(0, start - 12) : start])
    if before is None:
        return None
    return units(passage.primary)[match["unit"]]["many" if before[1] else "one"]


def read_height(match: re.Match[str], passage: Passage) -> str | None:
    """Feet and inches in words."""
    feet, inches = (cardinal(match[name], passage.language) for name in ("feet", "inches"))
    return f"{feet} foot {inches}" if passage.primary == "en" else None


def per(denominator: str, passage: Passage) -> str:
    """What a rate is for: *per second*, *all'ora*."""
    known = _denominators(passage.primary).get(_symbol(denominator))
    return known or f"{word('per', passage.language)} {denominator}".strip()


def _rated(unit: str, denominator: str, passage: Passage) -> str:
    return f"{units(passage.primary)[_symbol(unit)]['many']} {per(denominator, passage)}"


@cache
def units(primary: str) -> dict[str, dict[str, str]]:
    """Rows of `units.csv` of a language, by symbol."""
    return {row["symbol"]: row for row in table("units") if row["language"] == primary}


@cache
def _denominators(primary: str) -> dict[str, str]:
    return {
        row["symbol"]: row["spoken"] for row in table("per_units") if row["language"] == primary
    }


def _symbol(written: str) -> str:
    """The symbol as the tables have it: *m^2* is *m²*."""
    plain = written.replace("° ", "°")
    return re.sub(r"(?<=[a-z])\^?([23])$", lambda match: "²³"[int(match[1]) - 2], plain)
