"""Folders of transformers models: on this machine, in the hub's cache, or fetched from the hub.

Nothing here imports torch or transformers.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from nativeear.speech.encoders.named import DEFAULT, NAMED
from nativeear.speech.errors import EncoderError
from nativeear.speech.extras import needing

NETWORK_TIMEOUT_S = 5.0
"""How long the hub may take to answer before it counts as out of reach."""

# All that is wanted of a hub repository. Pickled weights are not even downloaded.
_WANTED = (
    "config.json",
    "preprocessor_config.json",
    "vocab.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "model-*.safetensors",
)


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
    folder = local_folder(source)
    if folder is not None:
        return folder
    if not is_hub_id(source):
        raise EncoderError(
            f"{source} holds no encoder.",
            cause="It is not a folder with a config.json.",
            fix="Name a folder as save_pretrained writes it, a hub id, or one of "
            f"{', '.join(info.name for info in NAMED)}.",
        )
    return _download(source, name or source)


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


def is_hub_id(source: str) -> bool:
    """Whether `source` is meant for a model of the hub; beside a folder `a`, `a/b` is a path."""
    if any(source == info.source for info in NAMED):
        return True
    hub_like = re.fullmatch(r"\w[\w.-]*/[\w.-]+", source) is not None
    return hub_like and not Path(source).parent.is_dir()


def local_folder(source: str) -> Path | None:
    """Folder with a `config.json`: `source` itself, or its snapshot in the hub's cache."""
    folder = Path(source).expanduser()
    if (folder / "config.json").is_file():
        return folder
    if not is_hub_id(source) or folder.exists():
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
                fix=f"{by_hand}; {conversion('DIR')}; then give DIR as its name. {shipped}",
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
            fix=f"Where there is a network: {by_hand}; then give DIR as its name. {shipped}",
        ) from error


def conversion(folder: Path | str) -> str:
    """Shell command that turns `pytorch_model.bin` into safetensors, reading only tensors."""
    return (
        f'(cd {folder} && python -c "import torch, safetensors.torch as s; '
        "w = torch.load('pytorch_model.bin', map_location='cpu', weights_only=True); "
        "s.save_file({k: v.clone().contiguous() for k, v in w.items()}, 'model.safetensors', "
        "metadata={'format': 'pt'})\")"
    )
