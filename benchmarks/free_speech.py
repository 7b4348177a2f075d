"""Free speech without a recogniser: does the quality of the phones that are heard mean anything?

    python -m benchmarks.free_speech [--index en-US] [--learners N] [--natives N]

Learners of `../shared/data/speechocean762-train` are assessed as if no text were known, their own
speech left out of the index, and the score is compared with the experts' mean over the phones of
the recording. Natives of `../shared/data/native-english`, whom the index has not heard, say how
many native sounds are called `accented`; their rates and pauses are compared with those of the
same recordings assessed with their text. The shipped encoder has heard these learners in its
training, which flatters the decode.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import nativeear
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.assessment import Assessment
from nativeear.scoring.assessor import Assessor
from nativeear.scoring.metrics import pearson
from nativeear.speech.audio import Audio
from nativeear.speech.errors import NativeEarError

DATA = Path(__file__).parents[2] / "shared" / "data"
LEARNERS, NATIVES = DATA / "speechocean762-train", DATA / "native-english"
SEED = 1


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--index", default="en-US")
    parser.add_argument("--learners", type=int, default=60)
    parser.add_argument("--natives", type=int, default=20)
    options = parser.parse_args()
    for folder in (LEARNERS, NATIVES):
        if not folder.is_dir():
            raise SystemExit(f"There is no {folder}.")
    assessor = nativeear.load(options.index)
    table = Table("speakers", "recordings", "figure", "value", title="Free speech by phones")
    rated, heard, seconds, spent = [], [], 0.0, 0.0
    for row in _drawn(LEARNERS, options.learners):
        audio = Audio.load(LEARNERS / row["audio"])
        started = time.process_time()
        own = Exclusion(speakers=frozenset({(LEARNERS.name, row["speaker"])}))
        result = _free(assessor, audio, own)
        spent += time.process_time() - started
        seconds += audio.duration_s
        if result is None or result.score.pronunciation is None:
            continue
        scores = [float(score) for score in row["phone_scores"].replace("|", " ").split()]
        rated.append(float(np.mean(scores)))
        heard.append(result)
    found = np.array([result.score.pronunciation for result in heard], dtype=np.float64)
    n = str(len(heard))
    agreement = pearson(found, np.array(rated))
    table.add_row("learners", n, "correlation with the experts' mean", f"{agreement:.2f}")
    table.add_row("learners", n, "sounds called accented", f"{_accented(heard):.1%}")
    table.add_row("learners", n, "cost, × real time on one thread", f"{spent / seconds:.2f}")
    natives, ratios, pauses = [], [], []
    for row in _drawn(NATIVES, options.natives):
        audio = Audio.load(NATIVES / row["audio"])
        result = _free(assessor, audio, Exclusion())
        if result is None:
            continue
        natives.append(result)
        read = assessor.assess(audio, row["text"])
        free_flow, flow = result.fluency, read.fluency
        if free_flow and flow and free_flow.articulation_rate and flow.articulation_rate:
            ratios.append(free_flow.articulation_rate / flow.articulation_rate - 1)
        if free_flow and flow and free_flow.pauses and flow.pauses:
            pauses.append(free_flow.pauses.count == flow.pauses.count)
    n = str(len(natives))
    table.add_row("natives", n, "sounds called accented", f"{_accented(natives):.1%}")
    table.add_row(
        "natives",
        n,
        "articulation rate against that with the text: median, 90 % within",
        f"{np.median(ratios):+.1%}, ±{np.quantile(np.abs(ratios), 0.9):.1%}",
    )
    table.add_row("natives", n, "as many pauses as with the text", f"{np.mean(pauses):.0%}")
    Console(width=110).print(table)


def _drawn(folder: Path, wanted: int) -> list[dict[str, str]]:
    with (folder / "utterances.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    order = np.random.default_rng(SEED).permutation(len(rows))[:wanted]
    return [rows[i] for i in order]


def _free(assessor: Assessor, audio: Audio, exclusion: Exclusion) -> Assessment | None:
    try:
        return assessor.assess_free(audio, exclusion=exclusion)
    except NativeEarError:
        return None


def _accented(results: list[Assessment]) -> float:
    verdicts = [phone.verdict for result in results for phone in result.phones]
    judged = [verdict for verdict in verdicts if verdict != "uncertain"]
    return judged.count("accented") / max(1, len(judged))


if __name__ == "__main__":
    main()
