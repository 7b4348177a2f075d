"""What there is to score: recordings, and the alignments and transcripts that belong to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nativeear.indexer.corpus import Span
from nativeear.indexer.readers.beside import TRANSCRIPTS, stems, text_in, transcript_of
from nativeear.indexer.readers.ctm import read_ctm
from nativeear.speech.alignment_files import SUFFIXES, grid_of_spans, load_alignment
from nativeear.speech.errors import InputError
from nativeear.speech.textgrid import Interval, TextGrid

_CTM = ".ctm"


@dataclass(frozen=True)
class Source:
    """One recording to score.

    Attributes
    ----------
    id
        Its path below the folder, without the suffix.
    audio
        Its file.
    alignment
        A TextGrid or JSON file, or None.
    phones, words
        The spans that CTM files have of it.
    transcript
        A file with its text, or None.
    """

    id: str
    audio: Path
    alignment: Path | None = None
    phones: tuple[Span, ...] = ()
    words: tuple[Span, ...] = ()
    transcript: Path | None = None

    @property
    def is_aligned(self) -> bool:
        """Whether somebody has laid phones on it."""
        return self.alignment is not None or bool(self.phones)

    def grid(self) -> TextGrid | None:
        """Its alignment as a TextGrid; None where there is none."""
        if self.alignment is not None:
            return load_alignment(self.alignment)
        if not self.phones:
            return None
        return grid_of_spans(_intervals(self.phones), _intervals(self.words))

    def text(self) -> str:
        """Its transcript; empty where there is none."""
        return "" if self.transcript is None else text_in(self.transcript)

    def state(self) -> tuple[object, ...]:
        """What changes when one of its files does."""
        files = (self.audio, self.alignment, self.transcript)
        found = (_changed(path) for path in files if path is not None)
        return (self.id, *found, self.phones, self.words)


def _changed(file: Path) -> tuple[int, int] | None:
    """Size and time of a file; None where it cannot be read, which is told when it is scored."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


@dataclass(frozen=True)
class Sources:
    """The recordings of a folder, and the alignments of which the recording is missing."""

    found: tuple[Source, ...]
    without_audio: tuple[Path, ...]


def find_sources(folder: Path, alignments: Path | None = None) -> Sources:
    """Find recordings and what belongs to them, by the same path without the suffix.

    Parameters
    ----------
    folder
        Holds the recordings, in sub-folders or not, with transcripts (`.lab`, `.txt`).
    alignments
        Holds the alignments; `folder` by default. CTM files may lie anywhere in it; they name
        recordings by their path or by their stem.

    Raises
    ------
    InputError
        If there is no recording, or nothing tells whether a CTM file has words or phones.
    """
    for place in (folder, *([alignments] if alignments else ())):
        if not place.is_dir():
            raise InputError(f"There is no folder {place}.", fix="Check the path.")
    recordings, others = stems(folder, {*SUFFIXES, *TRANSCRIPTS})
    if not recordings:
        raise InputError(f"There is no recording in {folder}.", fix="Check the path.")
    laid = alignments or folder
    grids = {
        stem.relative_to(laid).as_posix(): files
        for stem, files in (stems(laid, {*SUFFIXES})[1] if alignments else others).items()
    }
    phones, words = _spans(laid)
    found, used = [], set()
    for stem, audio in sorted(recordings.items()):
        identity = stem.relative_to(folder).as_posix()
        files = grids.get(identity, {})
        grid = next((files[suffix] for suffix in SUFFIXES if suffix in files), None)
        used.add(identity)
        found.append(
            Source(
                identity,
                audio,
                grid,
                () if grid else _of(phones, identity),
                () if grid else _of(words, identity),
                transcript_of(others.get(stem, {})),
            )
        )
    left = [files for identity, files in grids.items() if identity not in used]
    alone = [files[suffix] for files in left for suffix in SUFFIXES if suffix in files]
    return Sources(tuple(found), tuple(alone))


def _spans(folder: Path) -> tuple[dict[str, list[Span]], dict[str, list[Span]]]:
    """Phones and words of all CTM files, by the ids that they give."""
    phones: dict[str, list[Span]] = {}
    words: dict[str, list[Span]] = {}
    for file in sorted(folder.rglob(f"*{_CTM}")):
        place = file.relative_to(folder).as_posix().lower()
        if ("phone" in place) == ("word" in place):
            raise InputError(
                f"Nothing tells whether {file} has words or phones.",
                fix="Call the files phones.ctm and words.ctm.",
            )
        (phones if "phone" in place else words).update(read_ctm(file))
    return phones, words


def _of(spans: Mapping[str, list[Span]], identity: str) -> tuple[Span, ...]:
    return tuple(spans.get(identity) or spans.get(identity.rpartition("/")[2]) or ())


def _intervals(spans: tuple[Span, ...]) -> Iterator[Interval]:
    """Spans as intervals; frames of 10 ms may overlap by their rounding."""
    at_s = 0.0
    for label, start_s, end_s in spans:
        if end_s > max(start_s, at_s):
            yield Interval(max(start_s, at_s), end_s, label)
            at_s = end_s
