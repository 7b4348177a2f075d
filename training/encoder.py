"""Train the compact encoder: `python -m training.encoder --help`.

From Whisper's encoder weights and the data to a packaged folder. Seeded; resumes from its
checkpoint with `--resume`; runs on CPU or GPU.
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file

from training import onnx_graph
from training.alignment import AlignedPhone, align_all, read_alignments
from training.augment import Example, make_example, plain_example
from training.compact_model import BLANK, CompactConfig, CompactEncoder, save
from training.corpus import read_asterisk, read_audio, read_speechocean
from training.objective import losses
from training.splice import Donors
from training.splits import fold_of, is_held_out
from training.whisper_weights import encoder_state, find_parts, read_ctranslate2

log = logging.getLogger("training.encoder")

BATCH_S = 24.0
WARM_UP_STEPS = 100
HEAD_RATE = 5.0  # of the phone head, times the body's
LAYER_DECAY = 0.85  # of the learning rate, per block downwards
AVERAGE = 0.995  # decay of the weights' moving average, which is what is kept
CHECKPOINT = "checkpoint"
GOOD_SCORE = 1.8  # every phone of an utterance this good: its text is what was said


@dataclass(frozen=True)
class Recording:
    """Audio in memory with its alignment."""

    id: str
    speaker: str
    samples: npt.NDArray[np.int16]
    phones: list[AlignedPhone]

    @property
    def speech_s(self) -> float:
        """Length from the first phone to the last, in seconds."""
        return self.phones[-1].end_s - self.phones[0].start_s


def load_data(
    data: Path, alignments: Path, test_folds: frozenset[int], workers: int
) -> tuple[list[Recording], list[Recording]]:
    """Read both corpora, aligning what isn't aligned yet.

    Returns
    -------
    train, test : list of Recording
        `test` holds the speakers of the folds; no held-out prompt is in either.
    """
    prompts, left_out = read_asterisk()
    log.info("asterisk: %d prompts, %d left out", len(prompts), len(left_out))
    learners = read_speechocean(data / "speechocean762-train")
    align_all(prompts + learners, alignments, workers)
    aligned = read_alignments(alignments)
    train: list[Recording] = []
    test: list[Recording] = []
    for utterance in prompts + learners:
        if utterance.scores is None and is_held_out(utterance.id):
            continue
        if utterance.id not in aligned:
            continue
        recording = Recording(
            utterance.id, utterance.speaker, read_audio(utterance.audio), aligned[utterance.id]
        )
        tested = utterance.scores is not None and fold_of(utterance.speaker) in test_folds
        (test if tested else train).append(recording)
    return train, test


def donors_of(recordings: list[Recording]) -> dict[str, Donors]:
    """Collect each speaker's own phones, to splice into the same speaker's sentences."""
    said: dict[str, list[tuple[npt.NDArray[np.int16], list[AlignedPhone]]]] = {}
    for recording in recordings:
        said.setdefault(recording.speaker, []).append((recording.samples, recording.phones))
    return {speaker: Donors(spoken) for speaker, spoken in said.items()}


def batches(recordings: list[Recording], rng: np.random.Generator) -> Iterator[list[Recording]]:
    """Group recordings of like length into batches of about `BATCH_S`, in random order."""
    jitter = rng.uniform(0.9, 1.1, size=len(recordings))
    order = np.argsort([r.speech_s * j for r, j in zip(recordings, jitter, strict=True)])
    groups: list[list[Recording]] = [[]]
    longest = 0.0
    for index in order:
        length = recordings[index].speech_s + 0.5
        if groups[-1] and max(longest, length) * (len(groups[-1]) + 1) > BATCH_S:
            groups.append([])
            longest = 0.0
        groups[-1].append(recordings[index])
        longest = max(longest, length)
    for position in rng.permutation(len(groups)):
        yield groups[position]


def greedy(log_probs: torch.Tensor) -> list[int]:
    """Collapse the best label of each frame, shape = (T, n_labels), to a phone sequence."""
    best = torch.unique_consecutive(log_probs.argmax(dim=-1)).tolist()
    return [label for label in best if label != BLANK]


def edit_distance(one: list[int], other: list[int]) -> int:
    """Count the substitutions, deletions and insertions between two sequences."""
    row = np.arange(len(other) + 1)
    for i, label in enumerate(one, start=1):
        previous, row = row, row + 0
        row[0] = i
        for j, against in enumerate(other, start=1):
            row[j] = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (label != against))
    return int(row[-1])


@torch.no_grad()
def validate(model: CompactEncoder, recordings: list[Recording], device: str) -> dict[str, float]:
    """Measure likelihood and greedy phone error on recordings of unseen speakers."""
    model.eval()
    sums = {"ctc": 0.0, "frame": 0.0, "rejection": 0.0}
    errors = phones = 0
    for recording in recordings:
        example = plain_example(recording.samples, recording.phones)
        encoded = model(*model.collate([example.mel.to(device)]))
        for name, value in losses(encoded, [example], 0.0)._asdict().items():
            sums[name] += float(value) / len(recordings)
        if all((p.score or 0.0) >= GOOD_SCORE for p in recording.phones):
            errors += edit_distance(greedy(encoded.log_probs[0]), example.phones.tolist())
            phones += len(example.phones)
    return {**sums, "per": errors / max(phones, 1)}


def _parameter_groups(model: CompactEncoder, rate: float, frozen: int) -> list[dict[str, Any]]:
    """Freeze the front end and the lowest `frozen` blocks; lower rates further down."""
    for module in [model.conv1, model.conv2][: 2 if frozen else 0]:
        module.requires_grad_(False)
    depth = len(model.blocks)
    groups: list[dict[str, Any]] = [
        {"params": list(model.head.parameters()), "rate": rate * HEAD_RATE},
        {"params": list(model.final_norm.parameters()), "rate": rate},
    ]
    for index, block in enumerate(model.blocks):
        if index < frozen:
            block.requires_grad_(False)
        else:
            scaled = rate * LAYER_DECAY ** (depth - 1 - index)
            groups.append({"params": list(block.parameters()), "rate": scaled})
    if not frozen:
        front = [*model.conv1.parameters(), *model.conv2.parameters()]
        groups.append({"params": front, "rate": rate * LAYER_DECAY**depth})
    return groups


def _schedule(progress: float, step: int) -> float:
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return warm * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, progress))))


class Trainer:
    """Model, moving average, optimiser and counters: everything that a checkpoint keeps."""

    COUNTERS = ("epoch", "batch", "step", "minutes", "sums")

    def __init__(self, options: argparse.Namespace, config: CompactConfig) -> None:
        self.options = options
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(options.seed)
        self.model = CompactEncoder(config)
        arrays = read_ctranslate2(find_parts(options.whisper_base))
        start = {k: torch.from_numpy(v) for k, v in encoder_state(arrays, config.n_layers).items()}
        missing = self.model.load_state_dict(start, strict=False).missing_keys
        log.info("not from Whisper: %s", ", ".join(missing))
        if options.start is not None:
            kept = Path(options.start) / CHECKPOINT / "average.safetensors"
            self.model.load_state_dict(load_file(kept))
        self.model.to(self.device)
        self.average = copy.deepcopy(self.model).eval()
        groups = _parameter_groups(self.model, options.rate, options.frozen_blocks)
        self.optimiser = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98), weight_decay=0.01)
        self.epoch = self.batch = self.step = 0
        self.minutes = 0.0
        self.sums: dict[str, float] = {}

    @property
    def checkpoint(self) -> Path:
        """Where the state is kept between epochs and runs."""
        return Path(self.options.out) / CHECKPOINT

    def write(self) -> None:
        """Keep everything needed to go on."""
        self.checkpoint.mkdir(parents=True, exist_ok=True)
        save_file(self.model.state_dict(), self.checkpoint / "model.safetensors")
        save_file(self.average.state_dict(), self.checkpoint / "average.safetensors")
        torch.save(self.optimiser.state_dict(), self.checkpoint / "optimiser.pt")
        state = {name: getattr(self, name) for name in self.COUNTERS}
        (self.checkpoint / "state.json").write_text(json.dumps(state), encoding="utf-8")

    def read(self) -> None:
        """Go on from the checkpoint, at the batch it was written after."""
        self.model.load_state_dict(load_file(self.checkpoint / "model.safetensors"))
        self.average.load_state_dict(load_file(self.checkpoint / "average.safetensors"))
        kept = torch.load(self.checkpoint / "optimiser.pt", weights_only=True)
        self.optimiser.load_state_dict(kept)
        state = json.loads((self.checkpoint / "state.json").read_text(encoding="utf-8"))
        for name in self.COUNTERS:
            setattr(self, name, state[name])

    def _update_average(self) -> None:
        keep = min(AVERAGE, self.step / (self.step + 20.0))
        for mean, now in zip(self.average.parameters(), self.model.parameters(), strict=True):
            if now.requires_grad:
                mean.data.lerp_(now.data, 1.0 - keep)

    def train_batch(self, examples: list[Example], progress: float) -> dict[str, float]:
        """Take one optimiser step."""
        self.model.train()
        scale = _schedule(progress, self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = group["rate"] * scale
        mels, lengths = self.model.collate([e.mel.to(self.device) for e in examples])
        with torch.autocast(self.device, torch.bfloat16, enabled=self.options.bfloat16):
            encoded = self.model(mels, lengths)
        encoded = encoded._replace(log_probs=encoded.log_probs.float())
        found = losses(encoded, examples)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward([found.total])
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self._update_average()
        return {name: float(value.detach()) for name, value in found._asdict().items()}

    def progress(self, n_batches: int) -> float:
        """Say how far the run is, 0 to 1: by epochs or by minutes, whichever is further."""
        by_epochs = (self.epoch + self.batch / n_batches) / float(self.options.epochs)
        return max(by_epochs, self.minutes / float(self.options.minutes))

    def _example(
        self,
        recording: Recording,
        train: list[Recording],
        donors: dict[str, Donors],
        rng: np.random.Generator,
    ) -> Example:
        behind = train[rng.integers(len(train))].samples
        spliced = rng.random() < self.options.splice
        own = donors[recording.speaker] if spliced else None
        return make_example(recording.samples, recording.phones, rng, behind, own)

    def train_epoch(self, train: list[Recording], donors: dict[str, Donors]) -> dict[str, float]:
        """Go through the data once, or until the minutes are used up.

        The epoch and the batch alone seed what is random, so that a resumed run goes on alike.
        """
        groups = list(batches(train, np.random.default_rng([self.options.seed, self.epoch])))
        while self.batch < len(groups) and self.minutes < self.options.minutes:
            started = time.monotonic()
            rng = np.random.default_rng([self.options.seed, self.epoch, self.batch])
            examples = [self._example(r, train, donors, rng) for r in groups[self.batch]]
            for name, value in self.train_batch(examples, self.progress(len(groups))).items():
                self.sums[name] = self.sums.get(name, 0.0) + value
            self.batch += 1
            self.minutes += (time.monotonic() - started) / 60
            if self.batch % 50 == 0:
                means = " ".join(f"{k} {v / self.batch:.3f}" for k, v in self.sums.items())
                log.info("epoch %d, %d of %d: %s", self.epoch, self.batch, len(groups), means)
            if self.batch % 100 == 0:
                self.write()
        means_of_epoch = {name: value / self.batch for name, value in self.sums.items()}
        self.epoch += 1
        self.batch, self.sums = 0, {}
        return means_of_epoch


def train(options: argparse.Namespace) -> None:
    """Train, write the log, and package the averaged weights."""
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    config = CompactConfig(n_layers=options.layers, gop_layer=options.layers + 1)
    trainer = Trainer(options, config)
    if options.resume and trainer.checkpoint.is_dir():
        trainer.read()
    alignments = options.alignments or options.out / "alignments.jsonl"
    data, test = load_data(options.data, alignments, frozenset(options.fold or ()), options.threads)
    hours = sum(r.speech_s for r in data) / 3600
    log.info("%d recordings, %.2f h of speech; %d to test", len(data), hours, len(test))
    donors = donors_of(data)
    journal = options.out / "training-log.jsonl"
    while trainer.epoch < options.epochs and trainer.minutes < options.minutes:
        row: dict[str, Any] = {"train": trainer.train_epoch(data, donors)}
        row |= {"epoch": trainer.epoch, "step": trainer.step}
        row["minutes"] = round(trainer.minutes, 2)
        trainer.write()
        if test:
            row["test"] = validate(trainer.average, test[::5], trainer.device)
        with journal.open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")
        log.info("%s", json.dumps(row))
    save(trainer.average, options.out, config)
    onnx_graph.write(options.out, options.out)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="holds speechocean762-train")
    parser.add_argument(
        "--whisper-base",
        type=Path,
        nargs="+",
        required=True,
        help="folders of the unpacked weight packages",
    )
    parser.add_argument("--out", type=Path, required=True)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--fold", type=int, nargs="+", choices=range(5), help="speakers to leave for testing"
    )
    which.add_argument("--all", action="store_true", help="train on every speaker")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--start", type=Path, help="go on from another run's averaged weights")
    parser.add_argument("--bfloat16", action="store_true", help="matrix products in bfloat16")
    parser.add_argument("--alignments", type=Path, help="kept here; default: in --out")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--frozen-blocks", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=math.inf, help="end the run by then")
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--splice", type=float, default=0.5, help="share of examples spliced")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    train(options)


if __name__ == "__main__":
    main()
