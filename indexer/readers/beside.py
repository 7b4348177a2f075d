"""Recordings, and the files of the same stem that lie beside them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from nativeear.indexer.corpus import AUDIO_SUFFIXES, UNKNOWN_SPEAKER

TRANSCRIPTS = (".lab", ".txt")
"""Suffixes of transcripts, the preferred one first."""


def stems(
    folder: Path, suffixes: Collection[str]
) -> tuple[dict[Path, Path], dict[Path, dict[str, Path]]]:
    """The recordings of a folder, and its other files, both by path without suffix.

    Parameters
    ----------
    suffixes
        Of the other files, in lower case.

    Returns
    -------
    recordings
        The preferred one where several share a stem.
    others
        Of each stem the files by suffix.
    """
    recordings: dict[Path, Path] = {}
    others: dict[Path, dict[str, Path]] = {}
    for file in sorted(folder.rglob("*")):
        suffix, stem = file.suffix.lower(), file.with_suffix("")
        if suffix in suffixes:
            others.setdefault(stem, {})[suffix] = file
        elif suffix in AUDIO_SUFFIXES:
            recordings[stem] = min(recordings.get(stem, file), file, key=_preference)
    return recordings, others


def speaker_of(stem: Path, folder: Path) -> str:
    """The folder that a recording lies in, or nobody known where that is the corpus itself."""
    return UNKNOWN_SPEAKER if stem.parent == folder else stem.parent.name


def _preference(file: Path) -> int:
    return AUDIO_SUFFIXES.index(file.suffix.lower())
