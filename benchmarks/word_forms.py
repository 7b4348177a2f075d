"""Whether natives are blamed for saying a word in another of its forms.

    OMP_NUM_THREADS=1 python -m benchmarks.word_forms [--speakers SF1 SM1 TM1] [--every 3]
        [--weight -1]

Sentences of six US natives whom the encoder never heard (`native-english`), by both calibrations:
with the forms that the aligner takes and no second hearing, and as they are assessed. The shares
are those of flagged phones: of all, of some phones, and of function words. Weights of
`speech.forms` were tried on SF1, SM1 and TM1; the others tell what they are worth.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

import nativeear
import nativeear.speech.forms
from benchmarks.speech_data import DATA
from nativeear.scoring.assessor import Assessor
from nativeear.scoring.calibration import Calibration, calibration_of
from nativeear.scoring.evidence import EvidenceGatherer, lay
from nativeear.scoring.other_forms import grades_of_forms
from nativeear.scoring.verdicts import FLAGGED
from nativeear.speech.audio import Audio
from nativeear.speech.forms import also_right
from nativeear.speech.frames import Frames

FOLDER = DATA / "native-english"
CALIBRATIONS = ("expert", "training-free")
PHONES = ("AO", "AA", "EH", "AE", "AH", "IH", "IY", "UW", "UH", "ER", "EY", "HH", "D", "T")
# fmt: off
FUNCTION_WORDS = frozenset((
    "to", "the", "for", "and", "with", "your", "a", "of", "was", "that", "from", "can", "are", "or",
    "as", "have", "them", "than", "because", "our", "were", "her", "his", "had", "you", "in", "it",
    "is", "at", "but", "their", "there", "would", "could",
))
# fmt: on


@dataclass
class Flagged:
    """Phones that were judged and that were flagged, by what they are and where they stand."""

    judged: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)

    def add(self, phone: str, word: str, flagged: bool) -> None:
        """Count one phone."""
        names = ["all phones", phone]
        if word in FUNCTION_WORDS:
            names += ["function words", f"“{word}”"]
        self.judged.update(names)
        if flagged:
            self.flagged.update(names)

    def share(self, name: str) -> str:
        """Percentage of them that was flagged."""
        return f"{100 * self.flagged[name] / max(1, self.judged[name]):.1f}"


def judge(
    assessor: Assessor,
    gatherer: EvidenceGatherer,
    calibrations: dict[str, Calibration],
    row: dict[str, str],
    frames: Frames,
    *,
    by_evidence: bool,
    found: dict[str, Flagged],
) -> None:
    """Judge one sentence and count what is flagged."""
    audio = Audio.load(FOLDER / row["audio"])
    meant = assessor.pronounce(row["text"])
    if not by_evidence:
        meant = meant.narrowed(assessor.aligner.align(audio, meant, frames).variants)
    laid = lay(assessor.aligner, audio, meant, frames, assessor.inventory)
    others = also_right(meant, laid.alignment.variants)
    for name, calibration in calibrations.items():
        judged = laid.relaid if calibration.by_relaid else laid.alignment
        evidence = gatherer.gather(frames, judged, laid.gop)
        grades = grades_of_forms(
            calibration,
            evidence,
            others if by_evidence else ((),) * len(others),
            index=assessor.index,
            gatherer=gatherer,
        )
        for phone, grade in zip(evidence.phones, grades, strict=True):
            word = meant.words[phone.word_index].word.lower()
            found[name].add(phone.phone, word, grade.verdict in FLAGGED)


def main() -> None:
    """Print the shares of flagged phones."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--speakers", nargs="*", default=[])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--weight", type=float, default=nativeear.speech.forms.FORM_WEIGHT)
    options = parser.parse_args()
    nativeear.speech.forms.FORM_WEIGHT = options.weight
    assessor = nativeear.load("en-US")
    gatherer = EvidenceGatherer(assessor.index)
    calibrations = {name: calibration_of(name, assessor.index) for name in CALIBRATIONS}
    with (FOLDER / "utterances.csv").open(encoding="utf-8") as stream:
        rows = [
            row
            for row in csv.DictReader(stream)
            if not options.speakers or row["speaker"] in options.speakers
        ]
    before, after = ({name: Flagged() for name in CALIBRATIONS} for _ in range(2))
    for row in rows[:: options.every]:
        frames = assessor.encoder.encode(Audio.load(FOLDER / row["audio"]))
        for by_evidence, found in ((False, before), (True, after)):
            judge(
                assessor, gatherer, calibrations, row, frames, by_evidence=by_evidence, found=found
            )
    table = Table(title=f"phones flagged, %, in {len(rows[:: options.every])} native sentences")
    for column in ("", "phones", *(f"{name}, {how}" for name in CALIBRATIONS
                                   for how in ("as aligned", "as assessed"))):  # fmt: skip
        table.add_column(column)
    words = sorted(name for name in after["expert"].judged if name.startswith("“"))
    for name in ("all phones", *PHONES, "function words", *words):
        shares = [part[each].share(name) for each in CALIBRATIONS for part in (before, after)]
        table.add_row(name, str(after["expert"].judged[name]), *shares)
    Console().print(table)


if __name__ == "__main__":
    main()
