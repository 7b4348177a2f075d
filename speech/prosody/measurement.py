"""Everything that is measured of how one aligned utterance flows and sings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nativeear.speech.alignment import AlignedPhone, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.prosody.contour import (
    Melody,
    SentenceType,
    measure_melody,
    phrase_ends,
    sentence_type,
)
from nativeear.speech.prosody.intensity import Intensity, signal_to_noise_db, track_intensity
from nativeear.speech.prosody.nuclei import syllable_nuclei
from nativeear.speech.prosody.pauses import (
    MIN_PAUSE_S,
    PauseSummary,
    Span,
    find_pauses,
    sounding_span,
)
from nativeear.speech.prosody.pitch import HOP_S, Pitch, runs, track_pitch
from nativeear.speech.prosody.rhythm import Rhythm, measure_rhythm
from nativeear.speech.prosody.stress import Syllable, measure_syllables

MIN_SPEECH_S = 0.5
MIN_SYLLABLES = 2
MIN_VOICED_FRAMES = 20
MIN_SNR_DB = 5.0
MIN_VOICED_SHARE = 0.2
"""Of the frames of vowels: whispered vowels have next to no voice, spoken ones nearly all."""

FILLED_MIN_S = 0.2
FILLED_MAX_MOVEMENT = 2.0
"""Semitones: hesitations are held, words move."""

_TOO_LITTLE_SPEECH = "Fluency was not measured: there is too little speech."


@dataclass(frozen=True, eq=False)
class ProsodyMeasurement:
    """What was measured; None, or empty, with a reason where it could not be.

    Attributes
    ----------
    pitch, intensity
        The tracks of the whole recording.
    syllables, words
        How many were said.
    pauses
        Pauses between the first phone and the last.
    pauses_between_phrases
        How many of them lie where the text is punctuated; None where that is not known.
    filled_pauses
        Spans between words that are voiced on a held pitch.
    rhythm, melody
        See there.
    nuclei
        Correlates of stress of every syllable.
    sentence
        What the text is by its punctuation; None without a text.
    snr_db
        Signal-to-noise ratio; None where no silence tells.
    reasons
        Why something was not measured, in plain sentences.
    """

    pitch: Pitch
    intensity: Intensity
    syllables: int
    words: int
    pauses: PauseSummary | None
    melody: Melody | None
    reasons: tuple[str, ...]
    pauses_between_phrases: int | None = None
    filled_pauses: tuple[Span, ...] = ()
    rhythm: Rhythm = field(default_factory=Rhythm)
    nuclei: tuple[Syllable, ...] = ()
    sentence: SentenceType | None = None
    snr_db: float | None = None

    @property
    def syllables_per_s(self) -> float | None:
        """Syllables over the time of speech, pauses included."""
        return self.syllables / self.pauses.speech_s if self.pauses else None

    @property
    def articulation_rate(self) -> float | None:
        """Syllables over the time of speech without its pauses."""
        if not self.pauses:
            return None
        return self.syllables / (self.pauses.speech_s - self.pauses.total_s)

    @property
    def words_per_minute(self) -> float | None:
        """Words over the time of speech, pauses included; None where the words are not known."""
        return 60 * self.words / self.pauses.speech_s if self.pauses and self.words else None


def measure_prosody(
    audio: Audio,
    alignment: Alignment,
    inventory: PhoneInventory,
    text: str | None = None,
    omitted: Collection[int] = (),
    *,
    beside: Sequence[Span] = (),
    voiceless: Sequence[Span] | None = None,
) -> ProsodyMeasurement:
    """Measure one aligned recording.

    Parameters
    ----------
    text
        What was read, with its punctuation.
    omitted
        Indices of words that were not said: the alignment places them all the same.
    beside
        Where something was said that does not belong to the text: that time does not count.
    voiceless
        Where no one speaks, see `speech.prosody.pauses.find_pauses`.
    """
    pitch, intensity = track_pitch(audio), track_intensity(audio)
    said = [p for p in alignment.spoken if p.word_index not in omitted]
    vowels = [p for p in said if inventory.is_syllabic(p.phone)]
    silences = [
        (p.start_s, p.end_s)
        for p in alignment.phones
        if p.is_silence and not any(a < p.end_s and b > p.start_s for a, b in beside)
    ]
    snr_db = signal_to_noise_db(intensity, [(p.start_s, p.end_s) for p in said], silences)
    speech_s = said[-1].end_s - said[0].start_s if said else 0.0
    pauses, melody, reasons = None, None, []
    if speech_s < MIN_SPEECH_S or len(vowels) < MIN_SYLLABLES:
        reasons.append(_TOO_LITTLE_SPEECH)
    else:
        pauses = find_pauses(intensity, (said[0].start_s, said[-1].end_s), silences, voiceless)
        pauses = replace(pauses, speech_s=pauses.speech_s - _within(beside, said))
    why_not = _no_pitch_because(pitch, [(p.start_s, p.end_s) for p in vowels], snr_db)
    if why_not:
        reasons.append(f"Melody was not measured: {why_not}.")
    else:
        melody = measure_melody(pitch, said[-1].end_s)
    breaks = [start for start, _ in pauses.spans] if pauses else []
    return ProsodyMeasurement(
        pitch=pitch,
        intensity=intensity,
        syllables=len(vowels),
        words=len({p.word_index for p in said}),
        pauses=pauses,
        melody=melody,
        reasons=tuple(reasons),
        pauses_between_phrases=_between_phrases(alignment, text, pauses),
        filled_pauses=_filled_pauses(pitch, silences) if melody else (),
        rhythm=measure_rhythm(alignment.phones, inventory, breaks),
        nuclei=measure_syllables(audio, alignment, inventory, pitch) if melody else (),
        sentence=sentence_type(text, inventory.language) if text else None,
        snr_db=snr_db,
    )


def _within(beside: Sequence[Span], said: Sequence[AlignedPhone]) -> float:
    """Seconds of other speech between the first phone and the last."""
    first, last = said[0].start_s, said[-1].end_s
    return sum(max(0.0, min(end, last) - max(start, first)) for start, end in beside)


def measure_unaligned(audio: Audio, voiceless: Sequence[Span] | None = None) -> ProsodyMeasurement:
    """Measure a recording on which no phone was laid: syllables are its nuclei, words unknown.

    Rhythm and stress, which need phones, are not measured.
    """
    pitch, intensity = track_pitch(audio), track_intensity(audio)
    syllables = len(syllable_nuclei(audio, pitch, intensity))
    sounding = sounding_span(intensity)
    pauses, melody, reasons = None, None, []
    if not sounding or sounding[1] - sounding[0] < MIN_SPEECH_S or syllables < MIN_SYLLABLES:
        reasons.append(_TOO_LITTLE_SPEECH)
    else:
        pauses = find_pauses(intensity, sounding, voiceless=voiceless)
    if sounding and pitch.voiced_frames >= MIN_VOICED_FRAMES:
        melody = measure_melody(pitch, sounding[1])
    else:
        reasons.append("Melody was not measured: there is too little voiced speech.")
    return ProsodyMeasurement(pitch, intensity, syllables, 0, pauses, melody, tuple(reasons))


def _no_pitch_because(pitch: Pitch, vowels: list[Span], snr_db: float | None) -> str:
    if snr_db is not None and snr_db < MIN_SNR_DB:
        return f"the recording is too noisy, about {snr_db:.0f} dB above its noise"
    frames = [pitch.voiced[pitch.within(*vowel)] for vowel in vowels]
    share = float(np.concatenate(frames).mean()) if sum(map(len, frames)) else 0.0
    if share < MIN_VOICED_SHARE:
        return "the voice is whispered, or too faint for its pitch to be heard"
    if pitch.voiced_frames < MIN_VOICED_FRAMES:
        return "there is too little voiced speech"
    return ""


def _between_phrases(
    alignment: Alignment, text: str | None, pauses: PauseSummary | None
) -> int | None:
    """How many pauses follow a word that punctuation follows."""
    if not text or pauses is None:
        return None
    ends = phrase_ends(text, len(alignment.words))
    if not ends:
        return None
    found = 0
    for start, end in pauses.spans:
        before = [p.word_index for p in alignment.spoken if p.end_s <= (start + end) / 2]
        found += bool(before) and before[-1] in ends
    return found


def _filled_pauses(pitch: Pitch, silences: list[Span]) -> tuple[Span, ...]:
    """Voiced stretches on a held pitch where the alignment has no phone."""
    found = []
    for start_s, end_s in silences:
        if end_s - start_s < MIN_PAUSE_S:
            continue
        frames = pitch.within(start_s, end_s)
        track = pitch.f0_hz[frames]
        for a, b in runs(~np.isnan(track)):
            semitones = 12 * np.log2(track[a:b])
            held = float(np.quantile(semitones, 0.9) - np.quantile(semitones, 0.1))
            if (b - a) * HOP_S >= FILLED_MIN_S and held <= FILLED_MAX_MOVEMENT:
                at = pitch.t_s[frames.start + a]
                found.append((float(at), float(at) + (b - a) * HOP_S))
    return tuple(found)
