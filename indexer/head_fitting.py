"""A phone head for an encoder without one, fitted on a corpus's own aligned natives.

Linear discriminant analysis in closed form: every phone's frames are taken for a Gaussian, all of
one covariance, so that their posteriors are a softmax of linear scores. What is summed is summed
utterance by utterance, and no frame is kept but those of the utterances that are left out: on them
the scores are calibrated, by the temperature and the frames to average over that make the phones
of the left-out likeliest. The head itself is then fitted on all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nativeear.indexer.assembly import Progress
from nativeear.indexer.corpus import Utterance
from nativeear.indexer.discriminant import SHRINKAGE, ClassSums
from nativeear.indexer.utterances import UtterancePooler
from nativeear.indexes.similarity import FloatArray, IntArray
from nativeear.speech.alignment import SILENCE, Alignment
from nativeear.speech.encoders.fitted_head import FittedHead, averaged
from nativeear.speech.errors import CorpusError, NativeEarError
from nativeear.speech.frames import Frames

HEAD_S = 1200.0
"""Seconds of speech that go into a head, at most."""

SEED = 0

EVERY = 8
"""One utterance in so many is left out to calibrate on; of fewer, one."""

LEAST_FRAMES = 20
"""Frames of a phone below which the head does not tell it: as many as ten phones have at least."""

TEMPERATURES = np.geomspace(0.5, 16.0, 26)
REACHES = (0, 1, 2)
"""Temperatures of the scores, and frames on each side to average over, of which the left-out
utterances of each corpus take one."""

Heard = tuple[FloatArray, IntArray]
"""Frames `[T, D]` of an utterance, and the class of each, -1 where it has none."""


def fit_head_from_speech(
    pooler: UtterancePooler, utterances: Sequence[Utterance], path: Path, progress: Progress
) -> None:
    """Fit a head on up to `HEAD_S` of the utterances, in a seeded order, unless `path` is there.

    Raises
    ------
    CorpusError
        If there is too little speech for one.
    """
    if path.is_file():
        return
    head_of(_heard(pooler, utterances, progress), pooler.inventory.symbols).save(path)


def head_of(heard: Iterator[Heard], phones: Sequence[str]) -> FittedHead:
    """A head for phones from frames with their classes: 0 is silence, the others follow `phones`.

    Raises
    ------
    CorpusError
        If fewer than two phones have `LEAST_FRAMES` frames.
    """
    classes = 1 + len(phones)
    fitted_on: ClassSums | None = None
    left_out: list[Heard] = []
    held = ClassSums.zero(0, 0)
    for number, (embeddings, own) in enumerate(heard):
        sums = _sums(embeddings, own, classes)
        if number % EVERY == 1:
            left_out.append((embeddings, own))
            held = sums if held.products.size == 0 else held + sums
        else:
            fitted_on = sums if fitted_on is None else fitted_on + sums
    if fitted_on is None or not left_out:
        raise _too_little()
    told = fitted_on.counts >= LEAST_FRAMES
    told[0] = True
    if told.sum() < 3:
        raise _too_little()
    weights, bias = _scores(fitted_on, told)
    temperature, reach = _calibrated(weights, bias, told, left_out)
    weights, bias = _scores(fitted_on + held, told)
    return FittedHead(
        phones=tuple(phone for phone, is_told in zip(phones, told[1:], strict=True) if is_told),
        weights=(weights / temperature).astype(np.float32),
        bias=(bias / temperature).astype(np.float32),
        reach=reach,
    )


def frame_classes(frames: Frames, alignment: Alignment, phones: Sequence[str]) -> IntArray:
    """Class of every frame, int64 `[T]`: 0 for silence, 1 + its place for a phone, else -1."""
    place = {phone: 1 + at for at, phone in enumerate(phones)} | {SILENCE: 0}
    found = np.full(len(frames), -1, dtype=np.int64)
    times_s = frames.times_s
    for phone in alignment.phones:
        within = slice(*np.searchsorted(times_s, [phone.start_s, phone.end_s]).tolist())
        found[within] = place.get(phone.phone, -1)
    return found


def _heard(
    pooler: UtterancePooler, utterances: Sequence[Utterance], progress: Progress
) -> Iterator[Heard]:
    heard_s = 0.0
    stage = "Hearing natives for the phone head"
    order = np.random.default_rng(SEED).permutation(len(utterances)).tolist()
    for done, i in enumerate(order):
        if heard_s >= HEAD_S:
            break
        progress(stage, done, len(order))
        try:
            frames, alignment, audio = pooler.encoded_and_aligned(utterances[i])
        except NativeEarError:
            continue  # it is set aside when it is pooled, with its reason
        heard_s += audio.duration_s
        yield frames.embeddings, frame_classes(frames, alignment, pooler.inventory.symbols)
    progress(stage, len(order), len(order))


def _sums(embeddings: FloatArray, own: IntArray, classes: int) -> ClassSums:
    known = own >= 0
    x = embeddings[known].astype(np.float64)
    is_of = np.eye(classes)[own[known]]
    return ClassSums(is_of.sum(axis=0), is_of.T @ x, x.T @ x)


def _scores(
    sums: ClassSums, told: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Linear scores of the C classes that are told, `[D, C]` and `[C]`."""
    counts = sums.counts[told]
    means = sums.sums[told] / np.maximum(counts, 1.0)[:, None]
    every = np.maximum(sums.counts, 1.0)[:, None]
    within = (sums.products - (sums.sums.T / every.T) @ sums.sums) / sums.counts.sum()
    within += SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))
    weights = np.linalg.solve(within, means.T)
    shares = np.log(np.maximum(counts, 1.0) / counts.sum())
    return weights, shares - 0.5 * np.einsum("cd,dc->c", means, weights)


def _calibrated(
    weights: NDArray[np.float64],
    bias: NDArray[np.float64],
    told: NDArray[np.bool_],
    left_out: Sequence[Heard],
) -> tuple[float, int]:
    """Temperature and reach that make the phones of left-out utterances likeliest."""
    column = np.full(len(told), -1, dtype=np.int64)
    column[told] = np.arange(int(told.sum()))
    best = (np.inf, 1.0, 0)
    raw = [(x.astype(np.float64) @ weights + bias, column[own]) for x, own in left_out]
    for reach in REACHES:
        scores = np.concatenate([averaged(s, reach)[own >= 0] for s, own in raw])
        own = np.concatenate([own[own >= 0] for _, own in raw])
        scores -= scores.max(axis=1, keepdims=True)
        meant = scores[np.arange(len(own)), own]
        for temperature in TEMPERATURES.tolist():
            loss = np.log(np.exp(scores / temperature).sum(axis=1)) - meant / temperature
            best = min(best, (float(loss.mean()), temperature, reach))
    return best[1], best[2]


def _too_little() -> CorpusError:
    return CorpusError(
        "There is too little speech to fit a phone head on.",
        cause=f"It takes several utterances, and {LEAST_FRAMES} frames of each phone.",
        fix="Add speech, or leave --head out.",
    )
