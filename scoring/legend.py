"""What the marks of a shown result mean."""

from __future__ import annotations

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.verdicts import BESIDE_MEANINGS, BESIDE_SYMBOLS, MEANINGS, SYMBOLS


def legend(assessment: Assessment) -> tuple[tuple[str, str], ...]:
    """The marks that stand in it, each with its meaning."""
    given = {p.verdict for word in assessment.words if not word.omitted for p in word.phones}
    beside = {event.kind for event in assessment.reading.events} if assessment.reading else set()
    return (
        *(
            (mark, MEANINGS[verdict])
            for verdict, mark in SYMBOLS.items()
            if mark and verdict in given
        ),
        *((mark, BESIDE_MEANINGS[kind]) for kind, mark in BESIDE_SYMBOLS.items() if kind in beside),
    )
