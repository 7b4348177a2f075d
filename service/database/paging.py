"""Lists that are told a page at a time, the newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

from nativeear.speech.errors import InputError

T = TypeVar("T")

_CURSOR = re.compile(r"(\d{1,16})-(.{1,64})", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of a list, and what to ask for the rest with; None at its end."""

    items: tuple[T, ...]
    next: str | None


def cursor(created_at: datetime, id: str) -> str:
    """What to ask for the page behind a row with."""
    return f"{(created_at - _EPOCH) // _MICROSECOND}-{id}"


def behind(
    after: str, created_at: InstrumentedAttribute[datetime], id: InstrumentedAttribute[str]
) -> ColumnElement[bool]:
    """Condition that a row comes behind a cursor.

    Raises
    ------
    InputError
        If it is none that was given out.
    """
    match = _CURSOR.fullmatch(after)
    if match is None:
        raise InputError(
            "That is no place in the list.", fix="Give the `next` of a page as it came."
        )
    moment, last = _EPOCH + int(match[1]) * _MICROSECOND, match[2]
    return or_(created_at < moment, and_(created_at == moment, id < last))
