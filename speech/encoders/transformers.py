"""Encoders of the transformers library: HuBERT, wav2vec2, WavLM, w2v-BERT and Whisper.

Each family has a front end, which turns a whole recording into the network's input with that
family's normalisation and knows where its frames lie in time, and a network, which runs windows
of that input in batches. Padding never reaches a frame: networks that take a mask get one,
Whisper, which has none, only ever sees windows of equal length in one batch, and the group norm
of base models, which would average over padding, is given the statistics of the recording itself.

Weights are read from safetensors alone. No pickle is ever loaded.
"""

from __future__ import annotations

import inspect
import json
import re
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import transformers
from torch import Tensor, nn

from nativeear.speech.audio import Audio
from nativeear.speech.encoders.catalogue import (
    DEFAULT,
    LAYER_SHARES,
    conversion,
    default_layer,
    has_gpu,
    locate,
    read_config,
)
from nativeear.speech.encoders.fingerprint import fingerprint
from nativeear.speech.encoders.windows import plan, stitch
from nativeear.speech.errors import EncoderError
from nativeear.speech.frames import FloatArray, Frames
from nativeear.speech.phone_head import are_phones, labels_refusal

SAMPLE_RATE = 16_000
MIN_SAMPLES = 560  # two windows of 25 ms, 10 ms apart: the least that gives w2v-BERT a frame

WINDOW_S = 30.0  # the longest that is encoded in one piece
MARGIN_S = 2.5  # context of every kept frame on both sides of a window's joints
BATCH_S = {"cpu": 30.0, "cuda": 240.0}  # sound in one batch: some 30 MB per second of it

VERSION = 1  # grows with every change of this file that changes frames

# WavLM's layers in transformers mix a boolean and a float mask, which torch supports and regrets.
warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")

# Entries of config.json that change when a model is saved again and say nothing of its frames.
_VOLATILE = ("_name_or_path", "transformers_version", "torch_dtype", "dtype", "architectures")


@dataclass(frozen=True, eq=False)
class _Piece:
    """A window of one recording's input, and what the network has to know of the whole."""

    inputs: FloatArray  # [N, ...]
    n_frames: int
    statistics: tuple[FloatArray, FloatArray] | None  # mean and variance [C] for the group norm


class _Front(Protocol):
    """Turns a recording into a network's input. Frame t sees `[stride t, stride t + field)`."""

    hop_s: float
    offset_s: float
    stride: int
    field: int

    def inputs(self, samples: FloatArray) -> FloatArray:
        """Make `[N, ...]` of `[S]`, normalised over the whole recording."""

    def count(self, n_inputs: int) -> int:
        """Number of frames that N inputs give."""


