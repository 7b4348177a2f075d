"""Whatever goes wrong, as RFC 9457 tells it: a plain sentence, its cause and what to do."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from nativeear.service.api.compat.errors import told_as
from nativeear.service.api.problem import CLIENT_GONE, Problem, title_of
from nativeear.service.api.request_ids import REQUEST_ID
from nativeear.speech.errors import (
    AlignmentError,
    EncoderError,
    IndexFormatError,
    InputError,
    MissingDependencyError,
    NativeEarError,
)

logger = logging.getLogger("nativeear.service")

MEDIA_TYPE = "application/problem+json"
SERVERS_FAULT = 500
"""Statuses from here on are no doing of the client's."""

_FOLDERS = re.compile(r"(?<![\w:/.])/(?:[^\s/'\"]+/)+")


class ServiceError(NativeEarError):
    """Something that only a service refuses; `status` is what HTTP calls it."""

    code = "refused"
    status = 400

    def __init__(
        self,
        message: str,
        *,
        cause: str = "",
        fix: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, cause=cause, fix=fix)
        self.headers = dict(headers or {})


class BusyError(ServiceError):
    """The queue is full, or the service is not ready or stopping."""

    code = "busy"
    status = 503


class TookTooLongError(ServiceError):
    """An assessment was not finished in time."""

    code = "took-too-long"
    status = 504


class ClientGoneError(ServiceError):
    """The client left before its answer was there."""

    code = "client-gone"
    status = CLIENT_GONE


class UnsupportedMediaError(ServiceError):
    """What was sent is no recording."""

    code = "unsupported-media"
    status = 415


class InvalidRequestError(ServiceError):
    """The request does not fit the description of the interface."""

    code = "invalid-request"
    status = 422


class UnreadableBodyError(ServiceError):
    """The body is not of the form that its headers tell."""

    code = "unreadable-body"


class MethodNotAllowedError(ServiceError):
    """There is something, which does not answer to that method."""

    code = "method-not-allowed"
    status = 405


class InProgressError(ServiceError):
    """The same request is being worked at."""

    code = "in-progress"
    status = 409


class TooLargeError(ServiceError):
    """More was sent than is accepted."""

    code = "too-large"
    status = 413


class TooSlowError(ServiceError):
    """The body of a request came more slowly than is waited for."""

    code = "too-slow"
    status = 408


class TooManyRequestsError(ServiceError):
    """A key asks more often than it may."""

    code = "too-many-requests"
    status = 429


class QuotaExceededError(ServiceError):
    """A key has used what it may in a day or a month."""

    code = "quota-exceeded"
    status = 429


class ForbiddenError(ServiceError):
    """Known, and not allowed to."""

    code = "forbidden"
    status = 403


class ForgedError(ForbiddenError):
    """A change in the name of somebody who is signed in, without the token of his session."""

    code = "forged"


class UnauthorisedError(ServiceError):
    """No key was given where one is needed."""

    code = "unauthorised"
    status = 401


class NotThereError(ServiceError):
    """Nothing goes by that name."""

    code = "not-found"
    status = 404


class NotKeptError(ServiceError):
    """It is known, and what was asked of it was not kept."""

    code = "not-kept"
    status = 409


# The first class that fits counts. Those of the database are found by their code, so that
# telling a problem does not load it.
_STATUSES: tuple[tuple[type[NativeEarError], int], ...] = (
    (AlignmentError, 422),
    (MissingDependencyError, 501),
    (IndexFormatError, 503),
    (EncoderError, 500),
    (InputError, 422),
)
_STATUS_OF_CODE = {
    "storage": 503,
    "not-found": 404,
    "conflict": 409,
    "idempotency-key-reused": 422,
    "not-authenticated": 401,
}


# What the framework refuses by itself.
_CODES_OF_HTTP = {
    kind.status: kind.code
    for kind in (UnreadableBodyError, NotThereError, MethodNotAllowedError, TooLargeError)
}


