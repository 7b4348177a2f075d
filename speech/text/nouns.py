"""What a small table can tell of the noun after a number: its gender, and whether it is one."""

from __future__ import annotations

import re

from nativeear.speech.tables import rows_of, word_set


def gender_of(noun: str, primary: str) -> str:
    """Gender of the noun that a number counts; empty where the next word is none, or not told.

    By exceptions first, then by endings; a noun that none of them fits is masculine in languages
    that have endings in the table.
    """
    noun = noun.lower()
    rows = rows_of("noun_genders", primary)
    if not noun or not rows or noun in word_set("not-nouns", primary):
        return ""
    for row in rows:
        ending = row["ending"]
        if noun == ending or (ending.startswith("-") and noun.endswith(ending[1:])):
            return article_gender(row["gender"], noun, primary)
    return article_gender("m", noun, primary)


def article_gender(gender: str, noun: str, primary: str) -> str:
    """Which form of *one* a noun takes: Italian has *un'ora* and *uno zaino*."""
    if primary != "it":
        return gender
    if noun[:1] in "aeiou":
        return "m"
    takes_uno = re.match("z|x|y|gn|ps|pn|s[^aeiou]", noun) is not None
    return "" if gender == "m" and takes_uno else gender


def is_plural(noun: str, primary: str) -> bool:
    """Whether an English word looks like a plural noun."""
    if primary != "en" or noun.lower() in word_set("not-nouns", "en"):
        return False
    return noun in word_set("plurals", "en") or (
        noun.islower() and len(noun) > 3 and noun.endswith("s") and not noun.endswith("ss")
    )
