"""A text read by the posteriors of an encoder's phone head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.aligners.frame_scores import frame_edges_s
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import LabelMap, head_refusal, label_map
from nativeear.speech.reading.graph import Costs
from nativeear.speech.reading.match import BY_HEAD, ReadingModel
from nativeear.speech.reading.reading import Reading, phone_distances, read_text

FILLED = 0.95
"""Share of the blank's posterior that goes to what a frame sounds like: chosen on the slips that
`BY_HEAD` was fitted on, of 0.6, 0.8, 0.9 and 0.95."""

LEAST = 1e-6
"""A posterior is never less."""

SHORTEST_S = 0.04
"""Each phone of a word is said at least so long, so that a word that nobody read is not found in
a few frames of others."""

HOP_S = 0.02
"""Hop of frames that are independent enough for what models of readings weigh them."""

WHOLE = replace(BY_HEAD, costs=Costs().forbidding())
"""Where every word was read once, and forms alone are to be found."""

Sounds = tuple[NDArray[np.float64], Sequence[str]]
"""Log posteriors of what every frame sounds like, `[T, P]`, and the names of the columns, silence
first; the last one, without a name, is of phones that are not among them."""


def read_by_head(
    pronunciation: Pronunciation,
    frames: Frames,
    inventory: PhoneInventory,
    duration_s: float,
    *,
    sounds: Sounds | None = None,
    loud: NDArray[np.bool_] | None = None,
) -> Reading | None:
    """Read a recording by the phone posteriors in its frames; None where they have none.

    Parameters
    ----------
    pronunciation
        The text.
    frames, duration_s
        The recording and its length in seconds.
    inventory
        The phones of the language.
    sounds
        What every frame sounds like, by which speech is heard where the head has a blank: it tells
        where a phone is, and not how long. By default every word is known to be there once, so that
        forms alone are to be found.
    loud
        Loud frames, see `read_text`.
    """
    if frames.log_probs is None or head_refusal(frames, inventory):
        return None
    head = label_map(frames.labels, inventory)
    log_probs, model, lasting = head.pool(frames.log_probs), WHOLE, 1
    if sounds is not None:
        log_probs, model = filled(log_probs, head, sounds), BY_HEAD
        log_probs *= min(1.0, frames.hop_s / HOP_S)  # frames that overlap say the same again
        lasting = frames_of_a_phone(frames)
    return read_text(
        pronunciation,
        log_probs,
        columns=head.columns,
        spelling={
            phone: tuple(column for column in columns for _ in range(lasting))
            for phone, columns in head.spelling.items()
        },
        edges_s=frame_edges_s(frames, duration_s),
        distances=phone_distances(tuple(head.columns), inventory),
        model=model,
        loud=loud,
    )


def filled(log_probs: NDArray[np.float64], head: LabelMap, sounds: Sounds) -> NDArray[np.float64]:
    """Log posteriors of a head whose blanks are filled by what the frames sound like, `[T, C]`."""
    posteriors, names = np.exp(sounds[0]), list(sounds[1])
    heard = np.zeros_like(log_probs)
    heard[:, 0] = posteriors[:, 0]
    for column, phone in enumerate(head.columns[1:], start=1):
        heard[:, column] = posteriors[:, names.index(phone) if phone in names else -1]
    probs = np.exp(log_probs)
    blank = probs[:, :1].copy()
    probs[:, :1] *= 1 - FILLED
    found: NDArray[np.float64] = np.log(np.maximum(probs + FILLED * blank * heard, LEAST))
    return found


def frames_of_a_phone(frames: Frames) -> int:
    """In how many frames a phone is heard at least."""
    return max(1, round(SHORTEST_S / frames.hop_s))


def of_whole(model: ReadingModel) -> ReadingModel:
    """The same for recordings in which every word was read once."""
    return replace(model, costs=model.costs.forbidding())
