"""A second judgement for phones that are only one of several right ones.

A dictionary lists several forms of a word, and natives merge phones. Nobody is blamed for saying
the one and not the other: a phone that would be flagged is judged again as another that is as
right, and that judgement is taken if it fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.evidence import PhoneEvidence
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.calibration import Calibration
from nativeear.scoring.evidence import NO_EXCLUSION, EvidenceGatherer, RecordingEvidence
from nativeear.scoring.gop_evidence import measure_gop
from nativeear.scoring.grading import Grade
from nativeear.scoring.verdicts import FLAGGED
from nativeear.speech.alignment import Alignment


def grades_of_forms(
    calibration: Calibration,
    evidence: RecordingEvidence,
    others: Sequence[tuple[str, ...]],
    *,
    index: PhoneIndex,
    gatherer: EvidenceGatherer,
    exclusion: Exclusion = NO_EXCLUSION,
) -> tuple[Grade, ...]:
    """Grade every canonical phone as itself or, if that is flagged, as one that is as right.

    Where one fits, the other flagged phones of its word are judged beside it.

    Parameters
    ----------
    calibration
        Turns evidence into grades.
    evidence
        The evidence on N canonical phones.
    others
        Phones that are as right as each, `[N]`; of several, the one that retrieval finds likeliest
        is tried.
    index, gatherer, exclusion
        What the evidence comes from.
    """
    grades = list(calibration.grades(evidence))
    alternatives = {
        i: _likeliest(others[i], retrieved, index.classes)
        for i, (grade, retrieved) in enumerate(zip(grades, evidence.retrieval, strict=True))
        if grade.verdict in FLAGGED and others[i]
    }
    if not alternatives:
        return tuple(grades)
    alignment = with_phones(evidence.alignment, alternatives)
    canonical = [phone.phone for phone in alignment.spoken]
    gop = measure_gop(evidence.frames, index.inventory, canonical)
    again = calibration.grades(gatherer.gather(evidence.frames, alignment, gop, exclusion))
    words = [phone.word_index for phone in evidence.phones]
    fitting = {words[i] for i in alternatives if again[i].verdict == "correct"}
    # What was laid wrongly may have spoilt its neighbours: they are judged anew.
    for i, word in enumerate(words):
        if word in fitting and grades[i].verdict in FLAGGED and again[i].verdict == "correct":
            grades[i] = again[i]
    return tuple(grades)


def with_phones(alignment: Alignment, phones: Mapping[int, str]) -> Alignment:
    """An alignment with other phones in some places, counted without silences."""
    order = iter(range(len(alignment.spoken)))
    return replace(
        alignment,
        phones=tuple(
            phone
            if phone.is_silence
            else replace(phone, phone=phones.get(next(order), phone.phone))
            for phone in alignment.phones
        ),
    )


def _likeliest(phones: Sequence[str], retrieved: PhoneEvidence, classes: Sequence[str]) -> str:
    posterior = dict(zip(classes, retrieved.posterior.tolist(), strict=True))
    return max(phones, key=lambda phone: posterior.get(phone, 0.0))
