"""Which layer of an encoder tells the phones of a corpus apart best, by natives who are left out.

A sample of the corpus is laid once, and heard at one layer after the other. At each, natives are
asked of an index without them, as when an index is built, and what counts is how well their margins
are told from those of simulated errors: natives' sounds claimed to be one of the phones that they
resemble most. First some layers at equal distances are tried, then those around the best of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nativeear.indexer.assembly import Progress
from nativeear.indexer.corpus import Utterance
from nativeear.indexer.decision import ask_left_out
from nativeear.indexer.fitting import fit_from_speech, has_to_learn
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler
from nativeear.indexer.worker_pool import start_workers
from nativeear.indexes.manifest import LayerChoice, LayerTrial
from nativeear.indexes.native_margins import left_out_together
from nativeear.speech.alignment import SILENCE
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.catalogue import describe, load_encoder, split_pair
from nativeear.speech.errors import CorpusError, InputError, NativeEarError
from nativeear.speech.frames import FloatArray
from nativeear.speech.pooling import pool

SAMPLE_S = 600.0
"""Seconds of the corpus in the sample, at most."""

SEED = 0
FIRST_TRIED = 8
"""Layers at equal distances that are tried first: of a model of no more, all."""

NEVER_WRONG = 0.5
"""AUC of a layer at which nothing could be asked."""


@dataclass(frozen=True)
class LaidUtterance:
    """An utterance of the sample, and where its phones lie."""

    audio: Audio
    speaker: str
    phones: tuple[str, ...]
    spans_s: tuple[tuple[float, float], ...]


def choose_layer(
    request: PoolingRequest, utterances: Sequence[Utterance], progress: Progress
) -> LayerChoice:
    """Try the layers of `request.encoder` on a sample of utterances.

    Raises
    ------
    InputError
        If it is not known to have layers.
    CorpusError
        If too little of the sample can be used.
    """
    ear = (split_pair(request.encoder) or (request.encoder,))[0]
    layers = describe(ear).layers
    if layers is None:
        raise InputError(
            f"The encoder {ear} has no layers to choose from.",
            fix="Leave --layer out.",
        )
    laid = lay_sample(request, utterances, progress)
    heard: dict[int, LayerTrial] = {}

    def tried(layer: int) -> LayerTrial:
        if layer not in heard:
            progress(f"Trying layer {layer} of {layers}", len(heard), FIRST_TRIED + 4)
            heard[layer] = try_layer(replace(request, encoder=ear), layer, laid)
        return heard[layer]

    chosen = search(layers, lambda layer: tried(layer).auc)
    return LayerChoice(
        chosen=chosen,
        phones=sum(len(each.phones) for each in laid),
        audio_s=round(sum(each.audio.duration_s for each in laid), 3),
        tried=tuple(heard[layer] for layer in sorted(heard)),
    )


def search(layers: int, auc: Callable[[int], float]) -> int:
    """The best layer of 1 to `layers`: at equal distances first, then around the best of these."""
    step = max(1, round(layers / FIRST_TRIED))
    coarse = range(layers, 0, -step)
    best = max(coarse, key=lambda layer: (auc(layer), -layer))
    while step > 1:
        step = -(-step // 2) if step > 2 else 1
        around = [layer for layer in (best - step, best, best + step) if 1 <= layer <= layers]
        best = max(around, key=lambda layer: (auc(layer), -layer))
    return best


def try_layer(request: PoolingRequest, layer: int, laid: Sequence[LaidUtterance]) -> LayerTrial:
    """Hear a sample at one layer, and ask its natives."""
    encoder = load_encoder(request.encoder, layer=layer, dtype=request.dtype)
    embeddings = [
        pool(encoder.encode(each.audio), list(each.spans_s), request.pooling) for each in laid
    ]
    return trial(layer, np.concatenate(embeddings), laid)


def trial(layer: int, embeddings: FloatArray, laid: Sequence[LaidUtterance]) -> LayerTrial:
    """How well natives who are left out are told from errors, by their embeddings `[N, D]`."""
    phones = np.array([phone for each in laid for phone in each.phones])
    names, own, counts = np.unique(phones, return_inverse=True, return_counts=True)
    usable = counts[own] > 1
    order = np.flatnonzero(usable)[np.argsort(own[usable], kind="stable")]
    kept = np.unique(own[order], return_counts=True)[1]
    bounds = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    lengths = [len(each.phones) for each in laid]
    people = np.unique([each.speaker for each in laid], return_inverse=True)[1]
    speaker, utterance = np.repeat(people, lengths), np.repeat(np.arange(len(laid)), lengths)
    groups = left_out_together(speaker[order], utterance[order])
    rng = np.random.default_rng(SEED)
    natives = ask_left_out(embeddings[order].astype(np.float16), bounds, groups, rng)
    spoken = names[np.unique(own[order])][natives.own] != SILENCE
    right, wrong = natives.margins[spoken], natives.simulated(rng)[1][spoken]
    known = np.isfinite(right) & np.isfinite(wrong)
    if not known.any():
        return LayerTrial(layer=layer, auc=NEVER_WRONG, accuracy=0.0)
    return LayerTrial(
        layer=layer,
        auc=round(_auc(right[known], wrong[known]), 5),
        accuracy=round(float((right[known] > 0).mean()), 5),
    )


def _auc(right: FloatArray, wrong: FloatArray) -> float:
    """Share of pairs of a native and an error in which the native has the larger margin."""
    both = np.concatenate([right, wrong])
    _, place, count = np.unique(both, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    pairs = len(right) * len(wrong)
    return float((rank[: len(right)].sum() - len(right) * (len(right) + 1) / 2) / pairs)


def lay_sample(
    request: PoolingRequest, utterances: Sequence[Utterance], progress: Progress
) -> list[LaidUtterance]:
    """A sample in a seeded order, laid by what will lay the corpus where that asks no layer.

    An aligner that would be learnt from the encoder's frames is learnt from spectra instead.

    Raises
    ------
    CorpusError
        If too little of the sample can be used.
    """
    order = np.random.default_rng(SEED).permutation(len(utterances)).tolist()
    with tempfile.TemporaryDirectory() as folder:
        pooler = UtterancePooler(request)
        if has_to_learn(pooler) and pooler.aligner_name == "flatstart":
            pooler = UtterancePooler(replace(request, encoder="spectral", layer=None))
            sample = [utterances[i] for i in order[: 1 + int(SAMPLE_S)]]
            model = Path(folder) / "aligner"
            pooler = pooler.with_model(model)
            with start_workers(pooler, 1) as run:
                fit_from_speech(pooler, sample, model, run, workers=1, progress=progress)
        found: list[LaidUtterance] = []
        heard_s, reason = 0.0, ""
        for done, i in enumerate(order):
            if heard_s >= SAMPLE_S:
                break
            progress("Laying a sample", done, len(order))
            try:
                found.append(_laid_utterance(pooler, utterances[i]))
                heard_s += found[-1].audio.duration_s
            except NativeEarError as error:
                reason = reason or error.message
    if sum(len(each.phones) for each in found) < 2 or len(found) < 2:
        raise CorpusError(
            "There is too little speech to choose a layer by.",
            cause=f"For instance: {reason}" if reason else "",
            fix="Name a layer with --layer, or leave it out.",
        )
    return found


def _laid_utterance(pooler: UtterancePooler, utterance: Utterance) -> LaidUtterance:
    audio = pooler.recording(utterance)
    alignment = pooler.align(utterance, audio)
    phones = [p for p in alignment.phones if not p.is_silence or p.phone == SILENCE]
    return LaidUtterance(
        audio,
        utterance.speaker,
        tuple(phone.phone for phone in phones),
        tuple((phone.start_s, phone.end_s) for phone in phones),
    )
