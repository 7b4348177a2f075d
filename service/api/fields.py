"""What is asked is meant: fields that a route does not know are refused, not ignored."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches
from typing import cast

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.params import Form
from fastapi.routing import APIRoute
from pydantic import BaseModel

from nativeear.service.api.problems import InvalidRequestError


async def refuse_unknown_fields(request: Request) -> None:
    """Refuse a query or a body with a field that the route does not have, or has it twice.

    Raises
    ------
    InvalidRequestError
        With the nearest name that the route knows.
    """
    route: APIRoute = request.scope["route"]
    query = {field.alias for part in _parts(route.dependant) for field in part.query_params}
    body = [field for part in _parts(route.dependant) for field in part.body_params]
    form = {field.alias for field in body if isinstance(field.field_info, Form)}
    _refuse_unknown(request.query_params.multi_items(), query, "query", form)
    # The body has been read and parsed by now: this is what was made of it.
    if form:
        _refuse_unknown((await request.form()).multi_items(), form, "form", query)
    elif body:
        with suppress(ValueError):  # what is no JSON is refused as such
            if isinstance(sent := await request.json(), dict):
                model = cast("type[BaseModel]", body[0].field_info.annotation)
                _refuse_unknown(sent.items(), set(model.model_fields), "body", query)


def _parts(dependant: Dependant) -> Iterable[Dependant]:
    yield dependant
    for part in dependant.dependencies:
        yield from _parts(part)


def _refuse_unknown(
    sent: Iterable[tuple[str, object]], known: set[str], where: str, elsewhere: set[str]
) -> None:
    seen: set[str] = set()
    for name, _ in sent:
        if name not in known:
            raise InvalidRequestError(
                f"This request has no field {name!r} in its {where}.",
                cause=f"Known: {', '.join(sorted(known)) or 'none'}.",
                fix=_fix(name, known, where, elsewhere),
            )
        if name in seen:
            raise InvalidRequestError(
                f"The field {name!r} is given more than once.", fix="Give it once."
            )
        seen.add(name)


def _fix(name: str, known: set[str], where: str, elsewhere: set[str]) -> str:
    if name in elsewhere:
        return f"Send {name} in the {'form' if where == 'query' else 'query'}."
    if near := get_close_matches(name.lower(), known, n=1):
        return f"Did you mean {near[0]}?"
    return "Leave it out; /openapi.json describes the fields."
