"""How the size of an index is told: phones, and the silences between them by themselves."""

from __future__ import annotations


def size_in_words(exemplars: int, silences: int) -> str:
    """Tell how many of the exemplars are phones, and how many are silences."""
    return f"{exemplars - silences:,} phones and {silences:,} silences"
