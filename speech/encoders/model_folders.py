"""Models in folders of this machine: what an index calls them, and where they lie here.

An index is to be opened on other machines, so it never keeps a folder of the one that built it.
It names the model and has its fingerprint; the folder is found by that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from nativeear.speech.encoders.catalogue import Dtype, describe, load_encoder, split_pair
from nativeear.speech.encoders.paired import PairedEncoder
from nativeear.speech.errors import EncoderError
from nativeear.speech.frames import Encoder
from nativeear.speech.user_data import data_folder

ENVIRONMENT = "NATIVEEAR_ENCODERS"
"""Folders in which models lie, each in a folder of its own, separated as in `PATH`."""


def portable_name(name: str) -> str:
    """What an encoder is called on every machine: a folder is called by its own name alone.

    Parameters
    ----------
    name
        As for `load_encoder`: `hubert-large`, `facebook/hubert-large-ls960-ft`,
        `/models/hubert` (which gives `hubert`), or `onnx:/models/zipa` (`onnx:zipa`).
    """
    pair = split_pair(name)
    if pair is not None:
        return "+".join(map(portable_name, pair))
    source = describe(name).source
    folder = Path(source).expanduser()
    if not source or not folder.exists():
        return name
    return name.removesuffix(source) + folder.resolve().name


def remember(encoder: Encoder) -> None:
    """Keep among the user's data where the folder of an open encoder lies, for `find`."""
    if isinstance(encoder, PairedEncoder):
        for ear in encoder.ears:
            remember(ear)
        return
    source = describe(encoder.name).source
    folder = Path(source).expanduser()
    if not source or not folder.exists():
        return
    kept = _kept(encoder.fingerprint)
    with suppress(OSError):  # a machine on which nothing can be kept is asked for --encoder
        kept.parent.mkdir(parents=True, exist_ok=True)
        named = encoder.name.removesuffix(source) + str(folder.resolve())
        kept.write_text(named + "\n", encoding="utf-8")


def look_in(folders: Iterable[str]) -> None:
    """Have `find` look in these folders of models, too, here and in processes that start here."""
    places = [*folders, os.environ.get(ENVIRONMENT, "")]
    os.environ[ENVIRONMENT] = os.pathsep.join(filter(None, places))


def find(
    name: str,
    fingerprint: str,
    *,
    layer: int | None = None,
    dtype: Dtype = "float32",
    ears: Sequence[tuple[str, str]] = (),
) -> Encoder:
    """Open the encoder with a fingerprint, wherever its model lies on this machine.

    Asked are, in turn: the encoder of that name, where it can be opened without a network; the
    folder that it was last opened from; every model below the folders of `NATIVEEAR_ENCODERS`,
    those of the same name first; the hub.

    Parameters
    ----------
    name
        Its `portable_name`.
    fingerprint
        Of the encoder at that layer.
    layer, dtype
        As for `load_encoder`.
    ears
        Of an encoder of two ears, the name and the fingerprint of each.

    Raises
    ------
    EncoderError
        If it is nowhere.
    """
    if ears:
        (ear, head) = ears
        return PairedEncoder(find(*ear, layer=layer, dtype=dtype), find(*head, dtype=dtype))
    refused: EncoderError | None = None
    another = False
    for candidate in _candidates(name, fingerprint):
        try:
            encoder = load_encoder(candidate, layer=layer, dtype=dtype)
        except EncoderError as error:
            refused = refused or error
            continue
        if encoder.fingerprint == fingerprint:
            return encoder
        another = another or candidate == name
    if refused is None and _of_the_hub(name):
        return load_encoder(name, layer=layer, dtype=dtype)
    raise EncoderError(
        f"The encoder {name}, which built the index, is not on this machine.",
        cause=refused.message
        if refused
        else f"No model here has the fingerprint {fingerprint[:19]}…"
        + (", nor has what goes by that name here: it is newer or older." if another else "."),
        fix=f"Name the folder of the model with --encoder, or set {ENVIRONMENT} to the folder in "
        "which models lie"
        + ("; or build the index again: nativeear index rebuild NAME." if another else "."),
    )


def _of_the_hub(name: str) -> bool:
    """Whether a name is that of a model that can be downloaded."""
    with suppress(EncoderError):
        return describe(name).kind == "transformers"
    return False


def _candidates(name: str, fingerprint: str) -> Iterator[str]:
    """Names for `load_encoder` that may open it, the likeliest first."""
    source = name
    with suppress(EncoderError):
        info = describe(name)
        source = info.source or name
        if info.local:
            yield name
    with suppress(OSError):
        yield _kept(fingerprint).read_text(encoding="utf-8").strip()
    kind, colon, own = source.rpartition(":")
    own = own.rpartition("/")[2]
    for folder in sorted(_models(), key=lambda folder: (folder.name != own, folder)):
        yield f"{kind}{colon}{folder}"


def _models() -> Iterator[Path]:
    """Folders that hold a model, below those of the environment."""
    for given in filter(None, os.environ.get(ENVIRONMENT, "").split(os.pathsep)):
        root = Path(given).expanduser()
        for folder in (root, *(root.iterdir() if root.is_dir() else ())):
            if any((folder / file).is_file() for file in ("config.json", "model.onnx")):
                yield folder.resolve()


def _kept(fingerprint: str) -> Path:
    """File that says from where the encoder with a fingerprint was opened last."""
    return data_folder() / "encoders" / fingerprint.rpartition(":")[2]
