"""Which index a command means when a person names an index, a language, both or neither."""

from __future__ import annotations

from pathlib import Path

from nativeear.indexes.catalogue import DEFAULT_INDEX, find_index, list_indexes
from nativeear.indexes.index_files import read_manifest
from nativeear.speech.errors import InputError


def choose_index(index: str | None, language: str | None) -> str | Path:
    """Choose an index by name or folder, or by language.

    A language fits an index if one of the two tags begins with the other: `en` finds `en-US`,
    `en-GB` does not. The default index goes before others of its language.

    Raises
    ------
    InputError
        If index and language disagree, no index speaks the language, or several of a person's
        own do.
    """
    if index is not None:
        if language is not None:
            spoken = read_manifest(find_index(index)).language
            if not fits(language, spoken):
                raise InputError(
                    f"The index {index} speaks {spoken}, not {language}.",
                    fix="Give either --index or --lang, or two that agree.",
                )
        return index
    if language is None:
        return DEFAULT_INDEX
    known = [summary for summary in list_indexes() if not summary.problem]
    fitting = [summary for summary in known if fits(language, summary.language)]
    default = [summary for summary in fitting if summary.name == DEFAULT_INDEX]
    chosen = default or fitting
    if len(chosen) == 1:
        return chosen[0].path
    if not chosen:
        listed = ", ".join(f"{summary.name} ({summary.language})" for summary in known)
        raise InputError(
            f"There is no index of the language {language}.",
            cause=f"Known indexes: {listed or 'none'}.",
            fix="Build one with `nativeear index build`, or name one with --index.",
        )
    raise InputError(
        f"Several indexes speak {language}.",
        cause=f"They are {', '.join(summary.name for summary in chosen)}.",
        fix="Name one with --index.",
    )


def fits(one: str, other: str) -> bool:
    """Whether one of two language tags begins with the other: `en` and `en-US` do."""
    first, second = (tag.replace("_", "-").lower().split("-") for tag in (one, other))
    shared = min(len(first), len(second))
    return first[:shared] == second[:shared]
