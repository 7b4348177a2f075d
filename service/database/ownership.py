"""Whose rows are seen: those of one key or person, those without a key, or those of many.

What a person says is stored under his id in the place of a key's. Who runs a service, by a key or
in person, sees what programs stored, and not what people say unless he asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from sqlalchemy import ColumnElement, exists, select, true
from sqlalchemy.orm import InstrumentedAttribute

from nativeear.service.database.people_tables import GroupRow, MemberRow, PersonRow
from nativeear.service.database.tables import NO_KEY, AssessmentRow


class _Many(Enum):
    ALL = "all"
    PROGRAMS = "programs"


ALL: Literal[_Many.ALL] = _Many.ALL
"""Sees everything, whoever stored it."""

PROGRAMS: Literal[_Many.PROGRAMS] = _Many.PROGRAMS
"""Sees what was stored by keys, and while the service was open."""


@dataclass(frozen=True)
class Taught:
    """Sees what learners of a teacher's said in his groups, while they are in them, and his own."""

    teacher_id: str


Owner = str | None | Literal[_Many.ALL, _Many.PROGRAMS] | Taught
"""Id of a key or a person; None for what was stored without one; or one of those above."""


def belongs_to(column: InstrumentedAttribute[str], owner: Owner) -> ColumnElement[bool]:
    """Condition that a row is seen."""
    if owner is ALL:
        return true()
    if owner is PROGRAMS:
        return column.not_in(select(PersonRow.id))
    if isinstance(owner, Taught):
        own = column == owner.teacher_id
        return own | _in_groups(owner) if column.class_ is AssessmentRow else own
    return column == (owner or NO_KEY)


def _in_groups(owner: Taught) -> ColumnElement[bool]:
    return exists().where(
        GroupRow.teacher_id == owner.teacher_id,
        MemberRow.group_id == GroupRow.id,
        MemberRow.person_id == AssessmentRow.key_id,
        AssessmentRow.group_name == GroupRow.id,
    )


def stored_key(key_id: str | None) -> str:
    """What is written for a key."""
    return key_id or NO_KEY
