"""What an encoder is good for: opened, timed on a recording, its labels held against a language."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from nativeear.speech.audio import Audio
from nativeear.speech.encoders.catalogue import Dtype, describe, load_encoder
from nativeear.speech.errors import ConformanceError
from nativeear.speech.frames import Encoder, Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import BLANK, OTHER, LabelMap, head_refusal, label_map
from nativeear.speech.testing import check_encoder

HOP_TOLERANCE = 0.05
"""How far a recording's frames, times their hop, may be from its length, as a share of it."""


@dataclass(frozen=True)
class HeadCheck:
    """How the labels of a CTC head are read by a language's inventory."""

    language: str
    labels: int  # how many the head has, the blank among them
    phones: int  # phones of the inventory that it tells, and how many there are
    of_phones: int
    # Labels that count as the nearest phone, with that phone and its PanPhon distance.
    approximate: tuple[tuple[str, str, float], ...]
    composite: tuple[tuple[str, str], ...]  # labels that say several phones, and which
    silent: tuple[str, ...]  # labels that are no sound: their probability joins the blank's
    other: tuple[str, ...]  # labels that are sounds, but none of the inventory
    # Phones that it has no label for, and how it spells them: with the labels of several phones.
    spelled: tuple[tuple[str, str], ...]
    absent: tuple[str, ...]  # phones that it cannot tell at all
    blank_share: float  # share of the frames in which the blank is likeliest
    heard: str  # what it hears in the recording, in IPA


@dataclass(frozen=True)
class EncoderCheck:
    """What was found of an encoder."""

    name: str
    kind: str  # its loader
    fingerprint: str
    dim: int
    layers: int | None
    layer: int | None  # the one that is read
    hop_ms: float
    offset_ms: float
    load_s: float
    speech_s: float  # length of the recording
    encode_s: float  # time that one pass over it took
    # Whether it serves for looking phones up in an index, and for their posteriors.
    retrieval: bool
    posteriors: bool
    head: HeadCheck | None
    head_refusal: str  # why there are no posteriors of this language's phones, or empty
    problems: tuple[str, ...]  # what is wrong: an index should not be built with it then
    notes: tuple[str, ...]  # what to know, though nothing is wrong


def check(
    name: str,
    audio: Audio,
    inventory: PhoneInventory,
    *,
    layer: int | None = None,
    dtype: Dtype = "float32",
) -> EncoderCheck:
    """Open an encoder and try it.

    Parameters
    ----------
    name, layer, dtype
        As for `load_encoder`.
    audio
        A recording of some seconds.
    inventory
        The language that it is to serve.

    Raises
    ------
    EncoderError
        If it cannot be opened.
    """
    info = describe(name)
    started = time.perf_counter()
    encoder = load_encoder(name, layer=layer, dtype=dtype)
    loaded = time.perf_counter()
    encoder.encode(audio)  # the first pass compiles and allocates
    warm = time.perf_counter()
    frames = encoder.encode(audio)
    encode_s = time.perf_counter() - warm
    refusal = getattr(encoder, "gop_refusal", "") or head_refusal(frames, inventory)
    head = None if refusal else _head_check(frames, inventory)
    problems = [*_problems(encoder, audio, frames), *([] if head is None else _doubts(head))]
    flat = len(frames) > 1 and float(np.ptp(frames.embeddings, axis=0).max()) == 0.0
    if flat:
        problems.append("Every frame has the same embedding.")
    return EncoderCheck(
        name=info.name,
        kind=info.kind,
        fingerprint=encoder.fingerprint,
        dim=encoder.dim,
        layers=info.layers,
        layer=info.default_layer if layer is None else layer,
        hop_ms=round(1000 * frames.hop_s, 3),
        offset_ms=round(1000 * frames.offset_s, 3),
        load_s=round(loaded - started, 3),
        speech_s=round(audio.duration_s, 3),
        encode_s=round(encode_s, 3),
        retrieval=not flat,
        posteriors=head is not None and head.phones > 0,
        head=head,
        head_refusal=refusal,
        problems=tuple(problems),
        notes=tuple(_notes(frames, refusal)),
    )


def _problems(encoder: Encoder, audio: Audio, frames: Frames) -> list[str]:
    """What is wrong with its frames."""
    problems = []
    try:
        check_encoder(encoder, audio)
    except ConformanceError as error:
        problems.append(error.message)
    covered_s = len(frames) * frames.hop_s
    if abs(covered_s - audio.duration_s) > HOP_TOLERANCE * audio.duration_s + 2 * frames.hop_s:
        problems.append(
            f"{len(frames)} frames of {1000 * frames.hop_s:g} ms are {covered_s:.2f} s, and the "
            f"recording lasts {audio.duration_s:.2f} s: the hop is wrong."
        )
    return problems


def _doubts(head: HeadCheck) -> list[str]:
    """What is wrong with how its labels are read."""
    if not head.phones:
        return [f"None of its labels says a phone of {head.language}."]
    return []


def _notes(frames: Frames, refusal: str) -> list[str]:
    notes = []
    if frames.log_probs is not None and np.array_equal(frames.embeddings, frames.log_probs):
        notes.append(
            "It gives no embeddings: retrieval goes by its log posteriors, which tell fewer "
            "shades of a sound apart."
        )
    if refusal:
        notes.append(
            "For posteriors, build with `--head NAME` of another encoder, or with `--head fitted`."
        )
    return notes


def _head_check(frames: Frames, inventory: PhoneInventory) -> HeadCheck:
    read = label_map(frames.labels, inventory)
    names = [tuple(read.columns[column] for column in pieces) for pieces in read.pieces]
    labelled = list(zip(read.labels, names, strict=True))
    return HeadCheck(
        language=inventory.language,
        labels=len(read.labels),
        phones=len(inventory.symbols) - len(read.absent),
        of_phones=len(inventory.symbols),
        approximate=tuple(
            (label, inventory.ipa(phone), round(distance, 4))
            for label, (phone, distance) in read.approximate.items()
        ),
        composite=tuple(
            (label, " ".join(_ipa(inventory, phone) for phone in said))
            for label, said in labelled
            if len(said) > 1
        ),
        silent=tuple(label for label, said in labelled[1:] if said == (BLANK,)),
        other=tuple(label for label, said in labelled if OTHER in said),
        spelled=tuple(
            (inventory.ipa(phone), " ".join(_ipa(inventory, read.columns[c]) for c in columns))
            for phone, columns in read.spelling.items()
            if phone not in read.absent and len(columns) > 1
        ),
        absent=tuple(inventory.ipa(phone) for phone in inventory.symbols if phone in read.absent),
        blank_share=round(_blank_share(read, frames), 3),
        heard=_heard(read, frames, inventory),
    )


def _ipa(inventory: PhoneInventory, column: str) -> str:
    return inventory.ipa(column) if column in inventory.symbols else column


def _blank_share(read: LabelMap, frames: Frames) -> float:
    assert frames.log_probs is not None  # noqa: S101  a head was read
    return float((read.pool(frames.log_probs).argmax(axis=1) == 0).mean())


def _heard(read: LabelMap, frames: Frames, inventory: PhoneInventory) -> str:
    """The likeliest column of every frame, repeats as one and without the blank."""
    assert frames.log_probs is not None  # noqa: S101  a head was read
    best = read.pool(frames.log_probs).argmax(axis=1).tolist()
    columns = [read.columns[column] for column, _ in groupby(best) if column]
    return " ".join("·" if column == OTHER else inventory.ipa(column) for column in columns)
