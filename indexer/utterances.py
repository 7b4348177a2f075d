"""One native utterance → pooled phones: the stage that runs in parallel."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from nativeear.indexer.corpus import Utterance
from nativeear.indexer.encoded_utterance import EncodedUtterance, encoded_name, recording_at
from nativeear.indexer.pooled_utterance import HeardFrames, PooledPhone, PooledUtterance
from nativeear.indexer.remote_files import is_local, local_copy
from nativeear.indexes.frame_evidence import span_weights
from nativeear.speech.aligners.catalogue import choose_aligner, load_aligner, needs_frames
from nativeear.speech.aligners.flatstart import FlatstartAligner
from nativeear.speech.aligners.textgrid import read_alignment, spans_alignment
from nativeear.speech.alignment import SILENCE, Aligner, Alignment
from nativeear.speech.audio import NOTHING_AHEAD, Ahead, Audio, decoded_ahead
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.encoders.catalogue import Arithmetic, has_gpu, load_encoder
from nativeear.speech.encoders.fitted_head import FittedHead
from nativeear.speech.errors import AlignmentError, AudioError, NativeEarError
from nativeear.speech.frames import Encoder, Frames
from nativeear.speech.given_phones import given_phones
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.occupancy import CanonicalPosteriors, canonical_posteriors
from nativeear.speech.pooling import Pooling, pool
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.prosody.measurement import measure_prosody
from nativeear.speech.prosody.profile import ProsodyProfile
from nativeear.speech.registry import find
from nativeear.speech.sound_checks import FULL_SCALE

MIN_SILENCE_S = 0.06
"""Shorter silences are closures and breaths that the aligner could not place; not exemplars."""

CLIPPED_SHARE = 0.05
"""Share of samples at full scale from which the overtones of clipping are louder than weak
fricatives; an assessment warns earlier and refuses later."""


@dataclass(frozen=True)
class PoolingRequest:
    """What a worker has to know to pool utterances, as plain values, so that it travels.

    For fields without a word see `nativeear index build --help`.
    """

    language: str  # BCP 47 tag
    aligner: str
    encoder: str
    layer: int | None
    pooling: Pooling
    g2p: str | None = None  # the one source of pronunciations after the lexicon, or the usual ones
    lexicon: Path | None = None  # pronunciations that go before all others
    inventory: PhoneInventory | None = None  # phones of the language, where none ship
    model: Path | None = None  # where the aligner that is learnt from the corpus lies, or will lie
    dtype: Arithmetic = "float32"
    head: Path | None = None  # where the head that is fitted on the corpus lies, or will lie


class UtterancePooler:
    """Loads encoder, aligner and pronunciations once, then pools utterance after utterance."""

    def __init__(self, request: PoolingRequest) -> None:
        if request.aligner != "auto":
            find("aligners", request.aligner)  # before anything is heard
        self.request = request
        self.pronouncer = Pronouncer(
            request.language,
            lexicon=request.lexicon,
            g2p=request.g2p,
            inventory=request.inventory,
        )
        self.inventory: PhoneInventory = self.pronouncer.inventory
        self._ahead: Ahead = NOTHING_AHEAD
        self._waiting: Sequence[Utterance] = ()
        self._decoded: dict[int, Audio] = {}
        self._encoded: dict[int, Frames] = {}

    def with_model(self, model: Path) -> UtterancePooler:
        """The same, aligning with a flatstart model that lies, or will lie, at `model`."""
        return self._with(replace(self.request, model=model))

    def with_head(self, head: Path) -> UtterancePooler:
        """The same, with a phone head that lies, or will lie, at `head`."""
        return self._with(replace(self.request, head=head))

    def _with(self, request: PoolingRequest) -> UtterancePooler:
        pooler = UtterancePooler(request)
        pooler.__dict__["encoder"] = self.encoder  # open already
        return pooler

    @property
    def encoded_folder(self) -> Path:
        """Where utterances rest that were encoded to learn an aligner from."""
        model = self.request.model
        return Path(".heard") if model is None else model.with_suffix(".heard")

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder."""
        request = self.request
        return load_encoder(request.encoder, layer=request.layer, dtype=request.dtype)

    @cached_property
    def head(self) -> FittedHead | None:
        """The head that was fitted on the corpus, if the encoder has none of its own."""
        return None if self.request.head is None else FittedHead.load(self.request.head)

    @cached_property
    def aligner_name(self) -> str:
        """The aligner of utterances that bring no alignment."""
        return choose_aligner(
            self.request.aligner, self.inventory, self.encoder, self.request.model
        )

    @cached_property
    def aligner(self) -> Aligner:
        """That aligner, open."""
        return load_aligner(
            self.aligner_name,
            self.request.language,
            inventory=self.inventory,
            model=self.request.model,
        )

    @contextmanager
    def together(self, utterances: Sequence[Utterance]) -> Iterator[None]:
        """Work on utterances together, for as long as this lasts.

        What is still to be encoded of them is decoded together; and encoded together on a GPU, once
        the first is asked for. A processor takes as long for many as for one by one.
        """
        not_encoded = [u for u in utterances if self._kept(u) is None]
        with decoded_ahead([u.audio for u in not_encoded if is_local(u.audio)]) as ahead:
            self._ahead, self._waiting = ahead, not_encoded if has_gpu() else ()
            try:
                yield
            finally:
                self._ahead, self._waiting = NOTHING_AHEAD, ()
                self._decoded.clear()
                self._encoded.clear()

    def recording(self, utterance: Utterance) -> Audio:
        """The utterance's part of its recording, as `recording_of`."""
        decoded = self._decoded.get(id(utterance))
        return recording_of(utterance, self._ahead) if decoded is None else decoded

    def frames(self, utterance: Utterance, audio: Audio) -> Frames:
        """Encode an utterance, or have what was encoded together with others."""
        if self._waiting:
            waiting, self._waiting = self._waiting, ()
            self._decoded[id(utterance)] = audio
            self._encode(waiting)
        encoded = self._encoded.pop(id(utterance), None)
        return self.encoder.encode(audio) if encoded is None else encoded

    def _encode(self, utterances: Sequence[Utterance]) -> None:
        """Encode those that can be heard; what is wrong with others is told in their turn."""
        for utterance in utterances:
            with suppress(NativeEarError):
                self._decoded[id(utterance)] = self.recording(utterance)
        with suppress(NativeEarError):  # too much for the GPU: one by one, then
            frames = self.encoder.encode_batch(list(self._decoded.values()))
            self._encoded = dict(zip(self._decoded, frames, strict=True))

    def pool(self, utterance: Utterance, *, with_frames: bool = False) -> PooledUtterance:
        """Decode, encode, align and pool one utterance.

        Parameters
        ----------
        with_frames
            Keep the frames of its phones, too, where no phone head hears them.

        Raises
        ------
        NativeEarError
            If any step refuses it; the caller sets the utterance aside with this reason.
        """
        frames, alignment, audio = self.encoded_and_aligned(utterance)
        if self.head is not None:
            frames = self.head.heard(frames)
        described, spans = [], []
        phones = alignment.phones
        ratings = iter(utterance.ratings or ())
        heard = self._heard_by_head(frames, alignment)
        log_posteriors = iter(
            [math.nan] * len(alignment.spoken) if heard is None else heard.log_posterior.tolist()
        )
        for i, phone in enumerate(phones):
            rating = None if phone.is_silence else next(ratings, None)
            log_posterior = math.nan if phone.is_silence else next(log_posteriors)
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
                    log_posterior=log_posterior,
                )
            )
            spans.append((phone.start_s, phone.end_s))
        if not any(phone.phone != SILENCE for phone in described):
            raise AlignmentError(f"{utterance.id}: the alignment holds no phone.")
        return PooledUtterance(
            tuple(described),
            pool(frames, spans, self.request.pooling),
            audio.duration_s,
            self._prosody(utterance, audio, alignment) if utterance.ratings is None else None,
            _heard_frames(frames, alignment) if with_frames and heard is None else None,
        )

    def _prosody(self, utterance: Utterance, audio: Audio, alignment: Alignment) -> ProsodyProfile:
        measured = measure_prosody(audio, alignment, self.inventory, utterance.text)
        return ProsodyProfile.of(measured, alignment.words)

    def encoded_and_aligned(self, utterance: Utterance) -> tuple[Frames, Alignment, Audio]:
        """Frames and alignment of an utterance, from what was encoded before if it was.

        Raises
        ------
        NativeEarError
            If any step refuses it.
        """
        kept = self._kept(utterance)
        audio = self.recording(utterance) if kept is None else recording_at(kept)
        refuse_clipped(audio)
        if kept is None:
            frames = self.frames(utterance, audio)
            return frames, self.align(utterance, audio, frames), audio
        encoded = EncodedUtterance.load(kept)
        return encoded.frames, self._align_encoded(utterance, encoded), audio

    def _kept(self, utterance: Utterance) -> Path | None:
        """Where an utterance rests that was encoded to learn the aligner from."""
        if self.request.model is None:
            return None
        kept = self.encoded_folder / encoded_name(utterance)
        return kept if kept.is_file() else None

    def _align_encoded(self, utterance: Utterance, encoded: EncodedUtterance) -> Alignment:
        alignment = self.ready_alignment(utterance, encoded.duration_s)
        if alignment is not None:
            return alignment
        if not isinstance(self.aligner, FlatstartAligner):
            raise AlignmentError(
                f"{utterance.id} brings no alignment.", fix="Leave --aligner out, or add one."
            )
        return self.aligner.align_frames(
            encoded.frames, encoded.loud, encoded.duration_s, self.pronounce(utterance)
        )

    def _heard_by_head(self, frames: Frames, alignment: Alignment) -> CanonicalPosteriors | None:
        """What the phone head says of every phone that is no silence, in order."""
        canonical = [phone.phone for phone in alignment.spoken]
        return canonical_posteriors(frames, self.inventory, canonical)

    def alignment_of(self, utterance: Utterance) -> Alignment:
        """An utterance's alignment, from what was encoded before if it was.

        Raises
        ------
        NativeEarError
            If any step refuses it.
        """
        kept = self._kept(utterance)
        if kept is None:
            return self.align(utterance, self.recording(utterance))
        return self._align_encoded(utterance, EncodedUtterance.load(kept))

    def align(self, utterance: Utterance, audio: Audio, frames: Frames | None = None) -> Alignment:
        """The utterance's own alignment, or one that is made now.

        Parameters
        ----------
        frames
            The recording's frames, where they are there already.
        """
        ready = self.ready_alignment(utterance, audio.duration_s)
        if ready is not None:
            return ready
        pronunciation = self.pronounce(utterance)
        if frames is None and needs_frames(self.aligner):
            frames = self.frames(utterance, audio)
        return self.aligner.align(audio, pronunciation, frames)

    def ready_alignment(self, utterance: Utterance, duration_s: float) -> Alignment | None:
        """The alignment that the corpus brings, unless another aligner was asked for."""
        if self.request.aligner not in {"auto", "textgrid"}:
            return None
        if utterance.textgrid is not None:
            with local_copy(utterance.textgrid) as grid:
                return read_alignment(grid, self.inventory, duration_s=duration_s)
        if utterance.spans:
            return spans_alignment(
                utterance.spans,
                utterance.word_spans,
                self.inventory,
                duration_s=duration_s,
                whence=utterance.id,
            )
        return None

    def pronounce(self, utterance: Utterance) -> Pronunciation:
        """What is said in an utterance."""
        if utterance.phones is not None:
            return given_phones(utterance.phones, self.inventory, utterance.text, self.pronouncer)
        return self.pronouncer.pronounce(utterance.text or "")


