"""What else was tried to tell what was read, and how well each tells it.

    python -m benchmarks.reading_designs [--data DIR] [--each 12] [--right 0] [--reporting]
        [--group natives] [--designs NAME …]

Right texts and slips of `benchmarks.reading` are heard once and read by each design: as it ships,
with one thing otherwise, and as it was before speech beside the text was asked once more. Designs
were chosen on this half of the speakers; `--reporting` shows the other one.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np

import nativeear
from benchmarks.reading import (
    Spoken,
    Trial,
    drawn,
    recordings,
    sound_trials,
    sounds,
    text_trials,
    told,
)
from benchmarks.reporting import options_of, show
from benchmarks.speech_data import DATA
from nativeear.scoring.reading import TextReader
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.frames import Frames
from nativeear.speech.reading import alike, beside, head, omission, reading
from nativeear.speech.reading.match import BY_HEAD, ReadingModel
from nativeear.speech.steadying import steadied

GROUPS = ("natives", "learners")

UNASKED = 1e9
"""Odds by which all that a path finds beside the text is told."""

ROWS = {
    "right text: any event": "right: any event",
    "words omitted": "right: words called omitted",
    "unread": "unread: told at its place",
    "unread, 1–2": "unread of one or two: told at its place",
    "cut": "cut: told at its place",
    "doubled": "doubled: told at its place",
    "restart, 2+": "restart behind two and more: told at its place",
    "added": "added: told at its place",
}
"""Rows of `benchmarks.reading`, by what they are called here."""


def costing(**costs: float) -> ReadingModel:
    """The shipped model, some costs otherwise."""
    return replace(BY_HEAD, costs=replace(BY_HEAD.costs, **costs))


Changes = Sequence[tuple[object, str, object]]
"""What is put in place of which name of which module."""

UNCHECKED: Changes = [(beside, "OFFSET", UNASKED)]
DESIGNS: dict[str, Changes] = {
    "as it ships": [],
    "as it was": [
        *UNCHECKED,
        (omission, "SHORTER", 0.0),
        (alike, "UNLIKE", 0.4),
        (alike, "SAME_LENGTH", (2 / 3, 2.0)),
        (alike, "_are_one", lambda *_: False),
        (head, "BY_HEAD", costing(back=2.0, restart=3.0)),
    ],
    "short words left out as they were": [(omission, "SHORTER", 0.0)],
    "what is beside is not asked again": UNCHECKED,
    "extra from 0.18 s instead": [*UNCHECKED, (reading, "SHORTEST_EXTRA_S", 0.18)],
    "ways back as dear as before": [(head, "BY_HEAD", costing(back=2.0, restart=3.0))],
    "extra speech at half the cost": [(head, "BY_HEAD", costing(extra=4.0, extra_phone=1.0))],
    "extra speech at half the cost, asked more strictly": [
        (head, "BY_HEAD", costing(extra=4.0, extra_phone=1.0)),
        (beside, "OFFSET", -8.4),
    ],
    "asked more mildly": [(beside, "OFFSET", -6.4)],
    "a word once more from a likeness of 0.7": [(alike, "ALIKE", 0.7)],
}


@dataclass(frozen=True, eq=False)
class Heard:
    """A trial, and what is read of it."""

    trial: Trial
    meant: Pronunciation
    frames: Frames
    audio: Audio

    @property
    def lengths(self) -> list[int]:
        """Phones of each word's shortest form."""
        return [min(len(form) for form in word.variants) for word in self.meant.words]


def trials(
    everything: Sequence[Spoken], each: int, right: int, assessor: nativeear.Assessor
) -> Iterator[Trial]:
    """Right texts and slips that rows count."""
    sound_of = sounds(assessor)
    wanted = {name.split(":")[0].split()[0] for name in ROWS.values()}
    for one in drawn(everything, each):
        others = [o for o in everything if o.group == one.group and o.text != one.text]
        found = [*text_trials(one, one.samples, others)]
        sound = sound_of(one)
        if sound is not None:
            own = [o for o in others if o.speaker == one.speaker]
            donor = sound_of(own[one.rng.integers(len(own))]) if own else None
            found += sound_trials(one, sound, donor)
        yield from (trial for trial in found if trial.kind in wanted)
    for one in drawn(everything, right, after=each):
        yield Trial("right", one.group, one.text, one.samples, doubted=one.doubted)


def hearing(assessor: nativeear.Assessor) -> Callable[[Trial], Heard]:
    """Hears trials as an assessor does."""

    def heard(trial: Trial) -> Heard:
        audio = steadied(Audio(trial.samples)).audio
        return Heard(trial, assessor.pronounce(trial.text), assessor.encoder.encode(audio), audio)

    return heard


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--each", type=int, default=12, help="recordings for each of 3 speakers")
    parser.add_argument("--right", type=int, default=0, help="as many, if more, read right alone")
    parser.add_argument("--reporting", action="store_true", help="the other half of the speakers")
    parser.add_argument("--group", nargs="+", choices=GROUPS, default=GROUPS)
    parser.add_argument("--designs", nargs="+", choices=DESIGNS, default=[*DESIGNS])
    options = parser.parse_args()
    assessor = nativeear.load("en-US")
    reader, hear = TextReader(assessor.index), hearing(assessor)
    counts: dict[str, dict[tuple[str, str], list[bool]]] = {
        name: defaultdict(list) for name in options.designs
    }
    everything = [
        one
        for one in recordings(options.data, choosing=not options.reporting)
        if one.group in options.group
    ]
    for trial in trials(everything, options.each, options.right, assessor):
        heard = hear(trial)
        for name in options.designs:
            with contextlib.ExitStack() as stack:
                for module, attribute, value in DESIGNS[name]:
                    stack.enter_context(patch.object(module, attribute, value))
                read = reader.read(heard.meant, heard.frames, heard.audio)
            for row, values in told(trial, read, heard.lengths).items():
                counts[name][row, trial.group] += values
    for group in options.group:
        rows = [
            (name, *(_share(count[row, group]) for row in ROWS.values()))
            for name, count in counts.items()
        ]
        show(group, ("design", *ROWS), rows)


def _share(values: Sequence[bool]) -> str:
    return f"{np.mean(values):.3f} of {len(values)}" if values else "–"


if __name__ == "__main__":
    main()
