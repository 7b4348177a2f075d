"""Turn trained weights into the graph that ships: `python -m training.onnx_graph --help`.

    python -m training.onnx_graph --model training/weights --out speech/data/compact

The graph is written node by node, so that it is the same file for the same weights and opset,
whatever exports torch knows. `--products` says how the blocks' products are computed:

- `blocks`, which ships: weights int8 with a scale for each output channel, as they are trained;
  inputs 8-bit with a scale for each 32 values of a frame, found while it runs (onnxruntime's
  `MatMulNBits`). No frame's rounding depends on another frame.
- `tensor`: the same weights; one scale for all frames of a recording (`DynamicQuantizeMatMul`).
- `static`: one scale for all frames of all recordings, from `benchmarks.onnx_arithmetic`.
- `float32`, and `float16` (weights alone).
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from nativeear.speech.encoders.compact import GRAPH
from training.compact_model import CONFIG_FILE, WEIGHTS_FILE, CompactConfig, read_config

Products = Literal["blocks", "tensor", "static", "float32", "float16"]

OPSET = 20  # the first with Gelu
IR_VERSION = 9
FLOAT, UINT8 = TensorProto.FLOAT, TensorProto.UINT8
MIDDLE = 128  # what stands for 0 in 8 bits
BLOCK = 32  # values of a frame that share a scale
LARGEST = 127
EPSILON = 1e-5


def hidden(layer: int) -> str:
    """Name of the output that holds a layer's states `[1, T, width]`."""
    return f"hidden_{layer}"


