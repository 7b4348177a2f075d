"""Phones that are not there, and speech that nobody asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.phone_index import FloatArray, PhoneIndex
from speech.alignment import SILENCE, AlignedPhone
from speech.frames import Frames

SQUEEZED_S = 0.055
"""An aligner that must place an absent phone gives it the least it can; native phones are rarely
as short (see `benchmarks/quality.py`)."""

MIN_INSERTION_S = 0.07
"""Shorter runs of foreign sound are transitions."""

INSERTION_MARGIN = 0.35
"""How much nearer, in cosine, the frames of an insertion are to another class's mean than to any
of the phones around them."""

SMOOTHING_S = 0.05
"""Frames are averaged over this long before they are judged one by one."""


@dataclass(frozen=True)
class InsertedPhone:
    """A run of speech that no canonical phone explains.

    Attributes
    ----------
    after
        Index in the alignment of the phone or silence in which it was found.
    phone
        What it sounds most like.
    start_s, end_s
        Seconds from the start of the recording.
    """

    after: int
    phone: str
    start_s: float
    end_s: float


def is_deleted(
    index: PhoneIndex, posterior: FloatArray, phones: Sequence[AlignedPhone], i: int
) -> bool:
    """Whether the span of `phones[i]` is better explained by its neighbours or by silence.

    Parameters
    ----------
    index
        An open index.
    posterior
        float32 `[P]`, posterior of the pooled span over the index's classes.
    phones
        The whole alignment.
    i
        Position of the phone in question.
    """
    phone = phones[i]
    if phone.duration_s > SQUEEZED_S:
        return False
    neighbours = {SILENCE}
    neighbours |= {phones[j].phone for j in (i - 1, i + 1) if 0 <= j < len(phones)}
    neighbours.discard(phone.phone)
    heard = index.classes[int(np.argmax(posterior))]
    return heard in neighbours


def find_insertions(
    index: PhoneIndex, frames: Frames, phones: Sequence[AlignedPhone]
) -> tuple[InsertedPhone, ...]:
    """Find runs of frames that sound like none of the phones laid on and beside them.

    Every frame is compared with the mean exemplar of every class, so the cost does not grow with
    the index. A run counts if it is long enough, and if the phone that it was found in keeps some
    sound of its own: a phone that is foreign throughout is a substitution instead.
    """
    similar = _class_mean_similarities(index, frames)
    position = {phone: p for p, phone in enumerate(index.classes)}
    times = frames.times_s
    found = []
    for i, phone in enumerate(phones):
        first, last = np.searchsorted(times, [phone.start_s, phone.end_s])
        around = {phones[j].phone for j in (i - 1, i, i + 1) if 0 <= j < len(phones)}
        explained = [position[name] for name in around if name in position]
        if last <= first or not explained:
            continue
        span = similar[first:last]
        expected = span[:, explained].max(axis=1)
        rest = np.delete(np.arange(span.shape[1]), explained)
        rest = rest[rest != position.get(SILENCE, -1)]
        foreign = span[:, rest].max(axis=1) - expected > INSERTION_MARGIN
        start, length = _longest_run(foreign)
        whole = length == len(foreign) and not phone.is_silence
        if length * frames.hop_s < MIN_INSERTION_S or whole:
            continue
        heard = rest[int(np.argmax(span[start : start + length][:, rest].mean(axis=0)))]
        found.append(
            InsertedPhone(
                after=i,
                phone=index.classes[heard],
                start_s=float(times[first + start]),
                end_s=float(times[first + start + length - 1] + frames.hop_s),
            )
        )
    return tuple(found)


def _class_mean_similarities(index: PhoneIndex, frames: Frames) -> FloatArray:
    """Cosine of every smoothed frame with every class's mean exemplar, float32 `[T, P]`."""
    means = np.add.reduceat(index.vectors, index.bounds[:-1], axis=0)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    width = max(1, round(SMOOTHING_S / frames.hop_s) | 1)
    padded = np.pad(frames.embeddings, ((width // 2, width // 2), (0, 0)), mode="edge")
    sums = np.cumsum(np.vstack([np.zeros_like(padded[:1]), padded]), axis=0, dtype=np.float64)
    smooth = ((sums[width:] - sums[:-width]) / width).astype(np.float32)
    similar: FloatArray = index.transform(smooth) @ means.T
    return similar


def _longest_run(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """Start and length of the longest run of True; length 0 if there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return 0, 0
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest] - starts[longest])
