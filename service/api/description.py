"""The description of the interface, as people read it and as clients are generated from it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from nativeear.service.api.problem import Problem

_TAGS = {
    "assessments": "Recordings and their results.",
    "batches": "Many recordings at once.",
    "texts": "What a text sounds like.",
    "indexes": "The native references.",
    "recording": "Natives read for an index; only with `--record`.",
    "learners": "Histories and groups.",
    "people": "Who comes in, groups, and what may be done with one's own data.",
    "teaching": "Sentences and homework of teachers, and verdicts that they put right.",
    "jobs": "Work that outlasts a request.",
    "webhooks": "Who is told when work has ended.",
    "compat": "Other services' requests, answered in their shapes.",
    "service": "Health and figures.",
}
_NULL = {"type": "null"}


def operation(route: APIRoute) -> str:
    """The name of a route, by which generated clients call it; unique in this interface."""
    return route.name


def described(application: FastAPI) -> dict[str, Any]:
    """OpenAPI, with problems in the place of FastAPI's own errors, and forms as they are sent."""
    if application.openapi_schema is None:
        openapi = get_openapi(
            title=application.title,
            version=application.version,
            description=application.description,
            license_info=application.license_info,
            routes=application.routes,
            tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
        )
        schemas = openapi.setdefault("components", {}).setdefault("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, schema in schemas.items():
            if name.startswith("Body_"):
                schema["additionalProperties"] = False  # see `fields.refuse_unknown_fields`
                fields = schema["properties"]
                schema["properties"] = {name: _sent(field) for name, field in fields.items()}
        application.openapi_schema = openapi
    return application.openapi_schema


def _sent(field: dict[str, Any]) -> dict[str, Any]:
    """A field of a form: it is there or not, but never null; files by the name all tools know."""
    kinds = [kind for kind in field.get("anyOf", []) if kind != _NULL]
    if len(kinds) == 1:
        field = {name: value for name, value in field.items() if name != "anyOf"} | kinds[0]
    if "contentMediaType" in field:
        field = field | {"format": "binary"}
    if "const" in field:
        field = field | {"enum": [field["const"]]}
    return {name: value for name, value in field.items() if name != "const"}
