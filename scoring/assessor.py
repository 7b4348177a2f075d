"""One pass over a learner's recording: decode, encode, align, gather evidence, grade, report."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import BinaryIO

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.evidence import gather_evidence
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.assessment import (
    Assessment,
    GopEvidence,
    PhoneAssessment,
    Transcript,
)
from nativeear.scoring.calibration import calibration_of
from nativeear.scoring.evidence import NO_EXCLUSION, EvidenceGatherer, RecordingEvidence, lay
from nativeear.scoring.feedback.remarks import with_feedback
from nativeear.scoring.free.quality import OwnClassQuality
from nativeear.scoring.free.transcripts import (
    beside_sure_words,
    decode_speech,
    recognised_text,
    withheld,
)
from nativeear.scoring.grading import (
    FALSE_REJECTIONS,
    mean,
)
from nativeear.scoring.mismatch import mismatch_warning
from nativeear.scoring.other_forms import grades_of_forms
from nativeear.scoring.prosody.assessing import (
    assess_prosody,
    assess_unaligned,
    without_words,
)
from nativeear.scoring.prosody.natives import NativeProsody
from nativeear.scoring.results import (
    ResultBuilder,
    gop_evidence,
    gop_warning,
    insertion,
    word_assessment,
    word_assessments,
)
from nativeear.scoring.verdicts import FLAGGED
from nativeear.speech.aligners.ctc import CtcAligner
from nativeear.speech.alignment import Aligner
from nativeear.speech.audio import Audio
from nativeear.speech.errors import AlignmentError, InputError
from nativeear.speech.first_languages import first_language_or_warning
from nativeear.speech.forms import accepted_phones
from nativeear.speech.frames import Encoder
from nativeear.speech.given_phones import given_phones
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import head_refusal
from nativeear.speech.pooling import pool
from nativeear.speech.pronunciation import Pronouncer, Pronunciation
from nativeear.speech.recogniser import Recogniser

FLUENCY_ALONE = (
    "Without a text and without a recogniser, its sounds cannot be judged: only how it flows was "
    "measured, by the syllables that are heard."
)


AudioSource = Audio | str | PathLike[str] | bytes | BinaryIO


class Assessor:
    """Hears learners against one index. Safe to share between threads.

    Parameters
    ----------
    index
        The native reference.
    encoder
        The encoder that built it.
    aligner
        Lays the canonical phones on the recording.
    pronouncer
        Gives the canonical phones of a text.
    calibration
        `training-free`, `expert`, or `auto`, see `scoring.calibration`.
    false_rejections
        Share of native phones that may be flagged.
    """

    def __init__(
        self,
        index: PhoneIndex,
        encoder: Encoder,
        aligner: Aligner,
        pronouncer: Pronouncer,
        *,
        calibration: str = "auto",
        false_rejections: float = FALSE_REJECTIONS,
    ) -> None:
        index.check_encoder(encoder)
        self.index = index
        self.encoder = encoder
        self.aligner = aligner
        self.pronouncer = pronouncer
        self._gatherer = EvidenceGatherer(index)
        self._results = ResultBuilder(index)
        self._calibration = calibration_of(calibration, index, false_rejections=false_rejections)
        self._prosody = NativeProsody(index)
        self._own_class = OwnClassQuality(index, false_rejections=false_rejections)

    @property
    def language(self) -> str:
        """BCP 47 tag of the index."""
        return self.index.language

    @property
    def inventory(self) -> PhoneInventory:
        """The phones of the index."""
        return self.index.inventory

    def assess(
        self,
        audio: AudioSource,
        text: str | None = None,
        *,
        phones: str | None = None,
        id: str | None = None,
        l1: str | None = None,
        exclusion: Exclusion = NO_EXCLUSION,
    ) -> Assessment:
        """Assess one recording against a text or against given phones.

        Parameters
        ----------
        audio
            A recording: a path, its bytes, an open file, or loaded `Audio`.
        text
            What was meant to be said.
        phones
            Canonical phones, ARPAbet or IPA, ` | ` between words; judged as they stand.
        id
            Name of the result; the file's stem if None.
        l1
            The learner's first language, for the remarks, see
            `speech.first_languages.first_language`.
        exclusion
            Exemplars that must not answer, when the recording is itself in the index.

        Raises
        ------
        InputError
            If the recording is refused, a word has no pronunciation, nothing was meant, or the
            first language is named by a table that cannot be read.
        """
        if not (text and text.strip()) and not (phones and phones.strip()):
            raise InputError(
                "There is neither a text nor phones to assess against.",
                fix="Give the text that was read, or its phones.",
            )
        id, recording = _opened(audio, id, l1)
        pronunciation = self.pronounce(text, phones)
        return self._against_pronunciation(
            id, recording, pronunciation, text=text, l1=l1, exclusion=exclusion
        )

    def assess_free(
        self,
        audio: AudioSource,
        *,
        recogniser: Recogniser | None = None,
        id: str | None = None,
        l1: str | None = None,
        exclusion: Exclusion = NO_EXCLUSION,
    ) -> Assessment:
        """Assess one recording of which no text is known.

        With a recogniser its words are what was meant, and sounds of words that it is unsure of
        are not judged. Without one, the phones that the encoder's head hears are compared with
        how natives say them; where it has no head for the language, fluency alone is measured.

        Parameters
        ----------
        audio, id, l1, exclusion
            As for `assess`; the first language has a use with a recogniser only.
        recogniser
            Gives the words, see `speech.recognisers.whisper`.

        Raises
        ------
        InputError
            If the recording is refused, no speech was heard in it, or the first language is named
            by a table that cannot be read.
        """
        id, recording = _opened(audio, id, l1)
        if recogniser is None:
            return self._without_text(id, recording, exclusion)
        words = recogniser.transcribe(recording, self.language)
        found = recognised_text(words, recogniser.name, self.pronouncer)
        return self._against_pronunciation(
            id,
            recording,
            found.pronunciation,
            text=found.transcript.text,
            l1=l1,
            exclusion=exclusion,
            unsure=found.unsure,
            transcript=found.transcript,
        )

    def _against_pronunciation(
        self,
        id: str,
        recording: Audio,
        pronunciation: Pronunciation,
        *,
        text: str | None,
        l1: str | None,
        exclusion: Exclusion,
        unsure: frozenset[int] = frozenset(),
        transcript: Transcript | None = None,
    ) -> Assessment:
        """Assess against canonical phones; those of `unsure` words are not judged."""
        warnings = [*recording.warnings, *pronunciation.warnings]
        try:
            evidence = self.gather_evidence(recording, pronunciation, exclusion)
        except AlignmentError as error:
            warnings.append(f"The text does not match the recording: {error.message}")
            if transcript is not None:
                raise InputError(
                    "What was recognised cannot be laid on the recording.",
                    cause=error.message,
                    fix="Check that it holds speech of the index's language, or give the text.",
                ) from error
            unmatched = self._unmatched(id, recording, pronunciation, warnings)
            return with_feedback(unmatched, self.inventory, l1)
        alignment = evidence.shown
        warnings.append(gop_warning(evidence.gop))
        judged = [
            withheld(phone) if aligned.word_index in unsure else phone
            for aligned, phone in zip(
                alignment.spoken, self._judge(evidence, pronunciation, exclusion), strict=True
            )
        ]
        flagged = sum(phone.verdict in FLAGGED for phone in judged)
        canonical = [phone.phone for phone in evidence.phones]
        warnings.append(mismatch_warning(evidence.frames, self.inventory, canonical, flagged))
        words = word_assessments(pronunciation, alignment, judged)
        insertions = beside_sure_words(
            [insertion(alignment, item) for item in evidence.insertions], unsure
        )
        prosody = assess_prosody(
            recording,
            alignment,
            words=words,
            insertions=insertions,
            natives=self._prosody,
            inventory=self.inventory,
            text=text,
            exclusion=exclusion,
            frames=evidence.frames,
            unsure=unsure,
            recognised=transcript is not None,
        )
        warnings += prosody.reasons
        result = self._results.assessment(
            id,
            recording,
            prosody.words,
            insertions,
            warnings,
            calibration=self._calibration.name,
            prosody=prosody,
            unsure=unsure,
            transcript=transcript,
        )
        return with_feedback(result, self.inventory, l1)

    def _without_text(self, id: str, recording: Audio, exclusion: Exclusion) -> Assessment:
        """Compare the phones that the encoder hears with the natives' of the same names."""
        warnings = list(recording.warnings)
        frames = self.encoder.encode(recording)
        decoded = decode_speech(frames, recording, self.inventory)
        if decoded is None:
            why = head_refusal(frames, self.inventory)
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
            alignment = self.aligner.align(recording, pronunciation, frames)
        except AlignmentError:  # an aligner of its own may hear it otherwise; the head cannot
            alignment = CtcAligner(self.inventory).align(recording, pronunciation, frames)
        phones = alignment.spoken
        canonical = [phone.phone for phone in phones]
        spans_s = [(phone.start_s, phone.end_s) for phone in phones]
        embeddings = pool(frames, spans_s, self.index.manifest.pooling)
        evidence = gather_evidence(self.index, embeddings, canonical, exclusion=exclusion)
        grades = self._own_class.grades(embeddings, canonical, exclusion)
        judged = [  # without GOP: the head would agree with itself
            self._results.phone(phone, item, GopEvidence(), grade)
            for phone, item, grade in zip(phones, evidence, grades, strict=True)
        ]
        # one bad sound does not spoil a run of dozens as it does a word
        words = tuple(
            run.model_copy(update={"score": mean([phone.score for phone in run.phones])})
            for run in word_assessments(pronunciation, alignment, judged)
        )
        prosody = without_words(
            assess_prosody(
                recording,
                alignment,
                words=words,
                insertions=(),
                natives=self._prosody,
                inventory=self.inventory,
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

    def pronounce(self, text: str | None, phones: str | None = None) -> Pronunciation:
        """What is meant: the given phones as they stand, else the text's own.

        Raises
        ------
        InputError
            If a word has no pronunciation.
        """
        if phones and phones.strip():
            return given_phones(phones, self.inventory, text, self.pronouncer)
        return self.pronouncer.pronounce(text or "")

    def gather_evidence(
        self, recording: Audio, pronunciation: Pronunciation, exclusion: Exclusion = NO_EXCLUSION
    ) -> RecordingEvidence:
        """Encode and align one recording and gather the evidence, without a judgement.

        Raises
        ------
        AlignmentError
            If the canonical phones cannot be laid on the recording.
        """
        frames = self.encoder.encode(recording)
        laid = lay(self.aligner, recording, pronunciation, frames, self.inventory)
        judged = laid.relaid if self._calibration.by_relaid else laid.alignment
        return self._gatherer.gather(frames, judged, laid.gop, exclusion, believed=laid.relaid)

    def _judge(
        self, evidence: RecordingEvidence, pronunciation: Pronunciation, exclusion: Exclusion
    ) -> list[PhoneAssessment]:
        """Grade and describe every canonical phone, in order."""
        grades = grades_of_forms(
            self._calibration,
            evidence,
            accepted_phones(pronunciation, evidence.alignment.variants),
            index=self.index,
            gatherer=self._gatherer,
            exclusion=exclusion,
        )
        phones = evidence.shown.spoken
        parts = zip(phones, evidence.retrieval, gop_evidence(evidence.gop), grades, strict=True)
        return [self._results.phone(*part) for part in parts]

    def _unmatched(
        self, id: str, recording: Audio, pronunciation: Pronunciation, warnings: list[str]
    ) -> Assessment:
        """Every phone missing: the canonical phones cannot be laid on this recording at all."""
        words = []
        for word in pronunciation.words:
            sequence = word.variants[0]
            phones = [self._results.missing_phone(phone) for phone in sequence.phones]
            words.append(word_assessment(word.word, sequence.syllables, phones))
        return self._results.assessment(
            id, recording, tuple(words), (), warnings, calibration=self._calibration.name
        )


def _opened(audio: AudioSource, id: str | None, l1: str | None) -> tuple[str, Audio]:
    """The name of a recording and its samples."""
    if l1 is not None:
        first_language_or_warning(l1)  # refused, if at all, before anything slow is done
    if id is None:
        id = Path(audio).stem if isinstance(audio, str | PathLike) else ""
    return id, audio if isinstance(audio, Audio) else Audio.load(audio)
