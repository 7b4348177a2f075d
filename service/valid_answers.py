"""Answers of a chat endpoint that have to be JSON of a schema: asked for once more, if not."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from nativeear.scoring.assessment import Assessment
from nativeear.service.explain import DEFAULT_MODEL, Reply, ask_chat, check_endpoint

FAILURES = (OSError, ValueError, http.client.HTTPException)
"""What `ChatModel.ask` raises."""

TIMEOUT_S = 60.0

_TRIES = 2

Read = TypeVar("Read")
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class ChatModel:
    """Where a model is that answers with JSON of a schema.

    Attributes
    ----------
    url
        Base address of the endpoint (`…/v1`), or the address of its chat completions.
    model
        Name of the model there.
    timeout_s
        Longest wait for one answer.
    """

    url: str
    model: str = DEFAULT_MODEL
    timeout_s: float = TIMEOUT_S

    def __post_init__(self) -> None:
        check_endpoint(self.url)

    def ask(
        self,
        messages: Sequence[Mapping[str, Any]],
        name: str,
        schema: Mapping[str, Any],
        *,
        api_key: str,
        read: Callable[[Reply], Read],
    ) -> Read:
        """Ask it; twice, with what was wrong, if its first answer is not valid.

        Parameters
        ----------
        messages
            What it is told.
        name, schema
            Of the JSON that it is to answer with.
        api_key
            As for `ask_chat`.
        read
            Makes of an answer what was asked for, or raises `ValueError`.

        Raises
        ------
        OSError, http.client.HTTPException
            If it does not answer, or refuses.
        ValueError
            If neither answer is valid.
        """
        told = list(messages)
        body = {
            "model": self.model,
            "temperature": 0,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": name, "schema": schema},
            },
        }
        for last in range(_TRIES):
            reply = ask_chat(self.url, {**body, "messages": told}, self.timeout_s, api_key=api_key)
            try:
                return read(reply)
            except ValueError as error:
                if last == _TRIES - 1:
                    raise
                told += [
                    {"role": "assistant", "content": reply.text},
                    {"role": "user", "content": f"That is not valid: {error}. Answer again."},
                ]
        raise AssertionError  # it has returned or raised

    def failed(self, what: str, error: Exception) -> str:
        """The warning that says what is missing of a result for one of `FAILURES`."""
        return f"{what}: {urlsplit(self.url).netloc}: {str(error) or type(error).__name__}"


def warned(assessment: Assessment, warning: str) -> Assessment:
    """The same with one warning more."""
    return assessment.model_copy(update={"warnings": (*assessment.warnings, warning)})


def read_json(model: type[Model], text: str) -> Model:
    """What was answered, bare or fenced; `ValueError` in one line if it is not of the schema."""
    fenced = text.removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        return model.model_validate_json(fenced)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from error