def recording_of(utterance: Utterance, ahead: Ahead = NOTHING_AHEAD) -> Audio:
    """The utterance's part of its recording, which may have been decoded ahead."""
    with local_copy(utterance.audio) as file:
        audio = Audio.load(file, ahead=ahead)
    if utterance.start_s == 0.0 and utterance.end_s is None:
        return audio
    end_s = audio.duration_s if utterance.end_s is None else utterance.end_s
    return audio.slice(utterance.start_s, end_s)


def refuse_clipped(audio: Audio) -> None:
    """Refuse a recording that is no example to anyone.

    Raises
    ------
    AudioError
        If more than `CLIPPED_SHARE` of its samples are at full scale.
    """
    clipped = float((np.abs(audio.samples) >= FULL_SCALE).mean())
    if clipped > CLIPPED_SHARE:
        raise AudioError(
            "The recording is clipped.",
            cause=f"{clipped:.0%} of its samples are at full scale.",
            fix="Lower the recording level, and record again.",
        )


def _heard_frames(frames: Frames, alignment: Alignment) -> HeardFrames:
    weights = span_weights(frames, [(phone.start_s, phone.end_s) for phone in alignment.spoken])
    own = weights.any(axis=1)
    return HeardFrames(frames.embeddings[own].astype(np.float16), weights[own].astype(np.float32))


def pool_into(pooler: UtterancePooler, utterance: Utterance, path: Path) -> str:
    """Pool one utterance into `path`; returns the reason if it has to be set aside, else ''."""
    return _pool_into(pooler, utterance, path, with_frames=False)


def pool_with_frames_into(pooler: UtterancePooler, utterance: Utterance, path: Path) -> str:
    """The same, and keep the frames of its phones, too."""
    return _pool_into(pooler, utterance, path, with_frames=True)


def _pool_into(
    pooler: UtterancePooler, utterance: Utterance, path: Path, *, with_frames: bool
) -> str:
    try:
        pooler.pool(utterance, with_frames=with_frames).save(path)
    except NativeEarError as error:
        return reason_of(error)
    return ""


def reason_of(error: NativeEarError) -> str:
    """An error as the reason for which an utterance is set aside."""
    return " ".join(filter(None, (error.message, error.cause)))
