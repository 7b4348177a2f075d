"""Recordings with TextGrids beside them, flat or in a folder per speaker, as MFA lays them out."""

from __future__ import annotations

from pathlib import Path

from indexer.corpus import AUDIO_SUFFIXES, UNKNOWN_SPEAKER, Corpus, Sorter, Utterance
from speech.errors import CorpusError

TRANSCRIPTS = (".lab", ".txt")


def read(path: str, *, language: str | None = None, name: str | None = None) -> Corpus:
    """Read a folder of recordings and TextGrids of the same stem.

    The id is the path below the folder without the suffix. The speaker is the folder that the
    recording lies in, `unknown` for those that lie in `path` itself. The grids are opened when
    they are needed, not here. A transcript beside them (`.lab`, `.txt`) is the text.

    Raises
    ------
    CorpusError
        If `path` is no folder, or holds no TextGrid.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise CorpusError(f"There is no folder {path}.", fix="Check the path.")
    recordings: dict[Path, Path] = {}
    grids: dict[Path, Path] = {}
    for file in sorted(folder.rglob("*")):
        suffix = file.suffix.lower()
        stem = file.with_suffix("")
        if suffix == ".textgrid":
            grids[stem] = file
        elif suffix in AUDIO_SUFFIXES:
            recordings[stem] = min(recordings.get(stem, file), file, key=_preference)
    if not grids:
        raise CorpusError(
            f"There is no TextGrid in {path}.", fix="Put them beside the audio, with its names."
        )
    sorter = Sorter()
    for stem in sorted(recordings.keys() | grids.keys()):
        identity = stem.relative_to(folder).as_posix()
        if stem not in recordings:
            sorter.refuse(identity, f"there is no recording beside {grids[stem].name}.")
        elif stem not in grids:
            sorter.refuse(identity, f"there is no TextGrid beside {recordings[stem].name}.")
        else:
            sorter.add(
                Utterance(
                    id=identity,
                    audio=recordings[stem],
                    text=_text(stem),
                    speaker=stem.parent.name if stem.parent != folder else UNKNOWN_SPEAKER,
                    textgrid=grids[stem],
                ),
                grids[stem].name,
            )
    return sorter.corpus(name or folder.resolve().name, language or "und")


def _preference(file: Path) -> int:
    return AUDIO_SUFFIXES.index(file.suffix.lower())


def _text(stem: Path) -> str | None:
    """The transcript beside a recording, if there is one."""
    for suffix in TRANSCRIPTS:
        file = stem.with_name(stem.name + suffix)
        if file.is_file():
            return " ".join(file.read_text(encoding="utf-8-sig", errors="replace").split()) or None
    return None
