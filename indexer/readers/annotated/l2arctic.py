"""L2-ARCTIC (Zhao et al., 2018): non-native readings with their phone errors marked by hand.

A marked phone reads `canonical,perceived,type`; the type is `s` (substituted), `d` (deleted) or
`a` (added). Everything unmarked is right. The suitcase corpus, in which the same speakers tell a
story of a minute or so, is marked alike; its recordings are cut at pauses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nativeear.indexer.annotated_corpus import (
    DELETED,
    AnnotatedCorpus,
    AnnotatedInsertion,
    AnnotatedPhone,
    AnnotatedUtterance,
    AnnotatedWord,
    Speaker,
)
from nativeear.indexer.corpus import SetAside
from nativeear.speech.errors import CorpusError, InputError
from nativeear.speech.textgrid import Interval, TextGrid, Tier

TEST_SPEAKERS = ("NJS", "TLV", "TNI", "TXHC", "YKWK", "ZHAA")
"""One of each first language; what is published is measured on these."""

SPEAKERS = {
    "ABA": ("ar", "m"), "SKA": ("ar", "f"), "YBAA": ("ar", "m"), "ZHAA": ("ar", "f"),
    "BWC": ("zh", "m"), "LXC": ("zh", "f"), "NCC": ("zh", "f"), "TXHC": ("zh", "m"),
    "ASI": ("hi", "m"), "RRBI": ("hi", "m"), "SVBI": ("hi", "f"), "TNI": ("hi", "f"),
    "HJK": ("ko", "f"), "HKK": ("ko", "m"), "YDCK": ("ko", "f"), "YKWK": ("ko", "m"),
    "EBVS": ("es", "m"), "ERMS": ("es", "m"), "MBMPS": ("es", "f"), "NJS": ("es", "f"),
    "HQTV": ("vi", "m"), "PNV": ("vi", "f"), "THV": ("vi", "f"), "TLV": ("vi", "m"),
}  # fmt: skip
"""First language and gender, as the corpus's documentation lists them."""

SUITCASE = "suitcase_corpus"
"""Folder of the told stories: one recording and one grid for each speaker, named after them."""

CUT_PAUSE_S = 0.3
"""A story is cut in the middle of a pause as long as this …"""

LEAST_PIECE_S = 8.0
"""… once so much has been said since the last cut: about as long as the longest sentences read."""

SILENCES = frozenset({"", "SIL", "SP", "SPN", "PAU"})
ERROR = "ERR"
"""Perceived where annotators heard a wrong sound that they could not name."""


@dataclass(frozen=True)
class Mark:
    """One label of the phone tier. `canonical` or `perceived` is '' for silence."""

    canonical: str
    perceived: str
    kind: str

    @classmethod
    def read(cls, label: str) -> Mark | None:
        """Read a label as people have typed it; None for a silence.

        Stress digits, spaces, lower case and other stray signs are dropped. A mark without a type
        is understood from its two phones.

        Raises
        ------
        ValueError
            In a plain sentence, if it is no such mark.
        """
        parts = [_phone(part) for part in label.split(",")]
        if len(parts) == 1:
            return cls(parts[0], parts[0], "") if parts[0] else None
        if len(parts) > 3:
            raise ValueError(f"the mark {label!r} is not canonical,perceived,type.")
        canonical, perceived = parts[:2]
        if not canonical and not perceived:
            return None
        kind = parts[2].lower() if len(parts) == 3 else ""
        told = "a" if not canonical else "s" if perceived else "d"
        if kind and (kind == "a") != (told == "a"):
            raise ValueError(f"the mark {label!r} says {kind!r} and looks like {told!r}.")
        return cls(canonical, perceived, told)


