"""Assess a recording of which no text is known, by the phones that the encoder's head hears."""

from __future__ import annotations

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.evidence import gather_evidence
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.assessment import Assessment, GopEvidence
from nativeear.scoring.free.quality import OwnClassQuality
from nativeear.scoring.free.transcripts import decode_speech
from nativeear.scoring.grading import mean
from nativeear.scoring.prosody.assessing import assess_prosody, assess_unaligned, without_words
from nativeear.scoring.prosody.natives import NativeProsody
from nativeear.scoring.results import ResultBuilder
from nativeear.speech.aligners.ctc import CtcAligner
from nativeear.speech.alignment import Aligner
from nativeear.speech.audio import Audio
from nativeear.speech.errors import AlignmentError, InputError
from nativeear.speech.frames import Encoder
from nativeear.speech.phone_head import head_refusal
from nativeear.speech.pooling import pool

FLUENCY_ALONE = (
    "Without a text and without a recogniser, its sounds cannot be judged: only how it flows was "
    "measured, by the syllables that are heard."
)


class WithoutText:
    """Hears recordings without a text or a recogniser; the parts are those of an `Assessor`."""

    def __init__(
        self,
        index: PhoneIndex,
        *,
        natives: NativeProsody,
        results: ResultBuilder,
        false_rejections: float,
    ) -> None:
        self._index = index
        self._natives = natives
        self._results = results
        self._own_class = OwnClassQuality(index, false_rejections=false_rejections)

    def assess(
        self,
        id: str,
        recording: Audio,
        exclusion: Exclusion,
        *,
        encoder: Encoder,
        aligner: Aligner,
    ) -> Assessment:
        """Compare the phones that the encoder hears with the natives' of the same names.

        Raises
        ------
        InputError
            If no speech was heard.
        """
        warnings = list(recording.warnings)
        frames = encoder.encode(recording)
        decoded = decode_speech(frames, recording, self._index.inventory)
        if decoded is None:
            why = head_refusal(frames, self._index.inventory)
            warnings.append(f"{why} {FLUENCY_ALONE}")
            prosody = assess_unaligned(recording)
            warnings += prosody.reasons
            return self._results.assessment(
                id, recording, (), (), warnings, prosody=prosody, calibration="none"
            )
        pronunciation = decoded.pronunciation
        if not pronunciation.words:
            raise InputError(
                "No speech was heard in the recording.", fix="Give a recording of speech."
            )
        try:
            alignment = aligner.align(recording, pronunciation, frames)
        except AlignmentError:  # an aligner of its own may hear it otherwise; the head cannot
            alignment = CtcAligner(self._index.inventory).align(recording, pronunciation, frames)
        phones = alignment.spoken
        canonical = [phone.phone for phone in phones]
        spans_s = [(phone.start_s, phone.end_s) for phone in phones]
        embeddings = pool(frames, spans_s, self._index.manifest.pooling)
        evidence = gather_evidence(self._index, embeddings, canonical, exclusion=exclusion)
        grades = self._own_class.grades(embeddings, canonical, exclusion)
        judged = [  # without GOP: the head would agree with itself
            self._results.phone(phone, item, GopEvidence(), grade)
            for phone, item, grade in zip(phones, evidence, grades, strict=True)
        ]
        # one bad sound does not spoil a run of dozens as it does a word
        words = tuple(
            run.model_copy(update={"score": mean([phone.score for phone in run.phones])})
            for run in self._results.words(pronunciation, alignment, judged)
        )
        prosody = without_words(
            assess_prosody(
                recording,
                alignment,
                words=words,
                insertions=(),
                natives=self._natives,
                inventory=self._index.inventory,
                text=None,
                exclusion=exclusion,
            )
        )
        return self._results.assessment(
            id,
            recording,
            words,
            (),
            [*warnings, *pronunciation.warnings, *prosody.reasons],
            prosody=prosody,
            transcript=decoded.transcript,
            calibration=self._own_class.name,
        )
