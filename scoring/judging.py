"""Phones that lie on a recording, judged: the evidence on each, its grade, what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.assessment import PhoneAssessment
from nativeear.scoring.boundaries import boundary_doubts
from nativeear.scoring.calibration import Calibration
from nativeear.scoring.evidence import NO_EXCLUSION, EvidenceGatherer, RecordingEvidence
from nativeear.scoring.gop_evidence import measure_gop
from nativeear.scoring.grading import Grade
from nativeear.scoring.other_forms import grades_of_forms
from nativeear.scoring.results import ResultBuilder, gop_evidence
from nativeear.speech.alignment import Alignment
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.forms import accepted_phones
from nativeear.speech.frames import Frames


@dataclass(frozen=True, eq=False)
class JudgedPhones:
    """The N phones of an alignment without its silences, in order.

    Attributes
    ----------
    evidence
        What was measured of them.
    grades, phones
        `[N]`, what follows from that, and what the result says.
    """

    evidence: RecordingEvidence
    grades: tuple[Grade, ...]
    phones: tuple[PhoneAssessment, ...]


class PhoneJudge:
    """Judges phones wherever they were laid, and by whom. Safe to share between threads.

    Parameters
    ----------
    index
        The native reference.
    calibration
        Turns evidence into grades.
    results
        Puts grades into words.
    """

    def __init__(self, index: PhoneIndex, calibration: Calibration, results: ResultBuilder) -> None:
        self._index = index
        self._calibration = calibration
        self._results = results
        self._gatherer = EvidenceGatherer(index)

    def gather(
        self, frames: Frames, alignment: Alignment, exclusion: Exclusion = NO_EXCLUSION
    ) -> RecordingEvidence:
        """The evidence on every phone, unjudged."""
        canonical = [phone.phone for phone in alignment.spoken]
        gop = measure_gop(frames, self._index.inventory, canonical)
        return self._gatherer.gather(frames, alignment, gop, exclusion)

    def judge(
        self,
        frames: Frames,
        alignment: Alignment,
        pronunciation: Pronunciation,
        exclusion: Exclusion = NO_EXCLUSION,
    ) -> JudgedPhones:
        """Judge every phone.

        Parameters
        ----------
        frames, alignment
            The recording, encoded and laid.
        pronunciation
            What was meant, with the forms of its words that are as right.
        exclusion
            Exemplars that must not answer, when the recording is itself in the index.
        """
        evidence = self.gather(frames, alignment, exclusion)
        variants = pronunciation.taken(alignment.variants)
        read = sorted({phone.word_index for phone in evidence.phones})
        said = replace(pronunciation, words=tuple(pronunciation.words[i] for i in read))
        grades = grades_of_forms(
            self._calibration,
            evidence,
            accepted_phones(said, [variants[i] for i in read]),
            index=self._index,
            gatherer=self._gatherer,
            exclusion=exclusion,
        )
        parts = zip(
            alignment.spoken,
            evidence.retrieval,
            gop_evidence(evidence.gop),
            grades,
            boundary_doubts(frames, evidence.phones, evidence.gop),
            strict=True,
        )
        return JudgedPhones(evidence, grades, tuple(self._results.phone(*part) for part in parts))
