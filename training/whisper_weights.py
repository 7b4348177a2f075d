"""Whisper encoder weights read from the CTranslate2 files that packages of the registry carry.

The file: format version, spec name, spec revision, number of arrays; then per array its name,
rank, shape, element type, byte count and bytes. Everything is little-endian; a string is a
16-bit length (with its closing zero) and the bytes.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

_DTYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}
Arrays = dict[str, npt.NDArray[np.float32]]


def find_parts(folders: list[Path]) -> list[Path]:
    """Find `model.bin`, or `model.bin.part1` and on, under the unpacked packages, in order."""
    parts = sorted(
        (path for folder in folders for path in folder.rglob("model.bin*")),
        key=lambda path: path.name,
    )
    if not parts:
        raise FileNotFoundError(f"no model.bin under {', '.join(map(str, folders))}")
    if len({part.name for part in parts}) != len(parts):
        raise ValueError("more than one model was given: name the folders of one")
    return parts


def read_ctranslate2(parts: list[Path]) -> Arrays:
    """Read the float arrays of a CTranslate2 model, the parts joined.

    Returns
    -------
    dict of str to ndarray
        Such as `encoder/layer_0/ffn/linear_0/weight`, shape = (out, in), float32.
    """
    content = b"".join(part.read_bytes() for part in parts)
    offset = 0

    def number(code: str) -> int:
        nonlocal offset
        (value,) = struct.unpack_from("<" + code, content, offset)
        offset += struct.calcsize("<" + code)
        return int(value)

    def string() -> str:
        nonlocal offset
        length = number("H")
        text = content[offset : offset + length - 1].decode()
        offset += length
        return text

    version, spec, _revision, count = number("I"), string(), number("I"), number("I")
    if version < 6 or spec != "WhisperSpec":
        raise ValueError(f"expected a WhisperSpec of version 6 or later, got {spec} {version}")
    arrays: Arrays = {}
    for _ in range(count):
        name = string()
        shape = [number("I") for _ in range(number("B"))]
        dtype, size = number("B"), number("I")
        if name.startswith("encoder/") and _DTYPES.get(dtype) in {"<f4", "<f2"}:
            flat = np.frombuffer(content, _DTYPES[dtype], size // int(_DTYPES[dtype][2]), offset)
            arrays[name] = flat.reshape(shape).astype(np.float32)
        offset += size
    return arrays


def encoder_state(arrays: Arrays, n_layers: int) -> Arrays:
    """Rename the lower `n_layers` blocks and the front end to `CompactEncoder`'s names."""
    n_all = 1 + max(
        int(name.split("_")[1].split("/")[0])
        for name in arrays
        if "/layer_" in name and name.split("/")[1] != "layer_norm"
    )
    if n_layers > n_all:
        raise ValueError(f"the model has {n_all} layers, {n_layers} were asked for")
    state: Arrays = {}
    for conv in ("conv1", "conv2"):
        for part in ("weight", "bias"):
            state[f"{conv}.{part}"] = arrays[f"encoder/{conv}/{part}"]
    names = {
        "attention_norm": "self_attention/layer_norm",
        "qkv": "self_attention/linear_0",
        "attention_out": "self_attention/linear_1",
        "mlp_norm": "ffn/layer_norm",
        "mlp_in": "ffn/linear_0",
        "mlp_out": "ffn/linear_1",
    }
    for layer in range(n_layers):
        for ours, theirs in names.items():
            parts = ("gamma", "beta") if ours.endswith("norm") else ("weight", "bias")
            for part, own in zip(parts, ("weight", "bias"), strict=True):
                value = arrays[f"encoder/layer_{layer}/{theirs}/{part}"]
                state[f"blocks.{layer}.{ours}.{own}"] = value
    if n_layers == n_all:
        state["final_norm.weight"] = arrays["encoder/layer_norm/gamma"]
        state["final_norm.bias"] = arrays["encoder/layer_norm/beta"]
    return state
