"""A result in the times of the recording as it was given, not of what was heard of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.frozen_model import FrozenModel
from nativeear.scoring.prosody.assessment import Contour, Fluency, Prosody
from nativeear.speech.audio import Audio
from nativeear.speech.steadying import steadied

Moved = Callable[[float], float]
Timed = TypeVar("Timed", bound=FrozenModel)

SPANS = ("filled_pauses", "restarts", "repetitions")
"""Fields of `Fluency` that are spans in seconds."""


def placed(result: Assessment, recording: Audio) -> Assessment:
    """The result of `steadied(recording)` as one of `recording`; its scores stay."""
    start_s, duration_s = steadied(recording).start_s, recording.duration_s

    def moved(at_s: float) -> float:
        return min(max(at_s + start_s, 0.0), duration_s)

    changed: dict[str, Any] = {
        "duration_s": duration_s,
        "words": tuple(
            _timed(word, moved, phones=_all(word.phones, moved)) for word in result.words
        ),
        "insertions": _all(result.insertions, moved),
    }
    if result.reading is not None:
        changed["reading"] = _with(result.reading, events=_all(result.reading.events, moved))
    if result.transcript is not None:
        changed["transcript"] = _with(result.transcript, words=_all(result.transcript.words, moved))
    if result.fluency is not None:
        changed["fluency"] = _fluency(result.fluency, moved)
    if result.prosody is not None:
        changed["prosody"] = _prosody(result.prosody, start_s, duration_s)
    return _with(result, **changed)


def _fluency(fluency: Fluency, moved: Moved) -> Fluency:
    spans = {
        name: tuple((moved(first_s), moved(last_s)) for first_s, last_s in getattr(fluency, name))
        for name in SPANS
    }
    return _with(
        fluency,
        **spans,
        breaks=_all(fluency.breaks, moved),
        segments=_all(fluency.segments, moved),
    )


def _prosody(prosody: Prosody, start_s: float, duration_s: float) -> Prosody:
    """The contour where there is a recording: what was filled up with silence has none."""
    contour = prosody.contour
    if contour is None:
        return prosody
    points = [
        (round(at_s + start_s, 4), f0, level)
        for at_s, f0, level in zip(contour.t_s, contour.f0_hz, contour.intensity_db, strict=True)
    ]
    within = [point for point in points if 0 <= point[0] <= duration_s]
    times_s, f0_hz, intensity_db = zip(*within, strict=True) if within else ((), (), ())
    return _with(prosody, contour=Contour(t_s=times_s, f0_hz=f0_hz, intensity_db=intensity_db))


def _all(parts: Iterable[Timed], moved: Moved) -> tuple[Timed, ...]:
    return tuple(_timed(part, moved) for part in parts)


def _timed(part: Timed, moved: Moved, **more: object) -> Timed:
    """A part with its `start_s` and `end_s` moved, where it has any."""
    times = {end: getattr(part, end) for end in ("start_s", "end_s")}
    return _with(part, **{end: moved(at) for end, at in times.items() if at is not None}, **more)


def _with(part: Timed, **changed: object) -> Timed:
    return part.model_copy(update=changed)
