"""Recordings with TextGrids beside them, flat or in a folder per speaker, as MFA lays them out."""

from __future__ import annotations

from pathlib import Path

from nativeear.indexer.corpus import Corpus, Sorter, Utterance
from nativeear.indexer.readers.beside import (
    TRANSCRIPTS,
    speaker_of,
    stems,
    text_in,
    transcript_of,
)
from nativeear.speech.errors import CorpusError

_GRID = ".textgrid"


def fits(path: Path) -> bool:
    """Whether this is a folder with a TextGrid in it."""
    return path.is_dir() and any(file.suffix.lower() == _GRID for file in path.rglob("*"))


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
    recordings, others = stems(folder, {_GRID, *TRANSCRIPTS})
    grids = {stem: files[_GRID] for stem, files in others.items() if _GRID in files}
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
                    text=_text(others[stem]),
                    speaker=speaker_of(stem, folder),
                    textgrid=grids[stem],
                ),
                grids[stem].name,
            )
    return sorter.corpus(name or folder.resolve().name, language or "und")


def _text(files: dict[str, Path]) -> str | None:
    """The transcript beside a recording, if there is one."""
    file = transcript_of(files)
    return None if file is None else text_in(file) or None
