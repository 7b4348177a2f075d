"""One pass over a learner's recording: decode, encode, align, gather evidence, grade, report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.assessment import (
    Assessment,
    PhoneAssessment,
    Reading,
    Transcript,
)
from nativeear.scoring.calibration import calibration_of
from nativeear.scoring.evidence import NO_EXCLUSION, EvidenceGatherer, RecordingEvidence
from nativeear.scoring.feedback.remarks import with_feedback
from nativeear.scoring.free.transcripts import (
    beside_sure_words,
    recognised_text,
    withheld,
)
from nativeear.scoring.free.without_text import WithoutText
from nativeear.scoring.gop_evidence import measure_gop
from nativeear.scoring.grading import FALSE_REJECTIONS, Grade
from nativeear.scoring.other_forms import grades_of_forms
from nativeear.scoring.prosody.assessing import (
    assess_prosody,
)
from nativeear.scoring.prosody.natives import NativeProsody
from nativeear.scoring.reading import (
    NOT_OF_THIS_TEXT,
    TextReader,
    attended,
    lay,
    reading_of,
    within,
)
from nativeear.scoring.results import (
    ResultBuilder,
    expected_of_words,
    gop_evidence,
    gop_warning,
    insertion,
)
from nativeear.speech.alignment import Aligner
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.errors import InputError
from nativeear.speech.first_languages import first_language_or_warning
from nativeear.speech.forms import accepted_phones
from nativeear.speech.frames import Encoder, Frames
from nativeear.speech.given_phones import given_phones
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.reading.reading import Reading as TextReading
from nativeear.speech.recogniser import Recogniser

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
        self._reader = TextReader(index)
        self._results = ResultBuilder(index)
        self._calibration = calibration_of(calibration, index, false_rejections=false_rejections)
        self._prosody = NativeProsody(index)
        self._without_text = WithoutText(
            index,
            natives=self._prosody,
            results=self._results,
            false_rejections=false_rejections,
        )

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
            id,
            recording,
            pronunciation,
            text=text,
            l1=l1,
            exclusion=exclusion,
            as_given=bool(phones and phones.strip()),
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
            return self._without_text.assess(
                id, recording, exclusion, encoder=self.encoder, aligner=self.aligner
            )
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
        as_given: bool = False,
        unsure: frozenset[int] = frozenset(),
        transcript: Transcript | None = None,
    ) -> Assessment:
        """Assess against canonical phones; those of `unsure` words are not judged."""
        warnings = [*recording.warnings, *pronunciation.warnings]
        frames = self.encoder.encode(recording)
        told = None
        if transcript is None:
            read = self._read(recording, pronunciation, frames, as_given=as_given)
            told = reading_of(read, pronunciation, self.inventory)
            if not told.matches:
                return self._unmatched(id, recording, pronunciation, warnings, told)
        else:  # what a recogniser wrote was said, each word once
            read = self._reader.read(pronunciation, frames, recording, whole=True)
        evidence = self._evidence(recording, pronunciation, frames, read, exclusion)
        alignment = evidence.alignment
        warnings.append(gop_warning(evidence.gop))
        grades = self._grades(evidence, pronunciation, exclusion)
        judged = [
            withheld(phone) if aligned.word_index in unsure else phone
            for aligned, phone in zip(alignment.spoken, self._phones(evidence, grades), strict=True)
        ]
        words = self._results.words(pronunciation, alignment, judged, read.omitted)
        insertions = beside_sure_words(
            [
                insertion(alignment, item)
                for item in evidence.insertions
                if not within(read.aside_s, item.start_s, item.end_s)
            ],
            unsure,
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
            reading=told,
        )
        warnings += prosody.reasons
        marks = None
        if self._calibration.marks is not None:
            expected, word_of = expected_of_words(prosody.words, alignment, grades, unsure)
            marks = self._calibration.marks.marks(
                expected,
                word_of,
                prosody.words,
                fluency=prosody.fluency,
                prosody=prosody.prosody,
                reading=told,
                duration_s=recording.duration_s,
            )
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
            reading=told,
            marks=marks,
        )
        return with_feedback(result, self.inventory, l1)

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
        """The evidence on one recording in which every word is known to be read, unjudged."""
        frames = self.encoder.encode(recording)
        read = self._reader.read(pronunciation, frames, recording, whole=True)
        return self._evidence(recording, pronunciation, frames, read, exclusion)

    def _read(
        self, recording: Audio, pronunciation: Pronunciation, frames: Frames, *, as_given: bool
    ) -> TextReading:
        """What was read; phones that were given are judged as they stand, and none is left out."""
        if not as_given:
            return self._reader.read_with_garbled(pronunciation, frames, recording)
        read = self._reader.read(pronunciation, frames, recording)
        if not read.matches:
            return read
        whole = self._reader.read(pronunciation, frames, recording, whole=True)
        return replace(whole, likelihood=read.likelihood)

    def _evidence(
        self,
        recording: Audio,
        pronunciation: Pronunciation,
        frames: Frames,
        read: TextReading,
        exclusion: Exclusion,
    ) -> RecordingEvidence:
        """The evidence on the words that were read, where they were read."""
        audio, frames = attended(recording, frames, read.aside_s)
        alignment = lay(self.aligner, audio, pronunciation, frames, read)
        gop = measure_gop(frames, self.inventory, [phone.phone for phone in alignment.spoken])
        return self._gatherer.gather(frames, alignment, gop, exclusion)

    def _grades(
        self, evidence: RecordingEvidence, pronunciation: Pronunciation, exclusion: Exclusion
    ) -> tuple[Grade, ...]:
        """Grade every canonical phone, in order."""
        return grades_of_forms(
            self._calibration,
            evidence,
            accepted_phones(pronunciation, evidence.alignment.variants),
            index=self.index,
            gatherer=self._gatherer,
            exclusion=exclusion,
        )

    def _phones(
        self, evidence: RecordingEvidence, grades: Sequence[Grade]
    ) -> list[PhoneAssessment]:
        """Describe every canonical phone, in order."""
        phones = evidence.alignment.spoken
        parts = zip(phones, evidence.retrieval, gop_evidence(evidence.gop), grades, strict=True)
        return [self._results.phone(*part) for part in parts]

    def _unmatched(
        self,
        id: str,
        recording: Audio,
        pronunciation: Pronunciation,
        warnings: list[str],
        reading: Reading,
    ) -> Assessment:
        """Nothing is judged of a recording that is not of its text."""
        return self._results.assessment(
            id,
            recording,
            self._results.unjudged_words(pronunciation),
            (),
            [NOT_OF_THIS_TEXT, *warnings],
            calibration=self._calibration.name,
            reading=reading,
        )


def _opened(audio: AudioSource, id: str | None, l1: str | None) -> tuple[str, Audio]:
    """The name of a recording and its samples."""
    if l1 is not None:
        first_language_or_warning(l1)  # refused, if at all, before anything slow is done
    if id is None:
        id = Path(audio).stem if isinstance(audio, str | PathLike) else ""
    return id, audio if isinstance(audio, Audio) else Audio.load(audio)
