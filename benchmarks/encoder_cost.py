"""What the encoder costs: time, memory, and room on the disk.

    python -m benchmarks.encoder_cost [--encoder NAME] [--frozen PART1 PART2] [--wheel FILE]

Real-time factors are processor seconds of one thread over seconds of sound, the median of several
runs after one that warms up, so that other work on the machine hardly disturbs them. The sound is
native prompts put end to end. Memory is that of a fresh process for each encoder: resident after
`import torch` and the package's encoders, then what opening the encoder and hearing 10 s adds to
it, and what the peak adds (loading holds weights twice for a moment).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from nativeear.speech.audio import Audio
from nativeear.speech.encoders.catalogue import load_encoder
from nativeear.speech.encoders.compact import FOLDER
from nativeear.speech.frames import Encoder, FloatArray

ROOT = Path(__file__).parents[1]
INDEX = ROOT / "indexes" / "en-US"
SAMPLE_RATE = 16_000
LENGTHS_S = (2.0, 5.0, 10.0, 30.0)
RUNS = 5
MEMORY_CLIP_S = 10.0
MB = 1e6


def sound(seconds: float) -> Audio:
    """Native speech of one length."""
    from nativeear.indexer.corpus import read_corpus

    pieces: list[FloatArray] = []
    missing = round(seconds * SAMPLE_RATE)
    for utterance in read_corpus("asterisk:en").utterances:
        piece = Audio.load(utterance.audio).samples[:missing]
        pieces.append(piece)
        missing -= len(piece)
        if not missing:
            break
    return Audio(np.concatenate(pieces), SAMPLE_RATE)


def real_time_factor(encoder: Encoder, audio: Audio) -> float:
    """Processor seconds per second of sound, median of `RUNS`."""
    encoder.encode(audio)
    spent = []
    for _ in range(RUNS):
        started = time.process_time()
        encoder.encode(audio)
        spent.append(time.process_time() - started)
    return statistics.median(spent) / audio.duration_s


def resident() -> float:
    """Resident bytes of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def peak_resident() -> float:
    """Most bytes this process ever held; `ru_maxrss` would tell its parent's where that is more."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return float(peak) * 1024


def report_memory(name: str) -> None:
    """Print, as JSON, what one encoder adds to a process that has imported everything."""
    noise = np.random.default_rng(0).normal(0, 0.05, round(MEMORY_CLIP_S * SAMPLE_RATE))
    audio = Audio(noise.astype(np.float32), SAMPLE_RATE)
    imported = resident()
    encoder = load_encoder(name, device="cpu")
    opened = resident()
    encoder.encode(audio)
    found = [imported, opened - imported, resident() - imported, peak_resident() - imported]
    print(json.dumps([value / MB for value in found]))


def memory(name: str) -> list[float]:
    """MB after the imports; then over them: opened, after hearing 10 s, at the peak."""
    command = [sys.executable, "-m", "benchmarks.encoder_cost", "--memory-of", name]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env=one_thread()
    )
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def one_thread() -> dict[str, str]:
    """The environment, with one thread for every library."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def sizes(encoder: str, wheel: Path | None) -> Table:
    """Room on the disk of the encoder, the index and the wheel."""
    source = encoder.partition(":")[2]
    folder = Path(source) if source else FOLDER
    table = Table(title="room on the disk")
    for column in ("what", "MB"):
        table.add_column(column)
    table.add_row(
        "encoder: encoder.safetensors", f"{size(folder / 'encoder.safetensors') / MB:.1f}"
    )
    table.add_row("index indexes/en-US, its clips included", f"{size(INDEX) / MB:.1f}")
    table.add_row("of which clips", f"{size(INDEX / 'audio') / MB:.1f}")
    built = wheel or max((ROOT / "dist").glob("*.whl"), key=os.path.getmtime, default=None)
    table.add_row("wheel", f"{size(built) / MB:.1f}" if built else "not built")
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--encoder", default="compact", help="compact, or compact:FOLDER")
    parser.add_argument("--frozen", type=Path, nargs="+", help="packages of Whisper base")
    parser.add_argument("--wheel", type=Path, help="by default the newest in dist/")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.memory_of:
        report_memory(options.memory_of)
        return
    audios = [sound(seconds) for seconds in LENGTHS_S]
    times = Table(title=f"real-time factor, one thread, median of {RUNS}")
    room = Table(title="resident memory, MB")
    for column in ("encoder", *(f"{seconds:.0f} s" for seconds in LENGTHS_S)):
        times.add_column(column)
    for column in ("encoder", "imports", "+ opened", f"+ {MEMORY_CLIP_S:.0f} s heard", "+ at peak"):
        room.add_column(column)
    with ExitStack() as stack:
        named = {"compact": options.encoder, "spectral": "spectral"}
        if options.frozen:
            from benchmarks.hidden_states import frozen_folder

            named["frozen start"] = f"compact:{stack.enter_context(frozen_folder(options.frozen))}"
        for label, name in named.items():
            encoder = load_encoder(name, device="cpu")
            factors = [real_time_factor(encoder, audio) for audio in audios]
            times.add_row(label, *(f"{factor:.4f}" for factor in factors))
            room.add_row(label, *(f"{value:.0f}" for value in memory(name)))
    console = Console(width=110)
    for table in (times, room, sizes(options.encoder, options.wheel)):
        console.print(table)


if __name__ == "__main__":
    main()
