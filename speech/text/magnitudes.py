"""Thousands, millions and billions that are written short or as a word after digits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from nativeear.speech.tables import table, word_set
from nativeear.speech.text.numerals import AMOUNT, Numeral, numeral_words, parse, word
from nativeear.speech.text.spoken import Passage


@cache
def magnitudes(primary: str) -> dict[str, dict[str, str]]:
    """Rows of `magnitudes.csv` of a language, by how they are written."""
    return {row["written"]: row for row in table("magnitudes") if row["language"] == primary}


def alternation(written: Iterable[str]) -> str:
    """A regular expression for one of several strings, the longest first; never empty."""
    longest_first = sorted(set(written), key=lambda each: (-len(each), each))
    return "|".join(map(re.escape, longest_first)) or r"(?!)"


def scaled(number: Numeral, scale: str, noun: str, passage: Passage) -> str:
    """A number of millions or the like, and what they are of: *cinq millions d'euros*."""
    primary = passage.primary
    magnitude = magnitudes(primary)[scale]
    gender = "f" if primary == "de" and magnitude["one"] != "tausend" else "m"
    said = numeral_words(number, passage.language, gender)
    name = magnitude["one" if number.is_singular(primary) else "many"]
    # mille, mil and tausend are not counted in ones, and duemila is one word.
    if number.is_one and name in {"mil", "mille", "mila", "tausend"}:
        said, name = "", name.replace("mila", "mille")
    space = "" if name == "mila" else " "
    return f"{said}{space}{name} {partitive(magnitude['joint'], noun, primary)}".strip()


@cache
def pattern(primary: str) -> re.Pattern[str]:
    """Digits with a magnitude and no currency: *5 Mio.*, *2M*, *1 Million*."""
    apart = alternation(
        scale for scale in magnitudes(primary) if len(scale) > 1 and scale.lower() != "mm"
    )
    return re.compile(
        rf"(?P<sign>(?<![\w.)])[-−])?(?<![\w.,])(?P<amount>{AMOUNT})"
        rf"(?:[ -]?(?P<scale>{apart})|(?P<short>[kMB]))(?!\w)"
    )


def read(match: re.Match[str], passage: Passage) -> str | None:
    """A number of millions or the like; None where the language writes none so."""
    number = parse(match["amount"], passage.language)
    scale = match["scale"] or match["short"]
    if match["short"] == "k" and passage.word_after(match.end()) in word_set(
        "races", passage.primary
    ):  # a 5k run is five K
        return None
    if number is None or scale not in magnitudes(passage.primary):
        return None
    minus = word("minus", passage.language) if match["sign"] else ""
    return f"{minus} {scaled(number, scale, '', passage)}".strip()


def partitive(joint: str, noun: str, primary: str) -> str:
    """What millions are of: *de dólares*, *d'euros*, *di euro*."""
    if not noun:
        return ""
    if primary == "fr" and joint and noun[:1] in "aeéiou":
        return f"d'{noun}"
    return f"{joint} {noun}".strip()


def million_joint(primary: str) -> str:
    """The word between a million and what there is a million of."""
    return magnitudes(primary).get("M", {}).get("joint", "")
