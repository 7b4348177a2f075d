"""Writes what the service takes and answers, as TypeScript, to the end of `nativeear.d.ts`.

    python packages/client-js/declarations.py

The part of the file above `MARK` is written by hand; the part below comes from the models and forms
of the service itself, and a test holds it to them.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from nativeear.scoring.assessment import Assessment
from nativeear.service.api import models, people_models, teaching_models, work_models
from nativeear.service.api.application import create_application
from nativeear.service.api.description import described
from nativeear.service.api.problem import Problem
from nativeear.service.api.routes.native_speech import TextModel
from nativeear.service.api.routes.stream import StreamRequest
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.database.summaries import GroupSummary, LearnerProgress
from nativeear.service.native_speech import Example
from nativeear.service.practice import Practice
from nativeear.service.sounds import Sound
from nativeear.service.today import Today

FILE = Path(__file__).with_name("nativeear.d.ts")
MARK = "// What follows is written by declarations.py.\n"

ANSWERS: tuple[type, ...] = (
    *(TextModel, Example, Sound, Today),
    *(Assessment, Problem, LearnerProgress, GroupSummary, Practice),
    *(models.AssessmentItem, models.LearnerList, models.IndexItem, models.IndexDetail),
    *(models.ExemplarDetail, models.NativeSentence, models.EncoderItem, models.LanguageItem),
    *(models.TextCheck, models.Pronunciations),
    *(work_models.JobItem, work_models.JobAnswer, work_models.BatchAnswer, work_models.BatchLine),
    *(work_models.WebhookItem, work_models.WebhookCreated, work_models.UsageList),
    *(people_models.Me, people_models.Joined, people_models.Code, people_models.GroupItem),
    *(people_models.PersonItem, people_models.PersonMade, people_models.CommentItem),
    *(teaching_models.SetItem, teaching_models.SetRequest, teaching_models.HomeworkItem),
    *(teaching_models.MemberItem, teaching_models.LabelItem, teaching_models.LabelRequest),
    *(people_models.AuditItem, people_models.Disclosure, people_models.ReceiptAnswer),
)
FORMS = {
    "AssessmentFields": ("/v1/assessments", {"audio"}),
    "BuildFields": ("/v1/indexes", {"archive"}),
    "BatchFields": ("/v1/batches", {"archive", "manifest"}),
}


def declarations() -> str:
    """The part of `nativeear.d.ts` that the service decides."""
    adapters = [(model.__name__, "validation", TypeAdapter(model)) for model in ANSWERS]
    _, schema = TypeAdapter.json_schemas(adapters)  # type: ignore[arg-type]
    found: dict[str, Any] = {**schema["$defs"], **_forms(), "StreamFields": _stream_fields()}
    return "\n".join(_interface(name, found[name]) for name in sorted(found))


def _forms() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        settings = ServiceSettings(database=f"sqlite:///{Path(folder) / 'service.db'}")
        application = create_application(settings)
        openapi = described(application)
        application.state.service.store.close()
    return dict(_form(openapi, name, *form) for name, form in FORMS.items())


def _stream_fields() -> dict[str, Any]:
    """What is said of a stream beside what the client adds."""
    fields = StreamRequest.model_json_schema()["properties"]
    kept = {name: fields[name] for name in fields if name not in {"sample_rate", "key", "csrf"}}
    return {"description": "Fields of `WS /v1/stream`.", "properties": kept}


def _form(openapi: Any, name: str, path: str, left_out: set[str]) -> tuple[str, Any]:
    """The fields of a form beside its files."""
    content = openapi["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]
    reference = content["schema"]["$ref"].rpartition("/")[2]
    body = openapi["components"]["schemas"][reference]
    kept = {field: told for field, told in body["properties"].items() if field not in left_out}
    description = f"Fields of `POST {path}`."
    return name, {**body, "description": description, "properties": kept}


def _interface(name: str, schema: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ()))
    lines = [*_comment(schema, ""), f"export interface {name} {{"]
    for field, kind in schema["properties"].items():
        mark = "" if field in required else "?"
        lines += [*_comment(kind, "  "), f"  {field}{mark}: {_type(kind)};"]
    return "\n".join([*lines, "}", ""])


def _comment(schema: Mapping[str, Any], indent: str) -> Iterator[str]:
    """The first paragraph of what is said of it, in the words of TypeScript."""
    told = schema.get("description", "").partition("\n\n")[0].replace("\n", " ")
    if told:
        yield f"{indent}/** {told.replace('None', 'null').replace('*/', '* /')} */"


def _type(schema: Mapping[str, Any]) -> str:
    told = str(schema.get("type", ""))
    if "$ref" in schema:
        told = str(schema["$ref"]).rpartition("/")[2]
    elif "anyOf" in schema:
        told = " | ".join(dict.fromkeys(map(_type, schema["anyOf"])))
    elif "const" in schema or "enum" in schema:
        told = " | ".join(map(json.dumps, schema.get("enum", [schema.get("const")])))
    elif "prefixItems" in schema:
        told = f"[{', '.join(map(_type, schema['prefixItems']))}]"
    elif told == "array":
        inner = _type(schema["items"])
        told = f"({inner})[]" if " | " in inner else f"{inner}[]"
    elif told == "object":
        told = f"Record<string, {_type(schema['additionalProperties'])}>"
    return "number" if told == "integer" else told


def written() -> str:
    """The file as it should be."""
    by_hand = FILE.read_text(encoding="utf-8").partition(MARK)[0]
    return f"{by_hand}{MARK}\n{declarations()}"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
