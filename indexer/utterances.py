"""One native utterance → pooled phones: the stage that runs in parallel."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.corpus import Utterance
from speech.aligners.catalogue import load_aligner
from speech.aligners.textgrid import read_alignment
from speech.alignment import SILENCE, Aligner, Alignment
from speech.audio import Audio
from speech.encoders.catalogue import load_encoder
from speech.errors import AlignmentError, NativeEarError
from speech.frames import Encoder, FloatArray
from speech.inventory import PhoneInventory
from speech.pooling import Pooling, pool
from speech.pronunciation import Pronouncer, given_phones

MIN_SILENCE_S = 0.06
"""Shorter silences are closures and breaths that the aligner could not place; not exemplars."""


@dataclass(frozen=True)
class PooledPhone:
    """A phone of a native utterance, or a silence, before it becomes an exemplar.

    `stress` is -1 where unknown; `rating` is the raters' score, None where nobody rated.
    """

    phone: str
    left: str
    right: str
    stress: int
    word: str
    start_s: float
    end_s: float
    rating: float | None = None


@dataclass(frozen=True, eq=False)
class PooledUtterance:
    """What one utterance gives to an index.

    Attributes
    ----------
    phones
        N phones and silences.
    embeddings
        float32 `[N, D]`, in the encoder's space.
    audio_s
        Length of the recording in seconds.
    """

    phones: tuple[PooledPhone, ...]
    embeddings: FloatArray
    audio_s: float

    def save(self, path: Path) -> None:
        """Write to one `.npz` file; the rename makes it whole or absent."""
        described = json.dumps([vars(phone) for phone in self.phones])
        partial = path.with_suffix(".partial")
        with partial.open("wb") as stream:
            np.savez(
                stream,
                phones=np.frombuffer(described.encode(), dtype=np.uint8),
                embeddings=self.embeddings,
                audio_s=np.float64(self.audio_s),
            )
        partial.rename(path)

    @classmethod
    def load(cls, path: Path) -> PooledUtterance:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            described = json.loads(arrays["phones"].tobytes().decode())
            return cls(
                tuple(PooledPhone(**phone) for phone in described),
                arrays["embeddings"],
                float(arrays["audio_s"]),
            )


@dataclass(frozen=True)
class PoolingRequest:
    """What a worker has to know to pool utterances; plain values, so that it travels."""

    language: str
    aligner: str
    encoder: str
    layer: int | None
    pooling: Pooling


class UtterancePooler:
    """Loads encoder, aligner and pronunciations once, then pools utterance after utterance."""

    def __init__(self, request: PoolingRequest) -> None:
        self.request = request
        self.encoder: Encoder = load_encoder(request.encoder, layer=request.layer)
        self.pronouncer = Pronouncer(request.language)
        self.inventory: PhoneInventory = self.pronouncer.inventory
        self._aligner: Aligner | None = None

    def pool(self, utterance: Utterance) -> PooledUtterance:
        """Decode, encode, align and pool one utterance.

        Raises
        ------
        NativeEarError
            If any step refuses it; the caller sets the utterance aside with this reason.
        """
        audio = Audio.load(utterance.audio)
        alignment = self._align(utterance, audio)
        frames = self.encoder.encode(audio)
        described, spans = [], []
        phones = alignment.phones
        ratings = iter(utterance.ratings or ())
        for i, phone in enumerate(phones):
            rating = None if phone.is_silence else next(ratings, None)
            if phone.is_silence and (phone.phone != SILENCE or phone.duration_s < MIN_SILENCE_S):
                continue  # `spn` and the like: speech of unknown phones
            described.append(
                PooledPhone(
                    phone=phone.phone,
                    left=phones[i - 1].phone if i else SILENCE,
                    right=phones[i + 1].phone if i + 1 < len(phones) else SILENCE,
                    stress=-1 if phone.stress is None else phone.stress,
                    word="" if phone.is_silence else alignment.words[phone.word_index],
                    start_s=phone.start_s,
                    end_s=phone.end_s,
                    rating=rating,
                )
            )
            spans.append((phone.start_s, phone.end_s))
        if not any(phone.phone != SILENCE for phone in described):
            raise AlignmentError(f"{utterance.id}: the alignment holds no phone.")
        return PooledUtterance(
            tuple(described), pool(frames, spans, self.request.pooling), audio.duration_s
        )

    def _align(self, utterance: Utterance, audio: Audio) -> Alignment:
        if self.request.aligner in {"auto", "textgrid"} and utterance.textgrid is not None:
            return read_alignment(utterance.textgrid, self.inventory, duration_s=audio.duration_s)
        if utterance.phones is not None:
            pronunciation = given_phones(
                utterance.phones, self.inventory, utterance.text, self.pronouncer
            )
        else:
            pronunciation = self.pronouncer.pronounce(utterance.text or "")
        if self._aligner is None:
            self._aligner = load_aligner(self.request.aligner, self.request.language)
        return self._aligner.align(audio, pronunciation)


_pooler: UtterancePooler | None = None


def start_worker(request: PoolingRequest) -> None:
    """Load this worker process's pooler."""
    global _pooler  # noqa: PLW0603 - one per process, made by the pool's initialiser
    # Before torch is loaded: workers that each use every core only get in each other's way.
    os.environ["OMP_NUM_THREADS"] = "1"
    _pooler = UtterancePooler(request)


def pool_in_worker(utterance: Utterance, path: Path) -> str:
    """Pool one utterance into `path`; returns the reason if it has to be set aside, else ''."""
    if _pooler is None:
        raise RuntimeError("start_worker was not called")
    return pool_into(_pooler, utterance, path)


def pool_into(pooler: UtterancePooler, utterance: Utterance, path: Path) -> str:
    """Pool one utterance into `path`; returns the reason if it has to be set aside, else ''."""
    try:
        pooler.pool(utterance).save(path)
    except NativeEarError as error:
        return " ".join(filter(None, (error.message, error.cause)))
    return ""


def record_name(corpus: str, utterance: str) -> str:
    """File name of an utterance's record; ids may hold anything, file names may not."""
    return hashlib.sha256(f"{corpus}\0{utterance}".encode()).hexdigest()[:32] + ".npz"
