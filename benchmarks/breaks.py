"""How often readers are told that a pause is unexpected or missing, or that a phrase is monotone.

    OMP_NUM_THREADS=1 python -m benchmarks.breaks [--every 10]

Six natives whom neither encoder nor index has heard read sentences; learners of speechocean762,
whose texts have no punctuation, read others. Of each group: pauses of 250 ms or more, those of them
that are expected and unexpected, sentences in which one is unexpected, stops of the text and those
that are told to be missing, and segments whose pitch range is told to be monotone.
"""

from __future__ import annotations

from collections import Counter

import nativeear
from benchmarks.reporting import options_of, show
from benchmarks.speech_data import DATA, SPEECHOCEAN, rows_of
from nativeear import NativeEarError


def counts_of(rows: list[dict[str, str]], assessor: nativeear.Assessor) -> Counter[str]:
    """What is told of these recordings."""
    told: Counter[str] = Counter()
    for row in rows:
        try:
            result = assessor.assess(row["audio"], row["text"])
        except NativeEarError:
            told["refused"] += 1
            continue
        if result.fluency is None or result.of_another_text:
            continue
        told["sentences"] += 1
        kinds = Counter(each.kind for each in result.fluency.breaks)
        told["pauses"] += kinds.total() - kinds["missing"]
        told.update({str(kind): count for kind, count in kinds.items()})
        told["with unexpected"] += kinds["unexpected"] > 0
        told["stops"] += len(result.fluency.segments) - 1
        for segment in result.fluency.segments:
            told["segments"] += segment.monotone is not None
            told["monotone"] += segment.monotone is True
    return told


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--every", type=int, default=10, help="every so many-th sentence")
    every = parser.parse_args().every
    assessor = nativeear.load("en-US")
    natives = rows_of(DATA / "native-english")
    groups = {
        name: [r for r in natives if r["speaker"] == name][::every]
        for name in sorted({row["speaker"] for row in natives})
    }
    told = {name: counts_of(rows, assessor) for name, rows in groups.items()}
    told["all natives"] = sum(told.values(), Counter())
    told["learners"] = counts_of(rows_of(SPEECHOCEAN)[:: 2 * every], assessor)
    names = ("sentences", "pauses", "expected", "unexpected", "with unexpected", "stops",
             "missing", "segments", "monotone")  # fmt: skip
    show("", ("", *names), ((who, *(own[name] for name in names)) for who, own in told.items()))


if __name__ == "__main__":
    main()
