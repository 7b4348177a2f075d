"""Where the time of an assessment goes, what a cold process costs, and what a batch gains.

    OMP_NUM_THREADS=1 python -m benchmarks.speed [--repeats N] [--batch N] [--aligner NAME]

The sentence is a prompt that comes with the package, 4.6 s long. Its stages run warm on one
thread, and each figure is the median of the repeats. Beside the time on the clock stands the
processor's, which other work on the machine hardly disturbs; `load` is what the machine had to do
before.

A cold process is `nativeear assess` started anew, with as many threads as it takes by itself.

A batch is `nativeear assess --manifest` with two processes over many copies of the prompts, start
included. The plain loops beside it are what research code does, in this same run and on as many
cores: one recording after the other, one forward pass each in float32, the same alignment, and
every phone by itself against the whole pool, by brute-force cosine in torch and a vote of the
nearest. They give a verdict per phone, and neither GOP nor grades, evidence or prosody. One loop
has the shipped encoder; the other has transformers' own of the same shape, Whisper base, which
hears every recording as 30 s of sound. Its weights are random: for time, they do not matter.
"""

from __future__ import annotations

import csv
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import soundfile
from numpy.typing import NDArray

import nativeear
from benchmarks.reporting import median_seconds, options_of, show, show_aims
from benchmarks.speech_data import PROMPTS, ROOT, prompt
from nativeear.scoring.assessor import Assessor
from nativeear.scoring.calibration import calibration_of
from nativeear.scoring.evidence import NO_EXCLUSION, EvidenceGatherer
from nativeear.scoring.gop_evidence import measure_gop
from nativeear.scoring.prosody.assessing import assess_prosody
from nativeear.scoring.prosody.natives import NativeProsody
from nativeear.service.batch import assess_manifest
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.catalogue import load_encoder
from nativeear.speech.frames import Frames
from nativeear.speech.pooling import pool

INDEX = "en-US"
NEAREST = 20
CORES = 2

AIM_WARM_S = 0.17
AIM_EVIDENCE_S = 0.04
AIM_COLD_S = 3.0
AIM_BATCH = 20.0
AIM_TIMES_PLAIN = 5.0

Cost = tuple[float, float]
"""Seconds by the clock and of the processor."""


def sentence() -> tuple[Audio, str]:
    """A sentence of native speech, and what is said."""
    name, text = PROMPTS[-1]
    return Audio.load(prompt(name)), text


def stages(assessor: Assessor, recording: bytes, text: str, repeats: int) -> dict[str, Cost]:
    """Every stage by itself, `evidence and grades` with its parts, and the whole."""
    index, inventory = assessor.index, assessor.inventory
    gatherer = EvidenceGatherer(index)
    calibration = calibration_of("auto", index)
    natives = NativeProsody(index)
    audio = Audio.load(recording)
    meant = assessor.pronounce(text)
    frames = assessor.encoder.encode(audio)
    alignment = assessor.aligner.align(audio, meant, frames)
    canonical = [phone.phone for phone in alignment.spoken]
    gop = measure_gop(frames, inventory, canonical)
    evidence = gatherer.gather(frames, alignment, gop)
    result = assessor.assess(recording, text)
    work: dict[str, Callable[[], object]] = {
        "decode": lambda: Audio.load(recording),
        "pronounce": lambda: assessor.pronounce(text),
        "encode": lambda: assessor.encoder.encode(audio),
        f"align ({assessor.aligner.name})": lambda: assessor.aligner.align(audio, meant, frames),
        "kNN + GOP + fusion": lambda: calibration.grades(
            gatherer.gather(frames, alignment, measure_gop(frames, inventory, canonical))
        ),
        "  of which GOP": lambda: measure_gop(frames, inventory, canonical),
        "  of which grades": lambda: calibration.grades(evidence),
        "prosody": lambda: assess_prosody(
            audio,
            alignment,
            words=result.words,
            insertions=result.insertions,
            natives=natives,
            inventory=inventory,
            text=text,
            exclusion=NO_EXCLUSION,
            frames=frames,
        ),
        "JSON": result.model_dump_json,
        "in all": lambda: assessor.assess(recording, text).model_dump_json(),
    }
    return {name: median_seconds(stage, repeats) for name, stage in work.items()}


def cold(recording: Path, text: str, repeats: int) -> Cost:
    """Median cost of a process that assesses one recording."""
    command = [sys.executable, "-m", "nativeear", "assess", str(recording), "--text", text]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}

    def once() -> Cost:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = perf_counter()
        subprocess.run(
            [*command, "--json"], cwd=ROOT, check=True, capture_output=True, env=environment
        )
        wall_s = perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    once()  # its files are in the page cache afterwards
    walls, cpus = zip(*(once() for _ in range(repeats)), strict=True)
    return statistics.median(walls), statistics.median(cpus)


@dataclass(frozen=True)
class Throughput:
    """Seconds of sound per second: the product with two processes, and the plain loops."""

    product: float
    shipped_loop: float
    whisper_loop: float


