"""How far the phone head doubts where a phone was laid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nativeear.scoring.gop_evidence import GopMeasurement
from nativeear.speech.alignment import AlignedPhone
from nativeear.speech.frames import Frames


def boundary_doubts(
    frames: Frames, phones: Sequence[AlignedPhone], gop: GopMeasurement
) -> tuple[float | None, ...]:
    """Share of each phone that the head hears outside of its boundaries, `[N]`, 0–1.

    The head knows nothing of any alignment: it weighs all ways to say the same phones in the same
    order. A frame beside a boundary counts as inside, for it hears what lies there, too.

    Parameters
    ----------
    frames, phones
        A recording and the N phones that were laid on it.
    gop
        What the head says of these phones.

    Returns
    -------
    tuple of float or None
        None where the encoder has no head, or hears the phone nowhere.
    """
    if gop.occupancy is None:
        return (None,) * len(phones)
    times_s = frames.times_s[:, None]
    starts_s = np.array([phone.start_s for phone in phones]) - frames.hop_s
    ends_s = np.array([phone.end_s for phone in phones]) + frames.hop_s
    inside = (times_s >= starts_s) & (times_s <= ends_s)
    heard = gop.occupancy.sum(axis=0)
    within = (gop.occupancy * inside).sum(axis=0)
    unmeasured = np.isnan(gop.mean_log_posterior) | ~(heard > 0)
    doubts = 1.0 - within / np.where(unmeasured, 1.0, heard)
    return tuple(
        None if unknown else float(np.clip(doubt, 0.0, 1.0))
        for unknown, doubt in zip(unmeasured.tolist(), doubts.tolist(), strict=True)
    )
