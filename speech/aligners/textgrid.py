"""Alignments that exist already: TextGrids by the Montreal Forced Aligner, by others, by hand."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from nativeear.speech.alignment import SILENCE, AlignedPhone, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.errors import InputError, PhoneError
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.notation import scheme_of_labels
from nativeear.speech.textgrid import CONFIDENCE_TIER, Interval, TextGrid, Tier

UNKNOWN_SPEECH = "spn"
"""Phone of a span whose phones nobody knows; its `word_index` is -1, so that it is left out."""

PHONE_TIERS = ("phones", "phone", "phonemes", "phoneme", "segments", "mau", "phonalign")
WORD_TIERS = ("words", "word", "ort-mau", "tokensalign")
"""What the tiers may be called, in any case, alone or after a speaker (`Anna - phones`)."""

SILENCES = frozenset({"", "<eps>", "sil", "<sil>", "silence", "sp", "pau", "#", "<p:>", "<p>"})
UNKNOWNS = frozenset({"spn", "<spn>", "<unk>", "unk", "nsn", "<usb>", "<nib>", "?"})
"""Labels, in any case, that stand for silence and for speech of unknown phones."""

BEYOND_S = 0.1
"""A grid may end so much before or after its recording; rounding and codecs do that."""

ROUNDING_S = 1e-6
"""A shorter gap between two spans is no silence but the rounding of their times."""

_STRESS_DIGIT = re.compile(r"[A-Za-z]+([0-2])(?:_[BIES])?$")
_STRESS_MARKS = {"ˈ": 1, "ˌ": 2}


class TextGridAligner:
    """Reads one existing grid in place of aligning."""

    name = "textgrid"

    def __init__(self, path: str | Path, *, language: str = "en-US") -> None:
        self.path = Path(path)
        self.language = language

    def align(
        self, audio: Audio, pronunciation: Pronunciation | None = None, frames: Frames | None = None
    ) -> Alignment:
        """The grid as an alignment of `audio`: its own words and phones, not the pronunciation's.

        `InputError`s are those of `read_alignment`.
        """
        del frames
        language = self.language if pronunciation is None else pronunciation.language
        inventory = PhoneInventory.load(language)
        return read_alignment(self.path, inventory, duration_s=audio.duration_s)


def load(language: str = "en-US", path: str | Path | None = None) -> TextGridAligner:
    """Make the aligner.

    Raises
    ------
    InputError
        If there is no grid to read.
    """
    if path is None:
        raise InputError(
            "The aligner textgrid needs a TextGrid for every recording.",
            cause="It reads alignments, it makes none.",
            fix="Put them beside the audio, or name them in the table's column textgrid.",
        )
    return TextGridAligner(path, language=language)


def read_alignment(
    path: str | Path,
    inventory: PhoneInventory,
    *,
    duration_s: float | None = None,
    scheme: str | None = None,
) -> Alignment:
    """Read a TextGrid as an alignment.

    Silences and gaps become `SILENCE`. Speech of unknown phones (`spn`), phones outside every
    word, and what the grid leaves of the recording's ends become `UNKNOWN_SPEECH`. Without a word
    tier each run of phones between silences counts as a word without a name. A tier `confidence`
    of our own writing gives the scores back.

    Parameters
    ----------
    inventory
        Its symbols replace the labels.
    duration_s
        Length of the recording in seconds, to which the spans are clamped; by default the grid's.
    scheme
        Notation of the labels, see `PhoneInventory.symbol`; found out if None.

    Raises
    ------
    InputError
        If the grid is damaged, has no phone tier, belongs to a longer recording or holds no
        phone, or a label is not known to the inventory (`PhoneError`).
    """
    grid = TextGrid.load(path)
    return grid_alignment(
        grid, path, inventory, grid.end_s if duration_s is None else duration_s, scheme
    )


def spans_alignment(
    phones: Sequence[tuple[str, float, float]],
    words: Sequence[tuple[str, float, float]],
    inventory: PhoneInventory,
    *,
    duration_s: float,
    whence: str,
) -> Alignment:
    """Read labelled spans, as a CTM or a manifest has them, as an alignment.

    Parameters
    ----------
    phones, words
        Label, start and end in seconds; in order of time. Words may be empty.
    whence
        Name of the utterance, for errors, which are those of `read_alignment`.
    """
    tiers = tuple(
        Tier(names[0], tuple(Interval(start_s, end_s, label) for label, start_s, end_s in spans))
        for names, spans in ((PHONE_TIERS, phones), (WORD_TIERS, words))
        if spans or names is PHONE_TIERS
    )
    return grid_alignment(TextGrid(0.0, duration_s, tiers), whence, inventory, duration_s)


def grid_alignment(
    grid: TextGrid,
    path: str | Path,
    inventory: PhoneInventory,
    end_s: float,
    scheme: str | None = None,
) -> Alignment:
    """The alignment that an open grid holds; `path` names it in errors, see `read_alignment`."""
    phones = phone_tier(grid, path)
    if scheme is None:
        labels = [interval.label for interval in phones.intervals if is_phone(interval.label)]
        likely = scheme_of_labels(labels, inventory)
        if all(inventory.knows(label, likely) for label in labels):
            scheme = likely
    words = word_tier(grid, path, phones.name.rpartition(" - ")[0])
    spoken = [w for w in words.intervals if not _is(w.label, SILENCES)] if words else []

    read: list[AlignedPhone] = []
    for interval in phones.intervals:
        _check_inside(interval, end_s, path)
        label = interval.label
        phone, index, stress = SILENCE, -1, None
        if not _is(label, SILENCES):
            index = _containing(spoken, interval.middle_s) if words else _run(read)
            phone = UNKNOWN_SPEECH
            if _is(label, UNKNOWNS) or index < 0:
                index = -1
            else:
                phone, stress = _symbol(label, inventory, scheme, path), stress_of(label)
        start_s = max(interval.start_s, 0.0, read[-1].end_s if read else 0.0)
        stop_s = min(interval.end_s, end_s)
        if stop_s > start_s:
            read.append(AlignedPhone(phone, start_s, stop_s, index, 1.0, stress))
    if all(phone.is_silence for phone in read):
        raise InputError(f"{path} holds no phone.", cause=f"Tier {phones.name!r} has silence only.")
    return Alignment(
        phones=tuple(_covering(_scored(read, grid), end_s)),
        words=tuple(w.label for w in spoken) if words else ("",) * (_run(read, last=True) + 1),
        aligner=TextGridAligner.name,
    )


def phone_tier(grid: TextGrid, path: str | Path) -> Tier:
    """The tier of phones; an `InputError` where there is none, or more than one."""
    phones = _find_tier(grid, PHONE_TIERS, path)
    if phones is None:
        raise InputError(
            f"{path} has no tier of phones.",
            cause=f"Its interval tiers: {', '.join(repr(t.name) for t in grid.tiers) or 'none'}.",
            fix="Call the tier phones, or align first: this may be a transcript only.",
        )
    return phones


def word_tier(grid: TextGrid, path: str | Path, speaker: str = "") -> Tier | None:
    """The tier of words, of a speaker if one is named; None where there is none."""
    return _find_tier(grid, WORD_TIERS, path, speaker)


def is_phone(label: str) -> bool:
    """Whether a label is neither silence nor speech of unknown phones."""
    return not _is(label, SILENCES) and not _is(label, UNKNOWNS)


def grid_labels(path: str | Path) -> list[str]:
    """Labels of the phones in a grid, in order, without silences and unknown speech."""
    tier = _find_tier(TextGrid.load(path), PHONE_TIERS, path)
    labels = [interval.label for interval in tier.intervals] if tier else []
    return [label for label in labels if is_phone(label)]


def stress_of(label: str) -> int | None:
    """Stress that a label tells: 0 to 2, or None."""
    digit = _STRESS_DIGIT.match(label)
    return int(digit[1]) if digit else _STRESS_MARKS.get(label[:1])


def _is(label: str, kinds: frozenset[str]) -> bool:
    return label.strip().lower() in kinds


def _find_tier(
    grid: TextGrid, usual: Sequence[str], path: str | Path, speaker: str = ""
) -> Tier | None:
    """The only tier of a usual name, of a speaker if one is named."""
    found = [t for t in grid.tiers if t.name.rpartition(" - ")[2].strip().lower() in usual]
    if speaker:
        found = [tier for tier in found if tier.name.rpartition(" - ")[0] == speaker]
    if len(found) > 1:
        raise InputError(
            f"{path} has several tiers that could be meant.",
            cause=f"They are {', '.join(repr(tier.name) for tier in found)}.",
            fix="Keep one of them, or split the recording by speaker.",
        )
    return found[0] if found else None


def _symbol(label: str, inventory: PhoneInventory, scheme: str | None, path: str | Path) -> str:
    try:
        return inventory.symbol(label, scheme)
    except PhoneError as error:
        raise PhoneError(f"{path}: {error.message}", cause=error.cause, fix=error.fix) from error


def _containing(words: Sequence[Interval], time_s: float) -> int:
    """Index of the word that is said at `time_s`, or -1."""
    index = bisect_right(words, time_s, key=lambda word: word.start_s) - 1
    return index if index >= 0 and time_s < words[index].end_s else -1


def _run(before: Sequence[AlignedPhone], last: bool = False) -> int:
    """Number of the run of phones that the next phone belongs to, or of the last one."""
    runs = next((p.word_index for p in reversed(before) if not p.is_silence), -1)
    return runs if last or (before and not before[-1].is_silence) else runs + 1


def _check_inside(interval: Interval, end_s: float, path: str | Path) -> None:
    spoken = not _is(interval.label, SILENCES)
    if spoken and (interval.start_s >= end_s or interval.end_s > end_s + BEYOND_S):
        raise InputError(
            f"{path} belongs to a longer recording.",
            cause=f"{interval.label!r} lies at {interval.start_s:.2f} to {interval.end_s:.2f} s,"
            f" the recording ends at {end_s:.2f} s.",
            fix="Check that grid and recording belong together.",
        )


def _scored(phones: Sequence[AlignedPhone], grid: TextGrid) -> list[AlignedPhone]:
    """The phones with the scores of the tier `confidence`, where there is one."""
    tier = next((tier for tier in grid.tiers if tier.name == CONFIDENCE_TIER), None)
    scores = {i.start_s: i.label for i in tier.intervals} if tier else {}
    scored = []
    for phone in phones:
        label = scores.get(phone.start_s, "")
        known = re.fullmatch(r"0(\.\d+)?|1(\.0+)?", label) and not phone.is_silence
        scored.append(replace(phone, score=float(label)) if known else phone)
    return scored


def _covering(phones: Sequence[AlignedPhone], end_s: float) -> list[AlignedPhone]:
    """The same phones, with the gaps filled, so that spans touch and cover the recording."""
    edges = [AlignedPhone(SILENCE, 0.0, 0.0, -1), *phones, AlignedPhone(SILENCE, end_s, end_s, -1)]
    covering: list[AlignedPhone] = []
    for number, (before, after) in enumerate(pairwise(edges)):
        gap_s = after.start_s - before.end_s
        at_end = number in {0, len(edges) - 2}
        if gap_s > ROUNDING_S:
            phone = UNKNOWN_SPEECH if at_end and gap_s > BEYOND_S else SILENCE
            covering.append(AlignedPhone(phone, before.end_s, after.start_s, -1))
        covering.append(after)
    return covering[:-1]