def batch(folder: Path, recordings: int) -> Throughput:
    """Assess many recordings in all three ways."""
    manifest = folder / "batch.csv"
    files = [(prompt(name), text) for name, text in PROMPTS]
    rows = [files[i % len(files)] for i in range(recordings)]
    with manifest.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("id", "audio", "text"))
        table.writerows((f"{i}", path, text) for i, (path, text) in enumerate(rows))
    sound_s = sum(soundfile.info(path).duration for path, _ in rows)
    started = perf_counter()
    report = assess_manifest(manifest, folder / "batch.jsonl", index=INDEX, workers=CORES)
    product_s = perf_counter() - started
    if report.failed:
        sys.exit(f"{report.failed} of {recordings} recordings could not be assessed.")
    few = rows[: max(len(PROMPTS), recordings // 5)]  # a loop's rate does not depend on its length
    few_s = sound_s * len(few) / len(rows)
    return Throughput(
        sound_s / product_s,
        few_s / plain_loop(few),
        few_s / plain_loop(few, whisper()),
    )


def whisper() -> Callable[[Audio], NDArray[np.float32]]:
    """Frames `[T, 512]` by transformers' encoder of Whisper base, with random weights."""
    import torch
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

    shape = WhisperConfig(
        d_model=512,
        encoder_layers=6,
        encoder_attention_heads=8,
        encoder_ffn_dim=2048,
        decoder_layers=1,
        decoder_attention_heads=8,
    )
    model = WhisperModel(shape).encoder.eval()
    features = WhisperFeatureExtractor()

    def encode(audio: Audio) -> NDArray[np.float32]:
        asked = features(audio.samples, sampling_rate=audio.sample_rate, return_tensors="pt")
        with torch.inference_mode():
            heard = model(asked.input_features).last_hidden_state[0].numpy()
        return np.asarray(heard[: round(audio.duration_s * 50)])

    return encode


def plain_loop(
    rows: list[tuple[Path, str]], encode: Callable[[Audio], NDArray[np.float32]] | None = None
) -> float:
    """Seconds that recordings take one by one, as the docstring above says."""
    import torch

    torch.set_num_threads(CORES)
    started = perf_counter()
    assessor = nativeear.load(INDEX)
    index = assessor.index
    encoder = load_encoder("default")
    pool_of_natives = torch.from_numpy(np.array(index.vectors))
    classes = torch.from_numpy(np.repeat(np.arange(len(index.classes)), np.diff(index.bounds)))
    for path, text in rows:
        audio = Audio.load(path)
        frames = Frames(encode(audio), 0.02, 0.0) if encode else encoder.encode(audio)
        alignment = assessor.aligner.align(audio, assessor.pronounce(text), frames)
        for phone in alignment.spoken:
            pooled = pool(frames, [(phone.start_s, phone.end_s)], index.manifest.pooling)
            sound = torch.from_numpy(index.transform(pooled))
            similar = torch.nn.functional.cosine_similarity(sound, pool_of_natives)
            nearest = classes[similar.topk(NEAREST).indices]
            _ = index.classes[int(nearest.mode().values)] == phone.phone
    return perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--batch", type=int, default=100, help="recordings; 0 leaves it out")
    parser.add_argument("--cold", type=int, default=3, help="processes; 0 leaves them out")
    parser.add_argument("--aligner", default="auto")
    options = parser.parse_args()
    audio, text = sentence()
    print(f"One recording of {audio.duration_s:.2f} s, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "sentence.wav"
        soundfile.write(recording, audio.samples, audio.sample_rate)
        assessor = nativeear.load(INDEX, aligner=options.aligner)
        found = stages(assessor, recording.read_bytes(), text, options.repeats)
        rows = [
            (name, f"{1000 * wall_s:.0f}", f"{1000 * cpu_s:.0f}", f"{cpu_s / audio.duration_s:.3f}")
            for name, (wall_s, cpu_s) in found.items()
        ]
        show("", ("warm, one thread", "clock ms", "processor ms", "of the sound"), rows)
        warm, evidence = found["in all"][1], found["kNN + GOP + fusion"][1]
        aims = [
            aim("assess, warm, processor", warm, "s", most=AIM_WARM_S),
            aim("kNN + GOP + fusion of it", evidence, "s", most=AIM_EVIDENCE_S),
        ]
        if options.cold:
            wall_s, cpu_s = cold(recording, text, options.cold)
            aims += [
                aim("cold process, clock", wall_s, "s", most=AIM_COLD_S),
                aim("cold process, processor", cpu_s, "s"),
            ]
        if options.batch:
            rate = batch(Path(folder), options.batch)
            name = f"batch of {options.batch}, real time"
            aims.append(aim(name, rate.product, "×", least=AIM_BATCH))
            for encoder, plain in (
                ("shipped encoder", rate.shipped_loop),
                ("Whisper of transformers", rate.whisper_loop),
            ):
                name = f"over the plain loop, {encoder} ({plain:.1f} ×)"
                aims.append(aim(name, rate.product / plain, "×", least=AIM_TIMES_PLAIN))
        show_aims(aims)


def aim(
    name: str, found: float, unit: str, *, most: float = math.inf, least: float = -math.inf
) -> tuple[str, str, str, bool]:
    """What was wanted, and what was found."""
    bounds = [f"≤ {most:g} {unit}"] * (most < math.inf) + [f"≥ {least:g} {unit}"] * (least > 0)
    return name, " ".join(bounds) or "–", f"{found:.2f} {unit}", least <= found <= most


if __name__ == "__main__":
    main()
