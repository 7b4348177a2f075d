"""Encoders by name: what there is, where it comes from, and how to open it.

Nothing here imports torch or transformers; the loaders do, when they are called.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, cast, get_args

from nativeear.speech import registry
from nativeear.speech.errors import EncoderError
from nativeear.speech.extras import needing
from nativeear.speech.frames import Encoder

Device = Literal["auto", "cpu", "cuda"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Arithmetic = Literal["float32", "bfloat16"]
"""What an index may be built in."""

DEFAULT = "compact"
"""What the name `default` stands for: the encoder that comes with NativeEar."""

NETWORK_TIMEOUT_S = 5.0
"""How long the hub may take to answer before it counts as out of reach."""

PRIMITIVES = 32
"""Compiled layers that torch's oneDNN keeps. Every length of recording needs others; of its own
choice it keeps 1024, which are 200 MB after some hundred recordings, and no faster."""

_DRIVERS = ("libcuda.so.1", "libamdhip64.so", "nvcuda.dll")

# All that is wanted of a hub repository. Pickled weights are not even downloaded.
_WANTED = (
    "config.json",
    "preprocessor_config.json",
    "vocab.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "model-*.safetensors",
)

# Loaders of this package, found without an installed distribution; plugins register theirs in
# the entry point group nativeear.encoders.
_BUILT_IN = {
    "compact": "nativeear.speech.encoders.compact",
    "onnx": "nativeear.speech.encoders.onnx",
    "spectral": "nativeear.speech.encoders.spectral",
    "transformers": "nativeear.speech.encoders.transformers",
}

# Embeddings of phones are best at upper-middle layers: the share of the depth at which each
# family is read. Models that only predict masked sound (wav2vec2) turn back to acoustics earlier.
LAYER_SHARES = {
    "hubert": 3 / 4,
    "wavlm": 3 / 4,
    "wav2vec2": 2 / 3,
    "wav2vec2-bert": 2 / 3,
    "whisper": 5 / 6,
}


@dataclass(frozen=True)
class EncoderInfo:
    """What is known of an encoder without opening it.

    Attributes
    ----------
    name
        How people name it.
    kind
        Name of its loader: `spectral`, `transformers`, or one that a plugin registered.
    source
        Hub id or folder of the weights; empty where there are none.
    dim
        Width D of the embeddings; None where not known.
    layers
        Number of transformer layers; None where there are none or it is not known. Layer 0 is
        what enters the first.
    default_layer
        The layer that is read unless another is asked for.
    licence
        Licence of the weights as published; empty where not known.
    phones
        Whether frames bring `log_probs` of a phone CTC head; None where not known.
    local
        Whether it opens on this machine without a network.
    note
        What it is, in a few words.
    """

    name: str
    kind: str
    source: str = ""
    dim: int | None = None
    layers: int | None = None
    default_layer: int | None = None
    licence: str = ""
    phones: bool | None = None
    local: bool = False
    note: str = ""


_SPECTRAL = EncoderInfo(
    name="spectral",
    kind="spectral",
    dim=240,
    licence="Apache-2.0",
    phones=False,
    local=True,
    note="log-mel spectra with 150 ms of context; no weights, always here",
)

_COMPACT = EncoderInfo(
    name="compact",
    kind="compact",
    dim=512,
    layers=6,
    default_layer=6,
    licence="Apache-2.0; learnt from CC BY 4.0 and CC BY-SA 3.0 speech",
    phones=True,
    local=True,
    note="ships with NativeEar: six Whisper layers with a phone CTC head, English",
)

# name, hub id, family, D, layers, licence, phone CTC head, note
_HUB = (
    ("hubert-large", "facebook/hubert-large-ls960-ft", "hubert", 1024, 24, "Apache-2.0", False,
     "HuBERT-Large fine-tuned on 960 h of English; the production encoder"),
    ("hubert-base", "facebook/hubert-base-ls960", "hubert", 768, 12, "Apache-2.0", False,
     "HuBERT-Base, English"),
    ("wavlm-large", "microsoft/wavlm-large", "wavlm", 1024, 24, "CC-BY-SA-3.0", False,
     "WavLM-Large, 94,000 h of English"),
    ("wavlm-base-plus", "microsoft/wavlm-base-plus", "wavlm", 768, 12, "CC-BY-SA-3.0", False,
     "WavLM-Base+, 94,000 h of English"),
    ("wav2vec2-espeak", "facebook/wav2vec2-xlsr-53-espeak-cv-ft", "wav2vec2", 1024, 24,
     "Apache-2.0", True, "XLSR-53 with a CTC head for espeak's IPA, many languages"),
    ("xls-r-300m", "facebook/wav2vec2-xls-r-300m", "wav2vec2", 1024, 24, "Apache-2.0", False,
     "XLS-R, 128 languages"),
    ("w2v-bert-2", "facebook/w2v-bert-2.0", "wav2vec2-bert", 1024, 24, "MIT", False,
     "w2v-BERT 2.0, 143 languages"),
    ("whisper-base", "openai/whisper-base", "whisper", 512, 6, "Apache-2.0", False,
     "encoder of Whisper base, 99 languages"),
    ("whisper-small", "openai/whisper-small", "whisper", 768, 12, "Apache-2.0", False,
     "encoder of Whisper small, 99 languages"),
)  # fmt: skip


def default_layer(family: str, layers: int) -> int:
    """Layer to read of a model of `layers` layers; `family` is the `model_type` of its config."""
    return round(LAYER_SHARES[family] * layers)


_NAMED = (
    _COMPACT,
    _SPECTRAL,
    *(
        EncoderInfo(
            name=name,
            kind="transformers",
            source=source,
            dim=dim,
            layers=layers,
            default_layer=default_layer(family, layers),
            licence=licence,
            phones=phones,
            note=note,
        )
        for name, source, family, dim, layers, licence, phones, note in _HUB
    ),
)


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
        id, or `KIND:SOURCE` for the loader of a plugin.
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
    named = tuple(_with_local(info) for info in _NAMED)
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
    """Bring an encoder's weights to this machine.

    Returns
    -------
    Path | None
        The folder that holds them; None for an encoder that needs no weights.

    Raises
    ------
    EncoderError
        If the hub cannot be reached or does not have it as safetensors.
    """
    info = _identify(str(name))
    if info.kind != "transformers":
        return None
    return locate(info.source, info.name)


def locate(source: str, name: str = "") -> Path:
    """Find the folder of a transformers model: a local folder, the hub's cache, then the hub.

    Parameters
    ----------
    source
        Folder or hub id.
    name
        How people name it, for messages.

    Raises
    ------
    EncoderError
        If it is none of the three.
    """
    folder = _local_folder(source)
    if folder is not None:
        return folder
    if not _is_hub_id(source):
        raise EncoderError(
            f"{source} holds no encoder.",
            cause="It is not a folder with a config.json.",
            fix="Name a folder as save_pretrained writes it, a hub id, or one of "
            f"{', '.join(info.name for info in _NAMED)}.",
        )
    return _download(source, name or source)


def _identify(name: str) -> EncoderInfo:
    wanted = DEFAULT if name == "default" else name
    for info in _NAMED:
        if info.name == wanted:
            return info
    kind, colon, source = wanted.partition(":")
    if kind in {*_plugins(), *_BUILT_IN} and (source or not colon):
        return EncoderInfo(name=wanted, kind=kind, source=source, local=True)
    if (Path(wanted).expanduser() / "model.onnx").is_file():
        return EncoderInfo(name=wanted, kind="onnx", source=wanted, local=True)
    if _is_hub_id(wanted) or Path(wanted).expanduser().exists():
        return EncoderInfo(name=wanted, kind="transformers", source=wanted)
    raise EncoderError(
        f"There is no encoder called {wanted!r}, and no folder of that name.",
        cause=f"Known: {', '.join((*(info.name for info in _NAMED), *_plugins()))}.",
        fix="Name one of these, a folder with config.json and model.safetensors, or a hub id "
        "like facebook/hubert-large-ls960-ft.",
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
    folder = _local_folder(info.source)
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


def read_config(folder: Path) -> dict[str, Any]:
    """Read the `config.json` of a model folder.

    Raises
    ------
    EncoderError
        If it is not a JSON object.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"{folder / 'config.json'} cannot be read.",
            cause=str(error),
            fix="Download or save the model again.",
        ) from error
    if not isinstance(config, dict):
        raise EncoderError(f"{folder / 'config.json'} does not describe a model.")
    return config


