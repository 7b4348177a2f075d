"""A second hearing for phones that are only one of several right ones.

A dictionary lists several forms of a word, and natives merge phones. Nobody is blamed for saying
the one and not the other: a phone that would be flagged is judged again as each of the others, and
the judgement of one that fits is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from scoring.calibration import Calibration
from scoring.grading import FLAGGED, Grade
from scoring.hearing import Hearing
from speech.alignment import Alignment

Phones = Mapping[int, str]
"""Phones by their place among the canonical ones."""


def grades_of_forms(
    calibration: Calibration,
    hearing: Hearing,
    others: Sequence[tuple[str, ...]],
    classes: Sequence[str],
    hear: Callable[[Phones], Hearing],
) -> tuple[Grade, ...]:
    """Grade every canonical phone as itself or, if that is flagged, as one that is as right.

    Where one fits, the other flagged phones of its word are judged beside it.

    Parameters
    ----------
    calibration
        Turns evidence into grades.
    hearing
        The evidence on N canonical phones.
    others
        Phones that are as right as each, `[N]`.
    classes
        What the posteriors of retrieval speak of. Of several other phones, the likeliest is tried.
    hear
        The evidence when some of the canonical phones are others.
    """
    grades = list(calibration.grades(hearing))
    asked = {
        i: _likeliest(others[i], dict(zip(classes, evidence.posterior.tolist(), strict=True)))
        for i, (grade, evidence) in enumerate(zip(grades, hearing.evidence, strict=True))
        if grade.verdict in FLAGGED and others[i]
    }
    if asked:
        again = calibration.grades(hear(asked))
        words = [phone.word_index for phone in hearing.phones]
        fitting = {words[i] for i in asked if again[i].verdict == "correct"}
        # What was laid wrongly may have spoilt its neighbours: they are judged in new company.
        for i, word in enumerate(words):
            if word in fitting and grades[i].verdict in FLAGGED and again[i].verdict == "correct":
                grades[i] = again[i]
    return tuple(grades)


def _likeliest(phones: Sequence[str], posterior: Mapping[str, float]) -> str:
    return max(phones, key=lambda phone: posterior.get(phone, 0.0))


def with_phones(alignment: Alignment, phones: Phones) -> Alignment:
    """An alignment with other phones in some places, counted without silences."""
    places = iter(range(len(alignment.spoken)))
    return replace(
        alignment,
        phones=tuple(
            phone
            if phone.is_silence
            else replace(phone, phone=phones.get(next(places), phone.phone))
            for phone in alignment.phones
        ),
    )
