"""What an encoder's phone head hears when nothing is expected: the greedy CTC decode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nativeear.speech.audio import Audio
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import OTHER, head_refusal, pool_log_probs
from nativeear.speech.prosody.intensity import track_intensity
from nativeear.speech.prosody.pauses import find_pauses


@dataclass(frozen=True)
class DecodedPhone:
    """One phone of a decode.

    Attributes
    ----------
    phone
        Symbol of the inventory, or `speech.phone_head.OTHER`.
    start_s, end_s
        Centres of the first and the last frame that say it. A CTC head says a phone in a peak,
        which is shorter than the phone is.
    confidence
        Mean posterior of the phone over these frames, 0–1.
    """

    phone: str
    start_s: float
    end_s: float
    confidence: float


def decode_phones(frames: Frames, inventory: PhoneInventory) -> tuple[DecodedPhone, ...] | None:
    """The best label of every frame, with repeats joined and blanks left out.

    Returns
    -------
    tuple of DecodedPhone or None
        In order of time; None where the encoder has no phone head that tells this inventory.
    """
    if frames.log_probs is None or head_refusal(frames, inventory):
        return None
    log_probs, columns = pool_log_probs(frames, inventory)
    best = np.argmax(log_probs, axis=1)
    edges = np.flatnonzero(np.diff(best)) + 1
    times_s = frames.times_s
    return tuple(
        DecodedPhone(
            phone=columns[best[first]],
            start_s=float(times_s[first]),
            end_s=float(times_s[end - 1]),
            confidence=float(np.exp(log_probs[first:end, best[first]]).mean()),
        )
        for first, end in zip([0, *edges.tolist()], [*edges.tolist(), len(best)], strict=True)
        if best[first]
    )


def decode_runs(
    frames: Frames, audio: Audio, inventory: PhoneInventory
) -> tuple[tuple[DecodedPhone, ...], ...] | None:
    """The decode of a recording, parted at its pauses; what is no phone is left out.

    Returns
    -------
    tuple of tuples of DecodedPhone or None
        In order of time, none of them empty; None as for `decode_phones`.
    """
    decoded = decode_phones(frames, inventory)
    if decoded is None:
        return None
    pauses = find_pauses(track_intensity(audio)).spans
    runs: list[list[DecodedPhone]] = []
    before = 0
    for item in decoded:
        if item.phone == OTHER:
            continue
        # the pauses that ended before this phone: one more than before begins a new run
        passed = sum((start + end) / 2 <= item.start_s for start, end in pauses)
        if not runs or passed > before:
            runs.append([])
        runs[-1].append(item)
        before = passed
    return tuple(map(tuple, runs))
