"""Who is in a group, and how each gets on in it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from nativeear.service.database.errors import NotFoundError
from nativeear.service.database.ownership import Taught, belongs_to
from nativeear.service.database.people import find_group
from nativeear.service.database.people_tables import MemberRow, PersonRow
from nativeear.service.database.progress import group_summary
from nativeear.service.database.summaries import PhoneFigures
from nativeear.service.database.tables import AssessmentRow


@dataclass(frozen=True)
class DayScore:
    """The mean overall score of a day in UTC."""

    day: date
    mean_score: float


@dataclass(frozen=True)
class Member:
    """A learner of a group, whether or not he has said anything in it; `days` is his trend."""

    id: str
    name: str
    joined_at: datetime
    count: int
    last_at: datetime | None
    mean_score: float | None
    days: tuple[DayScore, ...]
    phones: tuple[PhoneFigures, ...]


def list_members(session: Session, group_id: str, teacher_id: str) -> tuple[Member, ...]:
    """The learners of a group of a teacher's, by name.

    Raises
    ------
    NotFoundError
        If there is no such group, or it is another's.
    """
    find_group(session, group_id, teacher_id)
    owner = Taught(teacher_id)
    try:
        said = {
            one.learner_id: one for one in group_summary(session, group_id, key_id=owner).learners
        }
    except NotFoundError:
        said = {}  # nobody has said anything yet
    days: dict[str, list[DayScore]] = defaultdict(list)
    scores = (
        select(AssessmentRow.key_id, AssessmentRow.day, func.avg(AssessmentRow.overall))
        .where(
            belongs_to(AssessmentRow.key_id, owner),
            AssessmentRow.group_name == group_id,
            AssessmentRow.overall.is_not(None),
        )
        .group_by(AssessmentRow.key_id, AssessmentRow.day)
        .order_by(AssessmentRow.day)
    )
    for id, day, mean in session.execute(scores):
        days[id].append(DayScore(day, mean))
    people = (
        select(PersonRow.id, PersonRow.name, MemberRow.joined_at)
        .join(MemberRow, MemberRow.person_id == PersonRow.id)
        .where(MemberRow.group_id == group_id)
    )
    found = []
    for id, name, joined_at in session.execute(people):
        own = said.get(id)
        found.append(
            Member(
                id=id,
                name=name,
                joined_at=joined_at,
                count=own.count if own else 0,
                last_at=own.last_at if own else None,
                mean_score=own.mean_score if own else None,
                days=tuple(days[id]),
                phones=own.phones if own else (),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.name.casefold(), one.id)))
