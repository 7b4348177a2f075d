"""What was asked with each key, by day and month in UTC, and what may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta, timezone

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from nativeear.service.database.errors import NotFoundError
from nativeear.service.database.ownership import Owner, belongs_to, stored_key
from nativeear.service.database.tables import NO_KEY, KeyRow, columns_of
from nativeear.service.database.usage_tables import QuotaRow, UsageRow
from nativeear.speech.errors import InputError


@dataclass(frozen=True)
class Amount:
    """So many requests, assessments, and seconds of speech that were assessed."""

    requests: int = 0
    assessments: int = 0
    audio_s: float = 0.0


@dataclass(frozen=True)
class Quota:
    """What may be asked with a key; None is any amount."""

    requests_per_day: int | None = None
    requests_per_month: int | None = None
    audio_s_per_day: float | None = None
    audio_s_per_month: float | None = None


@dataclass(frozen=True)
class Allowance:
    """The quota of a key, and what was used of it."""

    quota: Quota
    today: Amount
    month: Amount


@dataclass(frozen=True)
class DayUsage(Amount):
    """What was asked on one day."""

    day: date = date.min


@dataclass(frozen=True)
class KeyUsage(Amount):
    """What was asked with a key in a month; None is without any."""

    key_id: str | None = None
    name: str | None = None
    quota: Quota | None = None
    days: tuple[DayUsage, ...] = ()


def add_usage(session: Session, key_id: str | None, day: date, amount: Amount) -> None:
    """Count something."""
    values = asdict(amount)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert(UsageRow) if is_sqlite else postgresql.insert(UsageRow)
    session.execute(
        insert.values(key_id=stored_key(key_id), day=day, **values).on_conflict_do_update(
            index_elements=["key_id", "day"],
            set_={name: getattr(UsageRow, name) + value for name, value in values.items()},
        )
    )


def count_requests(session: Session, counts: Mapping[tuple[str | None, date], int]) -> None:
    """Count requests by key and day; in an order in which services do not wait for each other."""
    for key_id, day in sorted(counts, key=lambda place: (place[0] or NO_KEY, place[1])):
        add_usage(session, key_id, day, Amount(requests=counts[key_id, day]))


def set_quota(session: Session, key_id: str, quota: Quota) -> None:
    """Limit a key, or limit it no more.

    Raises
    ------
    NotFoundError
        If there is no such key.
    InputError
        If a limit lets nothing through.
    """
    if session.get(KeyRow, key_id) is None:
        raise NotFoundError(f"There is no key {key_id}.", fix="See `nativeear keys list`.")
    limits = [getattr(quota, name) for name in Quota.__dataclass_fields__]
    if any(limit is not None and limit <= 0 for limit in limits):
        raise InputError("A limit must be above 0.", fix="Leave it out for none.")
    session.merge(QuotaRow(key_id=key_id, **quota.__dict__))


def allowance(session: Session, key_id: str, now: datetime) -> Allowance | None:
    """The quota of a key and what was used of it by `now`; None if it has none."""
    row = session.get(QuotaRow, key_id)
    if row is None:
        return None
    quota, today = Quota(**columns_of(Quota, row)), now.astimezone(timezone.utc).date()
    first, after = month_of(today)
    return Allowance(
        quota,
        _sum(session, key_id, today, today + timedelta(days=1)),
        _sum(session, key_id, first, after),
    )


def monthly_usage(session: Session, month: date, *, key_id: Owner) -> tuple[KeyUsage, ...]:
    """What was asked with each key in the month of a day, by the names of the keys."""
    first, after = month_of(month)
    rows = session.scalars(
        select(UsageRow)
        .where(UsageRow.day >= first, UsageRow.day < after, belongs_to(UsageRow.key_id, key_id))
        .order_by(UsageRow.key_id, UsageRow.day)
    )
    days: dict[str, list[DayUsage]] = {}
    for row in rows:
        days.setdefault(row.key_id, []).append(DayUsage(**columns_of(DayUsage, row)))
    if isinstance(key_id, str):
        days.setdefault(key_id, [])  # a quota is told before anything is used of it
    return tuple(sorted((_key_usage(session, id, used) for id, used in days.items()), key=_by_name))


def month_of(day: date) -> tuple[date, date]:
    """The first day of the month of a day, and of the next month."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def _by_name(usage: KeyUsage) -> tuple[str, str]:
    return usage.name or "", usage.key_id or ""


def _key_usage(session: Session, id: str, days: list[DayUsage]) -> KeyUsage:
    key, quota = session.get(KeyRow, id), session.get(QuotaRow, id)
    return KeyUsage(
        requests=sum(day.requests for day in days),
        assessments=sum(day.assessments for day in days),
        audio_s=sum(day.audio_s for day in days),
        key_id=None if id == NO_KEY else id,
        name=None if key is None else key.name,
        quota=None if quota is None else Quota(**columns_of(Quota, quota)),
        days=tuple(days),
    )


def _sum(session: Session, key_id: str, first: date, after: date) -> Amount:
    query = select(
        func.coalesce(func.sum(UsageRow.requests), 0),
        func.coalesce(func.sum(UsageRow.assessments), 0),
        func.coalesce(func.sum(UsageRow.audio_s), 0.0),
    ).where(UsageRow.key_id == key_id, UsageRow.day >= first, UsageRow.day < after)
    requests, assessments, audio_s = session.execute(query).one()
    return Amount(int(requests), int(assessments), float(audio_s))
