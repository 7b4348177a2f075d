"""Does the recording hold the text at all?

A free decode of the phone CTC head, which knows nothing of the text, is compared with the
canonical phones. Where an encoder has no such head, the share of phones that retrieval flags has
to do: a compromise, since canonical phones settle where they fit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nativeear.speech.decoding import decode_phones
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory

MISMATCH_DISTANCE = 0.74
"""Phone distance from which the text is said not to match. Chosen between the most distant of 260
learners' recordings (0.73; speakers that the encoder had not learnt from) and the nearest hundredth
of prompts compared with another prompt's text (0.76)."""

MISMATCH_SHARE = 0.65
"""Share of flagged phones that says the same where there is no head. The heaviest accents of
speechocean762 reach it now and then, and about a third of other sentences stay below it."""

MIN_PHONES = 6
"""Shorter texts are too short to tell."""


def mismatch_warning(
    frames: Frames, inventory: PhoneInventory, canonical: Sequence[str], flagged: int
) -> str:
    """Warn that the text does not match the recording; empty where it does, or cannot be told.

    Parameters
    ----------
    frames
        Of the recording.
    inventory
        The phones of its language.
    canonical
        The phones that were meant.
    flagged
        How many of them were not heard as they were meant.
    """
    heard = heard_phones(frames, inventory)
    if heard is not None and not heard:
        return "The text does not match the recording: no speech was heard in it."
    if len(canonical) < MIN_PHONES:
        return ""
    if heard is None:
        matches = flagged < MISMATCH_SHARE * len(canonical)
    else:
        matches = phone_distance(canonical, heard) < MISMATCH_DISTANCE
    if matches:
        return ""
    return (
        f"The text does not match the recording: {flagged} of {len(canonical)} phones were not "
        "heard as they were meant."
    )


def heard_phones(frames: Frames, inventory: PhoneInventory) -> tuple[str, ...] | None:
    """Phones of the greedy CTC decode; None where the encoder has no usable phone head."""
    decoded = decode_phones(frames, inventory)
    return None if decoded is None else tuple(item.phone for item in decoded)


def phone_distance(canonical: Sequence[str], heard: Sequence[str]) -> float:
    """Levenshtein distance over the length of the longer sequence, from 0 to 1."""
    if not canonical or not heard:
        return float(bool(canonical) != bool(heard))
    symbols = {symbol: i for i, symbol in enumerate({*canonical, *heard})}
    across = np.array([symbols[symbol] for symbol in heard])
    place = np.arange(len(heard) + 1)
    row = place
    for i, symbol in enumerate(canonical, start=1):
        changed = row[:-1] + (across != symbols[symbol])
        step = np.concatenate([[i], np.minimum(changed, row[1:] + 1)])
        # an insertion costs 1 a place: the running minimum of cost minus place carries it along
        row = np.minimum.accumulate(step - place) + place
    return float(row[-1]) / max(len(canonical), len(heard))
