"""Kaldi data folders: `wav.scp`, `text`, and what else of the usual files there is.

`utt2spk`, `spk2gender` (or `utt2gender`), `utt2lang` and `segments` are read where they are. A
phone CTM (`phones.ctm`, `ali.ctm`, `ctm`) is a ready alignment. Commands in `wav.scp` are never
run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from nativeear.indexer.corpus import (
    UNKNOWN_SPEAKER,
    Corpus,
    Sorter,
    Span,
    Utterance,
    find_recording,
    sex_of,
)
from nativeear.indexer.readers.ctm import is_silence, read_ctm, within, without_positions
from nativeear.indexer.readers.lines import id_pairs, numbered_lines
from nativeear.speech.errors import CorpusError

RECORDINGS = "wav.scp"
PHONE_CTMS = ("phones.ctm", "phone.ctm", "ali.ctm", "ctm")
"""Files that may hold the phones, the first one found; `ctm` may hold words instead."""


class _Segment(NamedTuple):
    """An utterance's part of a recording, and the line of the file that says so."""

    recording: str
    start_s: float
    end_s: float | None
    place: str


class _Alignment(NamedTuple):
    phones: tuple[Span, ...]
    words: tuple[Span, ...]


def fits(path: Path) -> bool:
    """Whether a folder has `wav.scp`."""
    return (path / RECORDINGS).is_file()


def read(path: str, *, language: str | None = None, name: str | None = None) -> Corpus:
    """Read a data folder.

    Relative paths in `wav.scp` are looked for in the folder and in those above it. A CTM whose
    ids are utterances counts time from the start of the utterance, one whose ids are recordings
    from the start of the recording. Where phones are marked with their place in the word (`HH_B`),
    the marks make the words.

    Raises
    ------
    CorpusError
        If `wav.scp` is missing, or one of the files is damaged as a whole.
    """
    folder = Path(path)
    if not fits(folder):
        raise CorpusError(
            f"There is no Kaldi data folder at {path}.", cause=f"Looked for {RECORDINGS}."
        )
    files = id_pairs(folder / RECORDINGS)
    texts, speakers = id_pairs(folder / "text"), id_pairs(folder / "utt2spk")
    sexes = {**id_pairs(folder / "spk2gender"), **id_pairs(folder / "utt2gender")}
    languages = set(id_pairs(folder / "utt2lang").values())
    sorter = Sorter()
    segments = _segments(folder, files, sorter)
    aligned = _alignments(folder, segments, texts)
    for identity, segment in segments.items():
        written = files.get(segment.recording)
        trouble = _trouble(written, segment.recording)
        if written is None or trouble:
            sorter.refuse(identity, f"{segment.place}: {trouble}")
            continue
        speaker = speakers.get(identity, UNKNOWN_SPEAKER)
        phones, words = aligned(identity, segment)
        sorter.add(
            Utterance(
                id=identity,
                audio=find_recording(written, folder),
                text=texts.get(identity),
                speaker=speaker,
                sex=sex_of(sexes.get(identity) or sexes.get(speaker)),
                start_s=segment.start_s,
                end_s=segment.end_s,
                spans=phones,
                word_spans=words,
            ),
            segment.place,
        )
    accounted = segments.keys() | {item.id for item in sorter.set_aside}
    for identity in texts:
        if identity not in accounted:
            sorter.refuse(identity, "it has a text, and nothing tells its recording.")
    spoken = languages.pop() if len(languages) == 1 else "und"
    return sorter.corpus(name or folder.resolve().name, language or spoken)


def _segments(folder: Path, files: dict[str, str], sorter: Sorter) -> dict[str, _Segment]:
    """Where each utterance is heard; without `segments` a recording is an utterance."""
    table = folder / "segments"
    if not table.is_file():
        return {identity: _Segment(identity, 0.0, None, RECORDINGS) for identity in files}
    segments: dict[str, _Segment] = {}
    for number, line in numbered_lines(table):
        place = f"segments, line {number}"
        identity, *cells = line.split()
        try:
            recording, start_s, end_s = cells[0], float(cells[1]), float(cells[2])
        except (IndexError, ValueError):
            sorter.refuse(identity, f"{place}: it is not utterance, recording, start, end.")
            continue
        if identity in segments:
            sorter.refuse(
                identity, f"{place}: the id is already taken by {segments[identity].place}."
            )
            continue
        # Kaldi writes -1 for the end of the recording.
        segments[identity] = _Segment(recording, start_s, None if end_s == -1 else end_s, place)
    return segments


def _trouble(written: str | None, recording: str) -> str:
    """Why what `wav.scp` says cannot be read as a file; '' where it can."""
    if written is None:
        return f"{RECORDINGS} has no recording {recording}."
    if written.endswith("|") or written.startswith("|"):
        return f"{recording} is a command, which is not run: {written}"
    archive, _, offset = written.rpartition(":")
    if archive and offset.isdigit():
        return f"{recording} lies within the archive {archive}; write it to a file of its own."
    return ""


def _alignments(
    folder: Path, segments: dict[str, _Segment], texts: dict[str, str]
) -> Callable[[str, _Segment], _Alignment]:
    """A function that gives the spans of an utterance."""
    file = next((folder / each for each in PHONE_CTMS if (folder / each).is_file()), None)
    if file is None:
        return lambda *_: _Alignment((), ())
    symbols = folder / "phones.txt"
    spans = read_ctm(file, symbols if symbols.is_file() else None)

    def of(identity: str, segment: _Segment) -> tuple[Span, ...]:
        own = spans.get(identity)
        if own is not None:
            return tuple(own)
        return within(spans.get(segment.recording, ()), segment.start_s, segment.end_s)

    if file.name == "ctm" and _are_words(of, segments, texts):
        return lambda identity, segment: _Alignment(
            (), tuple(span for span in of(identity, segment) if not is_silence(span.label))
        )
    return lambda identity, segment: _Alignment(
        *without_positions(of(identity, segment), texts.get(identity))
    )


def _are_words(
    of: Callable[[str, _Segment], tuple[Span, ...]],
    segments: dict[str, _Segment],
    texts: dict[str, str],
) -> bool:
    """Whether the labels are the words of the texts, as a decoder's CTM has them."""
    labels = same = 0
    for identity, segment in segments.items():
        words = set(texts.get(identity, "").casefold().split())
        every = (span.label.casefold() for span in of(identity, segment))
        spoken = [label for label in every if not is_silence(label)]
        labels += len(spoken)
        same += sum(label in words for label in spoken)
    return same > labels / 2
