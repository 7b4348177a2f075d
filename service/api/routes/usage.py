"""What was asked with a key."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Annotated, Any

from fastapi import Query

from nativeear.service.api.authentication import Following, KeyedRouter
from nativeear.service.api.problems import refusals
from nativeear.service.api.state import ServiceDep
from nativeear.service.api.work_models import UsageList
from nativeear.speech.errors import InputError

router = KeyedRouter(prefix="/v1", tags=["service"])


@router.get(
    "/usage",
    summary="What was asked in a month",
    response_model=UsageList,
    responses=refusals(),
)
def usage(
    service: ServiceDep,
    caller: Following,
    month: Annotated[
        str | None,
        Query(pattern=r"^\d{4}-\d{2}$", description="Such as 2026-01; this month by default."),
    ] = None,
) -> Any:
    """Requests, assessments and seconds of speech of the key by day, and what it may have.

    A key with the scope `admin` sees those of all keys. Days and months are those of UTC.
    """
    day = datetime.now(timezone.utc).date() if month is None else _first_of(month)
    service.counts.flush()
    items = service.store.monthly_usage(day, key_id=caller.sees)
    return UsageList.model_validate({"month": f"{day:%Y-%m}", "items": items})


def _first_of(month: str) -> date:
    try:
        first = date.fromisoformat(f"{month}-01")
        first.replace(year=first.year + 1)  # the month has an end
    except ValueError:
        raise InputError(f"{month} is no month.", fix="Write it as 2026-01.") from None
    return first
