"""What rounding costs and saves: the products of the shipped encoder in several arithmetics.

    OMP_NUM_THREADS=1 python -m benchmarks.onnx_arithmetic [--learners 100] [--repeats N]

`training.onnx_graph` builds a graph of each kind from the same weights; onnxruntime runs it in as
many threads as `OMP_NUM_THREADS` says. Printed are the milliseconds of 5 s of speech (the median),
the least and the median cosine of every frame's embedding with float32's, the share of frames whose
likeliest phone is another, the size of the file, and how well phones of learners of speechocean762
are told by the log posterior averaged with CTC occupancy: ROC-AUC for those that experts scored
below 0.5, and PCC. The encoder has learnt from these learners, so that only differences between the
rows mean something. `static` is calibrated on the prompts of the package, which are not among them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, get_args

import numpy as np
import onnx
from rich.console import Console
from rich.table import Table

from benchmarks.speech_data import PROMPTS, ROOT
from nativeear.scoring.metrics import pearson, roc_auc
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.encoders.log_mel import log_mel
from nativeear.speech.encoders.sessions import open_session
from nativeear.speech.frames import FloatArray
from nativeear.speech.occupancy import mean_log_posterior, phone_occupancy
from training.compact_model import WEIGHTS, read_config
from training.corpus import Utterance, read_speechocean
from training.onnx_graph import LARGEST, Products, build, hidden
from training.splits import fold_of

DATA = ROOT.parent / "shared" / "data" / "speechocean762-train"
SPOKEN_S = 5.0
CLIPPED = 0.0001
"""Share of the values of a product's input that `static` may cut off."""


@dataclass(frozen=True)
class Heard:
    """What a graph makes of one recording: `[T, 512]` and `[T, V]`."""

    embeddings: FloatArray
    log_probs: FloatArray


class Network:
    """A graph, open in one thread."""

    def __init__(self, graph: Path) -> None:
        self._session = open_session(graph)
        self._layer = hidden(read_config(WEIGHTS).knn_layer)

    def hear(self, mel: FloatArray) -> Heard:
        wanted = [self._layer, "log_probs"]
        embeddings, log_probs = self._session.run(wanted, {"log_mel": mel[None]})
        return Heard(embeddings[0], log_probs[0])


def input_scales(mels: list[FloatArray], folder: Path) -> dict[str, float]:
    """Scale of the input of each product, from the values that it takes in float32."""
    model = build(WEIGHTS, "float32")
    names = {
        node.input[1].removesuffix(".matrix"): node.input[0]
        for node in model.graph.node
        if node.op_type == "MatMul" and node.input[1].startswith("blocks.")
    }
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in set(names.values()))
    file = folder / "inputs.onnx"
    onnx.save(model, file)
    session: Any = open_session(file)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for mel in mels:
        found = session.run(list(names.values()), {"log_mel": mel[None]})
        values = dict(zip(names, found, strict=True))
        for name, value in values.items():
            taken[name].append(float(np.quantile(np.abs(value), 1 - CLIPPED)))
    return {name: max(values) / LARGEST for name, values in taken.items()}


def agreement(network: Network, learners: list[Utterance]) -> tuple[float, float]:
    """ROC-AUC and PCC of phones' log posteriors with experts."""
    labels = read_config(WEIGHTS).labels
    own, expert = [], []
    for utterance in learners:
        log_probs = network.hear(log_mel(Audio.load(utterance.audio).samples)).log_probs
        canonical = np.array([labels.index(p) for word in utterance.words for p in word[0]])
        weights = phone_occupancy(log_probs, canonical)
        own += mean_log_posterior(log_probs.astype(np.float64), weights, canonical).tolist()
        expert += [score for word in utterance.scores or () for score in word]
    given, told = np.array(expert), np.array(own)
    return roc_auc(given < 0.5, -told), pearson(told, given)


def milliseconds(network: Network, mel: FloatArray, repeats: int) -> float:
    network.hear(mel)
    spent = []
    for _ in range(repeats):
        started = perf_counter()
        network.hear(mel)
        spent.append(perf_counter() - started)
    return 1000 * statistics.median(spent)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--learners", type=int, default=100, help="Recordings of learners.")
    options = parser.parse_args()
    prompts = [Audio.load(ROOT / "service/data" / f"{name}.flac") for name, _ in PROMPTS]
    mels = [log_mel(audio.samples) for audio in prompts]
    spoken = np.concatenate([audio.samples for audio in prompts])
    timed = log_mel(np.resize(spoken, round(SPOKEN_S * SAMPLE_RATE)))
    learners: list[Utterance] = []
    if DATA.is_dir():
        every = [u for u in read_speechocean(DATA) if fold_of(u.speaker) == 0]
        learners = every[:: max(1, len(every) // max(1, options.learners))]
    table = Table("products", "ms", "MB", "least cosine", "median", "other phones", "AUC", "PCC")
    table.title = f"{SPOKEN_S:g} s, one thread; {len(learners)} recordings of learners"
    exact: list[Heard] = []
    with tempfile.TemporaryDirectory() as kept:
        scales = input_scales(mels, Path(kept))
        for products in ("float32", *(p for p in get_args(Products) if p != "float32")):
            file = Path(kept) / "encoder.onnx"
            onnx.save(build(WEIGHTS, products, scales), file)
            network = Network(file)
            heard = [network.hear(mel) for mel in mels]
            exact = exact or heard
            own = np.concatenate([h.embeddings for h in heard])
            true = np.concatenate([h.embeddings for h in exact])
            norms = np.linalg.norm(own, axis=1) * np.linalg.norm(true, axis=1)
            cosine = (own * true).sum(axis=1) / norms
            other = np.concatenate(
                [
                    h.log_probs.argmax(axis=1) != e.log_probs.argmax(axis=1)
                    for h, e in zip(heard, exact, strict=True)
                ]
            )
            auc, pcc = agreement(network, learners) if learners else (np.nan, np.nan)
            table.add_row(
                products,
                f"{milliseconds(network, timed, options.repeats):.0f}",
                f"{file.stat().st_size / 1e6:.1f}",
                f"{cosine.min():.4f}",
                f"{np.median(cosine):.5f}",
                f"{100 * other.mean():.1f} %",
                f"{auc:.4f}",
                f"{pcc:.4f}",
            )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
