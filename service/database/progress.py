"""How learners get on, counted in SQL from the phones of their assessments.

A phone counts as flagged by its verdict, see `scoring.verdicts.FLAGGED`; the share is of those that
were judged, so that uncertain ones pull it neither way. Where sounds alone were heard in
free speech, they are not here: nobody knows which were meant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from nativeear.scoring.verdicts import FLAGGED
from nativeear.service.database.errors import NotFoundError
from nativeear.service.database.ownership import Owner, belongs_to
from nativeear.service.database.people_tables import PersonRow
from nativeear.service.database.summaries import (
    DayFigures,
    GroupLearner,
    GroupSummary,
    LearnerProgress,
    LearnerSummary,
    PhoneFigures,
    PhoneProgress,
    Sentence,
)
from nativeear.service.database.tables import AssessmentRow, PhoneRow


@dataclass(frozen=True)
class _Tally:
    """Counts that can be added up; `total` is the sum of `scored` scores."""

    ipa: str
    count: int
    scored: int
    total: float
    judged: int
    flagged: int

    @classmethod
    def sum(cls, tallies: Iterable[_Tally]) -> _Tally:
        found = list(tallies)
        return cls(
            ipa=found[0].ipa,
            count=sum(tally.count for tally in found),
            scored=sum(tally.scored for tally in found),
            total=sum(tally.total for tally in found),
            judged=sum(tally.judged for tally in found),
            flagged=sum(tally.flagged for tally in found),
        )

    @property
    def mean_score(self) -> float | None:
        return self.total / self.scored if self.scored else None

    @property
    def flagged_share(self) -> float | None:
        return self.flagged / self.judged if self.judged else None


def learner_progress(session: Session, learner_id: str, *, key_id: Owner) -> LearnerProgress:
    """The history of a learner.

    Raises
    ------
    NotFoundError
        If nothing is kept of that learner.
    """
    chosen = (AssessmentRow.learner_id == learner_id) & belongs_to(AssessmentRow.key_id, key_id)
    names = tuple(Sentence.__dataclass_fields__)
    rows = session.execute(
        select(*(getattr(AssessmentRow, name) for name in names))
        .where(chosen)
        .order_by(AssessmentRow.created_at, AssessmentRow.id)
    )
    sentences = tuple(Sentence(**row._mapping) for row in rows)
    if not sentences:
        raise NotFoundError(f"Nothing is kept of the learner {learner_id!r}.")
    by_phone: dict[tuple[str, str], list[tuple[date, _Tally]]] = defaultdict(list)
    for day, language, phone, tally in _tallies(session, AssessmentRow.day, chosen):
        by_phone[language, phone].append((day, tally))
    phones = tuple(
        PhoneProgress(
            **_figures(key, _Tally.sum(tally for _, tally in days)),
            days=tuple(
                DayFigures(day, tally.count, tally.mean_score, tally.flagged_share)
                for day, tally in sorted(days, key=lambda item: item[0])
            ),
        )
        for key, days in sorted(by_phone.items())
    )
    return LearnerProgress(learner_id, sentences, phones)


def group_summary(session: Session, group: str, *, key_id: Owner) -> GroupSummary:
    """The learners of a group; what was said in it by nobody in particular counts for the group.

    Raises
    ------
    NotFoundError
        If nothing is kept of that group.
    """
    chosen = (AssessmentRow.group_name == group) & belongs_to(AssessmentRow.key_id, key_id)
    count = session.scalar(select(func.count()).select_from(AssessmentRow).where(chosen)) or 0
    if not count:
        raise NotFoundError(f"Nothing is kept of the group {group!r}.")
    by_phone: dict[tuple[str, str], list[_Tally]] = defaultdict(list)
    by_learner: dict[str, dict[tuple[str, str], _Tally]] = defaultdict(dict)
    for learner, language, phone, tally in _tallies(session, AssessmentRow.learner_id, chosen):
        by_phone[language, phone].append(tally)
        if learner is not None:
            by_learner[learner][language, phone] = tally
    learners = tuple(
        GroupLearner(
            **vars(summary),
            phones=tuple(
                PhoneFigures(**_figures(key, tally))
                for key, tally in sorted(by_learner[summary.learner_id].items())
            ),
        )
        for summary in _learners(session, chosen)
    )
    phones = tuple(
        PhoneFigures(**_figures(key, _Tally.sum(tallies)))
        for key, tallies in sorted(by_phone.items())
    )
    return GroupSummary(group, count, learners, phones)


def list_learners(session: Session, *, key_id: Owner) -> tuple[LearnerSummary, ...]:
    """Every learner of whom something is kept, by name."""
    return _learners(session, belongs_to(AssessmentRow.key_id, key_id))


def _learners(session: Session, chosen: ColumnElement[bool]) -> tuple[LearnerSummary, ...]:
    rows = session.execute(
        select(
            AssessmentRow.learner_id,
            func.count(),
            func.avg(AssessmentRow.overall),
            func.min(AssessmentRow.created_at),
            func.max(AssessmentRow.created_at),
            func.max(PersonRow.name),
        )
        .outerjoin(
            PersonRow,
            (PersonRow.id == AssessmentRow.learner_id) & (PersonRow.id == AssessmentRow.key_id),
        )
        .where(chosen, AssessmentRow.learner_id.is_not(None))
        .group_by(AssessmentRow.learner_id)
    )
    # Sorted here: databases differ in what comes first.
    found = (LearnerSummary(*row, name=name) for *row, name in rows)
    return tuple(sorted(found, key=lambda one: one.learner_id))


def _tallies(
    session: Session, by: Any, chosen: ColumnElement[bool]
) -> Iterable[tuple[Any, str, str, _Tally]]:
    """What was counted, by a column of the assessments, language and phone."""
    flagged = case((PhoneRow.verdict.in_(sorted(FLAGGED)), 1), else_=0)
    judged = case((PhoneRow.verdict != "uncertain", 1), else_=0)
    rows = session.execute(
        select(
            by,
            AssessmentRow.language,
            PhoneRow.phone,
            func.max(PhoneRow.ipa),
            func.count(),
            func.count(PhoneRow.score),
            func.coalesce(func.sum(PhoneRow.score), 0.0),
            func.sum(judged),
            func.sum(flagged),
        )
        .join(PhoneRow, PhoneRow.assessment_id == AssessmentRow.id)
        .where(chosen)
        .group_by(by, AssessmentRow.language, PhoneRow.phone)
    )
    for key, language, phone, *counted in rows:
        yield key, language, phone, _Tally(*counted)


def _figures(key: tuple[str, str], tally: _Tally) -> dict[str, Any]:
    language, phone = key
    return {
        "language": language,
        "phone": phone,
        "ipa": tally.ipa,
        "count": tally.count,
        "mean_score": tally.mean_score,
        "flagged_share": tally.flagged_share,
    }