class _Waveform:
    """Input of HuBERT, wav2vec2 and WavLM: the samples, with zero mean and unit variance."""

    def __init__(self, config: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> None:
        self.stride, self.field = 1, 1
        for kernel, stride in zip(config["conv_kernel"], config["conv_stride"], strict=True):
            self.field += (kernel - 1) * self.stride
            self.stride *= stride
        self.hop_s = self.stride / SAMPLE_RATE
        self.offset_s = self.field / 2 / SAMPLE_RATE
        self._normalise = bool(preprocessor.get("do_normalize", True))

    def inputs(self, samples: FloatArray) -> FloatArray:
        samples = np.pad(samples, (0, max(0, self.field - len(samples))))
        if not self._normalise:
            return samples
        mean, variance = samples.mean(dtype=np.float64), samples.var(dtype=np.float64)
        normalised: FloatArray = ((samples - mean) / np.sqrt(variance + 1e-7)).astype(np.float32)
        return normalised

    def count(self, n_inputs: int) -> int:
        return (n_inputs - self.field) // self.stride + 1


class _FilterBank:
    """Input of w2v-BERT: pairs of Kaldi filter-bank frames, each band normalised over time."""

    def __init__(self, folder: Path, preprocessor: Mapping[str, Any]) -> None:
        kind = transformers.SeamlessM4TFeatureExtractor
        self._extract = (
            kind.from_pretrained(folder, local_files_only=True) if preprocessor else kind()
        )
        self.stride = self.field = 1
        together = int(self._extract.stride)
        self.hop_s = 0.010 * together
        # windows of 25 ms every 10 ms; the centre of the pair lies between those of its two
        self.offset_s = 0.0125 + 0.010 * (together - 1) / 2

    def inputs(self, samples: FloatArray) -> FloatArray:
        features = self._extract(
            samples, sampling_rate=SAMPLE_RATE, return_attention_mask=True, return_tensors="np"
        )
        # an odd frame at the end was padded to a pair, and is masked for it
        whole = features["attention_mask"][0].astype(bool)
        pairs: FloatArray = features["input_features"][0][whole].astype(np.float32)
        return pairs

    def count(self, n_inputs: int) -> int:
        return n_inputs


class _LogMel:
    """Input of Whisper: log-mel frames of the recording at its true length, not of 30 s."""

    hop_s = 0.020
    offset_s = 0.0  # the spectrum of mel frame 0 is centred on the first sample
    stride = field = 2  # of mel frames of 10 ms, by the second convolution

    def __init__(
        self, folder: Path, config: Mapping[str, Any], preprocessor: Mapping[str, Any]
    ) -> None:
        kind = transformers.WhisperFeatureExtractor
        self._extract = (
            kind.from_pretrained(folder, local_files_only=True)
            if preprocessor
            else kind(feature_size=config["num_mel_bins"])
        )

    def inputs(self, samples: FloatArray) -> FloatArray:
        features = self._extract(
            samples,
            sampling_rate=SAMPLE_RATE,
            padding="longest",
            truncation=False,
            return_tensors="np",
        )["input_features"][0]
        return np.ascontiguousarray(features.T, dtype=np.float32)

    def count(self, n_inputs: int) -> int:
        return (n_inputs + 1) // 2


class _Network(Protocol):
    """Runs pieces that fit into one batch."""

    takes_mask: bool

    def statistics(self, inputs: FloatArray) -> tuple[FloatArray, FloatArray] | None:
        """What a network has to know of the whole recording before it sees a window of it."""

    def run(self, pieces: Sequence[_Piece]) -> list[tuple[FloatArray, FloatArray | None]]:
        """Embeddings `[T, D]`, and logits `[T, V]` with a head, of every piece."""


class _RecordingNorm(nn.Module):
    """The group norm of a base model, with mean and variance of the recording given from outside.

    `nn.GroupNorm` would take them over a window and its padding.
    """

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps
        self.mean: Tensor | None = None  # [B, C]
        self.variance: Tensor | None = None  # [B, C]

    def forward(self, hidden: Tensor) -> Tensor:
        """Normalise `[B, C, T]`."""
        assert self.mean is not None and self.variance is not None  # noqa: S101  set by run
        scale = torch.rsqrt(self.variance + self.eps) * self.weight.float()
        shift = self.bias.float() - self.mean * scale
        return (hidden.float() * scale[:, :, None] + shift[:, :, None]).to(hidden.dtype)


def _moved(inputs: FloatArray, parameter: Tensor) -> Tensor:
    """Input of a network where its parameters are, in their type.

    To a GPU it goes from pinned memory, which the card fetches by itself, and is rounded there.
    """
    tensor = torch.from_numpy(inputs)
    if parameter.is_cuda:
        tensor = tensor.pin_memory().to(parameter.device, non_blocking=True)
    return tensor.to(parameter.dtype)


class _MaskedNetwork:
    """HuBERT, wav2vec2, WavLM and w2v-BERT: one padded batch with an attention mask."""

    takes_mask = True

    def __init__(self, model: Any, layer: int, *, head: bool) -> None:
        self._model = model
        self._parameter = next(model.parameters())
        self._captured: Tensor | None = None
        self._norm: _RecordingNorm | None = None
        base = model.base_model
        self._listen(base.encoder, layer, head=head)
        convolutions = getattr(getattr(base, "feature_extractor", None), "conv_layers", None)
        if convolutions and isinstance(getattr(convolutions[0], "layer_norm", None), nn.GroupNorm):
            self._convolution = convolutions[0].conv
            self._norm = convolutions[0].layer_norm = _RecordingNorm(convolutions[0].layer_norm)

    def _listen(self, encoder: Any, layer: int, *, head: bool) -> None:
        # Hooks and not output_hidden_states: releases of transformers differ in whether the last
        # of those has seen the final norm. Here it has: it is what the encoder puts out.
        def keep(_: nn.Module, __: Any, output: Any) -> None:
            self._captured = output if isinstance(output, Tensor) else output[0]

        def keep_input(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            self._captured = inputs[0]

        if layer == len(encoder.layers):
            encoder.register_forward_hook(keep)
        elif layer == 0:
            encoder.layers[0].register_forward_pre_hook(keep_input)
        else:
            encoder.layers[layer - 1].register_forward_hook(keep)
        if not head:  # nothing is heard of the layers above
            del encoder.layers[max(layer, 1) :]

    def statistics(self, inputs: FloatArray) -> tuple[FloatArray, FloatArray] | None:
        """Mean and variance of the first convolution's channels over the recording, each `[C]`.

        They follow from the mean and covariance of the samples under the kernel, so that the
        channels themselves are never held for a whole recording.
        """
        if self._norm is None:
            return None
        kernel, stride = self._convolution.kernel_size[0], self._convolution.stride[0]
        patches = np.lib.stride_tricks.sliding_window_view(inputs, kernel)[::stride]
        total = np.zeros(kernel)
        products = np.zeros((kernel, kernel))
        for start in range(0, len(patches), 1 << 16):
            block = patches[start : start + (1 << 16)].astype(np.float64)
            total += block.sum(axis=0)
            products += block.T @ block
        mean = total / len(patches)
        covariance = products / len(patches) - np.outer(mean, mean)
        weight = self._convolution.weight[:, 0].detach().cpu().double().numpy()
        channel_mean = weight @ mean
        if self._convolution.bias is not None:
            channel_mean += self._convolution.bias.detach().cpu().double().numpy()
        variance = np.einsum("ck,kl,cl->c", weight, covariance, weight)
        return channel_mean.astype(np.float32), np.maximum(variance, 0.0).astype(np.float32)

    def run(self, pieces: Sequence[_Piece]) -> list[tuple[FloatArray, FloatArray | None]]:
        lengths = [len(piece.inputs) for piece in pieces]
        inputs = np.zeros((len(pieces), max(lengths), *pieces[0].inputs.shape[1:]), np.float32)
        for row, piece in enumerate(pieces):
            inputs[row, : lengths[row]] = piece.inputs
        device = self._parameter.device
        mask = None
        if min(lengths) < max(lengths):
            mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long().to(device)
        if self._norm is not None:
            known = [piece.statistics for piece in pieces if piece.statistics is not None]
            self._norm.mean = torch.from_numpy(np.stack([mean for mean, _ in known])).to(device)
            self._norm.variance = torch.from_numpy(np.stack([var for _, var in known])).to(device)
        output = self._model(_moved(inputs, self._parameter), attention_mask=mask)
        assert self._captured is not None  # noqa: S101  the hook has run
        hidden, self._captured = self._captured.float().cpu().numpy(), None
        logits = getattr(output, "logits", None)
        if logits is not None:
            logits = logits.float().cpu().numpy()
        return [
            (
                hidden[row, : piece.n_frames],
                None if logits is None else logits[row, : piece.n_frames],
            )
            for row, piece in enumerate(pieces)
        ]


class _WhisperNetwork:
    """Whisper's encoder on less than 30 s: its own layers, with the first T positions.

    Its positions are absolute and end at 30 s. Beyond that they start anew in every window, so
    that frames on the two sides of a joint differ by what the network makes of their positions.
    """

    takes_mask = False

    def __init__(self, model: Any, layer: int) -> None:
        self._encoder = model.get_encoder()  # the decoder is let go
        self._is_last = layer == len(self._encoder.layers)
        del self._encoder.layers[layer:]
        self._parameter = next(self._encoder.parameters())

    def statistics(self, inputs: FloatArray) -> None:
        """Nothing: the log-mel input is normalised already."""

    def run(self, pieces: Sequence[_Piece]) -> list[tuple[FloatArray, FloatArray | None]]:
        encoder = self._encoder
        mel = _moved(np.stack([piece.inputs for piece in pieces]), self._parameter).transpose(1, 2)
        hidden = nn.functional.gelu(encoder.conv1(mel))
        hidden = nn.functional.gelu(encoder.conv2(hidden)).transpose(1, 2)
        hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
        for layer in encoder.layers:
            # releases before 5 want a third mask and answer with a tuple
            masks = (None,) * (
                1 + ("layer_head_mask" in inspect.signature(layer.forward).parameters)
            )
            output = layer(hidden, *masks)
            hidden = output if isinstance(output, Tensor) else output[0]
        if self._is_last:
            hidden = encoder.layer_norm(hidden)
        return [(row, None) for row in hidden.float().cpu().numpy()]


class TransformersEncoder:
    """A transformers model read at one layer; `load` makes it.

    Instances may be shared between threads; calls then wait for each other. `gop_refusal` says why
    the frames bring no phone posteriors; it is empty where they do.
    """

    def __init__(
        self,
        front: _Front,
        network: _Network,
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
                pieces.append(_Piece(inputs[reach], window.stop - window.start, statistics))

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

    def _run(self, pieces: Sequence[_Piece]) -> list[tuple[FloatArray, FloatArray | None]]:
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

    def _batches(self, lengths: list[int], pieces: Sequence[_Piece]) -> Iterator[list[int]]:
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
    weights = _weight_files(folder)
    preprocessor = _preprocessor(folder)
    where = _device(device)
    dtype = "float32" if dtype == "auto" else dtype
    settings = {
        "version": VERSION,
        "windows_s": [WINDOW_S, MARGIN_S],
        "config": {key: value for key, value in config.items() if key not in _VOLATILE},
        "preprocessor": preprocessor,
        "dtype": dtype,
    }

    vocabulary, gop_refusal = _phone_vocabulary(folder, config)
    model = _open(folder, name, head=bool(vocabulary))
    described = model.config  # with the values that config.json leaves to their defaults
    layers = int(described.encoder_layers if family == "whisper" else described.num_hidden_layers)
    chosen = default_layer(family, layers) if layer is None else layer
    if not 0 <= chosen <= layers:
        raise EncoderError(
            f"The encoder {name} has {layers} layers, so layer {chosen} cannot be taken.",
            fix=f"Choose a layer from 0 to {layers}.",
        )
    model = model.to(device=where, dtype=getattr(torch, dtype)).eval()

    values = described.to_dict()
    front: _Front
    network: _Network
    max_frames = round(WINDOW_S * SAMPLE_RATE)
    if family == "whisper":
        front, network = _LogMel(folder, values, preprocessor), _WhisperNetwork(model, chosen)
        max_frames = int(described.max_source_positions)
    else:
        front = (
            _FilterBank(folder, preprocessor)
            if family == "wav2vec2-bert"
            else _Waveform(values, preprocessor)
        )
        network = _MaskedNetwork(model, chosen, head=bool(vocabulary))
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


def _device(device: str) -> torch.device:
    if device == "cuda" and not has_gpu():
        raise EncoderError(
            "There is no CUDA device on this machine.",
            fix="Leave the device at auto or cpu, or install a CUDA build of torch.",
        )
    if device == "auto":
        device = "cuda" if has_gpu() else "cpu"
    return torch.device(device)


def _weight_files(folder: Path) -> tuple[Path, ...]:
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
        shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
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


def _preprocessor(folder: Path) -> dict[str, Any]:
    """Read `preprocessor_config.json`; empty where the folder has none."""
    path = folder / "preprocessor_config.json"
    if not path.is_file():
        return {}
    try:
        settings: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EncoderError(f"{path} cannot be read.", cause=str(error)) from error
    if settings.get("sampling_rate", SAMPLE_RATE) != SAMPLE_RATE:
        raise EncoderError(
            f"{folder} hears {settings['sampling_rate']} Hz; NativeEar gives encoders 16000 Hz.",
            fix="Choose a model of 16 kHz speech.",
        )
    return settings


def _phone_vocabulary(folder: Path, config: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """Labels of the model's CTC head in the order of its outputs, or () and why there are none."""
    path = folder / "vocab.json"
    if not any(str(kind).endswith("ForCTC") for kind in config.get("architectures") or ()):
        return (), "The encoder has no CTC head."
    if config.get("add_adapter"):
        return (), "The encoder's adapter halves the frame rate before the CTC head."
    if not path.is_file():
        return (), f"The labels of the encoder's CTC head are missing: {path}."
    vocabulary = json.loads(path.read_text(encoding="utf-8"))
    if not all(isinstance(label, int) for label in vocabulary.values()):
        return (), "The encoder's CTC head has vocabularies of several languages in one file."
    size = int(config.get("vocab_size") or len(vocabulary))
    labels = [f"<{label}>" for label in range(size)]
    for text, label in vocabulary.items():
        if label < size:
            labels[label] = text
    return (tuple(labels), "") if are_phones(labels) else ((), labels_refusal(labels))


def _open(folder: Path, name: str, *, head: bool) -> Any:
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
