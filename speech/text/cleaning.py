"""A text made plain before it is read: Unicode forms, invisible characters, look-alikes, spaces."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from nativeear.speech.languages import language_row, script_of
from nativeear.speech.tables import table
from nativeear.speech.text.numerals import THIN_SPACE

_APOSTROPHES = dict.fromkeys(map(ord, "’‘ʼ＇′`´"), "'")
_DASHES = dict.fromkeys(map(ord, "‐‑"), "-")
# Spaces that only ever stand inside a number where digits are on both sides.
_INNER_SPACES = f"\u00a0\u202f{THIN_SPACE}"
_VARIATION = re.compile("[\u034f\u180b-\u180d\ufe00-\ufe0f]")
# Letters, digits and units that Unicode holds a second time for their looks.
_FOLDED = re.compile("<(font|wide|narrow|compat|square)>")
_RAISED = re.compile("<super>")
_KEPT = frozenset("ºª™№…")


def clean(text: str, language: str) -> tuple[str, tuple[str, ...]]:
    """The text as it is read, and warnings of words that had letters of another script."""
    text = unicodedata.normalize("NFC", _VARIATION.sub("", text))
    text = unicodedata.normalize("NFC", "".join(map(_plain, text)))
    text = text.translate(_APOSTROPHES | _DASHES)
    text = re.sub(r"(?<=\d)[–—](?=\d)", "-", text)
    text = re.sub(r"º(?=[CF]\b)", "°", text)  # the key of a Spanish or Italian keyboard
    text = _grouped(text, language)
    text = re.sub(rf"[^\S{THIN_SPACE}]+", " ", text)
    text = re.sub(rf"(?<!\d){THIN_SPACE}|{THIN_SPACE}(?!\d)", " ", text)
    return _one_script(text, language)


@cache
def _plain(char: str) -> str:
    """One character, plain: nothing for an invisible one, a space for a control character."""
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    if category in {"Cc", "Zl", "Zp", "Cs"}:
        return " "
    if category == "Nd":
        return str(unicodedata.digit(char))
    decomposition = unicodedata.decomposition(char)
    doubled = category[0] in "LN" or category in {"So", "Po", "Sm"}
    # ᵉ as in XXᵉ; ² and ³ are signs of their own.
    folded = (doubled and _FOLDED.match(decomposition)) or (
        category == "Lm" and _RAISED.match(decomposition)
    )
    return unicodedata.normalize("NFKC", char) if folded and char not in _KEPT else char


def _grouped(text: str, language: str) -> str:
    """Digits in groups of three made one token: *1 234 567*."""
    row = language_row(language)
    # An ordinary space may also part two numbers; only these languages group with it.
    spaces = _INNER_SPACES + (" " if row is not None and row["group"].isspace() else "")
    groups = rf"(?<![\d.,])(?<!\d[{spaces}])\d{{1,3}}(?:[{spaces}]\d{{3}})+(?![{spaces}]?\d)"
    # Elsewhere more than one group that ends in noughts is hardly a list or a telephone number.
    start, end = rf"(?<![\d.,+])(?<!\d[ {spaces}])", rf"(?![ {spaces}]?\d)"
    thousands = rf"{start}(?:\d{{1,3}}|\d{{1,2}}(?: \d{{3}})+) 000{end}"
    for pattern in (groups, thousands):
        text = re.sub(pattern, lambda match: re.sub(r"\s", THIN_SPACE, match[0]), text)
    return text


def _one_script(text: str, language: str) -> tuple[str, tuple[str, ...]]:
    """Words with look-alikes of another script in them, put right."""
    script = script_of(language)
    if script not in {"LATIN", "CYRILLIC", "GREEK"} or text.isascii():
        return text, ()
    warnings: dict[str, None] = {}

    def righted(match: re.Match[str]) -> str:
        word = match[0]
        scripts = {_script(char) for char in word if char.isalpha()}
        if len(scripts) < 2:
            return word
        meant = "".join(_lookalikes(str(script)).get(char, char) for char in word)
        if {_script(char) for char in meant if char.isalpha()} != {script}:
            return word
        warnings[f'"{word}" has letters of another script and was read as "{meant}".'] = None
        return meant

    return re.sub(r"[^\W\d_]+", righted, text), tuple(warnings)


@cache
def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0]


@cache
def _lookalikes(script: str) -> dict[str, str]:
    """Letters of other scripts to the letters of this one that look the same."""
    rows = table("lookalikes")
    if script == "LATIN":
        return {row["letter"]: row["latin"] for row in rows}
    return {row["latin"]: row["letter"] for row in rows if row["script"] == script}
