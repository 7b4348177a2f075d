"""One pass over a learner's recording: decode, encode, align, gather evidence, grade, report."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.assessment import Assessment, Reading, Transcript
from nativeear.scoring.calibration import calibration_of, rejections_of
from nativeear.scoring.evidence import NO_EXCLUSION, RecordingEvidence
from nativeear.scoring.feedback.remarks import with_feedback
from nativeear.scoring.free.transcripts import beside_sure_words, recognised_text, withheld
from nativeear.scoring.free.without_text import WithoutText
from nativeear.scoring.grading import FALSE_REJECTIONS
from nativeear.scoring.judging import PhoneJudge
from nativeear.scoring.laid import heard_alignment, pronunciation_of
from nativeear.scoring.placing import placed
from nativeear.scoring.prosody.assessing import assess_prosody
from nativeear.scoring.prosody.natives import NativeProsody
from nativeear.scoring.reading import (
    NOT_OF_THIS_TEXT,
    TextReader,
    attended,
    lay,
    reading_of,
    within,
)
from nativeear.scoring.results import ResultBuilder, expected_of_words, gop_warning, insertion
from nativeear.speech.alignment import Aligner, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.errors import InputError
from nativeear.speech.first_languages import first_language_or_warning
from nativeear.speech.frames import Encoder, Frames
from nativeear.speech.given_phones import given_phones
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.reading.reading import Reading as TextReading
from nativeear.speech.recogniser import Recogniser
from nativeear.speech.steadying import steadied

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
        self._reader = TextReader(index)
        self._results = ResultBuilder(index)
        self._calibration = calibration_of(calibration, index, false_rejections=false_rejections)
        self._judge = PhoneJudge(index, self._calibration, self._results)
        self._asked = false_rejections
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
        for given in (text, phones):
            if not isinstance(given, str | None):  # NaN, for one, where a table has no text
                raise InputError(f"A text, or its phones, is a string, not {given!r:.60}.")
        if not (text and text.strip()) and not (phones and phones.strip()):
            raise InputError(
                "There is neither a text nor phones to assess against.",
                fix="Give the text that was read, or its phones.",
            )
        id, recording = _opened(audio, id, l1)
        pronunciation = self.pronounce(text, phones)
        result = self._against_pronunciation(
            id,
            steadied(recording).audio,
            pronunciation,
            text=text,
            l1=l1,
            exclusion=exclusion,
            as_given=bool(phones and phones.strip()),
        )
        return placed(result, recording)

    def assess_laid(
        self,
        audio: AudioSource,
        alignment: Alignment,
        *,
        id: str | None = None,
        exclusion: Exclusion = NO_EXCLUSION,
    ) -> Assessment:
        """Assess one recording by phones and boundaries that somebody else has laid on it.

        They are believed: what was read is not asked, no phone is moved, and neither fluency nor
        prosody is measured. `alignment` has phones of the index's inventory, with silences between
        them; all else is as for `assess`.

        Raises
        ------
        InputError
            If the recording is refused, or the alignment has no phone.
        """
        id, recording = _opened(audio, id, None)
        heard = steadied(recording)
        laid = heard_alignment(alignment, heard, self.inventory)
        frames = self.encoder.encode(heard.audio)
        pronunciation = pronunciation_of(laid, self.inventory)
        judged = self._judge.judge(frames, laid, pronunciation, exclusion)
        result = self._results.assessment(
            id,
            heard.audio,
            self._results.words(pronunciation, laid, judged.phones),
            [insertion(laid, item) for item in judged.evidence.insertions],
            [*recording.warnings, gop_warning(judged.evidence.gop)],
            calibration=self._calibration.name,
            false_rejections=rejections_of(self._calibration, self._asked),
        )
        return placed(result, recording)

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
        heard = steadied(recording).audio
        if recogniser is None:
            result = self._without_text.assess(
                id, heard, exclusion, encoder=self.encoder, aligner=self.aligner
            )
            return placed(result, recording)
        words = recogniser.transcribe(heard, self.language)
        found = recognised_text(words, recogniser.name, self.pronouncer)
        result = self._against_pronunciation(
            id,
            heard,
            found.pronunciation,
            text=found.transcript.text,
            l1=l1,
            exclusion=exclusion,
            unsure=found.unsure,
            transcript=found.transcript,
        )
        return placed(result, recording)

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
        heard, alignment = self._laid(recording, pronunciation, frames, read)
        judged = self._judge.judge(heard, alignment, pronunciation, exclusion)
        evidence = judged.evidence
        warnings.append(gop_warning(evidence.gop))
        phones = [
            withheld(phone) if aligned.word_index in unsure else phone
            for aligned, phone in zip(alignment.spoken, judged.phones, strict=True)
        ]
        words = self._results.words(
            pronunciation, alignment, phones, read.omitted, self._calibration.deleted
        )
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
            expected, word_of = expected_of_words(prosody.words, alignment, judged.grades, unsure)
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
            false_rejections=rejections_of(self._calibration, self._asked),
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
        heard = steadied(recording).audio
        frames = self.encoder.encode(heard)
        read = self._reader.read(pronunciation, frames, heard, whole=True)
        return self._judge.gather(*self._laid(heard, pronunciation, frames, read), exclusion)

    def _read(
        self, recording: Audio, pronunciation: Pronunciation, frames: Frames, *, as_given: bool
    ) -> TextReading:
        """What was read; phones that were given are judged as they stand, and none is left out."""
        read = self._reader.read(pronunciation, frames, recording)
        if not as_given or not read.matches:
            return read
        whole = self._reader.read(pronunciation, frames, recording, whole=True)
        return replace(whole, likelihood=read.likelihood)

    def _laid(
        self, recording: Audio, pronunciation: Pronunciation, frames: Frames, read: TextReading
    ) -> tuple[Frames, Alignment]:
        """The words that were read, where they were read, and what is heard of nothing else."""
        audio, frames = attended(recording, frames, read.aside_s)
        return frames, lay(self.aligner, audio, pronunciation, frames, read)

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
            false_rejections=rejections_of(self._calibration, self._asked),
            reading=reading,
        )


def _opened(audio: AudioSource, id: str | None, l1: str | None) -> tuple[str, Audio]:
    """The name of a recording and its samples."""
    if l1 is not None:
        first_language_or_warning(l1)  # refused, if at all, before anything slow is done
    if id is None:
        id = Path(audio).stem if isinstance(audio, str | PathLike) else ""
    return id, audio if isinstance(audio, Audio) else Audio.load(audio)
