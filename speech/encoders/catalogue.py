"""Encoders by name: what there is, where it comes from, and how to open it.

Nothing here imports torch or transformers; the loaders do, when they are called.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, cast, get_args

from nativeear.speech import registry
from nativeear.speech.encoders.hub import is_hub_id, local_folder, locate, read_config
from nativeear.speech.encoders.named import (
    ALIASES,
    LAYER_SHARES,
    NAMED,
    EncoderInfo,
    default_layer,
)
from nativeear.speech.errors import EncoderError
from nativeear.speech.extras import needing
from nativeear.speech.frames import Encoder

Device = Literal["auto", "cpu", "cuda"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Arithmetic = Literal["float32", "bfloat16"]
"""What an index may be built in."""

PRIMITIVES = 32
"""Compiled layers that torch's oneDNN keeps. Every length of recording needs others; of its own
choice it keeps 1024, which are 200 MB after some hundred recordings, and no faster."""

_DRIVERS = ("libcuda.so.1", "libamdhip64.so", "nvcuda.dll")

# Loaders of this package, found without an installed distribution; plugins register theirs in
# the entry point group nativeear.encoders.
_BUILT_IN = {
    "compact": "nativeear.speech.encoders.compact",
    "onnx": "nativeear.speech.encoders.onnx",
    "paired": "nativeear.speech.encoders.paired",
    "spectral": "nativeear.speech.encoders.spectral",
    "transformers": "nativeear.speech.encoders.transformers",
}


def load_encoder(
    name: str | Path = "default",
    *,
    layer: int | None = None,
    device: Device = "auto",
    dtype: Dtype = "float32",
) -> Encoder:
    """Open an encoder.

    Parameters
    ----------
    name
        A name of `list_encoders`, `default`, a folder with a transformers or ONNX model, a hub
        id, `KIND:SOURCE` for the loader of a plugin, or two of these as `EAR+HEAD`: the embeddings
        of the first with the phone posteriors of the second.
    layer
        Which transformer layer gives the embeddings: 0 is what enters the first layer, the
        number of layers is what the encoder puts out. None takes the encoder's own.
    device
        `auto` takes a GPU where there is one.
    dtype
        Arithmetic of the network; `auto` is the encoder's own choice for this machine. Frames are
        float32 in every case.

    Raises
    ------
    EncoderError
        If it is not known, not on this machine and out of reach, damaged, of an architecture that
        is not supported, holds pickled weights, or has no such layer.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(PRIMITIVES))
    if device not in get_args(Device) or dtype not in get_args(Dtype):
        raise EncoderError(
            f"An encoder cannot run with device {device!r} and dtype {dtype!r}.",
            fix=f"Devices: {', '.join(get_args(Device))}. Dtypes: {', '.join(get_args(Dtype))}.",
        )
    info = _identify(str(name))
    load = _loader(info.kind)
    return cast(
        Encoder,
        load(info.source or info.name, name=info.name, layer=layer, device=device, dtype=dtype),
    )


def has_gpu() -> bool:
    """Whether torch is here and can use a GPU; torch is only imported where there is a driver."""
    if not any(map(_loads, _DRIVERS)):
        return False
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def list_encoders() -> tuple[EncoderInfo, ...]:
    """Return the encoders that have a name, those of plugins last."""
    named = tuple(_with_local(info) for info in NAMED)
    return named + tuple(EncoderInfo(name=kind, kind=kind, local=True) for kind in _plugins())


def describe(name: str | Path) -> EncoderInfo:
    """Tell what is known of an encoder, without opening it and without a network.

    Raises
    ------
    EncoderError
        If nothing goes by that name.
    """
    return _with_local(_identify(str(name)))


def fetch(name: str | Path) -> Path | None:
    """Bring an encoder's weights to this machine; of two ears, those of both.

    Returns
    -------
    Path | None
        The folder that holds them (of two ears, those of the first that needs any); None for an
        encoder that needs no weights.

    Raises
    ------
    EncoderError
        If the hub cannot be reached or does not have it as safetensors.
    """
    info = _identify(str(name))
    pair = split_pair(info.name) if info.kind == "paired" else None
    if pair is not None:
        return next((folder for folder in [fetch(ear) for ear in pair] if folder), None)
    if info.kind != "transformers":
        return None
    return locate(info.source, info.name)


def split_pair(name: str) -> tuple[str, str] | None:
    """The two encoders that a name like `hubert-large+compact` joins; None if it is of one.

    A folder with a plus sign in its name is one encoder.
    """
    if Path(name).expanduser().exists():
        return None
    for at in (at for at, letter in enumerate(name) if letter == "+"):
        ear, head = name[:at], name[at + 1 :]
        try:
            _identify(ear), _identify(head)
        except EncoderError:
            continue
        return ear, head
    return None


def _identify(name: str) -> EncoderInfo:
    wanted = ALIASES.get(name, name)
    for info in NAMED:
        if info.name == wanted:
            return info
    pair = split_pair(wanted) if "+" in wanted else None
    if pair is not None:
        return _paired(wanted, *map(describe, pair))
    kind, colon, source = wanted.partition(":")
    if kind in {*_plugins(), *_BUILT_IN} and (source or not colon):
        return EncoderInfo(name=wanted, kind=kind, source=source, local=True)
    if (Path(wanted).expanduser() / "model.onnx").is_file():
        return EncoderInfo(name=wanted, kind="onnx", source=wanted, local=True)
    if is_hub_id(wanted) or Path(wanted).expanduser().exists():
        return EncoderInfo(name=wanted, kind="transformers", source=wanted)
    ear, plus, head = wanted.partition("+")
    if plus:  # one of the two is not known, and says so itself
        _identify(ear), _identify(head)
    raise EncoderError(
        f"There is no encoder called {wanted!r}, and no folder of that name.",
        cause=f"Known: {', '.join((*(info.name for info in NAMED), *_plugins()))}.",
        fix="Name one of these, a folder with config.json and model.safetensors, or a hub id "
        "like facebook/hubert-large-ls960-ft.",
    )


def _paired(name: str, ear: EncoderInfo, head: EncoderInfo) -> EncoderInfo:
    return replace(
        ear,
        name=name,
        kind="paired",
        source=name,
        licence=" and ".join(dict.fromkeys(filter(None, (ear.licence, head.licence)))),
        phones=head.phones,
        local=ear.local and head.local,
        note=f"{ear.name} for retrieval, {head.name} for phone posteriors",
    )


def _loader(kind: str) -> Callable[..., Any]:
    if kind in _BUILT_IN:
        with needing("torch", "An encoder of transformers"):
            load: Callable[..., Any] = import_module(_BUILT_IN[kind]).load
        return load
    return registry.find("encoders", kind)


def _plugins() -> tuple[str, ...]:
    return tuple(sorted(set(registry.names("encoders")) - set(_BUILT_IN)))


def _with_local(info: EncoderInfo) -> EncoderInfo:
    """Add what this machine's own files tell."""
    if info.kind != "transformers":
        return info
    folder = local_folder(info.source)
    if folder is None:
        return info
    config = read_config(folder)
    family = str(config.get("model_type", ""))
    layers = config.get("encoder_layers" if family == "whisper" else "num_hidden_layers")
    return replace(
        info,
        local=any(folder.glob("*.safetensors")),
        dim=info.dim or config.get("d_model" if family == "whisper" else "hidden_size"),
        layers=info.layers or layers,
        default_layer=info.default_layer
        or (default_layer(family, layers) if family in LAYER_SHARES and layers else None),
    )
