"""Every layer of an encoder from one pass, pooled both ways.

`speech.encoders.compact` gives one layer; benchmarks that compare layers would run the network once
for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.retrieval import Pool
from benchmarks.speech_data import PooledSpeech
from nativeear.indexer.corpus import Utterance
from nativeear.indexer.decision import TOP_M
from nativeear.indexer.discriminant import fit_lda
from nativeear.indexer.utterances import PooledPhone
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.compact import FOLDER, MARGIN_FRAMES, WINDOW_FRAMES
from nativeear.speech.encoders.compact_model import (
    CompactConfig,
    CompactEncoder,
    load,
    log_mel,
    save,
)
from nativeear.speech.encoders.spectral import SpectralEncoder
from nativeear.speech.encoders.windows import plan, stitch
from nativeear.speech.frames import Frames
from nativeear.speech.pooling import Pooling, pool
from training.whisper_weights import encoder_state, find_parts, read_ctranslate2

POOLINGS: tuple[Pooling, ...] = ("middle-frame", "middle-third")
N_LAYERS = 6  # of the frozen start: all that Whisper base has


class LayeredEncoder(Protocol):
    """Hears a recording once and gives the frames of all its layers."""

    @property
    def name(self) -> str:
        """What the tables call it."""

    @property
    def n_layers(self) -> int:
        """How many kinds of frames it gives; at least 1."""

    def hear(self, audio: Audio) -> list[Frames]:
        """Frames of every layer."""


class CompactLayers:
    """All hidden states of the compact network, cut in the shipped encoder's windows."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._model = load(folder)
        self.n_layers = self._model.config.n_layers + 2

    @torch.inference_mode()
    def hear(self, audio: Audio) -> list[Frames]:
        mel = log_mel(torch.as_tensor(audio.samples))
        windows = plan((mel.shape[1] + 1) // 2, size=WINDOW_FRAMES, margin=MARGIN_FRAMES)
        pieces = [mel[:, 2 * window.start : 2 * window.stop] for window in windows]
        encoded = self._model(*self._model.collate(pieces))
        lengths = encoded.lengths.tolist()
        config = self._model.config
        return [
            Frames(
                stitch([row[:n] for row, n in zip(layer.numpy(), lengths, strict=True)], windows),
                config.hop_s,
                config.offset_s,
            )
            for layer in encoded.hidden
        ]


class SpectralLayer:
    """The floor: spectra, which have one kind of frames."""

    name = "spectral"
    n_layers = 1

    def __init__(self) -> None:
        self._encoder = SpectralEncoder()

    def hear(self, audio: Audio) -> list[Frames]:
        return [self._encoder.encode(audio)]


def compact_folder(encoder: str) -> Path:
    """Folder of `compact`, `default` or `compact:FOLDER`."""
    kind, _, source = encoder.partition(":")
    if kind not in {"compact", "default"}:
        raise SystemExit(f"{encoder} is no compact encoder: give compact:FOLDER.")
    return Path(source) if source else FOLDER


@contextmanager
def frozen_folder(parts: Sequence[Path]) -> Iterator[Path]:
    """The network as training starts it, packaged; its head is untrained.

    Parameters
    ----------
    parts
        Folders of the unpacked packages that carry Whisper base's weights.
    """
    config = CompactConfig(n_layers=N_LAYERS)
    model = CompactEncoder(config)
    state = encoder_state(read_ctranslate2(find_parts(list(parts))), N_LAYERS)
    model.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()}, strict=False)
    with TemporaryDirectory() as folder:
        save(model, Path(folder), config, bits=16)
        yield Path(folder)


@contextmanager
def layered_encoders(encoder: str, frozen: Sequence[Path] | None) -> Iterator[list[LayeredEncoder]]:
    """The compact encoder, its frozen start where its packages are given, and the floor."""
    found: list[LayeredEncoder] = [CompactLayers(compact_folder(encoder), "compact")]
    if frozen:
        with frozen_folder(frozen) as folder:
            found.append(CompactLayers(folder, "frozen start"))
    yield [*found, SpectralLayer()]


@dataclass(frozen=True, eq=False)
class LayeredSpeech:
    """Pooled phones in every pooling and layer.

    Attributes
    ----------
    plain
        What is known of the N phones; its embeddings are empty.
    vectors
        By pooling, float16 `[layers, N, D]`.
    """

    plain: PooledSpeech
    vectors: dict[Pooling, NDArray[np.float16]]

    def layer(self, pooling: Pooling, layer: int) -> PooledSpeech:
        """The phones with the embeddings of one layer."""
        plain = self.plain
        embeddings = self.vectors[pooling][layer].astype(np.float32)
        return PooledSpeech(plain.phones, embeddings, plain.utterance, plain.speaker, plain.expert)


def pool_layers(
    encoder: LayeredEncoder, aligned: Iterable[tuple[Utterance, Sequence[PooledPhone]]]
) -> LayeredSpeech:
    """Hear every utterance once, and pool its phones in every layer."""
    phones: list[PooledPhone] = []
    owners: list[Utterance] = []
    found: dict[Pooling, list[NDArray[np.float16]]] = {pooling: [] for pooling in POOLINGS}
    for utterance, own in aligned:
        layers = encoder.hear(Audio.load(utterance.audio))
        spans = [(phone.start_s, phone.end_s) for phone in own]
        for pooling, vectors in found.items():
            pooled = np.stack([pool(frames, spans, pooling) for frames in layers])
            vectors.append(pooled.astype(np.float16))
        phones.extend(own)
        owners.extend([utterance] * len(own))
    return LayeredSpeech(
        PooledSpeech(
            tuple(phones),
            np.empty((len(phones), 0), dtype=np.float32),
            np.array([owner.id for owner in owners]),
            np.array([owner.speaker for owner in owners]),
            np.array([np.nan if phone.rating is None else phone.rating for phone in phones]),
        ),
        {pooling: np.concatenate(vectors, axis=1) for pooling, vectors in found.items()},
    )


def margin_pool(speech: PooledSpeech) -> Pool:
    """A pool that judges by bare margins.

    It asks no left-out natives, so it has no quantiles; it is made many times in a sweep.
    """
    order = np.argsort(speech.labels, kind="stable")
    labels = speech.labels[order]
    transform = fit_lda(speech.embeddings[order], tuple(labels))
    classes, counts = np.unique(labels, return_counts=True)
    return Pool(
        classes=tuple(str(c) for c in classes),
        transform=transform,
        vectors=transform(speech.embeddings[order]),
        bounds=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        top_m=TOP_M,
        natives={},
        native_accuracy=float("nan"),
    )
