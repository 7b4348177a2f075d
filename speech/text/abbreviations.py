"""Abbreviations of a table, each with a rule that says where it is one."""

from __future__ import annotations

import re
from functools import cache

from nativeear.speech.tables import Row, rows_of
from nativeear.speech.text.spoken import Passage

_SHORTEST_INSENSITIVE = 3  # letters; shorter ones (M., p.) are told apart by case
_REACH = 60  # characters


@cache
def pattern(primary: str) -> re.Pattern[str]:
    """Any abbreviation of a language; after a stop inside one there may be a space."""
    forms = {row["written"].lower() for rows in _rules(primary).values() for row in rows}
    longest_first = sorted(forms, key=lambda each: (-len(each), each))
    return re.compile("|".join(map(_expression, longest_first)) or r"(?!)", re.IGNORECASE)


def read(match: re.Match[str], passage: Passage) -> str | None:
    """The spoken form; None where its rule does not fit."""
    token = match[0]
    for row in _rules(passage.primary).get(_key(token), ()):
        written, rule = row["written"], row["rule"]
        is_suffix = len(token) > len(written) + token.count(" ")
        if is_suffix == (rule == "suffix") and _is_cased(token, written, rule, passage):
            if is_suffix:
                return token[: -len(written)] + row["spoken"]
            if _fits(rule, match, passage):
                return row["spoken"]
    return None


def _is_cased(token: str, written: str, rule: str, passage: Passage) -> bool:
    exact = token.replace(" ", "") == written.replace(" ", "")
    if rule == "upper":
        return exact and passage.mixed_case
    if rule == "exact":
        return exact or (token.isupper() and not passage.mixed_case)
    letters = sum(map(str.isalpha, written))
    return exact or letters >= _SHORTEST_INSENSITIVE or "." in written[:-1]


def _fits(rule: str, match: re.Match[str], passage: Passage) -> bool:
    """Whether an abbreviation stands where its rule wants it; see `speech/data/README.md`."""
    start, end = match.span()
    word_before, word_after = passage.word_before(start), passage.word_after(end)
    before = passage.text[max(0, start - _REACH) : start].rstrip()
    after = passage.text[end : end + _REACH].lstrip()
    is_after_name, is_before_name = word_before[:1].isupper(), word_after[:1].isupper()
    goes_on = re.match(r"[\d\"(]|[^\W\d_]", after) is not None and not after[:1].isupper()
    at_edge = not before or before[-1] == "," or before[-1].isdecimal()
    return {
        # A stop may be the abbreviation's and the sentence's: on Main St. The shop
        "before-name": is_before_name
        and not (is_after_name and word_after in passage.words("openers")),
        "between-names": is_after_name and is_before_name,
        "after-name": re.search(r"([^\W\d_]*[A-Z]\w*|\d+(st|nd|rd|th))$", before) is not None,
        "before-number": re.match(r"[\d.]*\d|[IVXLC]+\b", after) is not None,
        "after-number": before[-1:].isdecimal(),
        "month": after[:1].isdecimal() or before[-1:].isdecimal(),
        "weekday": at_edge or word_before.lower() in passage.words("before-weekday"),
        "inside": goes_on and match[0][:1].islower(),
    }.get(rule, True)


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
def _rules(primary: str) -> dict[str, list[Row]]:
    """Rows of a language by what is written, without case and spaces."""
    found: dict[str, list[Row]] = {}
    for row in rows_of("abbreviations", primary):
        found.setdefault(_key(row["written"]), []).append(row)
    return found
