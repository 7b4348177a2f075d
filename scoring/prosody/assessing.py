"""The fluency, prosody and word stress of one assessed recording.

Weights, where no experts' marks are known (`scoring.fusion.marks`): likeness to natives. `fluency`
is the plain mean of the grades of speaking rate, articulation rate and pause ratio. `prosody`
weighs stress 0.4 (mean over the words), rhythm 0.3 (nPVI-V, %V, VarcoC) and melody 0.3 (range,
final movement). `overall` weighs pronunciation 0.7, fluency 0.15 and prosody 0.15. What was not
measured drops out, and the weights of the others are scaled up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.assessment import Insertion, Reading, StressAssessment, WordAssessment
from nativeear.scoring.grading import mean, score_of
from nativeear.scoring.prosody.assessment import Fluency, Intonation, MeasureGrade, Prosody
from nativeear.scoring.prosody.intonation import judge_ending
from nativeear.scoring.prosody.natives import (
    FLUENCY_MEASURES,
    MELODY_MEASURES,
    RHYTHM_MEASURES,
    NativeProsody,
)
from nativeear.scoring.prosody.phrases import Phrases
from nativeear.scoring.prosody.results import contour_of, f0_of, fluency_of
from nativeear.scoring.prosody.stress import StressModel, polysyllables, prominent_word
from nativeear.speech.alignment import Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.frames import Frames
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.prosody.measurement import (
    ProsodyMeasurement,
    measure_prosody,
    measure_unaligned,
)
from nativeear.speech.prosody.profile import ProsodyProfile
from nativeear.speech.prosody.voice_activity import silent_spans, why_not_silero

OVERALL_WEIGHTS = {"pronunciation": 0.7, "fluency": 0.15, "prosody": 0.15}
PROSODY_WEIGHTS = {"stress": 0.4, "rhythm": 0.3, "melody": 0.3}

NO_DISTRIBUTION = (
    "Fluency and prosody are numbers without a grade: the index keeps no native prosody. "
    "Build it again to have them graded."
)
FEW_COMPARABLE = (
    "Fluency or prosody has no grade: too few natives of the index said anything of this length."
)


@dataclass(frozen=True)
class ProsodyAssessment:
    """What goes into an `Assessment`.

    Attributes
    ----------
    fluency, prosody
        The measures.
    words
        The assessed words, with stress.
    fluency_score, prosody_score
        0–100, or None.
    reasons
        Why something is missing, in plain sentences.
    """

    fluency: Fluency | None
    prosody: Prosody | None
    words: tuple[WordAssessment, ...]
    fluency_score: float | None
    prosody_score: float | None
    reasons: tuple[str, ...]


NOTHING_MEASURED = ProsodyAssessment(None, None, (), None, None, ())
"""Of a recording on which nothing could be laid."""


def overall_score(pronunciation: float | None, prosody: ProsodyAssessment) -> float | None:
    """The overall score; None where pronunciation was not judged, for it is the most of it."""
    if pronunciation is None:
        return None
    return weighted(
        {
            "pronunciation": pronunciation,
            "fluency": prosody.fluency_score,
            "prosody": prosody.prosody_score,
        },
        OVERALL_WEIGHTS,
    )


def assess_prosody(
    audio: Audio,
    alignment: Alignment,
    *,
    words: Sequence[WordAssessment],
    insertions: Sequence[Insertion],
    natives: NativeProsody,
    inventory: PhoneInventory,
    text: str | None,
    exclusion: Exclusion,
    frames: Frames | None = None,
    unsure: Collection[int] = (),
    recognised: bool = False,
    reading: Reading | None = None,
) -> ProsodyAssessment:
    """Measure and grade one recording.

    Parameters
    ----------
    alignment
        The one alignment of the recording.
    words, insertions
        What was made of its phones: words that were left out are not counted.
    text
        What was read, with its punctuation; None where only phones were given.
    frames
        The recording, encoded: by them the natives tell full vowels from reduced ones.
    unsure
        Indices of words that may be others: their stress is not judged.
    recognised
        Whether the words are what a recogniser wrote: one that comes twice was said twice.
    reading
        How a given text was read: the time of what was said beside it does not count.
    """
    omitted = {i for i, word in enumerate(words) if word.omitted}
    beside = reading.spans("repeated", "restart", "extra") if reading else ()
    measured = measure_prosody(
        audio, alignment, inventory, text, omitted, beside=beside, voiceless=_voiceless(audio)
    )
    if frames is not None:
        nuclei = natives.with_vowel_fullness(measured.nuclei, frames, alignment, exclusion)
        measured = replace(measured, nuclei=nuclei)
    profile = ProsodyProfile.of(measured, alignment.words)
    phrases = Phrases(measured, alignment, inventory, omitted=omitted, text=text, beside=beside)
    flow, rhythm, melody = (
        tuple(MeasureGrade(**vars(each)) for each in natives.grades(measures, profile, exclusion))
        for measures in (FLUENCY_MEASURES, RHYTHM_MEASURES, MELODY_MEASURES)
    )
    ungraded = (measured.pauses and not flow) or (measured.melody and not melody)
    missing = NO_DISTRIBUTION if not natives.available else FEW_COMPARABLE if ungraded else None
    native = natives.nearest_reading(profile, exclusion)
    ending = judge_ending(profile, text, inventory.language, natives, exclusion)
    stresses = _stresses(measured, natives.stress_without(exclusion), omitted | set(unsure))
    judged = [stress for stress in stresses.values() if stress.observed is not None]
    scores = {
        name: mean([part.score for part in parts])
        for name, parts in (("stress", judged), ("rhythm", rhythm), ("melody", melody))
    }
    return ProsodyAssessment(
        fluency=fluency_of(
            measured,
            words,
            insertions,
            grades=flow,
            recognised=recognised,
            reading=reading,
            phrases=(
                phrases.mean_length_of_run(),
                phrases.breaks(),
                phrases.segments(natives, profile, exclusion),
            ),
        ),
        prosody=Prosody(
            f0=f0_of(measured),
            contour=contour_of(measured),
            stress_accuracy=mean([100.0 * (s.observed == s.expected) for s in judged]),
            sentence_type=measured.sentence,
            intonation=Intonation(**vars(ending)) if ending else None,
            prominent_word=prominent_word([n for n in measured.nuclei if n.word not in omitted]),
            native_prominent_word=native.prominent_word if native else None,
            native_contour_distance_semitones=native.distance if native else None,
            native_contour_semitones=native.contour if native else (),
            grades=(*rhythm, *melody),
        ),
        words=tuple(
            word.model_copy(update={"stress": stresses[i]}) if i in stresses else word
            for i, word in enumerate(words)
        ),
        fluency_score=mean([grade.score for grade in flow]),
        prosody_score=weighted(scores, PROSODY_WEIGHTS),
        reasons=(*measured.reasons, *filter(None, [missing])),
    )


def without_words(found: ProsodyAssessment) -> ProsodyAssessment:
    """The same without what is said of words, where what was laid on the recording is none."""
    return replace(
        found,
        fluency=found.fluency
        and found.fluency.model_copy(
            update={"words_per_minute": None, "words_correct_per_minute": None}
        ),
        prosody=found.prosody and found.prosody.model_copy(update={"prominent_word": None}),
    )


def assess_unaligned(audio: Audio) -> ProsodyAssessment:
    """Measure a recording on which nothing could be laid.

    Nothing is graded: natives' syllables were counted by their phones, these by their nuclei.
    """
    measured = measure_unaligned(audio, _voiceless(audio))
    return ProsodyAssessment(
        fluency=fluency_of(measured),
        prosody=Prosody(f0=f0_of(measured), contour=contour_of(measured)),
        words=(),
        fluency_score=None,
        prosody_score=None,
        reasons=measured.reasons,
    )


def weighted(scores: dict[str, float | None], weights: dict[str, float]) -> float | None:
    """Mean of the scores that were measured, by their weights; None if there is none."""
    measured = {name: score for name, score in scores.items() if score is not None}
    if not measured:
        return None
    total = sum(weights[name] for name in measured)
    return sum(weights[name] * score for name, score in measured.items()) / total


def _stresses(
    measured: ProsodyMeasurement, model: StressModel | None, omitted: set[int]
) -> dict[int, StressAssessment]:
    """Stress of every word of several syllables, by word index."""
    found = {}
    for word in polysyllables(measured.nuclei):
        number = word[0].word
        if number in omitted or model is None:
            continue
        stress = model.observe(word)
        log_share = float(model.natives.log_quantile(np.array(stress.margin)))
        found[number] = StressAssessment(
            expected=stress.expected, observed=stress.observed, score=score_of(log_share)
        )
    return found


def _voiceless(audio: Audio) -> tuple[tuple[float, float], ...] | None:
    """Where no one speaks; None where Silero VAD is not installed, which is no fault."""
    return None if why_not_silero() else silent_spans(audio)
