"""Abbreviations of a table, each with a rule that says where it is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from nativeear.speech.tables import table, word_set
from nativeear.speech.text.spoken import Passage

_SHORTEST_INSENSITIVE = 3  # letters; shorter ones (M., p.) are told apart by case


@cache
def pattern(primary: str) -> re.Pattern[str]:
    """Any abbreviation of a language; after a stop inside one there may be a space."""
    rows = {row[0].lower() for rows in _rules(primary).values() for row in rows}
    written = sorted(rows, key=lambda each: (-len(each), each))
    choices = "|".join(map(_expression, written)) or r"(?!)"
    return re.compile(choices, re.IGNORECASE)


def read(match: re.Match[str], passage: Passage) -> str | None:
    """The spoken form; None where its rule does not fit."""
    token = match[0]
    found = _rules(passage.primary).get(_key(token), ())
    for written, spoken, rule in found:
        if (len(token) > len(written) + token.count(" ")) != (rule == "suffix"):
            continue
        exact = token.replace(" ", "") == written.replace(" ", "")
        if rule in {"upper", "exact"}:
            fits = exact and (rule == "exact" or passage.mixed_case)
            fits = fits or (rule == "exact" and token.isupper() and not passage.mixed_case)
        else:
            letters = sum(map(str.isalpha, written))
            cased = exact or letters >= _SHORTEST_INSENSITIVE or "." in written[:-1]
            fits = cased and _FITS[rule](match, passage)
        if fits:
            if rule == "suffix":
                return token[: -len(written)] + spoken
            return spoken
    return None


def _anywhere(_match: re.Match[str], _passage: Passage) -> bool:
    return True


def _before(match: re.Match[str], passage: Passage) -> str:
    return passage.text[max(0, match.start() - 60) : match.start()].rstrip()


def _after(match: re.Match[str], passage: Passage) -> str:
    return passage.text[match.end() : match.end() + 60].lstrip()


def _before_name(match: re.Match[str], passage: Passage) -> bool:
    following = passage.word_after(match.end())
    if not following[:1].isupper():
        return False
    # A stop may be the abbreviation's and the sentence's: on Main St. The shop
    return (
        following not in word_set("openers", passage.primary)
        or not passage.word_before(match.start())[:1].isupper()
    )


def _weekday(match: re.Match[str], passage: Passage) -> bool:
    before = _before(match, passage)
    word = passage.word_before(match.start()).lower()
    return (
        word in word_set("before-weekday", passage.primary)
        or before.endswith(",")
        or before[-1:].isdecimal()
        or not before
    )


def _between_names(match: re.Match[str], passage: Passage) -> bool:
    return (
        passage.word_before(match.start())[:1].isupper()
        and passage.word_after(match.end())[:1].isupper()
    )


def _month(match: re.Match[str], passage: Passage) -> bool:
    return _after(match, passage)[:1].isdecimal() or _before(match, passage)[-1:].isdecimal()


_FITS: dict[str, Callable[[re.Match[str], Passage], bool]] = {
    "always": _anywhere,
    "suffix": _anywhere,
    "before-name": _before_name,
    "before-number": lambda match, passage: bool(
        re.match(r"[\d.]*\d|[IVXLC]+\b", _after(match, passage))
    ),
    "after-number": lambda match, passage: _before(match, passage)[-1:].isdecimal(),
    "after-name": lambda match, passage: bool(
        re.search(r"(?:[^\W\d_]*[A-Z]\w*|\d+(?:st|nd|rd|th)) $", _before(match, passage) + " ")
    ),
    "between-names": _between_names,
    "inside": lambda match, passage: (
        bool(re.match(r"[\d\"(]|[^\W\d_]", _after(match, passage)))
        and not _after(match, passage)[:1].isupper()
        and match[0][:1].islower()
    ),
    "weekday": _weekday,
    "month": _month,
}


def _expression(written: str) -> str:
    """A regular expression for one row: *z.B.* is also *z. B.*."""
    text = re.sub(r"(\\\.)(?=.)", r"\1\\ ?", re.escape(written)).replace(r"\ ?\ ", r"\ ?")
    if written == "str.":
        return rf"(?<!\w)[^\W\d_]{{2,}}{text}"
    if written[0].isalnum():
        text = rf"(?<![\w.]){text}"
    if written[-1] in "°º":
        text = rf"{text}(?![^\W\d])"  # N°5
    elif written[-1].isalnum():
        text = rf"{text}(?![\w'-])(?!\.\w)"
    elif written[-1] in "+#":
        text = rf"{text}(?!\w)"
    return text


def _key(token: str) -> str:
    return re.sub(r"^\w{2,}(?=str\.$)", "", token.lower().replace(" ", ""))


@cache
def _rules(primary: str) -> dict[str, tuple[tuple[str, str, str], ...]]:
    """Rows of a language by what is written, without case and spaces."""
    found: dict[str, tuple[tuple[str, str, str], ...]] = {}
    for row in table("abbreviations"):
        if row["language"] == primary:
            key = row["written"].lower().replace(" ", "")
            found[key] = (*found.get(key, ()), (row["written"], row["spoken"], row["rule"]))
    return found
