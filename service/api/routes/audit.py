"""Who read, exported or deleted what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from nativeear.service.api.authentication import OPERATE, AsPersonOrOperator, KeyedRouter
from nativeear.service.api.models import Plain
from nativeear.service.api.people_models import AuditItem, AuditList
from nativeear.service.api.problems import refusals
from nativeear.service.api.state import ServiceDep
from nativeear.service.api.tables import CSV_CONTENT, Format, csv_response

router = KeyedRouter(prefix="/v1", tags=["people"])

_COLUMNS = tuple(AuditItem.model_fields)


@router.get(
    "/audit",
    summary="The log of who did what",
    response_model=AuditList,
    responses={200: {"content": CSV_CONTENT}, **refusals()},
)
def audit(
    *,
    service: ServiceDep,
    caller: AsPersonOrOperator,
    about: Annotated[str | None, Query(max_length=64, description="A person or a key."), Plain] = (
        None
    ),
    action: Annotated[str | None, Query(max_length=32), Plain] = None,
    after: Annotated[str | None, Query(max_length=200, description="`next` of a page."), Plain] = (
        None
    ),
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    format: Annotated[Format, Query()] = "json",
) -> Any:
    """All of it for an operator; for others what they did, and what was done to their data."""
    if not caller.may(OPERATE):
        about = caller.key_id
    page = service.people.entries(about=about, action=action, after=after, limit=limit)
    found = AuditList.model_validate(page)
    if format == "csv":
        rows = ([getattr(item, column) for column in _COLUMNS] for item in found.items)
        return csv_response(_COLUMNS, rows, "audit.csv")
    return found
