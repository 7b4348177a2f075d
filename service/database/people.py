"""People and their groups: made, listed, joined and left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Literal
from uuid import uuid4

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session, aliased

from nativeear.service.database.assessments import rows_of
from nativeear.service.database.errors import NotFoundError
from nativeear.service.database.people_tables import GroupRow, MemberRow, PersonRow
from nativeear.service.database.tables import columns_of
from nativeear.speech.errors import InputError

Role = Literal["operator", "teacher", "learner"]

OPERATOR: Role = "operator"
TEACHER: Role = "teacher"
LEARNER: Role = "learner"

MOST_MEMBERS = 500
"""Learners of one group: a code that got about fills no database."""


@dataclass(frozen=True)
class Person:
    """Somebody with a role."""

    id: str
    role: Role
    name: str
    created_at: datetime


@dataclass(frozen=True)
class Group:
    """A group, and how many learners are in it."""

    id: str
    teacher_id: str
    name: str
    created_at: datetime
    members: int


def any_person(session: Session) -> bool:
    """Whether there is anybody."""
    return session.scalar(select(PersonRow.id).limit(1)) is not None


def insert_person(session: Session, role: Role, name: str) -> Person:
    """Make a person.

    Raises
    ------
    InputError
        If the name is empty.
    """
    row = PersonRow(
        id=uuid4().hex, role=role, name=_named(name), created_at=datetime.now(timezone.utc)
    )
    session.add(row)
    session.flush()
    return person_of(row)


def find_person(session: Session, id: str) -> Person:
    """Fetch a person, or raise `NotFoundError`."""
    row = session.get(PersonRow, id)
    if row is None:
        raise absent(id)
    return person_of(row)


def list_people(session: Session, teacher_id: str | None = None) -> tuple[Person, ...]:
    """Everybody, or the learners of a teacher, by name."""
    query = select(PersonRow)
    if teacher_id is not None:
        taught = select(MemberRow.person_id).join(GroupRow).where(GroupRow.teacher_id == teacher_id)
        query = query.where(PersonRow.id.in_(taught))
    found = (person_of(row) for row in session.scalars(query))
    return tuple(sorted(found, key=lambda person: (person.name.casefold(), person.id)))


def is_taught(session: Session, teacher_id: str, person_id: str) -> bool:
    """Whether a learner is in a group of a teacher's."""
    query = select(MemberRow.person_id).join(GroupRow)
    query = query.where(GroupRow.teacher_id == teacher_id, MemberRow.person_id == person_id)
    return session.scalar(query.limit(1)) is not None


def insert_group(session: Session, teacher_id: str, name: str) -> Group:
    """Make a group of a teacher's."""
    row = GroupRow(
        id=uuid4().hex,
        teacher_id=teacher_id,
        name=_named(name),
        created_at=datetime.now(timezone.utc),
    )
    session.add(row)
    session.flush()
    return _group(row, 0)


def find_group(session: Session, id: str, teacher_id: str) -> Group:
    """Fetch a group of a teacher's; another's is as if it were not there.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    query = _groups().where(GroupRow.id == id, GroupRow.teacher_id == teacher_id)
    found = session.execute(query).first()
    if found is None:
        raise NotFoundError(f"There is no group {id}.")
    return _group(*found)


def list_groups(
    session: Session, *, teacher_id: str | None = None, person_id: str | None = None
) -> tuple[Group, ...]:
    """All groups, those of a teacher, or those of a learner with the one joined last at the end."""
    query = _groups()
    order = GroupRow.created_at
    if teacher_id is not None:
        query = query.where(GroupRow.teacher_id == teacher_id)
    if person_id is not None:
        own = aliased(MemberRow)
        query = query.join(own, own.group_id == GroupRow.id).where(own.person_id == person_id)
        order = own.joined_at
    return tuple(_group(*row) for row in session.execute(query.order_by(order, GroupRow.id)))


def delete_group(session: Session, id: str, teacher_id: str) -> None:
    """Delete a group with its code. What its learners said stays theirs."""
    find_group(session, id, teacher_id)
    rows_of(session, delete(GroupRow).where(GroupRow.id == id))


def add_member(session: Session, group_id: str, person_id: str) -> None:
    """Let a learner be in a group; once more does no harm.

    Raises
    ------
    InputError
        If the group is full.
    """
    if session.get(MemberRow, (group_id, person_id)) is not None:
        return
    count = session.scalar(
        select(func.count()).select_from(MemberRow).where(MemberRow.group_id == group_id)
    )
    if (count or 0) >= MOST_MEMBERS:
        raise InputError(
            f"The group has {MOST_MEMBERS} learners already.", fix="Ask your teacher for another."
        )
    joined = datetime.now(timezone.utc)
    session.add(MemberRow(group_id=group_id, person_id=person_id, joined_at=joined))
    session.flush()


def remove_member(session: Session, group_id: str, person_id: str) -> None:
    """Let a learner be in a group no more; its teacher sees nothing of him from then on."""
    gone = (MemberRow.group_id == group_id) & (MemberRow.person_id == person_id)
    if not rows_of(session, delete(MemberRow).where(gone)):
        raise NotFoundError(f"{person_id} is not in that group.")


def person_of(row: PersonRow) -> Person:
    """A row as what it tells."""
    return Person(**columns_of(Person, row))


def absent(id: str) -> NotFoundError:
    """That there is no such person."""
    return NotFoundError(f"There is nobody {id}.")


def _groups() -> Select[GroupRow, int]:
    counted = (
        select(func.count())
        .select_from(MemberRow)
        .where(MemberRow.group_id == GroupRow.id)
        .scalar_subquery()
    )
    return select(GroupRow, counted)


def _group(row: GroupRow, members: int) -> Group:
    return Group(**columns_of(Group, row) | {"members": members})


def _named(name: str) -> str:
    if not name.strip():
        raise InputError("A name is missing.", fix="Give one.")
    return name.strip()
