"""Files of a transformers model: weights, preprocessor, vocabulary; and the network they make."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import transformers

from nativeear.speech.encoders.front_ends import SAMPLE_RATE
from nativeear.speech.encoders.hub import conversion
from nativeear.speech.encoders.label_tables import in_ipa
from nativeear.speech.encoders.named import DEFAULT
from nativeear.speech.encoders.settings_files import read_settings
from nativeear.speech.errors import EncoderError
from nativeear.speech.phone_head import are_phones, labels_refusal


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Files of `model.safetensors`, or its shards, in their order.

    Raises
    ------
    EncoderError
        If there are none, or a shard is missing.
    """
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").is_file():
        files: tuple[Path, ...] = (folder / "model.safetensors",)
    elif index.is_file():
        shards = read_settings(index).get("weight_map", {}).values()
        files = tuple(folder / shard for shard in sorted(set(shards)))
    elif any(folder.glob("*.bin")):
        raise EncoderError(
            f"{folder} holds only pickled weights, and no pickle is ever loaded.",
            cause="A pickle can run any program while it is read.",
            fix=f"Convert it once: {conversion(folder)}",
        )
    else:
        files = (folder / "model.safetensors",)
    for file in files:
        if not file.is_file():
            raise EncoderError(
                f"{file} is missing.", fix="Download or save the model's weights again."
            )
    return files


def read_preprocessor(folder: Path) -> dict[str, Any]:
    """Read `preprocessor_config.json`; empty where the folder has none."""
    settings = read_settings(folder / "preprocessor_config.json")
    if settings.get("sampling_rate", SAMPLE_RATE) != SAMPLE_RATE:
        raise EncoderError(
            f"{folder} hears {settings['sampling_rate']} Hz; NativeEar gives encoders 16000 Hz.",
            fix="Choose a model of 16 kHz speech.",
        )
    return settings


def phone_vocabulary(folder: Path, config: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """Labels of the model's CTC head in the order of its outputs, or () and why there are none."""
    path = folder / "vocab.json"
    if not any(str(kind).endswith("ForCTC") for kind in config.get("architectures") or ()):
        return (), "The encoder has no CTC head."
    if config.get("add_adapter"):
        return (), "The encoder's adapter halves the frame rate before the CTC head."
    if not path.is_file():
        return (), f"The labels of the encoder's CTC head are missing: {path}."
    vocabulary = read_settings(path)
    if not all(isinstance(label, int) for label in vocabulary.values()):
        return (), "The encoder's CTC head has vocabularies of several languages in one file."
    size = int(config.get("vocab_size") or len(vocabulary))
    labels = [f"<{label}>" for label in range(size)]
    for text, label in vocabulary.items():
        if label < size:
            labels[label] = text
    labels = [*in_ipa(folder, labels)]
    return (tuple(labels), "") if are_phones(labels) else ((), labels_refusal(labels))


def open_model(folder: Path, name: str, *, head: bool) -> Any:
    """Load the network with every weight it needs.

    Raises
    ------
    EncoderError
        If weights are damaged, missing or of other shapes.
    """
    kind = transformers.AutoModelForCTC if head else transformers.AutoModel
    try:
        with _quiet():
            model, report = kind.from_pretrained(
                folder, use_safetensors=True, local_files_only=True, output_loading_info=True
            )
    except Exception as error:  # safetensors, torch and transformers each have their own
        raise EncoderError(
            f"The weights of {name} cannot be loaded.",
            cause=f"{type(error).__name__}: {error}".splitlines()[0],
            fix=f"Download or save them again, or use --encoder {DEFAULT}.",
        ) from error
    # transformers fills what is missing with random numbers, and only warns
    missing = sorted(
        key
        for key in report["missing_keys"]
        if not key.endswith("masked_spec_embed") and not re.match(r"decoder\.|adapter\.", key)
    )
    if missing:
        raise EncoderError(
            f"The weights of {name} lack {len(missing)} tensors, {missing[0]} among them.",
            fix="Download or save the whole model again.",
        )
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's progress bars and reports off the terminal; what matters is raised."""
    logging = transformers.utils.logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
