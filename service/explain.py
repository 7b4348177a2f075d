"""Prose beside ours: a finished result, told by a language model that the user names.

Only the structured result leaves the machine, never the recording, nor the names of the speakers
in the index. Any endpoint that speaks OpenAI's chat completions will do. One that does not answer
costs a warning, not the result.
"""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from nativeear.scoring.assessment import Assessment
from nativeear.speech.errors import InputError

API_KEY = "NATIVEEAR_EXPLAIN_API_KEY"
"""Environment variable that holds the key of the endpoint, if it wants one."""

DEFAULT_MODEL = "default"
TIMEOUT_S = 30.0

_PATH = "/chat/completions"
_LARGEST_ANSWER = 1 << 20
_LEFT_OUT: dict[str, Any] = {
    "id": True,
    "index": True,
    "encoder": True,
    "language_use": True,  # another model's, and not measured
    "prosody": {"contour"},
    "words": {"__all__": {"phones": {"__all__": {"evidence", "knn", "gop"}}}},
}
_INSTRUCTIONS = (
    "You are a pronunciation teacher. The user message is the measured result of one recording as "
    "JSON: scores run from 0 to 100, and every phone has a verdict. Tell the learner in a few "
    "plain sentences what went well and what to practise first, in the order of the remarks. "
    "Claim nothing that the result does not say."
)


def check_endpoint(url: str) -> None:
    """Refuse what is no web address, before anything is assessed.

    Raises
    ------
    InputError
        If the address is not http or https, names no host, or holds a password.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        usable = usable and parts.username is None  # it would be shown; a key has its variable
    except ValueError:
        usable = False
    if not usable:
        raise InputError(
            f"{url!r} is no address of a chat endpoint.",
            fix="Give one that begins with http:// or https://, as in http://localhost:8000/v1.",
        )


def with_explanation(
    assessment: Assessment, url: str, *, model: str = DEFAULT_MODEL, timeout_s: float = TIMEOUT_S
) -> Assessment:
    """Ask an endpoint to tell the result, and put its text into `explanation`.

    Parameters
    ----------
    assessment
        A finished one; it is not changed.
    url
        Base address of the endpoint (`…/v1`), or the address of its chat completions.
    model
        Name of the model there.
    timeout_s
        Longest wait for the endpoint, in seconds.

    Returns
    -------
    Assessment
        The same with an explanation, or else with one warning more.

    Raises
    ------
    InputError
        If the address is unusable.
    """
    check_endpoint(url)
    try:
        text = ask_chat(url, _body(assessment, model), timeout_s, api_key=API_KEY).text
    except (OSError, ValueError, http.client.HTTPException) as error:
        why = str(error) or type(error).__name__
        warning = f"The result was not explained: {urllib.parse.urlsplit(url).netloc}: {why}"
        return assessment.model_copy(update={"warnings": (*assessment.warnings, warning)})
    return assessment.model_copy(update={"explanation": text})


def _body(assessment: Assessment, model: str) -> dict[str, Any]:
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": _INSTRUCTIONS},
            {"role": "user", "content": assessment.model_dump_json(exclude=_LEFT_OUT)},
        ],
    }


@dataclass(frozen=True)
class Reply:
    """What a model answered, and the name by which its endpoint calls it."""

    text: str
    model: str | None


def ask_chat(url: str, body: dict[str, Any], timeout_s: float, *, api_key: str) -> Reply:
    """Ask an endpoint of chat completions.

    Parameters
    ----------
    url
        As `check_endpoint` admits it.
    api_key
        Name of the environment variable that holds its key, if it wants one.

    Raises
    ------
    OSError, http.client.HTTPException
        If it does not answer, or refuses.
    ValueError
        If what it answers is no chat completion.
    """
    parts = urllib.parse.urlsplit(url)
    path = parts.path.rstrip("/")
    if not path.endswith(_PATH):
        path += _PATH
    request = urllib.request.Request(  # noqa: S310 - `check_endpoint` admits http and https only
        urllib.parse.urlunsplit(parts._replace(path=path, fragment="")),
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    if key := os.environ.get(api_key):
        # Unredirected, so that a redirect cannot carry the key to another host.
        request.add_unredirected_header("Authorization", f"Bearer {key}")
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
        return _reply(answer.read(_LARGEST_ANSWER))


def _reply(answer: bytes) -> Reply:
    model = None
    try:
        told = json.loads(answer)
        text, model = told["choices"][0]["message"]["content"], told.get("model")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        text = None
    if not isinstance(text, str) or not text.strip():
        raise ValueError("the answer is no chat completion")
    return Reply(text.strip(), model if isinstance(model, str) else None)
