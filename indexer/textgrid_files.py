"""TextGrids of utterances as files: where they lie, how they are written, and MFA's own."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from nativeear.indexer.corpus import Utterance
from nativeear.indexer.utterances import UtterancePooler, reason_of, recording_of
from nativeear.speech.aligners.mfa import MfaAligner
from nativeear.speech.aligners.mfa_corpus import MfaItem
from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.errors import NativeEarError
from nativeear.speech.textgrid import TextGrid

MFA_BATCH = 1000
"""Utterances that MFA gets at a time: it starts slowly, and what it has done is kept only then."""

MAX_NAME = 120
"""Bytes of one part of a path, before what is added; file systems take 255."""

SLIVER_S = 1e-6

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def textgrid_path(out: Path, identity: str) -> Path:
    """File of an utterance's TextGrid: sub-folders as in the id, always inside `out`.

    What a file system may not take, and what would lead elsewhere, is replaced by `_`; such a name
    ends in a digest of the id, so that two ids never meet in one file.
    """
    parts = [safe_name(part) for part in identity.split("/") if part not in {"", "."}] or ["_"]
    if "/".join(parts) != identity:
        digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        parts[-1] += f"-{digest}"
    return out.joinpath(*parts[:-1], f"{parts[-1]}.TextGrid")


def safe_name(part: str) -> str:
    """One part of a path that every file system takes."""
    whole = part.encode("utf-8", "replace")
    clean = _UNSAFE.sub("_", whole[:MAX_NAME].decode("utf-8", "ignore"))
    clean = clean.rstrip(". ") or "_"
    return f"_{clean}" if _RESERVED.fullmatch(clean) else clean


def write_textgrid(alignment: Alignment, path: Path, out: Path) -> str:
    """Write beside and rename, so that a TextGrid is whole or absent; returns the reason if
    it cannot be, else ''.
    """
    if not alignment.spoken:
        return "The alignment holds no phone."
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.resolve().is_relative_to(out.resolve()):
            return f"{path} lies outside {out}: a folder on the way is a link."
        try:
            TextGrid.from_alignment(_without_slivers(alignment)).save(beside)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except NativeEarError as error:
        return reason_of(error)
    except OSError as error:
        return f"The TextGrid {path} cannot be written. {error}"
    return ""


def _without_slivers(alignment: Alignment) -> Alignment:
    """Close the silences that are rounding alone: nobody could click on them."""
    phones: list[AlignedPhone] = []
    for phone in alignment.phones:
        if phones and phone.is_silence and phone.duration_s < SLIVER_S:
            phones[-1] = replace(phones[-1], end_s=phone.end_s)
        else:
            phones.append(phone)
    return replace(alignment, phones=tuple(phones))


def align_with_mfa(
    jobs: Sequence[tuple[Utterance, Path]], pooler: UtterancePooler, out: Path, workers: int
) -> Iterator[tuple[Utterance, Path, str]]:
    """Let MFA align utterances into grids below `out`; a reason where one is set aside, else ''.

    It aligns many in one run, and adapts to those of one speaker.
    """
    aligner = MfaAligner(pooler.request.language, jobs=workers)
    ordered = sorted(jobs, key=lambda job: job[0].speaker)
    for start in range(0, len(ordered), MFA_BATCH):
        batch = {str(number): job for number, job in enumerate(ordered[start : start + MFA_BATCH])}
        items = []
        for number, (utterance, grid) in batch.items():
            try:
                pronunciation = pooler.pronounce(utterance)
            except NativeEarError as error:
                yield utterance, grid, reason_of(error)
                continue
            items.append(
                MfaItem(number, partial(recording_of, utterance), pronunciation, utterance.speaker)
            )
        outcome = aligner.align_corpus(items)
        for number, reason in outcome.set_aside.items():
            yield *batch[number], reason
        for number, alignment in outcome.alignments.items():
            utterance, grid = batch[number]
            yield utterance, grid, write_textgrid(alignment, grid, out)
