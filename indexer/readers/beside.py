"""Recordings, and the files of the same stem that lie beside them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from nativeear.indexer.corpus import AUDIO_SUFFIXES, UNKNOWN_SPEAKER, sex_of
from nativeear.indexer.readers.lines import numbered_lines
from nativeear.speech.textgrid import decoded

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


def transcript_of(files: Mapping[str, Path]) -> Path | None:
    """The transcript among the files of a stem, by suffix; None where there is none."""
    return next((files[suffix] for suffix in TRANSCRIPTS if suffix in files), None)


def text_in(transcript: Path) -> str:
    """What a transcript says on one line, in any encoding that TextGrids come in."""
    return " ".join(decoded(transcript.read_bytes()).split())


def recording_of(stem: Path, suffixes: Sequence[str]) -> Path:
    """The first file of a stem that is there, of the suffixes; of the first suffix if none is."""
    files = [stem.with_name(f"{stem.name}{suffix}") for suffix in suffixes]
    return next((file for file in files if file.is_file()), files[0])


def sexes_of(table: Path) -> dict[str, str | None]:
    """Sexes by speaker from lines `SPEAKER | SEX | …`; none where there is no such file."""
    if not table.is_file():
        return {}
    rows = (line.split("|") for _, line in numbered_lines(table))
    return {row[0].strip(): sex_of(row[1]) for row in rows if len(row) > 1 and row[0][:1] != ";"}


def _preference(file: Path) -> int:
    return AUDIO_SUFFIXES.index(file.suffix.lower())