def _is_hub_id(source: str) -> bool:
    """Whether `source` is meant for a model of the hub; beside a folder `a`, `a/b` is a path."""
    if any(source == info.source for info in _NAMED):
        return True
    hub_like = re.fullmatch(r"\w[\w.-]*/[\w.-]+", source) is not None
    return hub_like and not Path(source).parent.is_dir()


def _local_folder(source: str) -> Path | None:
    """Folder with a `config.json`: `source` itself, or its snapshot in the hub's cache."""
    folder = Path(source).expanduser()
    if (folder / "config.json").is_file():
        return folder
    if not _is_hub_id(source) or folder.exists():
        return None
    try:
        from huggingface_hub import snapshot_download  # half a second of imports
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None

    try:
        snapshot = Path(snapshot_download(source, local_files_only=True))
    except (OSError, HFValidationError):  # the first is what "not cached" derives from
        return None
    usable = (snapshot / "config.json").is_file() and any(snapshot.glob("*.safetensors"))
    return snapshot if usable else None


def _download(source: str, name: str) -> Path:
    with needing("torch", f"The encoder {name}"):
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.errors import RepositoryNotFoundError

    by_hand = f"hf download {source} --local-dir DIR"
    shipped = f"The encoder {DEFAULT} is always here: --encoder {DEFAULT}."
    try:
        # Asked first, with a time-out, because snapshot_download waits and retries file by file.
        files = HfApi().model_info(source, timeout=NETWORK_TIMEOUT_S).siblings or []
        if not any(file.rfilename.endswith(".safetensors") for file in files):
            raise EncoderError(
                f"The hub has {source} only as pickled weights, and no pickle is ever loaded.",
                fix=f"{by_hand}; {conversion('DIR')}; then --encoder DIR. {shipped}",
            )
        return Path(snapshot_download(source, allow_patterns=list(_WANTED), etag_timeout=5.0))
    except EncoderError:
        raise
    except RepositoryNotFoundError as error:
        raise EncoderError(
            f"The hub has no public model {source}, and there is no such folder here.",
            fix=f"Check the name. {shipped}",
        ) from error
    except Exception as error:  # what a network throws is not one family of exceptions
        raise EncoderError(
            f"The encoder {name} is not on this machine (there is no such folder, nor was it "
            "downloaded), and the hub cannot be reached.",
            cause=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            fix=f"Where there is a network: {by_hand}; then --encoder DIR. {shipped}",
        ) from error


def conversion(folder: Path | str) -> str:
    """Shell command that turns `pytorch_model.bin` into safetensors, reading only tensors."""
    return (
        f'(cd {folder} && python -c "import torch, safetensors.torch as s; '
        "w = torch.load('pytorch_model.bin', map_location='cpu', weights_only=True); "
        "s.save_file({k: v.clone().contiguous() for k, v in w.items()}, 'model.safetensors', "
        "metadata={'format': 'pt'})\")"
    )
