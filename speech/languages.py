"""Language tags, and how a language is written."""

from __future__ import annotations

from functools import cache

from nativeear.speech.tables import table


def primary_subtag(language: str) -> str:
    """The language without script and region: `en` of `en-US`."""
    return language.replace("_", "-").split("-")[0].lower()


@cache
def language_row(language: str) -> dict[str, str] | None:
    """The row of `languages.csv` for a tag, or else for the language without its region."""
    rows = {row["language"]: row for row in table("languages")}
    return rows.get(language.replace("_", "-")) or rows.get(primary_subtag(language))


def script_of(language: str) -> str | None:
    """The script that a language is written in (`LATIN`), None where no table says."""
    row = language_row(language)
    return row["script"] if row else None
