"""Pauses: silences of the speaker, found by ear and by alignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nativeear.speech.prosody.intensity import HOP_S, Intensity
from nativeear.speech.prosody.pitch import runs

MIN_PAUSE_S = 0.25
"""Shorter silences are closures and joints of articulation (de Jong and Bosker 2013)."""
LONG_PAUSE_S = 0.4
MAX_CLICK_S = 0.03
"""A sound this short amid silence is a click of the mouth and does not end it."""

Span = tuple[float, float]


@dataclass(frozen=True)
class PauseSummary:
    """Pauses inside speech.

    Attributes
    ----------
    spans
        Each as seconds `(start, end)`.
    speech_s
        From the first sound of speech to the last.
    found_by
        `intensity`, `intensity and Silero VAD`, or `alignment`.
    """

    spans: tuple[Span, ...]
    speech_s: float
    found_by: str = "intensity"

    @property
    def total_s(self) -> float:
        """Length of all pauses together."""
        return sum(end - start for start, end in self.spans)

    @property
    def mean_s(self) -> float | None:
        """Mean length; None without pauses."""
        return self.total_s / len(self.spans) if self.spans else None

    @property
    def ratio(self) -> float:
        """Share of the speech that is pause."""
        return self.total_s / self.speech_s if self.speech_s > 0 else 0.0

    @property
    def long_count(self) -> int:
        """How many exceed 400 ms."""
        return sum(end - start > LONG_PAUSE_S for start, end in self.spans)


def quiet_spans(intensity: Intensity) -> tuple[Span, ...]:
    """Spans that are quiet throughout, clicks aside, of any length."""
    threshold = intensity.quiet_db
    quiet = intensity.db < threshold
    for start, stop in runs(~quiet):
        if start > 0 and stop < len(quiet) and (stop - start) * HOP_S <= MAX_CLICK_S:
            quiet[start:stop] = True
    half = HOP_S / 2
    return tuple(
        (float(intensity.t_s[a]) - half, float(intensity.t_s[b - 1]) + half) for a, b in runs(quiet)
    )


def join_over_noises(quiet: Sequence[Span], voiceless: Sequence[Span]) -> tuple[Span, ...]:
    """Join quiet spans where what is loud between them is no speech: a cough, a door, a breath.

    Where no one speaks is from `speech.prosody.voice_activity.silent_spans`.
    """
    joined: list[Span] = []
    for start, end in quiet:
        before = joined[-1] if joined else None
        if before and any(a <= before[1] and start <= b for a, b in voiceless):
            joined[-1] = (before[0], end)
        else:
            joined.append((start, end))
    return tuple(joined)


def find_pauses(
    intensity: Intensity,
    speech: Span | None = None,
    silences: Sequence[Span] = (),
    voiceless: Sequence[Span] | None = None,
) -> PauseSummary:
    """Find the pauses of a recording.

    A pause is quiet for 250 ms or longer, but for noises where no one speaks. Where quiet and loud
    cannot be told apart, for noise, the silences of the alignment are believed instead.

    Parameters
    ----------
    speech
        From the first phone to the last; from the first sound to the last if None.
    silences
        The silences of the alignment.
    voiceless
        Where no one speaks, see `join_over_noises`; None where that was not asked.
    """
    quiet, found_by = quiet_spans(intensity), "intensity"
    if not quiet:
        quiet, found_by = tuple(silences), "alignment"
    elif voiceless is not None:
        quiet, found_by = join_over_noises(quiet, voiceless), "intensity and Silero VAD"
    if speech is None:
        speech = sounding_span(intensity)
        if speech is None:
            return PauseSummary((), 0.0, found_by)
    first_s, last_s = speech
    # Edges of quiet that reach past the first or last phone are no pause but its outside.
    inside = [
        (start, end)
        for start, end in quiet
        if start > first_s and end < last_s and end - start >= MIN_PAUSE_S
    ]
    return PauseSummary(tuple(inside), last_s - first_s, found_by)


def sounding_span(intensity: Intensity) -> Span | None:
    """From the first sound that is not quiet to the last; None if there is none."""
    loud = runs(intensity.db >= intensity.quiet_db)
    loud = [run for run in loud if (run[1] - run[0]) * HOP_S > MAX_CLICK_S]
    if not loud:
        return None
    half = HOP_S / 2
    return float(intensity.t_s[loud[0][0]]) - half, float(intensity.t_s[loud[-1][1] - 1]) + half
