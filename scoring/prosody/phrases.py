"""Breaks, runs and segments of a recording, beside what natives would do."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.prosody.assessment import Break, MeasureGrade, Segment
from nativeear.scoring.prosody.natives import MELODY_MEASURES, NativeProsody
from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.prosody.measurement import (
    MIN_SPEECH_S,
    MIN_SYLLABLES,
    MIN_VOICED_FRAMES,
    ProsodyMeasurement,
)
from nativeear.speech.prosody.pauses import Span
from nativeear.speech.prosody.phrasing import Phrasing, PlacedPause, parts, place
from nativeear.speech.prosody.profile import ProsodyProfile

MONOTONE_SEMITONES = 4.0
"""A narrower pitch range is called monotone: natives of the index may be one lively voice."""

RANGE = next(measure for measure in MELODY_MEASURES if measure.name == "range_semitones")


class Phrases:
    """The breaks and segments of one measured recording.

    Parameters
    ----------
    measured, alignment
        The recording.
    inventory
        Its phones.
    omitted
        Indices of words that were not said.
    text
        What was read, with its punctuation; None where that is not known.
    beside
        Where something was said that does not belong to the text: a silence beside it is no pause
        of the text.
    """

    def __init__(
        self,
        measured: ProsodyMeasurement,
        alignment: Alignment,
        inventory: PhoneInventory,
        *,
        omitted: Collection[int] = (),
        text: str | None = None,
        beside: Collection[Span] = (),
    ) -> None:
        self._measured = measured
        self._inventory = inventory
        self._beside = tuple(beside)
        self._said = [p for p in alignment.spoken if p.word_index not in omitted]
        self._words = len(alignment.words)
        spans = measured.pauses.spans if measured.pauses else ()
        self.pauses = place(spans, self._said)
        self._phrasing = Phrasing.of(text, alignment.words, inventory.language) if text else None

    def breaks(self) -> tuple[Break, ...]:
        """Every pause, and every stop at which there is none, in order."""
        found = [self._break(pause) for pause in self.pauses]
        phrasing = self._phrasing
        if phrasing is not None and self._measured.pauses is not None:
            paused = {pause.after_word for pause in self.pauses}
            said = {phone.word_index for phone in self._said}
            found += [
                Break(
                    after_word_index=word, duration_s=0.0, kind="missing", judged_by="punctuation"
                )
                for word in phrasing.stops - paused
                # where a word beside it was left out, or said again, nobody knows
                if {word, word + 1} <= said and not self._is_beside(word)
            ]
        return tuple(sorted(found, key=lambda each: each.after_word_index))

    def mean_length_of_run(self) -> float | None:
        """Syllables between pauses; None where pauses were not measured."""
        if self._measured.pauses is None:
            return None
        return self._syllables(self._said) / (len(self.pauses) + 1)

    def segments(
        self, natives: NativeProsody, profile: ProsodyProfile, exclusion: Exclusion
    ) -> tuple[Segment, ...]:
        """The parts of the text that end at a stop; all of it where the text is not known."""
        if self._measured.pauses is None:
            return ()
        stops = self._phrasing.stops if self._phrasing else frozenset()
        of_word: dict[int, list[AlignedPhone]] = {}
        for phone in self._said:
            of_word.setdefault(phone.word_index, []).append(phone)
        found = []
        for first, past_last in parts(self._words, stops, of_word):
            phones = [p for word in range(first, past_last) for p in of_word.get(word, ())]
            found.append(self._segment((first, past_last), phones, natives, profile, exclusion))
        return tuple(found)

    def _segment(
        self,
        words: tuple[int, int],
        phones: list[AlignedPhone],
        natives: NativeProsody,
        profile: ProsodyProfile,
        exclusion: Exclusion,
    ) -> Segment:
        start_s, end_s = phones[0].start_s, phones[-1].end_s
        inside = [p for p in self.pauses if start_s <= p.span[0] and p.span[1] <= end_s]
        paused_s = sum(p.span[1] - p.span[0] for p in inside)
        # what was said beside the text takes none of its time
        within = [max(0.0, min(b, end_s) - max(a, start_s)) for a, b in self._beside]
        speech_s = end_s - start_s - sum(within)
        syllables = self._syllables(phones)
        enough = speech_s >= MIN_SPEECH_S and syllables >= MIN_SYLLABLES and speech_s > paused_s
        pitch_range = self._range(start_s, end_s)
        spoken = replace(profile, syllables=syllables, range_semitones=pitch_range)
        grade = natives.grade(RANGE, spoken, exclusion) if enough else None
        return Segment(
            words=words,
            start_s=start_s,
            end_s=end_s,
            syllables=syllables,
            syllables_per_s=syllables / speech_s if enough else None,
            articulation_rate=syllables / (speech_s - paused_s) if enough else None,
            pauses=len(inside),
            mean_length_of_run=syllables / (len(inside) + 1),
            pitch_range=MeasureGrade(**vars(grade)) if grade else None,
            monotone=None
            if math.isnan(pitch_range) or not enough
            else (pitch_range < MONOTONE_SEMITONES),
        )

    def _break(self, pause: PlacedPause) -> Break:
        start_s, end_s = pause.span
        earlier = [p.after_word for p in self.pauses if p.span[0] < start_s]
        judged = None
        if self._phrasing is not None and not self._is_beside(pause.after_word):
            marks = [mark for mark in self._phrasing.marks if mark < pause.after_word]
            judged = self._phrasing.judged(pause, max([*earlier, *marks], default=-1))
        return Break(
            after_word_index=pause.after_word,
            start_s=start_s,
            end_s=end_s,
            duration_s=end_s - start_s,
            kind=judged[0] if judged else None,
            judged_by=judged[1] if judged else None,
        )

    def _is_beside(self, word: int) -> bool:
        """Whether something was said between a word and the next that the text does not have."""
        ends = [phone.end_s for phone in self._said if phone.word_index == word]
        starts = [phone.start_s for phone in self._said if phone.word_index == word + 1]
        if not ends or not starts:
            return True
        return any(a < min(starts) and b > max(ends) for a, b in self._beside)

    def _syllables(self, phones: Collection[AlignedPhone]) -> int:
        return sum(self._inventory.is_syllabic(phone.phone) for phone in phones)

    def _range(self, start_s: float, end_s: float) -> float:
        """From the 5th to the 95th percentile of the pitch, semitones; NaN where unknown."""
        if self._measured.melody is None:
            return float("nan")
        track = self._measured.pitch.semitones()[self._measured.pitch.within(start_s, end_s)]
        track = track[~np.isnan(track)]
        if len(track) < MIN_VOICED_FRAMES:
            return float("nan")
        low, high = np.quantile(track, [0.05, 0.95])
        return float(high - low)
