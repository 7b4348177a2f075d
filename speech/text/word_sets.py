"""Small sets of words that tell how what stands beside them is read (`word_sets.csv`)."""

from __future__ import annotations

from functools import cache

from nativeear.speech.tables import table


@cache
def word_set(name: str, primary: str) -> frozenset[str]:
    """The words of one set in a language; empty where the table has none."""
    return frozenset(
        word
        for row in table("word_sets")
        if row["set"] == name and row["language"] == primary
        for word in row["words"].split()
    )
