"""Thousands, millions and billions that are written short or as a word after digits."""

from __future__ import annotations

import re
from functools import cache

from nativeear.speech.tables import Row, row_by
from nativeear.speech.text.numerals import AMOUNT, Numeral, alternation, numeral_words, parse
from nativeear.speech.text.spoken import Passage


def magnitudes(primary: str) -> dict[str, Row]:
    """Rows of `magnitudes.csv` of a language, by how they are written."""
    return row_by("magnitudes", primary, "written")


@cache
def pattern(primary: str) -> re.Pattern[str]:
    """Digits with a magnitude and no currency: *5 Mio.*, *2M*, *1 Million*."""
    apart = (each for each in magnitudes(primary) if len(each) > 1 and each.lower() != "mm")
    return re.compile(
        rf"(?P<sign>(?<![\w.)])[-−])?(?<![\w.,])(?P<amount>{AMOUNT})"
        rf"(?:[ -]?(?P<scale>{alternation(apart)})|(?P<short>[kMB]))(?!\w)"
    )


def read(match: re.Match[str], passage: Passage) -> str | None:
    """A number of millions or the like; None where the language writes none so."""
    number = parse(match["amount"], passage.language)
    scale = match["scale"] or match["short"]
    is_race = scale == "k" and passage.word_after(match.end()) in passage.words("races")
    if is_race or number is None or scale not in magnitudes(passage.primary):
        return None  # a 5k run is five K
    return passage.signed(match["sign"], scaled(number, scale, "", passage))


def scaled(number: Numeral, scale: str, noun: str, passage: Passage) -> str:
    """A number of millions or the like, and what they are of: *cinq millions d'euros*."""
    primary = passage.primary
    row = magnitudes(primary)[scale]
    gender = "f" if primary == "de" and row["one"] != "tausend" else "m"
    spoken = numeral_words(number, passage.language, gender)
    name = row["one" if number.is_singular(primary) else "many"]
    # mille, mil and tausend are not counted in ones, and duemila is one word.
    if number.is_one and name in {"mil", "mille", "mila", "tausend"}:
        spoken, name = "", name.replace("mila", "mille")
    space = "" if name == "mila" else " "
    return f"{spoken}{space}{name} {partitive(row['joint'], noun, primary)}".strip()


def partitive(joint: str, noun: str, primary: str) -> str:
    """What millions are of: *de dólares*, *d'euros*, *di euro*."""
    if not noun:
        return ""
    if primary == "fr" and joint and noun[:1] in "aeéiou":
        return f"d'{noun}"
    return f"{joint} {noun}".strip()