def read(data: Path, split: str | None = None) -> AnnotatedCorpus:
    """Read the corpus's folder: `SPEAKER/annotation/*.TextGrid` beside `wav` and `transcript`.

    Only annotated utterances are read, 150 or so a speaker. `suitcase_corpus` is read where it is
    named itself; there a grid is a speaker.

    Parameters
    ----------
    split
        `test` (the default: `TEST_SPEAKERS`), `train` (the others) or `all`.

    Raises
    ------
    CorpusError
        If no speaker's folder is there. Single broken utterances are set aside instead.
    """
    split = split or "test"
    story = _story_folder(data)
    if story is not None:
        return _stories(story, split)
    folders = [
        f for f in sorted(data.glob("*")) if (f / "annotation").is_dir() and f.name != SUITCASE
    ]
    if not folders and (data / "annotation").is_dir():
        folders, split = [data], "all"  # one speaker's own folder
    chosen = [f for f in folders if _belongs(f.name, split)]
    if not chosen:
        raise CorpusError(
            f"There is no speaker of L2-ARCTIC's {split} part at {data}.",
            cause=f"Annotated speakers there: {', '.join(f.name for f in folders) or 'none'}.",
            fix="Name the folder that holds ABA, ASI, …; --split all takes every speaker.",
        )
    utterances: list[AnnotatedUtterance] = []
    set_aside: list[SetAside] = []
    for folder in chosen:
        name = folder.resolve().name
        l1, gender = SPEAKERS.get(name, (None, None))
        for grid in sorted((folder / "annotation").glob("*.TextGrid")):
            identity = f"{name}-{grid.stem}"
            audio = folder / "wav" / f"{grid.stem}.wav"
            try:
                if not audio.is_file():
                    raise ValueError(f"there is no recording {audio}.")
                words, insertions = _annotation(TextGrid.load(grid))
                utterances.append(
                    AnnotatedUtterance(
                        id=identity,
                        speaker=Speaker(name, None, gender, l1),
                        audio=audio,
                        text=_transcript(folder / "transcript" / f"{grid.stem}.txt", words),
                        words=words,
                        insertions=insertions,
                    )
                )
            except (ValueError, InputError) as error:
                set_aside.append(SetAside(identity, f"{grid.name}: {error}"))
    return AnnotatedCorpus("L2-ARCTIC", tuple(utterances), tuple(set_aside), split)


def _belongs(speaker: str, split: str) -> bool:
    return split == "all" or (speaker in TEST_SPEAKERS) == (split == "test")


def _story_folder(data: Path) -> Path | None:
    """The folder of told stories, if that is what was named; archives repeat its name inside."""
    if data.resolve().name != SUITCASE:
        return None
    return next((f for f in (data, data / SUITCASE) if (f / "annotation").is_dir()), None)


def _stories(folder: Path, split: str) -> AnnotatedCorpus:
    """Told stories, each in pieces.

    Raises
    ------
    CorpusError
        If nobody of this part is there.
    """
    grids = {
        grid: grid.stem.upper().partition("_")[0]
        for grid in sorted((folder / "annotation").glob("*.TextGrid"))
    }
    chosen = {grid: name for grid, name in grids.items() if _belongs(name, split)}
    if not chosen:
        raise CorpusError(
            f"There is no speaker of the suitcase corpus's {split} part at {folder}.",
            cause=f"Annotated speakers there: {', '.join(sorted(grids.values())) or 'none'}.",
            fix="--split all takes every speaker.",
        )
    utterances: list[AnnotatedUtterance] = []
    set_aside: list[SetAside] = []
    for grid, name in chosen.items():
        l1, gender = SPEAKERS.get(name, (None, None))
        audio = folder / "wav" / f"{grid.stem}.wav"
        try:
            if not audio.is_file():
                raise ValueError(f"there is no recording {audio}.")
            pieces = _pieces(TextGrid.load(grid))
        except (ValueError, InputError) as error:
            set_aside.append(SetAside(f"{name}-suitcase", f"{grid.name}: {error}"))
            continue
        for number, piece in enumerate(pieces, 1):
            identity = f"{name}-suitcase-{number:02d}"
            try:
                words, insertions = _annotation(piece)
            except ValueError as error:
                set_aside.append(SetAside(identity, f"{grid.name}: {error}"))
                continue
            utterances.append(
                AnnotatedUtterance(
                    id=identity,
                    speaker=Speaker(name, None, gender, l1),
                    audio=audio,
                    text=" ".join(word.text for word in words).strip(),
                    words=words,
                    insertions=insertions,
                    start_s=piece.start_s,
                    end_s=piece.end_s,
                )
            )
    return AnnotatedCorpus("L2-ARCTIC suitcase corpus", tuple(utterances), tuple(set_aside), split)