def status_of(error: NativeEarError) -> int:
    """The HTTP status of an error of the family."""
    if isinstance(error, ServiceError):
        return error.status
    if error.code in _STATUS_OF_CODE:
        return _STATUS_OF_CODE[error.code]
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def problem_of(error: NativeEarError, instance: str = "") -> Problem:
    """An error of the family as a problem.

    Where the service is at fault, its sentences may name files and the database; in which folders
    and at which address they lie is nobody's business but the operator's.
    """
    status = status_of(error)
    detail, cause, fix = error.message, error.cause, error.fix
    if error.code == "storage":
        cause = ""  # the database's own words, with its address and the name of its user
    if status >= SERVERS_FAULT:
        detail, cause, fix = (without_folders(text) for text in (detail, cause, fix))
    return Problem.of(error.code, status, detail, cause=cause, fix=fix, instance=instance)


def without_folders(text: str) -> str:
    """A sentence in which files are named without the folders that they lie in."""
    return _FOLDERS.sub("", text)


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem as a response."""
    if shaped := told_as(problem):
        content, status = shaped
        return JSONResponse(content, status, dict(headers or {}))
    numbered = problem.model_copy(update={"request_id": REQUEST_ID.get()})
    return JSONResponse(
        numbered.model_dump(), problem.status, dict(headers or {}), media_type=MEDIA_TYPE
    )


def answer_error(error: NativeEarError, instance: str) -> JSONResponse:
    """An error of the family as a response."""
    problem = problem_of(error, instance)
    headers = dict(error.headers) if isinstance(error, ServiceError) else {}
    if problem.status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    if problem.status == 503:
        headers.setdefault("Retry-After", "5")
    return answer(problem, headers)


def internal_problem(error: BaseException, instance: str = "") -> Problem:
    """Tell of an unexpected exception nothing but the number under which it was logged."""
    number = uuid4().hex[:12]
    logger.error("unexpected failure %s at %s", number, instance, exc_info=error)
    return Problem.of(
        "internal-error",
        500,
        "The service failed unexpectedly.",
        cause=f"It was logged as {number}.",
        fix="Try again; if it stays so, tell whoever runs the service that number.",
        instance=instance,
    )


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with, for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": title_of(status), "content": content}
        for status in sorted({*statuses, 500})
    }


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems of a route that wants to know who asks, and `statuses`."""
    return responses(401, 403, 422, 429, 503, *statuses)


def refusals_of_body(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems of a route that wants to know who asks and takes a body, and `statuses`."""
    return refusals(400, 408, 413, *statuses)


def handle_errors(application: FastAPI) -> None:
    """Let every failure of an application be answered as a problem."""

    @application.exception_handler(NativeEarError)
    async def native_error(request: Request, error: NativeEarError) -> JSONResponse:
        status = status_of(error)
        if error.code == "storage":
            logger.warning("%s: %s (%s)", request.url.path, error.message, error.cause)
        elif status >= SERVERS_FAULT and status not in {503, 504}:
            logger.error("%s: %s (%s)", request.url.path, error.message, error.cause)
        return answer_error(error, request.url.path)

    @application.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0] if error.errors() else {}
        where = ".".join(str(part) for part in first.get("loc", ())[1:])
        message = str(first.get("msg", "not valid")).removeprefix("Value error, ")
        fix = "See the description of the interface at /openapi.json."
        if first.get("type") == "json_invalid":  # its place is a count of bytes
            where, message = "", str(first.get("ctx", {}).get("error", message))
        elif message.startswith("Expected UploadFile"):
            message = "It is text, and no file."
            fix = f"Send a file: with curl, -F {where}=@NAME."
        return answer(
            Problem.of(
                InvalidRequestError.code,
                InvalidRequestError.status,
                f"The request is not valid: {where or 'its body'}.",
                cause=message,
                fix=fix,
                instance=request.url.path,
            )
        )

    @application.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, NativeEarError):  # it came while the body was read
            return await native_error(request, error.__cause__)
        detail = str(error.detail)
        if error.status_code == 404:
            detail = f"There is nothing at {request.url.path}."
        elif error.status_code == 405:
            detail = f"{request.url.path} does not answer to {request.method}."
        return answer(
            Problem.of(
                _CODES_OF_HTTP.get(error.status_code, InvalidRequestError.code),
                error.status_code,
                detail,
                fix="See the description of the interface at /openapi.json.",
                instance=request.url.path,
            ),
            error.headers,
        )

    @application.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        return answer(internal_problem(error, request.url.path))
