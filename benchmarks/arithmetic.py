"""What rounding costs and saves: the shipped encoder in several kinds of arithmetic, HuBERT-Large.

    OMP_NUM_THREADS=1 python -m benchmarks.arithmetic [--repeats N] [--large]

The shipped encoder hears native prompts of the package in torch with float32, with the products of
its blocks in bfloat16 (what `nativeear.load` takes where the processor has instructions for it) and
with its linear layers in dynamic int8, and in ONNX Runtime with float32 and with dynamic int8.
Times are of one thread, medians; the loss is the cosine of every frame's embedding with float32's,
and the share of frames whose likeliest phone is another.

`--large` times HuBERT-Large (24 layers, 1024 wide; random weights, which do not matter for time) by
the loader of transformers models, one recording at a time, as seconds of sound per second.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.speed import PROMPTS, ROOT
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.catalogue import load_encoder
from nativeear.speech.encoders.compact import FOLDER
from nativeear.speech.encoders.compact_model import CompactEncoder, load, log_mel

FloatArray = NDArray[np.float32]
Network = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""Log-mel `[1, 80, T]` to embeddings `[T', 512]` and log posteriors `[T', V]`."""


class Traced(torch.nn.Module):
    """The encoder without lengths, for one recording at a time."""

    def __init__(self, model: CompactEncoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, mels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Embeddings and log posteriors, `[1, T, …]`."""
        lengths = torch.full((1,), mels.shape[2], dtype=torch.int64)
        encoded = self.model(mels, lengths)
        return encoded.hidden[self.model.config.knn_layer], encoded.log_probs


@dataclass(frozen=True)
class Measured:
    """One kind of arithmetic: seconds for the longest prompt, and what it changes."""

    name: str
    seconds: float
    least_cosine: float
    median_cosine: float
    other_phones: float


def in_torch(model: CompactEncoder) -> Network:
    traced = Traced(model)

    def run(mels: FloatArray) -> tuple[FloatArray, FloatArray]:
        with torch.inference_mode():
            hidden, log_probs = traced(torch.from_numpy(mels))
        return hidden[0].float().numpy(), log_probs[0].float().numpy()

    return run


def in_int8(model: CompactEncoder) -> Network:
    from torch.ao.quantization import per_channel_dynamic_qconfig, quantize_dynamic

    kinds = {torch.nn.Linear: per_channel_dynamic_qconfig}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch would rather have another package do this
        quantised: CompactEncoder = quantize_dynamic(  # type: ignore[no-untyped-call]
            copy.deepcopy(model), kinds, dtype=torch.qint8
        )
    return in_torch(quantised)


def in_onnx(graph: Path) -> Network:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def run(mels: FloatArray) -> tuple[FloatArray, FloatArray]:
        hidden, log_probs = session.run(None, {"mels": mels})
        return hidden[0], log_probs[0]

    return run


def export(model: CompactEncoder, folder: Path) -> tuple[Path, Path]:
    """The encoder as an ONNX graph, in float32 and with int8 products."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    exact, rounded = folder / "exact.onnx", folder / "int8.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Traced(model),
            (torch.zeros(1, 80, 400),),
            str(exact),
            input_names=["mels"],
            output_names=["hidden", "log_probs"],
            dynamic_axes={"mels": {2: "frames"}, "hidden": {1: "out"}, "log_probs": {1: "out"}},
            dynamo=False,
        )
        quantize_dynamic(exact, rounded, weight_type=QuantType.QInt8, per_channel=True)
    return exact, rounded


def seconds(work: Callable[[], object], repeats: int) -> float:
    work()
    spent = []
    for _ in range(repeats):
        started = perf_counter()
        work()
        spent.append(perf_counter() - started)
    return statistics.median(spent)


def measure(
    name: str, network: Network, exact: Network, heard: list[FloatArray], repeats: int
) -> Measured:
    cosines, others = [], []
    for mels in heard:
        (own, own_probs), (true, true_probs) = network(mels), exact(mels)
        norms = np.linalg.norm(own, axis=1) * np.linalg.norm(true, axis=1)
        cosines.append((own * true).sum(axis=1) / norms)
        others.append(own_probs.argmax(axis=1) != true_probs.argmax(axis=1))
    longest = max(heard, key=np.size)
    all_cosines = np.concatenate(cosines)
    return Measured(
        name,
        seconds(lambda: network(longest), repeats),
        float(all_cosines.min()),
        float(np.median(all_cosines)),
        float(np.concatenate(others).mean()),
    )


def save_hubert(folder: Path, layers: int = 24) -> None:
    """HuBERT-Large with random weights, which do not matter for time."""
    from transformers import HubertConfig, HubertModel

    config = HubertConfig(
        hidden_size=1024,
        num_hidden_layers=layers,
        num_attention_heads=16,
        intermediate_size=4096,
        do_stable_layer_norm=True,
        feat_extract_norm="layer",
        conv_bias=True,
    )
    HubertModel(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(
        '{"do_normalize": true, "sampling_rate": 16000}', encoding="utf-8"
    )


def large(folder: Path, audio: Audio, repeats: int) -> dict[str, float]:
    """Seconds of sound per second by HuBERT-Large, by the type of its numbers."""
    save_hubert(folder)
    found = {}
    for dtype in ("float32", "bfloat16"):
        encoder = load_encoder(folder, device="cpu", dtype=dtype)
        spent = seconds(partial(encoder.encode, audio), repeats)
        found[dtype] = audio.duration_s / spent
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--large", action="store_true", help="HuBERT-Large instead")
    options = parser.parse_args()
    torch.set_num_threads(1)
    console = Console(width=100)
    prompts = [Audio.load(ROOT / "service/data" / f"{name}.flac") for name, _ in PROMPTS]
    longest = max(prompts, key=lambda audio: audio.duration_s)
    with tempfile.TemporaryDirectory() as folder:
        if options.large:
            table = Table("HuBERT-Large, one thread", "× real time")
            for dtype, rate in large(Path(folder), longest, min(3, options.repeats)).items():
                table.add_row(dtype, f"{rate:.2f}")
            console.print(table)
            return
        model = load(FOLDER)
        heard = [log_mel(torch.from_numpy(audio.samples))[None].numpy() for audio in prompts]
        exact = in_torch(model)
        graph, rounded = export(model, Path(folder))
        kinds = {
            "torch, float32": exact,
            "torch, bfloat16": in_torch(copy.deepcopy(model).multiply_in(torch.bfloat16)),
            "torch, dynamic int8": in_int8(model),
            "ONNX Runtime, float32": in_onnx(graph),
            "ONNX Runtime, dynamic int8": in_onnx(rounded),
        }
        table = Table(
            f"{longest.duration_s:.1f} s, one thread",
            "ms",
            "least cosine",
            "median cosine",
            "other phones",
        )
        for name, network in kinds.items():
            found = measure(name, network, exact, heard, options.repeats)
            table.add_row(
                name,
                f"{1000 * found.seconds:.0f}",
                f"{found.least_cosine:.4f}",
                f"{found.median_cosine:.5f}",
                f"{100 * found.other_phones:.1f} %",
            )
        console.print(table)


if __name__ == "__main__":
    main()
