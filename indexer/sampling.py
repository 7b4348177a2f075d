"""Exemplars of a phone, cut out of the recordings that an index keeps, to listen to."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError

AROUND_S = 0.2
"""What is heard before and behind a phone: alone it is hardly one."""

COLUMNS = ("file", "row", "phone", "left", "right", "word", "speaker", "corpus", "margin")


@dataclass(frozen=True)
class Sample:
    """What was drawn: `heard` of the `there` exemplars of a phone whose recordings are kept."""

    phone: str
    there: int
    files: tuple[Path, ...]


def sample_phone(
    index: PhoneIndex, label: str, n: int, out: Path, *, seed: int = 0, alone: bool = False
) -> Sample:
    """Write n exemplars of a phone as WAV files, and a table of them, `sample.csv`.

    They are drawn at random, from every speaker alike as far as each has some.

    Parameters
    ----------
    label
        The phone in any notation that the index's language knows, as `TH` or `θ`.
    out
        Folder for them; made if it is not there.
    seed
        Of the draw: the same gives the same.
    alone
        Whether nothing is heard around the phone.

    Raises
    ------
    InputError
        If the phone is unknown or has no exemplar, no recording of one is kept, or `out` cannot be
        written.
    """
    phone = label if label in index.classes else index.inventory.symbol(label)
    own = index.rows_of(phone)
    rows = np.arange(own.start, own.stop)
    if not len(rows):
        raise InputError(
            f"The index {index.name} has no {phone}.", fix=f"It has {', '.join(index.classes)}."
        )
    rows = rows[index.playable[rows]]
    if not len(rows):
        raise InputError(
            f"The index {index.name} keeps no recording of {phone}.",
            fix="Build it with --clips opus, or name a phone of native speech.",
        )
    drawn = _drawn(rows, index.speakers[0][rows], n, np.random.default_rng(seed))
    try:
        out.mkdir(parents=True, exist_ok=True)
        files = tuple(_write(index, row, out, 0.0 if alone else AROUND_S) for row in drawn)
        with (out / "sample.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for path, row in zip(files, drawn, strict=True):
                told = index.exemplar(row)
                cells = (told.left, told.right, told.word, told.speaker, told.corpus)
                table.writerow((path.name, row, phone, *cells, f"{told.margin:.4f}"))
    except OSError as error:
        raise InputError(
            f"The sample cannot be written to {out}.", cause=str(error), fix="Give another folder."
        ) from error
    return Sample(phone, len(rows), files)


def _drawn(rows: np.ndarray, speakers: np.ndarray, n: int, rng: np.random.Generator) -> list[int]:
    """Rows in a random order in which speakers take turns, n of them."""
    order = rng.permutation(len(rows))
    turns: dict[int, int] = {}
    ranked = []
    for place in order.tolist():
        speaker = int(speakers[place])
        turns[speaker] = turns.get(speaker, 0) + 1
        ranked.append((turns[speaker], int(rows[place])))
    ranked.sort(key=lambda pair: pair[0])
    return [row for _, row in ranked[:n]]


def _write(index: PhoneIndex, row: int, out: Path, around_s: float) -> Path:
    import soundfile

    told, clip = index.exemplar(row), index.clip(row)
    if clip is None:
        raise InputError(f"The recording of row {row} is gone.", fix="Verify the index.")
    audio = Audio.load(clip)
    first = max(0, round((told.start_s - around_s) * audio.sample_rate))
    past = round((told.end_s + around_s) * audio.sample_rate)
    path = out / f"{row:07d}.wav"
    soundfile.write(path, audio.samples[first:past], audio.sample_rate, subtype="PCM_16")
    return path
