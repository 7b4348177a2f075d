"""What a build of an index costs, how its memory and its time grow, and what a second worker gains.

    python -m benchmarks.builds CORPUS [--lang en-US] [--hours 0.1 1 10] [--workers 2] [--ray 0.2]

CORPUS is any corpus that `nativeear index build` reads; `asterisk:en` is Debian's package
`asterisk-core-sounds-en-g722`. It is aligned once, and kept as FLAC with TextGrids under `.work/`,
which is not counted. Then the product's own command builds indexes of so many hours: utterances in
a seeded order, repeated under other names.

Real time is hours of speech over hours by the clock, start and end included. Processor seconds are
those of the command and of all its workers, which other work on the machine hardly disturbs.
Memory is the sum over the command and its workers, looked at ten times a second: `resident` counts
pages of mapped files, which the system takes back when it needs them; `own` does not. The exponents
of growth are the slopes of the logarithms, once over all lengths and once over the last two, whose
start weighs least.

`--ray` aligns and encodes so many hours on a Ray cluster on this machine, with one node of one core
and with two, after two shards by which they opened their encoders.
"""

from __future__ import annotations

import csv
import hashlib
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.reporting import memory, options_of, show, show_aims
from benchmarks.speech_data import CACHE, write_table
from nativeear.indexer.aligning import AligningRequest, align_corpora
from nativeear.indexer.cluster import SHARD, start_ray_workers
from nativeear.indexer.corpus import Utterance, read_corpus
from nativeear.indexer.textgrid_files import textgrid_path
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler, pool_into, recording_of
from nativeear.speech.audio import SAMPLE_RATE
from nativeear.speech.errors import NativeEarError

SEED = 0
LOOK_EVERY_S = 0.1
HOUR_S = 3600.0

ENCODED = re.compile(r"^Aligning and encoding: (\d+) of \1$", re.MULTILINE)

AIM_REAL_TIME = 20.0
AIM_EXPONENT = 1.05
AIM_MEMORY = 0.10
AIM_TWO_WORKERS = 1.7


@dataclass(frozen=True)
class Aligned:
    """An utterance that a build can take as it is, and its length in seconds."""

    utterance: Utterance
    audio_s: float


@dataclass(frozen=True)
class Built:
    """What one build cost.

    Attributes
    ----------
    audio_s
        Speech in the corpus, in seconds.
    wall_s, cpu_s
        Seconds by the clock and of the processor.
    resident, own
        Peak MB of the command and its workers, with and without mapped files.
    alone
        Peak of the command's own MB: it publishes when its workers are gone.
    publishing_s
        Of the clock, those after the last utterance was encoded: one core works alone.
    index
        Bytes of the index.
    """

    audio_s: float
    wall_s: float
    cpu_s: float
    resident: float
    own: float
    alone: float
    publishing_s: float
    index: int


def aligned_corpus(corpus: str, language: str, folder: Path, workers: int) -> list[Aligned]:
    """The utterances of a corpus as FLAC, with TextGrids, made once in `folder`."""
    found = read_corpus(corpus, language=language)
    align_corpora(
        AligningRequest((corpus,), language, folder / "grids", workers=workers, resume=True)
    )
    audio = folder / "audio"
    audio.mkdir(exist_ok=True)
    kept = []
    for number, utterance in enumerate(found.utterances):
        grid = textgrid_path(folder / "grids", utterance.id)
        if not grid.is_file():
            continue
        flac = audio / f"{number}.flac"
        if not flac.is_file():
            try:
                soundfile.write(flac, recording_of(utterance).samples, SAMPLE_RATE)
            except NativeEarError:
                continue
        speech = Utterance(utterance.id, flac, utterance.text, utterance.speaker, textgrid=grid)
        kept.append(Aligned(speech, soundfile.info(flac).duration))
    return kept


def repeated(speech: Sequence[Aligned], hours: float, table: Path) -> float:
    """Write a corpus of so many hours; returns its seconds.

    The order is drawn, so that a short corpus is of the same kind as a long one.
    """
    order = random.Random(SEED).sample(range(len(speech)), len(speech))  # noqa: S311
    total_s, turn = 0.0, 0
    table.parent.mkdir(parents=True, exist_ok=True)
    with table.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("id", "audio", "text", "speaker", "textgrid"))
        while total_s < hours * HOUR_S:
            again, place = divmod(turn, len(order))
            item = speech[order[place]]
            said = item.utterance
            rows.writerow(
                (f"{said.id}-{again}", said.audio, said.text or "", said.speaker, said.textgrid)
            )
            total_s, turn = total_s + item.audio_s, turn + 1
    return total_s


def build(table: Path, audio_s: float, language: str, options: Sequence[str]) -> Built:
    """Build an index by the product's own command, and look at what it takes."""
    out = table.parent / "index"
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "nativeear", "index", "build", "--corpus", str(table)]
    command += ["--lang", language, "--out", str(out), *options]
    log = table.parent / "log"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    peaks = np.zeros(3)
    pooled_s = 0.0
    with log.open("w+", encoding="utf-8") as stream:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stream)
        while process.poll() is None:
            sizes = [memory(pid) for pid in family(process.pid)]
            resident, own = (sum(size[name] for size in sizes) for name in ("VmRSS", "RssAnon"))
            peaks = np.maximum(peaks, (resident, own, sizes[0]["RssAnon"]))
            if not pooled_s and ENCODED.search(log.read_text(encoding="utf-8")):
                pooled_s = time.perf_counter() - started
            time.sleep(LOOK_EVERY_S)
    wall_s = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{log.read_text(encoding='utf-8')}The build ended with {process.returncode}.")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Built(
        audio_s=audio_s,
        wall_s=wall_s,
        cpu_s=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        resident=float(peaks[0]),
        own=float(peaks[1]),
        alone=float(peaks[2]),
        publishing_s=wall_s - pooled_s,
        index=sum(file.stat().st_size for file in out.rglob("*") if file.is_file()),
    )


