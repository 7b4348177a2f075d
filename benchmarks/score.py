"""How fast an aligner's folder is scored, and whether it goes on wherever it is interrupted.

    python -m benchmarks.score [--files 1000] [--workers 2] [--kills 0] [--corpus asterisk:en]
                               [--lang en-US] [--index en-US] [--aligner ctc]

Recordings of the corpus are written as FLAC and aligned once (`nativeear align`); where there are
fewer than asked for, they come again under other names. Then `nativeear score` goes through them as
anybody would run it, with the start of its processes. Seconds of speech per second of processor
hold on a busy machine, too; times of the clock do not.

With `--kills`, it is started so many times more in another folder and killed with all its processes
(SIGKILL), a random moment after so many recordings are done; after the last kill it runs to its
end, and every table and TextGrid has to have the bytes of the unbroken run's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.reporting import options_of, show
from benchmarks.speech_data import write_table
from nativeear.indexer.corpus import Utterance, read_corpus
from nativeear.speech.audio import Audio

SEED = 0


def main() -> None:
    """Lay out the folder, score it, and print how long that took."""
    parser = options_of(__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--corpus", default="asterisk:en")
    parser.add_argument("--lang", default="en-US")
    parser.add_argument("--index", default="en-US")
    parser.add_argument("--aligner", default="ctc")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        whole = read_corpus(options.corpus, language=options.lang).utterances
        lay_out(folder / "speech", whole[: options.files], options.files, options)
        command = [sys.executable, "-m", "nativeear", "score", str(folder / "speech")]
        command += ["--index", options.index, "--workers", str(options.workers), "--json"]
        found, wall_s, processor_s = timed([*command, "--out", str(folder / "scored")], folder)
        speech_s = found["audio_s"]
        show(
            f"{found['recordings']} recordings, {found['phones']} phones, {speech_s / 60:.1f} min",
            ("workers", "seconds", "× real time", "processor s", "speech s per processor s"),
            [
                (
                    options.workers,
                    f"{wall_s:.0f}",
                    f"{speech_s / wall_s:.1f}",
                    f"{processor_s:.0f}",
                    f"{speech_s / processor_s:.1f}",
                )
            ],
        )
        worst = ((name, f"{score:.0f}", word) for name, score, word in found["worst"][:5])
        show("", ("worst first", "score", "worst word"), worst)
        if options.kills:
            broken = folder / "broken"
            rng = np.random.default_rng(SEED)
            aims = np.sort(rng.integers(0, options.files, options.kills)).tolist()
            reached = [
                killed([*command, "--out", str(broken)], aim, float(rng.uniform(0, 0.5)))
                for aim in aims
            ]
            timed([*command, "--out", str(broken)], folder)
            print(f"killed {options.kills} times; recordings done by then: {reached}")
            differing = different(folder / "scored", broken)
            print("the same bytes" if not differing else f"other bytes: {differing}")


def lay_out(
    folder: Path, utterances: tuple[Utterance, ...], files: int, options: Namespace
) -> None:
    """Write recordings and their alignments beside each other, so many of them."""
    folder.mkdir()
    (folder.parent / "once").mkdir()
    for number, utterance in enumerate(utterances):
        audio = Audio.load(utterance.audio)
        if utterance.start_s or utterance.end_s is not None:
            audio = audio.slice(utterance.start_s, utterance.end_s or audio.duration_s)
        flac = folder.parent / "once" / f"{number:04d}.flac"
        soundfile.write(flac, audio.samples, audio.sample_rate, subtype="PCM_16")
    table = write_table(folder.parent / "corpus.csv", utterances)
    grids = folder.parent / "grids"
    align = [sys.executable, "-m", "nativeear", "align", "--corpus", str(table)]
    for name in ("lang", "aligner", "workers"):
        align += [f"--{name}", str(getattr(options, name))]
    subprocess.run([*align, "--out", str(grids)], check=False)  # 1: some were set aside
    there = [
        (folder.parent / "once" / f"{number:04d}.flac", grids / f"{utterance.id}.TextGrid")
        for number, utterance in enumerate(utterances)
        if (grids / f"{utterance.id}.TextGrid").is_file()
    ]
    for number in range(files):
        flac, grid = there[number % len(there)]
        (folder / f"{number:04d}.flac").symlink_to(flac)
        (folder / f"{number:04d}.TextGrid").symlink_to(grid)


def timed(command: list[str], folder: Path) -> tuple[dict[str, Any], float, float]:
    """What a command printed as JSON, and its seconds by the clock and of the processor."""
    started = time.monotonic()
    with (folder / "printed.json").open("w+b") as printed:
        process = subprocess.Popen(command, stdout=printed)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        found = json.load(printed)
    return found, time.monotonic() - started, used.ru_utime + used.ru_stime


def killed(command: list[str], aim: int, later_s: float) -> int:
    """Start a command, kill it and all that it started once so many rows lie there; how many."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    partial = Path(command[-1]) / "scores.jsonl.partial"
    while process.poll() is None and rows_of(partial) < aim:
        time.sleep(0.02)
    time.sleep(later_s)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return rows_of(partial)


def rows_of(file: Path) -> int:
    """Lines of a file; none if it is not there."""
    return file.read_bytes().count(b"\n") if file.is_file() else 0


def different(one: Path, other: Path) -> list[str]:
    """Files that two folders do not have alike."""
    files = [
        {
            file.relative_to(folder): file.read_bytes()
            for file in folder.rglob("*")
            if file.is_file()
        }
        for folder in (one, other)
    ]
    names = sorted(files[0].keys() | files[1].keys())
    return [str(name) for name in names if files[0].get(name) != files[1].get(name)]


if __name__ == "__main__":
    main()
