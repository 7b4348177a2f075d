"""What a graphics card brings: HuBERT-Large one by one and in batches, and exact search.

    python -m benchmarks.graphics [--recordings 64] [--seconds 5] [--vectors 1000000]

HuBERT-Large (24 layers, 1024 wide; random weights, which do not matter for time) encodes recordings
of noise, of half to one and a half times `--seconds`, by the product's own loader: one after the
other in float32, as research code does, and together, in float32 and in bfloat16. The share of the
peak is that of a product of large square matrices in the same numbers on the same device.

Search asks 40 queries at a time for the ten nearest of all and of each of 40 phones, by the
product's own code, on the processor and on the device; the vectors are random.

`--device cpu`, with few `--layers` and `--vectors`, shows that it runs where there is no card.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.reporting import median_seconds, options_of, show
from nativeear.indexes.resident import ResidentVectors
from nativeear.indexes.similarity import FloatArray, best_of_classes, class_products
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.encoders.catalogue import Arithmetic, Device, has_gpu, load_encoder
from nativeear.speech.frames import Encoder

PHONES = 40
DIMS = 256
BATCH = 40
NEAREST = 10
SIDE = {"cuda": 8192, "cpu": 1024}
"""Side of the matrices whose product tells the peak."""


def recordings(number: int, mean_s: float) -> list[Audio]:
    """Noise of several lengths."""
    rng = np.random.default_rng(0)
    lengths = np.round(rng.uniform(0.5, 1.5, number) * mean_s * SAMPLE_RATE).astype(int)
    return [Audio(rng.normal(0, 0.1, n).astype(np.float32)) for n in lengths.tolist()]


def operations(samples: int, layers: int) -> float:
    """Operations of HuBERT-Large on one recording: two for each product of an input and a weight.

    Convolutions of 512 channels, their projection, the convolution of positions (128 wide, in 16
    groups), and layers of 12 d² weights whose attention compares all frames.
    """
    operations, frames, channels, width = 0.0, samples, 1, 1024
    for kernel, stride in ((10, 5), *4 * ((3, 2),), *2 * ((2, 2),)):
        frames = (frames - kernel) // stride + 1
        operations += 2 * frames * kernel * channels * 512
        channels = 512
    operations += 2 * frames * width * (512 + 128 * width / 16)
    return operations + layers * frames * (2 * 12 * width**2 + 4 * frames * width)


def peak_flops(dtype: Arithmetic, device: str) -> float:
    """Operations a second in a product of large matrices."""
    side = SIDE[device]
    one, other = (torch.randn(side, side, device=device).to(getattr(torch, dtype)) for _ in "ab")
    return 2 * side**3 / timed(lambda: one @ other, device)


def timed(work: Callable[[], object], device: str) -> float:
    """Median seconds, with all that the device has still to do."""

    def done() -> None:
        work()
        if device == "cuda":
            torch.cuda.synchronize()

    return median_seconds(done, 5)[0]


def encode_one_by_one(encoder: Encoder, audios: list[Audio]) -> None:
    for audio in audios:
        encoder.encode(audio)


def save_hubert(folder: Path, layers: int) -> None:
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


def encoding(folder: Path, audios: list[Audio], device: Device, layers: int) -> None:
    """HuBERT-Large in all ways."""
    length_s = sum(audio.duration_s for audio in audios)
    rows = []
    first = 0.0
    flops = sum(operations(len(audio.samples), layers) for audio in audios)
    ways: list[tuple[str, Arithmetic, bool]] = [
        ("one by one, float32", "float32", False),
        ("together, float32", "float32", True),
        ("one by one, bfloat16", "bfloat16", False),
        ("together, bfloat16", "bfloat16", True),
    ]
    for name, dtype, together in ways:
        encoder = load_encoder(folder, device=device, dtype=dtype)
        encode = encoder.encode_batch if together else partial(encode_one_by_one, encoder)
        spent = timed(partial(encode, audios), device)
        first = first or spent
        rates = (f"{value:.1f}" for value in (length_s / spent, first / spent))
        share = flops / spent / peak_flops(dtype, device)
        rows.append((name, f"{spent:.2f}", *rates, f"{share:.0%}"))
    show("", ("HuBERT-Large", "s", "× real time", "× the first", "share of the peak"), rows)


def search(number: int, device: str) -> None:
    """Exact search on the processor and on the device."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((number, DIMS), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    bounds = np.linspace(0, number, PHONES + 1).astype(np.int64)
    queries: FloatArray = np.ascontiguousarray(vectors[:: number // BATCH][:BATCH])
    resident = ResidentVectors(vectors, bounds, device)

    def on_processor() -> FloatArray:
        return best_of_classes(class_products(queries, vectors, bounds), NEAREST)

    there, _ = resident.best_of_classes(queries, NEAREST)
    rows = []
    for name, work, found in (
        ("processor", on_processor, on_processor()),
        (device, lambda: resident.best_of_classes(queries, NEAREST), there),
    ):
        difference = np.abs(found - on_processor()).max()
        rows.append((name, f"{1000 * timed(work, device):.1f}", f"{difference:.1e}"))
    show("", (f"{number:,} × {DIMS}, {BATCH} queries", "ms", "largest difference"), rows)


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--recordings", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--vectors", type=int, default=10**6)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    given = parser.parse_args()
    if given.device == "cuda" and not has_gpu():
        sys.exit("PyTorch finds no graphics card here.")
    if given.device == "cuda":
        print(torch.cuda.get_device_name())
    with tempfile.TemporaryDirectory() as folder:
        save_hubert(Path(folder), given.layers)
        audios = recordings(given.recordings, given.seconds)
        encoding(Path(folder), audios, given.device, given.layers)
    search(given.vectors, given.device)


if __name__ == "__main__":
    main()
