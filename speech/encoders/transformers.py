"""Encoders of the transformers library: HuBERT, wav2vec2, WavLM, w2v-BERT and Whisper.

Each family has a front end, which turns a whole recording into the network's input with that
family's normalisation and knows where its frames lie in time, and a network, which runs windows
of that input in batches. Padding never reaches a frame: networks that take a mask get one,
Whisper, which has none, only ever sees windows of equal length in one batch, and the group norm
of base models, which would average over padding, is given the statistics of the recording itself.

Weights are read from safetensors alone. No pickle is ever loaded.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nativeear.speech.audio import Audio
from nativeear.speech.encoders.catalogue import has_gpu
from nativeear.speech.encoders.fingerprint import fingerprint
from nativeear.speech.encoders.front_ends import (
    SAMPLE_RATE,
    FilterBank,
    Front,
    LogMel,
    Waveform,
)
from nativeear.speech.encoders.hub import locate, read_config
from nativeear.speech.encoders.model_files import (
    open_model,
    phone_vocabulary,
    read_preprocessor,
    weight_files,
)
from nativeear.speech.encoders.named import LAYER_SHARES, default_layer
from nativeear.speech.encoders.networks import MaskedNetwork, Network, Piece, WhisperNetwork
from nativeear.speech.encoders.windows import plan, stitch
from nativeear.speech.errors import EncoderError
from nativeear.speech.frames import FloatArray, Frames

MIN_SAMPLES = 560  # two windows of 25 ms, 10 ms apart: the least that gives w2v-BERT a frame

WINDOW_S = 30.0  # the longest that is encoded in one piece
MARGIN_S = 2.5  # context of every kept frame on both sides of a window's joints
BATCH_S = {"cpu": 30.0, "cuda": 240.0}  # sound in one batch: some 30 MB per second of it

VERSION = 1  # grows with every change here, in front_ends or networks that changes frames

# Entries of config.json that change when a model is saved again and say nothing of its frames.
_VOLATILE = ("_name_or_path", "transformers_version", "torch_dtype", "dtype", "architectures")


class TransformersEncoder:
    """A transformers model read at one layer; `load` makes it.

    Instances may be shared between threads; calls then wait for each other. `gop_refusal` says why
    the frames bring no phone posteriors; it is empty where they do.
    """

    def __init__(
        self,
        front: Front,
        network: Network,
        *,
        name: str,
        dim: int,
        labels: tuple[str, ...],
        blank: int,
        max_frames: int,
        batch_s: float,
        settings: Mapping[str, object],
        weights: tuple[Path, ...],
        gop_refusal: str = "",
    ) -> None:
        self.name = name
        self.gop_refusal = gop_refusal
        self.dim = dim
        self.labels = labels
        self.hop_s, self.offset_s = front.hop_s, front.offset_s
        self._front, self._network = front, network
        self._order = [blank, *(i for i in range(len(labels)) if i != blank)] if labels else []
        self.phone_labels = tuple(labels[label] for label in self._order)
        self._size = min(round(WINDOW_S / front.hop_s), max_frames)
        self._margin = min(round(MARGIN_S / front.hop_s), (self._size - 1) // 3)
        self._batch_s = batch_s
        self._settings, self._weights = settings, weights
        self._lock = threading.Lock()

    @cached_property
    def fingerprint(self) -> str:
        """`sha256:…` over weights, configuration, layer, dtype, normalisation and this code."""
        return fingerprint(self._settings, self._weights)

    def encode(self, audio: Audio) -> Frames:
        """Encode one recording.

        Raises
        ------
        EncoderError
            If it is not sampled at 16 kHz, or the device runs out of memory.
        """
        return self.encode_batch([audio])[0]

    def encode_batch(self, audios: Sequence[Audio]) -> list[Frames]:
        """Encode several recordings; the frames equal those of single calls.

        Raises
        ------
        EncoderError
            If one is not sampled at 16 kHz, or the device runs out of memory.
        """
        front = self._front
        plans, pieces = [], []
        for audio in audios:
            if audio.sample_rate != SAMPLE_RATE:
                raise EncoderError(
                    f"The encoder {self.name} hears 16000 Hz, and this recording has "
                    f"{audio.sample_rate}.",
                    fix="Open the recording with Audio.load, which resamples it.",
                )
            samples = np.pad(audio.samples, (0, max(0, MIN_SAMPLES - len(audio.samples))))
            inputs = front.inputs(samples)
            statistics = self._network.statistics(inputs)
            windows = plan(front.count(len(inputs)), size=self._size, margin=self._margin)
            plans.append(windows)
            for window in windows:
                reach = slice(
                    window.start * front.stride, (window.stop - 1) * front.stride + front.field
                )
                pieces.append(Piece(inputs[reach], window.stop - window.start, statistics))

        outputs = iter(self._run(pieces))
        return [self._frames([next(outputs) for _ in windows], windows) for windows in plans]

    def _frames(self, pieces: list[tuple[FloatArray, FloatArray | None]], windows: Any) -> Frames:
        embeddings = stitch([embedding for embedding, _ in pieces], windows)
        log_probs = None
        if self._order:
            logits = stitch([logit for _, logit in pieces if logit is not None], windows)
            logits = np.ascontiguousarray(logits[:, self._order])
            peak = logits.max(axis=1, keepdims=True)
            log_probs = logits - peak
            log_probs -= np.log(np.exp(log_probs).sum(axis=1, keepdims=True))
        return Frames(embeddings, self.hop_s, self.offset_s, log_probs, self.phone_labels)

    def _run(self, pieces: Sequence[Piece]) -> list[tuple[FloatArray, FloatArray | None]]:
        """Run every piece, in batches of like length."""
        results: dict[int, tuple[FloatArray, FloatArray | None]] = {}
        # one call at a time: the hook and the norm keep what belongs to the batch under way
        with self._lock, torch.inference_mode(), _exact():
            for batch in self._batches([len(piece.inputs) for piece in pieces], pieces):
                try:
                    outputs = self._network.run([pieces[index] for index in batch])
                except torch.cuda.OutOfMemoryError as error:
                    raise EncoderError(
                        f"The GPU has too little memory for the encoder {self.name}.",
                        cause=str(error).splitlines()[0],
                        fix="Encode fewer recordings at once, build with --dtype bfloat16, or run "
                        "on the CPU.",
                    ) from error
                results.update(zip(batch, outputs, strict=True))
        return [results[index] for index in range(len(pieces))]

    def _batches(self, lengths: list[int], pieces: Sequence[Piece]) -> Iterator[list[int]]:
        """Indices of pieces, longest first; of one length where there is no mask."""
        budget = round(self._batch_s / self.hop_s)
        batch: list[int] = []
        for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
            if batch and (
                pieces[batch[0]].n_frames * (len(batch) + 1) > budget
                or not (self._network.takes_mask or lengths[index] == lengths[batch[0]])
            ):
                yield batch
                batch = []
            batch.append(index)
        if batch:
            yield batch


@contextmanager
def _exact() -> Iterator[None]:
    """Convolutions in true float32 on GPUs too: TF32 would make frames depend on the machine."""
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield


def load(
    source: str,
    *,
    name: str = "",
    layer: int | None = None,
    device: str = "auto",
    dtype: str = "float32",
) -> TransformersEncoder:
    """Open a transformers model as an encoder.

    Parameters
    ----------
    source
        Folder or hub id.
    name
        How people name it; `source` unless given.
    layer
        0 is what enters the first transformer layer, the number of layers is what the encoder
        puts out. None takes the family's default.
    device
        `auto`, `cpu` or `cuda`.
    dtype
        `float32`, `bfloat16` or `float16`; `auto` is float32.

    Raises
    ------
    EncoderError
        If the model cannot be found, is of another architecture, has only pickled weights, does
        not have the layer, or its weights do not fit its configuration.
    """
    name = name or source
    folder = locate(source, name)
    config = read_config(folder)
    family = str(config.get("model_type", ""))
    if family not in LAYER_SHARES:
        raise EncoderError(
            f"{name} is a model of type {family or 'unknown'!r}, which is not supported.",
            fix=f"Supported types: {', '.join(LAYER_SHARES)}. Other encoders are added through "
            "the entry point group nativeear.encoders.",
        )
    weights = weight_files(folder)
    preprocessor = read_preprocessor(folder)
    where = _device(device)
    dtype = "float32" if dtype == "auto" else dtype
    settings = {
        "version": VERSION,
        "windows_s": [WINDOW_S, MARGIN_S],
        "config": {key: value for key, value in config.items() if key not in _VOLATILE},
        "preprocessor": preprocessor,
        "dtype": dtype,
    }

    vocabulary, gop_refusal = phone_vocabulary(folder, config)
    model = open_model(folder, name, head=bool(vocabulary))
    described = model.config  # with the values that config.json leaves to their defaults
    layers = int(described.encoder_layers if family == "whisper" else described.num_hidden_layers)
    chosen = default_layer(family, layers) if layer is None else layer
    _refuse_layer(chosen, layers, name)
    model = model.to(device=where, dtype=getattr(torch, dtype)).eval()

    values = described.to_dict()
    front: Front
    network: Network
    max_frames = round(WINDOW_S * SAMPLE_RATE)
    if family == "whisper":
        front, network = LogMel(folder, values, preprocessor), WhisperNetwork(model, chosen)
        max_frames = int(described.max_source_positions)
    else:
        front = (
            FilterBank(folder, preprocessor)
            if family == "wav2vec2-bert"
            else Waveform(values, preprocessor)
        )
        network = MaskedNetwork(model, chosen, head=bool(vocabulary))
    return TransformersEncoder(
        front,
        network,
        name=name,
        dim=int(described.d_model if family == "whisper" else described.hidden_size),
        labels=vocabulary,
        blank=int(described.pad_token_id or 0),
        max_frames=max_frames,
        batch_s=BATCH_S[where.type],
        settings={**settings, "layer": chosen, "labels": vocabulary},
        weights=weights,
        gop_refusal=gop_refusal,
    )


def _refuse_layer(chosen: int, layers: int, name: str) -> None:
    if not 0 <= chosen <= layers:
        raise EncoderError(
            f"The encoder {name} has {layers} layers, so layer {chosen} cannot be taken.",
            fix=f"Choose a layer from 0 to {layers}.",
        )


def _device(device: str) -> torch.device:
    if device == "cuda" and not has_gpu():
        raise EncoderError(
            "There is no CUDA device on this machine.",
            fix="Leave the device at auto or cpu, or install a CUDA build of torch.",
        )
    if device == "auto":
        device = "cuda" if has_gpu() else "cpu"
    return torch.device(device)
