"""A line for each request, for whoever wants one: who asked for what, and how it went."""

from __future__ import annotations

import logging
from urllib.parse import unquote

from starlette.types import Scope

from nativeear.service.api.authentication import CALLER, Caller
from nativeear.service.api.compat.keys import COMPAT, without_key

NAME = "nativeear.access"

TEXT = "text"
"""Name under which a request carries what was meant to be said."""

logger = logging.getLogger(NAME)


def write_line(scope: Scope, route: str, status: int, seconds: float, *, with_text: bool) -> None:
    """Write down a request that was answered.

    Parameters
    ----------
    route
        Its route, in which neither learners nor groups are named.
    with_text
        Whether the address is told as it was asked, and what was meant to be said.
    """
    state = scope.get("state", {})
    told = f"{scope['method']} {route} {status} {1000 * seconds:.0f} ms key {_key(state)}"
    if scope.get("client"):
        told += f" from {scope['client'][0]}"
    if with_text:
        query = scope.get("query_string", b"").decode("latin-1")
        query = unquote(without_key(query) if scope["path"].startswith(COMPAT) else query)
        told += f" asked {scope['path'] + (query and '?' + query)!r}"
        if text := state.get(TEXT):
            told += f" text {text!r}"
    logger.info("%s", told)


def _key(state: dict[str, object]) -> str:
    caller = state.get(CALLER)
    return caller.key.id if isinstance(caller, Caller) and caller.key is not None else "-"
