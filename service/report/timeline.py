"""Waveform and spectrogram with the words and sounds that were found in them, to be drawn."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.grading import quality_of
from nativeear.scoring.verdicts import BESIDE_MEANINGS, BESIDE_SYMBOLS, MEANINGS, SYMBOLS
from nativeear.service.report.spectrogram import TOP_HZ, hop_of, outline, spectrogram_png
from nativeear.service.report.words import learners_stretch
from nativeear.speech.audio import Audio

PIXELS_PER_S = 250
"""A column of 4 ms is a pixel; a sound of 80 ms has room for its label."""

PRINTED_S = 20.0
"""Longer pictures would be unreadable on paper, and are left out there."""

_WAVE_HEIGHT = 64
_PICTURE_TOP, _PICTURE_HEIGHT = 64, 176
_PHONE_TOP, _WORD_TOP, _TIER_HEIGHT = 240, 268, 28
_TIME_TOP, _HEIGHT = 296, 316


@dataclass(frozen=True)
class Box:
    """A stretch of a tier that plays; `reach` pixels above it play as well."""

    start_s: float
    end_s: float
    label: str
    spoken: str
    band: str
    top: int
    reach: int = 0
    lang: str | None = None

    @property
    def x(self) -> float:
        """Left edge in pixels."""
        return self.start_s * PIXELS_PER_S

    @property
    def width(self) -> float:
        """Width in pixels."""
        return (self.end_s - self.start_s) * PIXELS_PER_S

    @property
    def play(self) -> str:
        """What it plays."""
        return learners_stretch(self.start_s, self.end_s)


@dataclass(frozen=True)
class Timeline:
    """A recording in pixels; heights are from the top."""

    width: float
    long: bool
    wave: str
    picture: str
    picture_width: float
    boundaries: tuple[tuple[float, str], ...]
    ticks: tuple[tuple[float, float], ...]
    boxes: tuple[Box, ...]
    pixels_per_s: int = PIXELS_PER_S
    height: int = _HEIGHT
    picture_top: int = _PICTURE_TOP
    picture_height: int = _PICTURE_HEIGHT
    phone_top: int = _PHONE_TOP
    tier_height: int = _TIER_HEIGHT
    time_top: int = _TIME_TOP
    axis_width: int = 46
    names: tuple[tuple[str, int], ...] = (
        ("kHz", _PICTURE_TOP + 12),
        ("sounds", _PHONE_TOP + 18),
        ("words", _WORD_TOP + 18),
        ("s", _TIME_TOP + 15),
    )
    frequencies: tuple[tuple[int, float], ...] = tuple(
        (khz, _PICTURE_TOP + _PICTURE_HEIGHT * (1 - 1000 * khz / TOP_HZ))
        for khz in range(0, TOP_HZ // 1000, 2)
    )


def timeline(assessment: Assessment, audio: Audio, ipa: Callable[[str], str]) -> Timeline:
    """Lay the recording out; `ipa` writes a phone of the index in IPA."""
    hop = hop_of(audio)
    columns = -(-len(audio.samples) // hop)
    encoded = base64.b64encode(spectrogram_png(audio)).decode("ascii")
    return Timeline(
        width=audio.duration_s * PIXELS_PER_S,
        long=audio.duration_s > PRINTED_S,
        wave=_waveform(audio),
        picture=f"data:image/png;base64,{encoded}",
        picture_width=columns * hop / audio.sample_rate * PIXELS_PER_S,
        boundaries=tuple(_boundaries(assessment)),
        ticks=tuple(
            (half / 2, half / 2 * PIXELS_PER_S) for half in range(int(2 * audio.duration_s) + 1)
        ),
        boxes=tuple(_boxes(assessment, ipa)),
    )


def _waveform(audio: Audio) -> str:
    low, high = outline(audio)
    peak = max(float(-low.min()), float(high.max()), 1e-9)
    middle, reach = _WAVE_HEIGHT / 2, _WAVE_HEIGHT / 2 - 2
    step = hop_of(audio) / audio.sample_rate * PIXELS_PER_S
    there = [f"{i * step:.1f},{middle - reach * y / peak:.1f}" for i, y in enumerate(high)]
    back = [f"{i * step:.1f},{middle - reach * y / peak + 0.5:.1f}" for i, y in enumerate(low)]
    return " ".join(there + back[::-1])


def _boundaries(assessment: Assessment) -> Iterator[tuple[float, str]]:
    """Where sounds begin and end, and more strongly where words do."""
    for parts, class_ in ((assessment.phones, "edge"), (assessment.words, "edge strong")):
        edges = {at for part in parts for at in (part.start_s, part.end_s) if at is not None}
        for x in sorted({round(at * PIXELS_PER_S, 1) for at in edges}):
            yield x, class_


def _boxes(assessment: Assessment, ipa: Callable[[str], str]) -> Iterator[Box]:
    for word in assessment.words:
        if word.start_s is None or word.end_s is None:
            continue
        score = "not measured" if word.score is None else f"score {word.score:.0f}"
        yield Box(
            word.start_s,
            word.end_s,
            word.word,
            f"{word.word}, {score}",
            quality_of(word.score),
            _WORD_TOP,
            lang=assessment.language,
        )
    for word in assessment.words:
        for phone in word.phones:
            if phone.start_s is None or phone.end_s is None:
                continue
            yield Box(
                phone.start_s,
                phone.end_s,
                phone.ipa + SYMBOLS[phone.verdict],
                f"{phone.ipa} in {word.word}, {MEANINGS[phone.verdict]}",
                quality_of(phone.score),
                _PHONE_TOP,
                reach=_PHONE_TOP,
            )
    for event in assessment.reading.events if assessment.reading else ():
        if event.start_s is None or event.end_s is None:
            continue
        yield Box(
            event.start_s,
            event.end_s,
            f"{BESIDE_SYMBOLS[event.kind]} {event.heard}",
            f"{event.heard}, {BESIDE_MEANINGS[event.kind]}",
            "beside",
            _WORD_TOP,
            lang=assessment.language,
        )
    for extra in assessment.insertions:
        written = ipa(extra.phone)
        spoken = f"{written}, which does not belong there"
        yield Box(extra.start_s, extra.end_s, f"+{written}", spoken, "extra", _PHONE_TOP)
