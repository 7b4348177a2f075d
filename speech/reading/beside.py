"""Was something said beside the text? Asked once more, against the best path without it.

A path through all readings takes a sound between two words for one of another word, or a long word
for a word said twice, where that is a little likelier. Told is what the path that reads every word
once explains much worse, and the more the phones that were heard there are, or if they are those of
a word of the text, which strangers seldom are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nativeear.speech.reading.graph import BLANK, ReadingGraph
from nativeear.speech.reading.omission import Heard
from nativeear.speech.reading.path import Pass

OFFSET, GAIN, PHONES, AGAIN = -7.4, 1.3, 3.2, 4.0
"""The logarithm of the odds that something was said beside the text is `OFFSET`, and `GAIN` times
the logarithm of one more than the nats by which the stretch is likelier with it, `PHONES` times
that of half more than the phones that were heard, and `AGAIN` if they are taken for a word of the
text once more. Fitted with `benchmarks.reading --choosing` on slips and right texts of which a path
that departs more readily has more false events, less thirteen recordings that seem, by the phones
heard, to hold what their text does not; the offset is one nat lower."""

LEAST_SCORE = -7.0
"""Nats behind the likeliest phone that one frame counts at most."""


def odds(gain: float, phones: int, *, again: bool) -> float:
    """Logarithm of the odds that something was said beside the text, see `OFFSET`."""
    told = GAIN * math.log1p(max(0.0, gain)) + PHONES * math.log(phones + 0.5)
    return OFFSET + told + (AGAIN if again else 0.0)


def borne_out(
    passes: Sequence[Pass],
    kept: Sequence[Pass],
    graph: ReadingGraph,
    heard: Heard,
    *,
    without: tuple[Sequence[Pass], ReadingGraph],
    phones: Callable[[Pass], int],
) -> tuple[Pass, ...]:
    """The passes of a path, less those beside the text that are not likely enough.

    Parameters
    ----------
    passes, kept
        Of the path, and the reading of each word that counts.
    graph
        The text.
    heard
        The recording.
    without
        Passes, and the graph, of the best path that reads the same words once each.
    phones
        How many phones are heard in a pass.
    """
    gain = _scores(passes, graph, heard) - _scores(*without, heard)

    def stays(one: Pass) -> bool:
        if one in kept or not (one.extra or one.states):
            return True
        first = max((word.first for word in kept if word.past <= one.first), default=0)
        past = min((word.past for word in kept if word.first >= one.past), default=len(gain))
        return odds(float(gain[first:past].sum()), phones(one), again=not one.extra) > 0

    return tuple(one for one in passes if stays(one))


def _scores(passes: Sequence[Pass], graph: ReadingGraph, heard: Heard) -> NDArray[np.float64]:
    """How far the path is behind the likeliest phones in every frame, at most 0."""
    found = np.zeros(len(heard.behind))
    for one in passes:
        if one.states:
            found[one.first : one.past] = heard.scores(one, graph)
        elif not one.extra:
            found[one.first : one.past] = heard.behind[one.first : one.past, BLANK]
    return np.maximum(found, LEAST_SCORE)
