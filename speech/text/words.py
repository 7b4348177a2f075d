"""Written words: quotation marks and hyphens off, initialisms spelt, capitals put right."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nativeear.speech.tables import table
from nativeear.speech.text.spoken import Passage, TextWord
from nativeear.speech.text.symbols import symbols

# Letters with their combining marks; Indic, Thai and Arabic vowel signs are marks to Unicode.
LETTER = (
    r"(?:(?![\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209c\u2150-\u218b])[^\W\d_]|[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f\u0670"
    r"\u0900-\u0963\u0971-\u0e30\u0e31\u0e34-\u0e4e])"
)
"""One letter, for regular expressions."""

WORD = re.compile(rf"'?{LETTER}+(?:['-]{LETTER}+)*'?")
DOTTED = re.compile(rf"(?<!\w)(?:{LETTER}\.){{1,}}{LETTER}(?:\.|(?!\w))")
JOINED = re.compile(r"\b[A-Z]{1,3}&[A-Z]{1,3}\b")
ELIDED = re.compile(rf"(?<!\w){LETTER}+'(?=\d)")
"""What leans on a number: *l'8 marzo*, *d'1 kg*."""

LETTER_SIGN = re.compile(r"(?<![\w.])(?P<letter>[A-G])(?P<sign>[♯♭])(?!\w)")

_LONGEST_INITIALISM = 4  # letters; longer unknown ones in capitals are mostly said as words
_LONGEST_BESIDE_DIGITS = 3  # letters of MP3, CO2
_UPPER, _LOWER = "A-ZÀ-ÖØ-Þ", "a-zß-öø-ÿ"
# Shift held too long, or Caps Lock left on: LLuvia, hOLA.
_STRAY_CAPITALS = re.compile(f"[{_UPPER}]{{2}}[{_LOWER}]{{2,}}|[{_LOWER}][{_UPPER}]{{3,}}")


def read_word(match: re.Match[str], passage: Passage) -> Iterator[tuple[TextWord, str]]:
    """The words of a token in which letters are joined by hyphens and apostrophes.

    Yields
    ------
    word
        As spoken.
    warning
        What was done to it; empty where nothing was.
    """
    token = _trim(match[0], passage)
    if "-" not in token or passage.known(token):
        yield from _add(token, match, passage)
    elif passage.known(token.replace("-", "")):
        yield TextWord(token, token.replace("-", "")), ""
    else:
        for part in token.split("-"):
            yield from _add(_trim(part, passage), match, passage)


def read_dotted(match: re.Match[str], passage: Passage) -> Iterator[tuple[TextWord, str]]:
    """Letters with full stops: *U.S.A.*, or two sentences run together."""
    token = match[0]
    run_together = token.count(".") == 1 and not token.endswith(".")
    if run_together and token.lower() not in {"a.m", "p.m"}:
        for part in token.split("."):
            yield from _add(part, match, passage)
    else:
        yield TextWord(token, token.replace(".", ""), spelt=True), ""


def read_joined(match: re.Match[str], passage: Passage) -> str:
    """Letters around an ampersand: *AT&T*, *R&B*."""
    first, second = ("".join(f"{char}." for char in part) for part in match[0].split("&"))
    return f"{first} {symbols(passage.primary).get('&', '')} {second}"


def read_letter_sign(match: re.Match[str], passage: Passage) -> str | None:
    """A note with an accidental: *B♭*."""
    sign = symbols(passage.primary).get(match["sign"])
    return f"{match['letter']}. {sign}" if sign else None


def _trim(token: str, passage: Passage) -> str:
    """Without the apostrophes that are quotation marks: *'hello'*, but not *'cause*."""
    for form in (token, token.removeprefix("'"), token.removesuffix("'")):
        if passage.known(form):
            return form
    return token.strip("'")


def _add(token: str, match: re.Match[str], passage: Passage) -> Iterator[tuple[TextWord, str]]:
    if not token:
        return
    if _is_initialism(token, passage) or _is_beside_digits(token, match, passage):
        yield TextWord(token, token, spelt=True), f'"{token}" was read letter by letter.'
        return
    meant = _meant(token, passage)
    warning = f'"{token}" was read as "{meant}".' if meant != token else ""
    yield TextWord(token, meant), warning


def _meant(token: str, passage: Passage) -> str:
    """A word with its stray capitals and its capital ß put right."""
    meant = token
    if _STRAY_CAPITALS.fullmatch(token):
        meant = token.lower()
    if passage.primary == "de" and "ss" in token.lower():
        lower = token.lower()
        for row in table("eszett"):
            lower = lower.replace(row["written"], row["meant"])
        if lower != token.lower():
            meant = lower
    return meant


def _is_initialism(token: str, passage: Passage) -> bool:
    # Elsewhere espeak-ng decides by itself what it spells.
    letters = re.sub(r"(?:'?s)$", "", token)
    if passage.primary != "en" or len(letters) < 2 or not letters.isupper():
        return False
    if passage.known(token) or not letters.isalpha():
        return False
    if not re.search("[AEIOUY]", letters):
        return True
    if passage.mixed_case:
        return len(letters) <= _LONGEST_INITIALISM
    # All in capitals: case says nothing, and only a short word alone is likely to be one.
    return len(letters) < _LONGEST_INITIALISM and passage.text.strip() == token


def _is_beside_digits(token: str, match: re.Match[str], passage: Passage) -> bool:
    """The letters of *MP3*, *H2O* and *B2B*."""
    if not token.isupper() or len(token) > _LONGEST_BESIDE_DIGITS:
        return False
    around = passage.text[max(0, match.start() - 1) : match.start()]
    around += passage.text[match.end() : match.end() + 1]
    return any(char.isdecimal() for char in around)
