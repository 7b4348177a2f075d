"""What can be said of one phone, and how a verdict is shown wherever people read it."""

from __future__ import annotations

from typing import Literal

Verdict = Literal["correct", "accented", "substituted", "deleted", "uncertain"]

LabelVerdict = Literal["correct", "accented", "substituted", "deleted"]
"""What a teacher says of a phone: people are never uncertain."""

FLAGGED: frozenset[Verdict] = frozenset({"accented", "substituted", "deleted"})
"""Verdicts that say a phone was not heard as it was meant."""

SYMBOLS: dict[Verdict, str] = {
    "correct": "",
    "accented": "~",
    "substituted": "×",
    "deleted": "−",
    "uncertain": "?",
}
"""Stands behind a sound, so that no verdict is told by colour alone."""

MEANINGS: dict[Verdict, str] = {
    "correct": "as natives say it",
    "accented": "understood, but unlike natives",
    "substituted": "another sound was heard",
    "deleted": "not heard",
    "uncertain": "cannot be judged",
}

BESIDE_SYMBOLS = {"repeated": "↻", "restart": "↻", "extra": "+"}
"""Of what was said beside the text, by the kind of its event."""

BESIDE_MEANINGS = {
    "repeated": "said again",
    "restart": "begun again",
    "extra": "not in the text",
}
