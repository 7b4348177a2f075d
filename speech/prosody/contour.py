"""Intonation: how far the melody ranges, falls over a sentence, and moves at its end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from nativeear.speech.languages import primary_subtag
from nativeear.speech.prosody.pitch import HOP_S, Pitch
from nativeear.speech.prosody.praat import FloatArray
from nativeear.speech.tables import word_set

SentenceType = Literal["statement", "yes_no_question", "wh_question"]

FINAL_S = 0.3
"""How much voiced speech makes up the final movement."""
FINAL_REACH_S = 0.6
"""The final movement lies in this much of the end of speech."""
MIN_FINAL_FRAMES = 8
MIN_SLOPE_S = 1.0
"""A shorter sentence has no declination to speak of."""
STEP_S = 0.05
SMOOTH_FRAMES = 7


@dataclass(frozen=True, eq=False)
class Melody:
    """Numbers of one contour; None where there is too little voiced speech.

    Attributes
    ----------
    range_semitones
        From the 5th to the 95th percentile of the voiced frames.
    declination
        Slope of the line through the whole, semitones per second.
    final_slope
        Slope over the last 300 ms of voiced speech, semitones per second.
    stylised
        float64 `[C]`, semitones about the median every 50 ms from the first voiced frame to the
        last: smoothed, and drawn straight through what is unvoiced.
    """

    range_semitones: float | None
    declination: float | None
    final_slope: float | None
    stylised: FloatArray


def measure_melody(pitch: Pitch, end_s: float) -> Melody:
    """Measure the melody of a recording whose speech ends at `end_s`."""
    voiced = np.flatnonzero(pitch.voiced)
    if len(voiced) == 0:
        return Melody(None, None, None, np.zeros(0))
    t_s, semitones = pitch.t_s[voiced], pitch.semitones()[voiced]
    low, high = np.quantile(semitones, [0.05, 0.95])
    span_s = float(t_s[-1] - t_s[0])
    final = np.flatnonzero(t_s >= end_s - FINAL_REACH_S)[-round(FINAL_S / HOP_S) :]
    return Melody(
        range_semitones=float(high - low),
        declination=_slope(t_s, semitones) if span_s >= MIN_SLOPE_S else None,
        final_slope=_slope(t_s[final], semitones[final])
        if len(final) >= MIN_FINAL_FRAMES
        else None,
        stylised=_stylised(t_s, semitones),
    )


def sentence_type(text: str, language: str) -> SentenceType:
    """What the punctuation and the question words of a text make of its last sentence."""
    if not re.search(r"[?？؟]\s*[\"'»”)]*\s*$", text):
        return "statement"
    last = re.split(r"(?<=[.!?…])[\"'»”)]*\s+", text.strip())[-1]
    words = word_set("question-words", primary_subtag(language))
    opening = re.findall(r"[^\W\d_]+", last.lower())[:2]
    return "wh_question" if words & set(opening) else "yes_no_question"


def warping_distance(one: FloatArray, other: FloatArray) -> float:
    """Mean distance of two stylised contours in semitones along their best warping path.

    Dynamic time warping with steps (1, 1), (1, 0) and (0, 1), over the length of the path, of
    float64 `[C]` and `[K]`, neither empty.
    """
    cost = np.abs(one[:, None] - other[None, :])
    total = np.full((len(one) + 1, len(other) + 1), np.inf)
    steps = np.zeros_like(total)
    total[0, 0] = 0.0
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            before = min(
                (total[i - 1, j - 1], steps[i - 1, j - 1]),
                (total[i - 1, j], steps[i - 1, j]),
                (total[i, j - 1], steps[i, j - 1]),
            )
            total[i, j] = cost[i - 1, j - 1] + before[0]
            steps[i, j] = before[1] + 1
    return float(total[-1, -1] / steps[-1, -1])


def _slope(t_s: FloatArray, semitones: FloatArray) -> float | None:
    centred = t_s - t_s.mean()
    power = float(centred @ centred)
    return float(centred @ semitones) / power if power > 0 else None


def _stylised(t_s: FloatArray, semitones: FloatArray) -> FloatArray:
    grid = np.arange(t_s[0], t_s[-1] + HOP_S, HOP_S)
    drawn = np.interp(grid, t_s, semitones)
    half = SMOOTH_FRAMES // 2
    padded = np.pad(drawn, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, SMOOTH_FRAMES)
    smooth: FloatArray = np.median(windows, axis=1)[:: round(STEP_S / HOP_S)]
    return smooth


def phrase_ends(text: str, words: int) -> frozenset[int]:
    """Words that punctuation follows, as indices.

    Empty where the text has another number of written words than were read: then nothing is known.
    """
    written = [token for token in text.split() if re.search(r"\w", token)]
    if len(written) != words:
        return frozenset()
    marked = {i for i, token in enumerate(written) if re.search(r"[.,;:!?…]\W*$", token)}
    alone = {
        i - 1
        for i, (_, token) in enumerate(pairwise(text.split()), start=1)
        if re.fullmatch(r"[–—-]+", token)
    }
    return frozenset(marked | alone)