@dataclass
class Graph:
    """A graph that grows node by node.

    Attributes
    ----------
    weights
        Arrays of `encoder.safetensors`.
    products
        How the blocks' products are computed.
    scales
        Scale of the input of each product, by its name; for `static` alone.
    """

    weights: dict[str, NDArray[Any]]
    products: Products
    scales: dict[str, float] = field(default_factory=dict)
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)

    def constant(self, name: str, value: Any) -> str:
        """A constant by a name; the same name is the same constant."""
        self.constants.setdefault(name, np.ascontiguousarray(value))
        return name

    def node(
        self, kind: str, inputs: list[str], output: str, *, domain: str = "", **more: Any
    ) -> str:
        """Add a node of one output, and name it."""
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **more))
        return output

    def stored(self, name: str) -> NDArray[np.float32]:
        """A tensor of the weights in float32."""
        value: NDArray[np.float32] = self.weights[name].astype(np.float32)
        scale = self.weights.get(f"{name}.scale")
        if scale is None:
            return value
        scaled: NDArray[np.float32] = value * scale.reshape(-1, *[1] * (value.ndim - 1))
        return scaled

    def kernel(self, name: str) -> str:
        """Weights of a convolution, kept as they are packaged and made floats when it is opened."""
        scale = self.weights.get(f"{name}.scale")
        if scale is None:
            return self.constant(name, self.stored(name))
        kept = self.constant(f"{name}.int8", self.weights[name])
        shaped = self.constant(f"{name}.scale", scale.astype(np.float32).reshape(-1, 1, 1))
        return self.node(
            "Mul", [self.node("Cast", [kept], f"{name}.whole", to=FLOAT), shaped], name
        )

    def norm(self, states: str, name: str, output: str) -> str:
        """Layer norm."""
        parts = [
            self.constant(f"{name}.{p}", self.stored(f"{name}.{p}")) for p in ("weight", "bias")
        ]
        return self.node("LayerNormalization", [states, *parts], output, axis=-1, epsilon=EPSILON)

    def product(self, states: str, name: str, output: str) -> str:
        """A linear map of `[1, T, in]` to `[1, T, out]`, computed as `products` says."""
        bias = self.constant(f"{name}.bias", self.stored(f"{name}.bias"))
        if self.products == "float32":
            matrix = self.constant(f"{name}.matrix", self.stored(f"{name}.weight").T)
            return self.node(
                "Add", [self.node("MatMul", [states, matrix], f"{output}.mm"), bias], output
            )
        if self.products == "float16":
            half = self.constant(f"{name}.half", self.stored(f"{name}.weight").T.astype(np.float16))
            matrix = self.node("Cast", [half], f"{name}.matrix", to=FLOAT)
            return self.node(
                "Add", [self.node("MatMul", [states, matrix], f"{output}.mm"), bias], output
            )
        stored = self.weights[f"{name}.weight"]
        scales = self.weights[f"{name}.weight.scale"].astype(np.float32)
        if self.products == "blocks":
            n, k = stored.shape
            shifted = (stored.astype(np.int16) + MIDDLE).astype(np.uint8)
            inputs = [
                states,
                self.constant(f"{name}.uint8", shifted.reshape(n, k // BLOCK, BLOCK)),
                self.constant(f"{name}.scales", scales.repeat(k // BLOCK)),
                *("", ""),  # the zero point is 128 by default
                bias,
            ]
            how = {"K": k, "N": n, "bits": 8, "block_size": BLOCK, "accuracy_level": 4}
            return self.node("MatMulNBits", inputs, output, domain="com.microsoft", **how)
        matrix = self.constant(f"{name}.int8", stored.T)
        channels = self.constant(f"{name}.scale", scales)
        if self.products == "tensor":
            inputs = [states, matrix, channels, "", bias]
            return self.node("DynamicQuantizeMatMul", inputs, output, domain="com.microsoft")
        return self.static_product(states, name, output)

    def static_product(self, states: str, name: str, output: str) -> str:
        """The same with an input that is rounded by a calibrated scale, and cut off beyond it."""
        scale = self.constant(f"{name}.input_scale", np.float32(self.scales[name]))
        rounded = self.node(
            "Round", [self.node("Div", [states, scale], f"{output}.div")], f"{output}.round"
        )
        middle = self.constant("middle", np.float32(MIDDLE))
        shifted = self.node("Add", [rounded, middle], f"{output}.shifted")
        ends = [self.constant("lowest", np.float32(0)), self.constant("highest", np.float32(255))]
        clipped = self.node("Clip", [shifted, *ends], f"{output}.clipped")
        eight = self.node("Cast", [clipped], f"{output}.uint8", to=UINT8)
        zero = self.constant("zero_point", np.uint8(MIDDLE))
        sums = self.node("MatMulInteger", [eight, f"{name}.int8", zero], f"{output}.sums")
        floats = self.node("Cast", [sums], f"{output}.floats", to=FLOAT)
        by_input = self.node("Mul", [floats, scale], f"{output}.by_input")
        scaled = self.node("Mul", [by_input, f"{name}.scale"], f"{output}.scaled")
        return self.node("Add", [scaled, f"{name}.bias"], output)


def positions(graph: Graph, states: str, width: int) -> str:
    """Add Whisper's sinusoidal positions to `[1, T, width]`; they are computed, not kept."""
    half = width // 2
    rates = np.exp(-np.log(10_000) / (half - 1) * np.arange(half)).astype(np.float32)
    shape = graph.node("Shape", [states], "shape", start=1, end=2)
    zero, one = (graph.constant(name, np.int64(i)) for i, name in enumerate(("zero", "one")))
    length = graph.node("Squeeze", [shape], "length")
    frames = graph.node("Range", [zero, length, one], "frames")
    column = graph.node(
        "Unsqueeze", [frames, graph.constant("columns", np.array([1], np.int64))], "column"
    )
    turns = graph.node("Cast", [column], "turns", to=FLOAT)
    angles = graph.node("Mul", [turns, graph.constant("rates", rates)], "angles")
    waves = [graph.node(kind, [angles], kind.lower()) for kind in ("Sin", "Cos")]
    return graph.node("Add", [states, graph.node("Concat", waves, "positions", axis=-1)], hidden(0))


def block(graph: Graph, states: str, number: int, config: CompactConfig) -> str:
    """One pre-norm transformer block."""
    name = f"blocks.{number}"
    normed = graph.norm(states, f"{name}.attention_norm", f"{name}.normed")
    fused = graph.product(normed, f"{name}.qkv", f"{name}.fused")
    parts = [f"{name}.{part}" for part in ("query", "key", "value")]
    graph.nodes.append(helper.make_node("Split", [fused], parts, axis=-1, num_outputs=3))
    read = graph.node(
        "MultiHeadAttention",
        parts,
        f"{name}.read",
        domain="com.microsoft",
        num_heads=config.n_heads,
    )
    mixed = graph.product(read, f"{name}.attention_out", f"{name}.mixed")
    states = graph.node("Add", [states, mixed], f"{name}.attended")
    normed = graph.norm(states, f"{name}.mlp_norm", f"{name}.normed_again")
    grown = graph.node(
        "Gelu", [graph.product(normed, f"{name}.mlp_in", f"{name}.grown")], f"{name}.gelu"
    )
    shrunk = graph.product(grown, f"{name}.mlp_out", f"{name}.shrunk")
    return graph.node("Add", [states, shrunk], hidden(number + 1))


def build(
    folder: Path, products: Products = "blocks", scales: dict[str, float] | None = None
) -> onnx.ModelProto:
    """The graph of a packaged encoder.

    Parameters
    ----------
    folder
        Holds `config.json` and `encoder.safetensors`.
    products
        How the blocks' products are computed.
    scales
        For `static`: of the input of each product.
    """
    config = read_config(folder)
    graph = Graph(load_file(folder / WEIGHTS_FILE), products, scales or {})
    states = "log_mel"
    for name, strides in (("conv1", [1]), ("conv2", [2])):
        inputs = [
            states,
            graph.kernel(f"{name}.weight"),
            graph.constant(f"{name}.bias", graph.stored(f"{name}.bias")),
        ]
        wide = graph.node("Conv", inputs, name, kernel_shape=[3], pads=[1, 1], strides=strides)
        states = graph.node("Gelu", [wide], f"{name}.gelu")
    states = positions(
        graph, graph.node("Transpose", [states], "turned", perm=[0, 2, 1]), config.width
    )
    for number in range(config.n_layers):
        states = block(graph, states, number, config)
    last = graph.norm(states, "final_norm", hidden(config.n_layers + 1))
    head = graph.constant("head.matrix", graph.stored("head.weight").T)
    bias = graph.constant("head.bias", graph.stored("head.bias"))
    logits = graph.node("Add", [graph.node("MatMul", [last, head], "head"), bias], "logits")
    graph.node("LogSoftmax", [logits], "log_probs", axis=-1)
    outputs = [
        *((hidden(layer), config.width) for layer in range(config.n_layers + 2)),
        ("log_probs", len(config.labels)),
    ]
    made = helper.make_graph(
        graph.nodes,
        "compact",
        [helper.make_tensor_value_info("log_mel", FLOAT, [1, config.n_mels, "mel_frames"])],
        [helper.make_tensor_value_info(name, FLOAT, [1, "frames", d]) for name, d in outputs],
        [numpy_helper.from_array(value, name) for name, value in graph.constants.items()],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION)
    model.producer_name = "nativeear"
    return model


def write(folder: Path, out: Path, products: Products = "blocks") -> None:
    """Write what `speech.encoders.compact` opens: `encoder.onnx` and `config.json`."""
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(build(folder, products), out / GRAPH)
    if out.resolve() != folder.resolve():
        shutil.copyfile(folder / CONFIG_FILE, out / CONFIG_FILE)


def main() -> None:
    """Read the command line and write the graph."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="what `training.encoder` made")
    parser.add_argument("--out", type=Path, required=True, help="a folder")
    kinds = [kind for kind in get_args(Products) if kind != "static"]
    parser.add_argument("--products", choices=kinds, default="blocks")
    options = parser.parse_args()
    write(options.model, options.out, options.products)


if __name__ == "__main__":
    main()