def family(process: int) -> Iterator[int]:
    """A process and all that it started, and so on."""
    yield process
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = thread.read_text(encoding="utf-8").split()
        except OSError:  # it ended meanwhile
            continue
        for child in children:
            yield from family(int(child))


def exponent(builds: Sequence[Built]) -> float:
    """Slope of the logarithm of processor seconds over that of the corpus's length."""
    lengths = np.log([built.audio_s for built in builds])
    return float(np.polyfit(lengths, np.log([built.cpu_s for built in builds]), 1)[0])


def print_builds(builds: Sequence[Built]) -> None:
    """What each build cost, and what an hour of speech costs."""
    rows = []
    for built in builds:
        hours = built.audio_s / HOUR_S
        whole = (built.resident, built.own, built.alone, built.cpu_s / hours)
        rates = (built.publishing_s / hours, built.index / 1e6 / hours)
        spent = (f"{hours:.2f}", f"{built.wall_s:.0f}", f"{built.cpu_s:.0f}")
        real_time = f"{built.audio_s / built.wall_s:.1f}"
        sizes = (*(f"{value:.0f}" for value in whole), *(f"{value:.1f}" for value in rates))
        rows.append((*spent, real_time, *sizes))
    header = ("speech h", "clock s", "processor s", "real time ×", "resident MB", "own MB")
    per_hour = ("processor s per h", "publishing s per h", "index MB per h")
    show("", (*header, "own, command alone", *per_hour), rows)


def print_aims(builds: Sequence[Built]) -> None:
    """What was wanted beside what was found."""
    rate = builds[-1].audio_s / builds[-1].wall_s
    wanted = f"≥ {AIM_REAL_TIME:.0f} ×"
    rows = [("real time, the longest", wanted, f"{rate:.1f} ×", rate >= AIM_REAL_TIME)]
    if len(builds) > 1:
        for name, taken in (("all", builds), ("the last two", builds[-2:])):
            found = exponent(taken)
            aim = f"exponent of time, {name}"
            rows.append((aim, f"≤ {AIM_EXPONENT}", f"{found:.2f}", found <= AIM_EXPONENT))
        for name, sizes in (
            ("resident", [built.resident for built in builds]),
            ("own", [built.own for built in builds]),
        ):
            spread = (max(sizes) - min(sizes)) / (max(sizes) + min(sizes))
            wanted = f"± {AIM_MEMORY:.0%}"
            rows.append((f"memory, {name}", wanted, f"± {spread:.0%}", spread <= AIM_MEMORY))
    show_aims(rows)


def on_ray(nodes: int, table: Path, pooler: UtterancePooler) -> float:
    """Seconds that so many nodes of one core take to align and encode a corpus."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(nodes):
            cluster.add_node(num_cpus=1)
        utterances = read_corpus(str(table)).utterances
        with (
            tempfile.TemporaryDirectory() as folder,
            start_ray_workers(pooler, cluster.address) as run,
        ):
            paths = [Path(folder) / f"{number}.npz" for number in range(len(utterances))]
            first = 2 * SHARD
            list(run(pool_into, utterances[:first], paths[:first]))  # nodes open their encoders
            started = time.perf_counter()
            list(run(pool_into, utterances, paths))
            return time.perf_counter() - started
    finally:
        cluster.shutdown()


def print_ray(table: Path, language: str, encoder: str) -> None:
    """What a second Ray worker gains."""
    pooler = UtterancePooler(PoolingRequest(language, "textgrid", encoder, None, "middle-third"))
    one_s, two_s = (on_ray(nodes, table, pooler) for nodes in (1, 2))
    gain = one_s / two_s
    print(
        f"Ray: one worker {one_s:.1f} s, two workers {two_s:.1f} s, {gain:.2f} × "
        f"(aim ≥ {AIM_TWO_WORKERS} ×, {'met' if gain >= AIM_TWO_WORKERS else 'missed'})"
    )


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("corpus")
    parser.add_argument("--lang", default="en-US")
    parser.add_argument("--hours", type=float, nargs="*", default=[0.1, 1.0, 10.0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--encoder", default="default")
    parser.add_argument("--utterances", type=int, help="only the first of the corpus")
    parser.add_argument("--ray", type=float, metavar="HOURS", help="measure Ray too, on so much")
    options = parser.parse_args()
    name = hashlib.sha256(options.corpus.encode()).hexdigest()[:8]
    folder = CACHE / "builds" / name
    if options.utterances:
        folder = folder / str(options.utterances)
        folder.mkdir(parents=True, exist_ok=True)
        whole = read_corpus(options.corpus, language=options.lang).utterances
        some = write_table(folder / "some.csv", whole[: options.utterances])
        options.corpus = str(some)
    speech = aligned_corpus(options.corpus, options.lang, folder, options.workers)
    print(f"{len(speech)} utterances, load {os.getloadavg()[0]:.1f}")
    builds = []
    for hours in sorted(options.hours):
        table = folder / f"{hours:g}h" / "utterances.csv"
        audio_s = repeated(speech, hours, table)
        flags = ["--workers", str(options.workers), "--encoder", options.encoder]
        builds.append(build(table, audio_s, options.lang, flags))
        print_builds(builds)
    if builds:
        print_aims(builds)
    if options.ray is not None:
        table = folder / f"{options.ray:g}h" / "utterances.csv"
        repeated(speech, options.ray, table)
        print_ray(table, options.lang, options.encoder)


if __name__ == "__main__":
    main()
