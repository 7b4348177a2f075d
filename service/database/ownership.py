"""Whose rows are seen: those of one key, those without a key, or all."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from nativeear.service.database.tables import NO_KEY


class _All(Enum):
    ALL = "all"


ALL: Literal[_All.ALL] = _All.ALL
"""Sees everything, whoever stored it."""

Owner = str | None | Literal[_All.ALL]
"""Id of a key; None for what was stored without one; `ALL`."""


def belongs_to(column: InstrumentedAttribute[str], owner: Owner) -> ColumnElement[bool]:
    """Condition that a row is seen."""
    return true() if owner is ALL else column == (owner or NO_KEY)


def stored_key(key_id: str | None) -> str:
    """What is written for a key."""
    return key_id or NO_KEY
