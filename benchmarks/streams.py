"""How long each look at a long stream takes, and what the stream holds.

    OMP_NUM_THREADS=1 python -m benchmarks.streams [--minutes 5] [--every 30]

The packaged prompts, read one after the other, as they are sent to `WS /v1/stream` at 48 kHz. About
once a second the service looks for words that are finished; the table has the processor time of one
such look, with the encoder and the index that ship, each --every seconds of speech. What comes
between is looked at, too, but not told.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from time import process_time

import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.table import Table

from nativeear.indexes.catalogue import find_index
from nativeear.service.api.budget import Budget
from nativeear.service.api.metrics import Metrics
from nativeear.service.api.references import Reference
from nativeear.service.api.streaming import NothingFinishedError, PartialWork, Take
from nativeear.service.demo import PROMPT
from tests.support.served import ROOT

RATE = 48_000
SPOKEN = (("vm-msgsaved.flac", "Your message has been saved."), PROMPT[:2])


def main() -> None:
    """Stream, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--every", type=int, default=30, metavar="SECONDS")
    options = parser.parse_args()
    seconds = round(60 * options.minutes)
    read = [soundfile.read(ROOT / "service" / "data" / name) for name, _ in SPOKEN]
    once = np.concatenate([soxr.resample(samples, rate, RATE) for samples, rate in read])
    times = -(-seconds * RATE // len(once))
    samples = np.tile((once * 32767).astype("<i2"), times)[: seconds * RATE]
    text = " ".join([sentence for _, sentence in SPOKEN] * times)
    reference = Reference.open("en-US", find_index("en-US"), Metrics())
    meant = reference.assessor.pronounce(text)
    budget = Budget(1 << 30)
    take = Take(RATE, seconds + 1.0, budget.hold())
    table = Table("heard, s", "looked at, s", "processor, s", "words told", "held, MiB")
    told = 0
    for second in range(1, seconds + 1):
        take.add(samples[(second - 1) * RATE : second * RATE].tobytes())
        if not take.is_due:
            continue
        window = take.window
        started = process_time()
        heard = take.recent()
        work = PartialWork(reference, heard, text, meant=meant, window=window)
        with suppress(NothingFinishedError):
            told += len(take.news(work.run(reference.assessor), window))
        if second % options.every == 0:
            took = process_time() - started
            row = (second, heard.duration_s, took, told, budget.held / 2**20)
            table.add_row(*(f"{value:.3g}" for value in row))
    Console().print(table)


if __name__ == "__main__":
    main()
