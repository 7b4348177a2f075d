"""lhotse's manifests: `recordings.jsonl` with `supervisions.jsonl`, or `cuts.jsonl`, or gzipped.

Names may have more to them, as in `librispeech_recordings_dev-clean.jsonl.gz`. lhotse itself is
not needed. Items of an `alignment` become spans.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nativeear.indexer.corpus import (
    UNKNOWN_SPEAKER,
    Corpus,
    Sorter,
    Span,
    Utterance,
    find_recording,
    sex_of,
)
from nativeear.indexer.readers.lines import numbered_lines
from nativeear.speech.errors import CorpusError

_MANIFEST = re.compile(r"(.*)(recordings|supervisions|cuts)(.*)\.jsonl(?:\.gz)?")
_PHONES = {"phone", "phones", "phoneme", "phonemes"}
_WORDS = {"word", "words"}
_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*")
_SAMPLE_S = 1e-4  # lhotse rounds times to samples

Json = Mapping[str, Any]


class _Supervision(NamedTuple):
    """One supervision and what its manifest knows of it."""

    item: Json
    recording: Json | None
    # What its times are counted from: the start of its cut, in seconds from that of the file.
    offset_s: float
    place: str  # where it stands in the manifest

    @property
    def id(self) -> str:
        return str(self.item.get("id") or self.place)


def fits(path: Path) -> bool:
    """Whether this is a manifest of cuts or supervisions, or a folder with one."""
    files = [path] if path.is_file() else path.glob("*.jsonl*")
    return any(_kind(file) in {"cuts", "supervisions"} for file in files)


def read(path: str, *, language: str | None = None, name: str | None = None) -> Corpus:
    """Read the manifests of a folder, or one of cuts, or one of supervisions and its recordings.

    Every supervision is an utterance. Cuts are preferred where there are both. Relative paths of
    recordings are looked for in the folder of the manifest and in those above it. Recordings that
    are commands, addresses or changed by transforms, those of several channels, and mixed cuts
    are set aside.

    Raises
    ------
    CorpusError
        If there is no manifest, a line of it is no JSON, or recordings are missing.
    """
    place = Path(path)
    sorter = Sorter()
    languages: set[str] = set()
    for supervision in _supervisions(place, sorter):
        languages.add(str(supervision.item.get("language") or ""))
        try:
            recording = supervision.recording
            trouble = _trouble(recording)
            if recording is None or trouble:
                sorter.refuse(supervision.id, f"{supervision.place}: {trouble}")
                continue
            utterance = _utterance(
                supervision, recording, place if place.is_dir() else place.parent
            )
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            sorter.refuse(
                supervision.id, f"{supervision.place}: it is no supervision of lhotse: {error!r}."
            )
        else:
            sorter.add(utterance, supervision.place)
    spoken = languages.pop() if len(languages) == 1 else ""
    folder = place.resolve()
    return sorter.corpus(
        name or (folder.name.partition(".")[0] if folder.is_file() else folder.name),
        # lhotse's recipes write tags in some corpora and names (English) in others.
        language or (spoken.replace("_", "-") if _TAG.fullmatch(spoken) else "und"),
    )


def _supervisions(path: Path, sorter: Sorter) -> Iterator[_Supervision]:
    manifests = _manifests(path)
    cuts = [file for file in manifests if _kind(file) == "cuts"]
    for file in cuts:
        for number, cut in _items(file):
            place = f"{file.name}, line {number}"
            kind = cut.get("type", "MonoCut")
            if kind != "MonoCut":
                sorter.refuse(
                    str(cut.get("id") or place), f"{place}: it is a {kind}, not a plain cut."
                )
                continue
            for item in cut.get("supervisions") or ():
                yield _Supervision(item, cut.get("recording"), cut.get("start", 0.0), place)
    if cuts:
        return
    recordings = {
        str(item.get("id")): item
        for file in manifests
        if _kind(file) == "recordings"
        for _, item in _items(file)
    }
    for file in manifests:
        if _kind(file) == "supervisions":
            for number, item in _items(file):
                recording = recordings.get(str(item.get("recording_id")))
                yield _Supervision(item, recording, 0.0, f"{file.name}, line {number}")


def _utterance(supervision: _Supervision, recording: Json, folder: Path) -> Utterance:
    item, offset_s = supervision.item, float(supervision.offset_s)
    start_s = float(item["start"])
    end_s = offset_s + start_s + float(item["duration"])
    length_s = float(recording["duration"])
    return Utterance(
        id=supervision.id,
        audio=find_recording(str(recording["sources"][0]["source"]), folder),
        text=str(item.get("text") or "").strip() or None,
        speaker=str(item.get("speaker") or UNKNOWN_SPEAKER),
        sex=sex_of(item.get("gender")),
        start_s=offset_s + start_s,
        end_s=None if end_s > length_s - _SAMPLE_S else end_s,
        spans=_spans(item, _PHONES, start_s),
        word_spans=_spans(item, _WORDS, start_s),
    )


def _trouble(recording: Json | None) -> str:
    """Why a recording cannot be used; '' where it can."""
    if recording is None:
        return "its recording is not in the manifests."
    sources = recording["sources"]
    if len(sources) != 1 or len(sources[0].get("channels", (0,))) != 1:
        return f"the recording {recording['id']} has several channels."
    if sources[0]["type"] != "file":
        return (
            f"the recording {recording['id']} is a {sources[0]['type']}, which is not run or"
            f" fetched: {str(sources[0].get('source'))[:100]}"
        )
    if recording.get("transforms"):
        return f"the recording {recording['id']} is changed by transforms; save the audio first."
    return ""


def _spans(item: Json, tiers: set[str], start_s: float) -> tuple[Span, ...]:
    """Items of an alignment, counted from the start of their supervision.

    lhotse counts them from what the supervision itself is counted from.
    """
    for tier, entries in (item.get("alignment") or {}).items():
        if tier.lower() in tiers:
            return tuple(
                Span(
                    str(symbol),
                    max(0.0, round(float(start) - start_s, 6)),
                    max(0.0, round(float(start) - start_s + float(duration), 6)),
                )
                for symbol, start, duration, *_ in map(_fields, entries)
            )
    return ()


def _fields(entry: Any) -> Any:
    return tuple(entry.values()) if isinstance(entry, dict) else entry


def _kind(file: Path) -> str:
    match = _MANIFEST.fullmatch(file.name)
    return match[2] if match else ""


def _manifests(path: Path) -> list[Path]:
    """The manifests of a folder; of a file, itself and the recordings that belong to it."""
    if path.is_dir():
        found = sorted(file for file in path.glob("*.jsonl*") if _kind(file))
    elif path.is_file() and (match := _MANIFEST.fullmatch(path.name)):
        recordings = re.compile(
            rf"{re.escape(match[1])}recordings{re.escape(match[3])}\.jsonl(?:\.gz)?"
        )
        beside = (file for file in path.parent.iterdir() if recordings.fullmatch(file.name))
        found = [path, *sorted(beside)] if match[2] == "supervisions" else [path]
    else:
        found = []
    kinds = {_kind(file) for file in found}
    if "cuts" not in kinds and not {"recordings", "supervisions"} <= kinds:
        raise CorpusError(
            f"There is no corpus of lhotse at {path}.",
            cause=f"Found {', '.join(file.name for file in found) or 'no manifest'}.",
            fix="It needs cuts.jsonl.gz, or recordings.jsonl.gz with supervisions.jsonl.gz.",
        )
    return found


def _items(file: Path) -> Iterator[tuple[int, Json]]:
    """`(line number, object)` of every line of a manifest."""
    for number, line in numbered_lines(file):
        try:
            item = json.loads(line)
        except json.JSONDecodeError as error:
            raise CorpusError(
                f"{file}, line {number}: this is no JSON.",
                cause=str(error),
                fix="A manifest has one JSON object a line.",
            ) from error
        if not isinstance(item, dict):
            raise CorpusError(f"{file}, line {number}: this is no JSON object.", cause=line[:100])
        yield number, item