def _pieces(grid: TextGrid) -> list[TextGrid]:
    """A grid cut in the middle of long pauses.

    Raises
    ------
    ValueError
        In a plain sentence, if it has no phones.
    """
    tier = _tier(grid, "phones")
    if tier is None:
        raise ValueError("it has no tier called phones.")
    cuts, ended_s = [grid.start_s], grid.start_s
    for interval in tier.intervals:
        if not any(_phone(part) for part in interval.label.split(",")[:2]):
            continue
        at_s = (ended_s + interval.start_s) / 2
        if interval.start_s - ended_s >= CUT_PAUSE_S and at_s - cuts[-1] >= LEAST_PIECE_S:
            cuts.append(at_s)
        ended_s = interval.end_s
    bounds = zip(cuts, [*cuts[1:], grid.end_s], strict=True)
    return [
        TextGrid(
            start_s,
            end_s,
            tuple(
                Tier(t.name, tuple(i for i in t.intervals if start_s <= i.middle_s < end_s))
                for t in grid.tiers
            ),
        )
        for start_s, end_s in bounds
    ]


def _annotation(
    grid: TextGrid,
) -> tuple[tuple[AnnotatedWord, ...], tuple[AnnotatedInsertion, ...]]:
    """Words and insertions of one grid.

    Raises
    ------
    ValueError
        In a plain sentence, if it has no phones or a mark cannot be read.
    """
    tier = _tier(grid, "phones")
    if tier is None:
        raise ValueError("it has no tier called phones.")
    named = _tier(grid, "words")
    spoken = [] if named is None else [w for w in named.intervals if _phone(w.label)]
    placed: list[tuple[int, AnnotatedPhone]] = []
    insertions: list[AnnotatedInsertion] = []
    for interval in tier.intervals:
        mark = Mark.read(interval.label)
        if mark is None:
            continue
        told = mark.perceived if mark.perceived not in {ERROR, mark.canonical} else None
        if mark.kind == "a":
            insertions.append(AnnotatedInsertion(len(placed) - 1, told))
            continue
        perceived = {"s": told, "d": DELETED}.get(mark.kind)
        phone = AnnotatedPhone(mark.canonical, bool(mark.kind), None, perceived)
        placed.append((_word_of(interval, spoken), phone))
    if not placed:
        raise ValueError("it holds no phone.")
    words: list[tuple[int, list[AnnotatedPhone]]] = []
    for index, phone in placed:
        if not words or words[-1][0] != index:
            words.append((index, []))
        words[-1][1].append(phone)
    names = [spoken[index].label.strip() if spoken else "" for index, _ in words]
    return (
        tuple(AnnotatedWord(n, tuple(p)) for n, (_, p) in zip(names, words, strict=True)),
        tuple(insertions),
    )


def _word_of(interval: Interval, words: list[Interval]) -> int:
    """The word that holds the middle of a phone, or else the nearest one; 0 without words."""
    middle = interval.middle_s

    def gap(index: int) -> float:
        return max(words[index].start_s - middle, middle - words[index].end_s, 0.0)

    return min(range(len(words)), key=gap, default=0)


def _tier(grid: TextGrid, name: str) -> Tier | None:
    return next((tier for tier in grid.tiers if tier.name.strip().lower() == name), None)


def _phone(written: str) -> str:
    """A phone as it was meant: letters only, in upper case; '' for silence."""
    label = re.sub(r"[^A-Z]", "", written.upper())
    return "" if label in SILENCES else label


def _transcript(file: Path, words: tuple[AnnotatedWord, ...]) -> str:
    """The text that was read; the words of the annotation where there is no file."""
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace").strip()
    except OSError:
        return " ".join(word.text for word in words).strip()
