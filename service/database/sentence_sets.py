"""Sentences that teachers wrote, and the homework that groups have of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from uuid import uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from nativeear.service.database.assessments import rows_of
from nativeear.service.database.errors import NotFoundError
from nativeear.service.database.people import find_group
from nativeear.service.database.people_tables import GroupRow, MemberRow, PersonRow
from nativeear.service.database.tables import AssessmentRow, columns_of
from nativeear.service.database.teaching_tables import HomeworkRow, SentenceSetRow
from nativeear.speech.errors import InputError

MOST_SETS = 200
"""Sets of one teacher."""

MOST_HOMEWORK = 200
"""Homework of one group."""


@dataclass(frozen=True)
class SentenceSet:
    """Sentences of one language under a title."""

    id: str
    title: str
    language: str
    sentences: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True)
class NewSet:
    """What a set is to be."""

    title: str
    language: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class HomeworkOf:
    """How far somebody is: the positions of the sentences that he has said since he was to."""

    id: str
    name: str
    said: tuple[int, ...]


@dataclass(frozen=True)
class Homework:
    """A set that a group is to say by a day, and how far its learners are."""

    id: str
    group: str
    group_name: str
    set: str
    title: str
    language: str
    sentences: tuple[str, ...]
    due: date | None
    created_at: datetime
    learners: tuple[HomeworkOf, ...]


def insert_set(session: Session, teacher_id: str, new: NewSet) -> SentenceSet:
    """Keep a set.

    Raises
    ------
    InputError
        If its teacher has too many.
    """
    own = select(func.count()).where(SentenceSetRow.teacher_id == teacher_id)
    if (session.scalar(own) or 0) >= MOST_SETS:
        raise InputError(f"You have {MOST_SETS} sets already.", fix="Delete one.")
    row = SentenceSetRow(
        id=uuid4().hex,
        teacher_id=teacher_id,
        title=new.title,
        language=new.language,
        sentences=json.dumps(new.sentences, ensure_ascii=False),
        created_at=datetime.now(timezone.utc),
    )
    session.add(row)
    session.flush()
    return _set(row)


def change_set(session: Session, teacher_id: str, id: str, new: NewSet) -> SentenceSet:
    """Put something else in the place of a set; homework of it is of that from then on."""
    row = _own(session, teacher_id, id)
    row.title, row.language = new.title, new.language
    row.sentences = json.dumps(new.sentences, ensure_ascii=False)
    session.flush()
    return _set(row)


def delete_set(session: Session, teacher_id: str, id: str) -> None:
    """Delete a set with its homework. What was said of it stays."""
    row = _own(session, teacher_id, id)
    rows_of(session, delete(SentenceSetRow).where(SentenceSetRow.id == row.id))


def list_sets(session: Session, teacher_id: str) -> tuple[SentenceSet, ...]:
    """The sets of a teacher, the newest first."""
    query = select(SentenceSetRow).where(SentenceSetRow.teacher_id == teacher_id)
    order = query.order_by(SentenceSetRow.created_at.desc(), SentenceSetRow.id)
    return tuple(_set(row) for row in session.scalars(order))


def set_homework(
    session: Session, teacher_id: str, group_id: str, set_id: str, due: date | None
) -> Homework:
    """Let a group of a teacher's say a set of his.

    Raises
    ------
    NotFoundError
        If the group or the set is not there, or another's.
    InputError
        If the group has too much.
    """
    find_group(session, group_id, teacher_id)
    _own(session, teacher_id, set_id)
    set_before = select(func.count()).where(HomeworkRow.group_id == group_id)
    if (session.scalar(set_before) or 0) >= MOST_HOMEWORK:
        raise InputError(f"The group has {MOST_HOMEWORK} already.", fix="Delete some of it.")
    now = datetime.now(timezone.utc)
    row = HomeworkRow(id=uuid4().hex, group_id=group_id, set_id=set_id, due=due, created_at=now)
    session.add(row)
    session.flush()
    return next(each for each in homework_of(session, [group_id]) if each.id == row.id)


def delete_homework(session: Session, teacher_id: str, group_id: str, id: str) -> None:
    """Take homework back."""
    find_group(session, group_id, teacher_id)
    gone = (HomeworkRow.id == id) & (HomeworkRow.group_id == group_id)
    if not rows_of(session, delete(HomeworkRow).where(gone)):
        raise NotFoundError(f"There is no homework {id}.")


def homework_of(
    session: Session, group_ids: Iterable[str], person_id: str | None = None
) -> tuple[Homework, ...]:
    """The homework of groups, what is due first before the rest; of one learner, if named."""
    query = (
        select(HomeworkRow, SentenceSetRow, GroupRow.name)
        .join(SentenceSetRow, SentenceSetRow.id == HomeworkRow.set_id)
        .join(GroupRow, GroupRow.id == HomeworkRow.group_id)
        .where(HomeworkRow.group_id.in_(list(group_ids)))
    )
    found = [
        _homework(session, row, its_set, name, person_id)
        for row, its_set, name in session.execute(query)
    ]
    return tuple(sorted(found, key=lambda one: (one.due or date.max, one.created_at, one.id)))


def _homework(
    session: Session,
    row: HomeworkRow,
    its_set: SentenceSetRow,
    group_name: str,
    person_id: str | None,
) -> Homework:
    sentences = _set(its_set).sentences
    members = select(PersonRow.id, PersonRow.name).join(MemberRow)
    members = members.where(MemberRow.group_id == row.group_id)
    if person_id is not None:
        members = members.where(PersonRow.id == person_id)
    said = _said(session, row, sentences, person_id)
    learners = (
        HomeworkOf(id, name, tuple(i for i, text in enumerate(sentences) if text in said[id]))
        for id, name in session.execute(members)
    )
    return Homework(
        id=row.id,
        group=row.group_id,
        group_name=group_name,
        set=its_set.id,
        title=its_set.title,
        language=its_set.language,
        sentences=sentences,
        due=row.due,
        created_at=row.created_at,
        learners=tuple(sorted(learners, key=lambda one: (one.name.casefold(), one.id))),
    )


def _said(
    session: Session, row: HomeworkRow, sentences: tuple[str, ...], person_id: str | None
) -> Mapping[str, set[str]]:
    """Which of the sentences who has said in the group, so that they could be scored."""
    query = select(AssessmentRow.key_id, AssessmentRow.text).distinct()
    query = query.where(
        AssessmentRow.group_name == row.group_id,
        AssessmentRow.created_at >= row.created_at,
        AssessmentRow.overall.is_not(None),
        AssessmentRow.text.in_(sentences),
    )
    if person_id is not None:
        query = query.where(AssessmentRow.key_id == person_id)
    found: dict[str, set[str]] = defaultdict(set)
    for id, text in session.execute(query):
        found[id].add(text or "")
    return found


def _own(session: Session, teacher_id: str, id: str) -> SentenceSetRow:
    row = session.get(SentenceSetRow, id)
    if row is None or row.teacher_id != teacher_id:
        raise NotFoundError(f"There is no set {id}.")
    return row


def _set(row: SentenceSetRow) -> SentenceSet:
    told = columns_of(SentenceSet, row) | {"sentences": tuple(json.loads(row.sentences))}
    return SentenceSet(**told)
