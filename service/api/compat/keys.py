"""The key of a request that was made for another service."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers
from starlette.types import Scope

from nativeear.service.api.authentication import secret_of
from nativeear.service.api.compat.errors import SPEECHACE

COMPAT = "/compat/"

_IN_QUERY = "key"


def secret_of_app(scope: Scope) -> str | None:
    """The key as Azure's clients send it, as SpeechAce's do in the query, or as everywhere."""
    headers = Headers(scope=scope)
    if scope["path"].startswith(SPEECHACE):
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        if keys := query.get(_IN_QUERY):
            return str(keys[-1])
    return headers.get("ocp-apim-subscription-key") or secret_of(headers)


def without_key(query: str) -> str:
    """A query as it may be written down."""
    fields = parse_qs(query, keep_blank_values=True)
    return urlencode({name: each for name, each in fields.items() if name != _IN_QUERY}, doseq=True)
