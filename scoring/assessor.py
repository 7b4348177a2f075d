"""One pass over a learner's recording: decode, encode, align, retrieve, grade."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nativeear.indexes.phone_index import IntArray, PhoneIndex
from nativeear.retriever.deviations import InsertedPhone
from nativeear.retriever.evidence import PhoneEvidence, gather_evidence, sounds_like
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.assessment import (
    Assessment,
    ExemplarEvidence,
    GopEvidence,
    Insertion,
    KnnEvidence,
    PhoneAssessment,
    Scores,
    SoundsLike,
    SyllableScore,
    Transcript,
    WordAssessment,
)
from nativeear.scoring.calibration import calibration_of
from nativeear.scoring.doubts import doubts, speaks_of_few
from nativeear.scoring.feedback.first_language import first_language_or_warning
from nativeear.scoring.feedback.remarks import with_feedback
from nativeear.scoring.free.decoded import decode_speech
from nativeear.scoring.free.quality import OwnClassQuality
from nativeear.scoring.free.recognised import beside_sure_words, recognised_text, withheld
from nativeear.scoring.gop_evidence import GopMeasurement
from nativeear.scoring.grading import (
    DELETED,
    FALSE_REJECTIONS,
    FLAGGED,
    UNCERTAIN,
    Grade,
    combine,
    mean,
)
from nativeear.scoring.hearing import NOTHING, Hearing, Listener, lay
from nativeear.scoring.mismatch import mismatch_warning
from nativeear.scoring.other_forms import grades_of_forms
from nativeear.scoring.prosody.assessing import (
    NOTHING_MEASURED,
    ProsodyAssessment,
    assess_prosody,
    assess_unaligned,
    overall_score,
    without_words,
)
from nativeear.scoring.prosody.natives import NativeProsody
from nativeear.speech.aligners.ctc import CtcAligner
from nativeear.speech.alignment import AlignedPhone, Aligner, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.errors import AlignmentError, InputError
from nativeear.speech.forms import also_right
from nativeear.speech.frames import Encoder
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.phone_head import head_refusal
from nativeear.speech.pooling import pool
from nativeear.speech.pronunciation import Pronouncer, Pronunciation, given_phones
from nativeear.speech.recogniser import Recogniser

MAX_EVIDENCE = 3

FLUENCY_ALONE = (
    "Without a text and without a recogniser, its sounds cannot be judged: only how it flows was "
    "measured, by the syllables that are heard."
)


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
        self._listener = Listener(index)
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
        audio: Audio | str | PathLike[str] | bytes | BinaryIO,
        text: str | None = None,
        *,
        phones: str | None = None,
        id: str | None = None,
        l1: str | None = None,
        exclusion: Exclusion = NOTHING,
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
            `scoring.feedback.first_language.first_language`.
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
        if l1 is not None:
            first_language_or_warning(l1)  # refused, if at all, before anything slow is done
        if id is None:
            id = Path(audio).stem if isinstance(audio, str | PathLike) else ""
        recording = audio if isinstance(audio, Audio) else Audio.load(audio)
        meant = self.pronounce(text, phones)
        return self._against(id, recording, meant, text=text, l1=l1, exclusion=exclusion)

    def assess_free(
        self,
        audio: Audio | str | PathLike[str] | bytes | BinaryIO,
        *,
        recogniser: Recogniser | None = None,
        id: str | None = None,
        l1: str | None = None,
        exclusion: Exclusion = NOTHING,
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
        if l1 is not None:
            first_language_or_warning(l1)
        if id is None:
            id = Path(audio).stem if isinstance(audio, str | PathLike) else ""
        recording = audio if isinstance(audio, Audio) else Audio.load(audio)
        if recogniser is None:
            return self._as_heard(id, recording, exclusion)
        words = recogniser.transcribe(recording, self.language)
        found = recognised_text(words, recogniser.name, self.pronouncer)
        return self._against(
            id,
            recording,
            found.pronunciation,
            text=found.transcript.text,
            l1=l1,
            exclusion=exclusion,
            unsure=found.unsure,
            transcript=found.transcript,
        )

    def _against(
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
            hearing = self.hear(recording, pronunciation, exclusion)
        except AlignmentError as error:
            warnings.append(f"The text does not match the recording: {error.message}")
            if transcript is not None:
                raise InputError(
                    "What was recognised cannot be laid on the recording.",
                    cause=error.message,
                    fix="Check that it holds speech of the index's language, or give the text.",
                ) from error
            unmatched = self._nothing_matched(id, recording, pronunciation, warnings)
            return with_feedback(unmatched, self.inventory, l1)
        alignment = hearing.shown
        warnings.append(_gop_warning(hearing.gop))
        judged = [
            withheld(phone) if aligned.word_index in unsure else phone
            for aligned, phone in zip(
                alignment.spoken, self._judge(hearing, pronunciation, exclusion), strict=True
            )
        ]
        flagged = sum(phone.verdict in FLAGGED for phone in judged)
        canonical = [phone.phone for phone in hearing.phones]
        warnings.append(mismatch_warning(hearing.frames, self.inventory, canonical, flagged))
        words = _words(pronunciation, alignment, judged)
        insertions = beside_sure_words(
            [_insertion(alignment, item) for item in hearing.insertions], unsure
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
            frames=hearing.frames,
            unsure=unsure,
            recognised=transcript is not None,
        )
        warnings += prosody.reasons
        result = self._result(
            id,
            recording,
            prosody.words,
            insertions,
            warnings,
            prosody=prosody,
            unsure=unsure,
            transcript=transcript,
        )
        return with_feedback(result, self.inventory, l1)

    def _as_heard(self, id: str, recording: Audio, exclusion: Exclusion) -> Assessment:
        """Compare the phones that the encoder hears with the natives' of the same names."""
        warnings = list(recording.warnings)
        frames = self.encoder.encode(recording)
        decoded = decode_speech(frames, recording, self.inventory)
        if decoded is None:
            why = head_refusal(frames, self.inventory)
            warnings.append(f"{why} {FLUENCY_ALONE}")
            prosody = assess_unaligned(recording)
            warnings += prosody.reasons
            return self._result(
                id, recording, (), (), warnings, prosody=prosody, calibration="none"
            )
        meant = decoded.pronunciation
        if not meant.words:
            raise InputError(
                "No speech was heard in the recording.", fix="Give a recording of speech."
            )
        try:
            alignment = self.aligner.align(recording, meant, frames)
        except AlignmentError:  # an aligner of its own may hear it otherwise; the head cannot
            alignment = CtcAligner(self.inventory).align(recording, meant, frames)
        phones = alignment.spoken
        canonical = [phone.phone for phone in phones]
        spans_s = [(phone.start_s, phone.end_s) for phone in phones]
        embeddings = pool(frames, spans_s, self.index.manifest.pooling)
        evidence = gather_evidence(self.index, embeddings, canonical, exclusion=exclusion)
        grades = self._own_class.grades(embeddings, canonical, exclusion)
        judged = [
            self._phone(phone, item, GopEvidence(), grade)  # the head agrees with itself anyway
            for phone, item, grade in zip(phones, evidence, grades, strict=True)
        ]
        # one bad sound does not spoil a run of dozens as it does a word
        words = tuple(
            run.model_copy(update={"score": mean([phone.score for phone in run.phones])})
            for run in _words(meant, alignment, judged)
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
        return self._result(
            id,
            recording,
            words,
            (),
            [*warnings, *meant.warnings, *prosody.reasons],
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

    def hear(
        self, recording: Audio, pronunciation: Pronunciation, exclusion: Exclusion = NOTHING
    ) -> Hearing:
        """Encode and align one recording and gather the evidence, without a judgement.

        Raises
        ------
        AlignmentError
            If the canonical phones cannot be laid on the recording.
        """
        frames = self.encoder.encode(recording)
        laid = lay(self.aligner, recording, pronunciation, frames, self.inventory)
        judged = laid.relaid if self._calibration.by_relaid else laid.alignment
        return self._listener.hear(frames, judged, laid.gop, exclusion, believed=laid.relaid)

    def _judge(
        self, hearing: Hearing, pronunciation: Pronunciation, exclusion: Exclusion
    ) -> list[PhoneAssessment]:
        """Grade and describe every canonical phone, in order."""
        grades = grades_of_forms(
            self._calibration,
            hearing,
            also_right(pronunciation, hearing.alignment.variants),
            index=self.index,
            listener=self._listener,
            exclusion=exclusion,
        )
        phones = hearing.shown.spoken
        parts = zip(phones, hearing.evidence, hearing.gop.evidence, grades, strict=True)
        return [self._phone(*part) for part in parts]

    def _phone(
        self, phone: AlignedPhone, evidence: PhoneEvidence, gop: GopEvidence, grade: Grade
    ) -> PhoneAssessment:
        judged = grade.verdict != "uncertain"
        return PhoneAssessment(
            phone=phone.phone,
            ipa=self.inventory.ipa(phone.phone),
            start_s=phone.start_s,
            end_s=phone.end_s,
            score=grade.score,
            verdict=grade.verdict,
            probability_mispronounced=grade.probability_mispronounced,
            sounds_like=tuple(
                SoundsLike(phone=name, ipa=self.inventory.ipa(name), probability=probability)
                for name, probability in (sounds_like(self.index, evidence) if judged else ())
            ),
            knn=KnnEvidence(
                margin=evidence.margin if judged else None,
                canonical_share=evidence.canonical_share if judged else None,
                k=len(evidence.neighbours),
                coverage=evidence.coverage,
            ),
            gop=gop,
            evidence=self._exemplars(evidence),
        )

    def _exemplars(self, evidence: PhoneEvidence) -> tuple[ExemplarEvidence, ...]:
        """The exemplars that the sound resembles most, then how natives say what was meant."""
        near = zip(
            evidence.neighbours[:MAX_EVIDENCE], evidence.similarities[:MAX_EVIDENCE], strict=True
        )
        models = zip(evidence.models, evidence.model_similarities, strict=True)
        rows = dict(near) | dict(models)
        phones = np.searchsorted(self.index.bounds, list(rows), side="right") - 1
        words, word_of = self._words
        speakers, speaker_of = self._speakers
        return tuple(
            ExemplarEvidence(
                exemplar=row,
                phone=self.index.classes[phone],
                similarity=similarity,
                word=word_of[words[row]],
                speaker=speaker_of[speakers[row]],
            )
            for (row, similarity), phone in zip(rows.items(), phones.tolist(), strict=True)
        )

    @cached_property
    def _words(self) -> tuple[IntArray, tuple[str, ...]]:
        """Word of every exemplar, as `PhoneIndex.codes` gives them; so with speakers."""
        return self.index.codes("word")

    @cached_property
    def _speakers(self) -> tuple[IntArray, tuple[str, ...]]:
        return self.index.codes("speaker")

    def _nothing_matched(
        self, id: str, recording: Audio, pronunciation: Pronunciation, warnings: list[str]
    ) -> Assessment:
        """Every phone missing: the canonical phones cannot be laid on this recording at all."""
        words = []
        for word in pronunciation.words:
            sequence = word.variants[0]
            phones = []
            for phone in sequence.phones:
                own = self.index.rows_of(phone)
                grade = DELETED if own.stop > own.start else UNCERTAIN
                phones.append(
                    PhoneAssessment(
                        phone=phone,
                        ipa=self.inventory.ipa(phone),
                        start_s=None,
                        end_s=None,
                        score=grade.score,
                        verdict=grade.verdict,
                        probability_mispronounced=grade.probability_mispronounced,
                        knn=KnnEvidence(
                            margin=None, canonical_share=None, k=0, coverage=own.stop - own.start
                        ),
                    )
                )
            words.append(_word(word.word, sequence.syllables, phones))
        return self._result(id, recording, tuple(words), (), warnings)

    def _result(
        self,
        id: str,
        recording: Audio,
        words: tuple[WordAssessment, ...],
        insertions: tuple[Insertion, ...],
        warnings: list[str],
        *,
        prosody: ProsodyAssessment = NOTHING_MEASURED,
        unsure: frozenset[int] = frozenset(),
        transcript: Transcript | None = None,
        calibration: str | None = None,
    ) -> Assessment:
        sure = [p for i, word in enumerate(words) if i not in unsure for p in word.phones]
        warnings += doubts(self.index.manifest, sure)
        heard = transcript is not None and transcript.source == "phones"
        parts = [phone for word in words for phone in word.phones] if heard else words
        pronunciation = mean([part.score for part in parts])
        score = Scores()
        # how it flows, or what few sounds say, is no score of what cannot be judged
        if pronunciation is not None and not speaks_of_few(sure):
            score = Scores(
                overall=overall_score(pronunciation, prosody),
                pronunciation=pronunciation,
                fluency=prosody.fluency_score,
                prosody=prosody.prosody_score,
                # nothing was asked for that could be incomplete where the text is not given
                completeness=100.0 * sum(not word.omitted for word in words) / len(words)
                if transcript is None
                else None,
            )
        return Assessment(
            id=id,
            language=self.language,
            index=self.index.name,
            encoder=self.index.manifest.encoder.name,  # not the folder it was opened from
            calibration=calibration or self._calibration.name,
            duration_s=recording.duration_s,
            score=score,
            words=words,
            insertions=insertions,
            fluency=prosody.fluency,
            prosody=prosody.prosody,
            transcript=transcript,
            warnings=tuple(dict.fromkeys(filter(None, warnings))),
        )


def _words(
    pronunciation: Pronunciation, alignment: Alignment, judged: Sequence[PhoneAssessment]
) -> tuple[WordAssessment, ...]:
    by_word: list[list[PhoneAssessment]] = [[] for _ in pronunciation.words]
    for aligned, phone in zip(alignment.spoken, judged, strict=True):
        by_word[aligned.word_index].append(phone)
    return tuple(
        _word(word.word, word.variants[variant].syllables, phones, variant)
        for word, variant, phones in zip(
            pronunciation.words, pronunciation.taken(alignment.variants), by_word, strict=True
        )
    )


def _word(
    word: str,
    syllables: Sequence[tuple[int, int]],
    phones: Sequence[PhoneAssessment],
    variant: int | None = None,
) -> WordAssessment:
    spoken = [phone for phone in phones if phone.verdict != "deleted" and phone.start_s is not None]
    starts = [phone.start_s for phone in phones if phone.start_s is not None]
    ends = [phone.end_s for phone in phones if phone.end_s is not None]

    def combined(part: Sequence[PhoneAssessment]) -> float | None:
        flagged = any(phone.verdict in FLAGGED for phone in part)
        return combine([phone.score for phone in part], flagged=flagged)

    return WordAssessment(
        word=word,
        start_s=min(starts, default=None),
        end_s=max(ends, default=None),
        score=combined(phones),
        omitted=not spoken,
        variant=variant,
        syllables=tuple(
            SyllableScore(phones=(first, past_last), score=combined(phones[first:past_last]))
            for first, past_last in syllables
        ),
        phones=tuple(phones),
    )


def _insertion(alignment: Alignment, found: InsertedPhone) -> Insertion:
    before = [phone.word_index for phone in alignment.phones[: found.after + 1]]
    return Insertion(
        after_word_index=max(before, default=-1),
        phone=found.phone,
        start_s=found.start_s,
        end_s=found.end_s,
    )


def _gop_warning(gop: GopMeasurement) -> str:
    """Why there is no GOP, or not of all phones; empty where there is."""
    if gop.reason and gop.features is None:
        return f"GOP was not measured, retrieval alone judges. {gop.reason}"
    return gop.reason
