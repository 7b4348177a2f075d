"""Problems as the services that are stood in for tell theirs."""

from __future__ import annotations

from typing import Any

from nativeear.service.api.problem import Problem

AZURE = "/compat/azure/"
SPEECHACE = "/compat/speechace/"

_KIND = "urn:nativeear:problem:"

_SPEECHACE = {
    "no-pronunciation": "error_unknown_words",
    "bad-audio": "error_convert_audio",
    "unsupported-media": "error_convert_audio",
    "too-large": "error_file_too_large",
    "too-many-requests": "error_too_many_requests",
    "quota-exceeded": "error_too_many_requests",
    "busy": "error_too_many_requests",
    "forbidden": "error_feature_unavailable",
    "unauthorised": "error_missing_parameters",
    "not-authenticated": "error_invalid_parameters",
}


def told_as(problem: Problem) -> tuple[dict[str, Any], int] | None:
    """A problem in the shape of the service that was asked for, and its status; mostly None."""
    if problem.instance.startswith(AZURE):
        return _of_azure(problem)
    if problem.instance.startswith(SPEECHACE):
        return of_speechace(problem), problem.status
    return None


def _of_azure(problem: Problem) -> tuple[dict[str, Any], int]:
    """Azure knows 400 for whatever is wrong with a request, and 401 and 403 for its key."""
    code = problem.type.removeprefix(_KIND)
    status = {"unauthorised": 403}.get(code, problem.status)
    if status in {415, 422}:
        status = 400
    message = " ".join(filter(None, (problem.detail, problem.fix)))
    return {"error": {"code": code, "message": message}}, status


def of_speechace(problem: Problem) -> dict[str, Any]:
    """The three fields of an error of SpeechAce's; what it has no name for by its status."""
    code = problem.type.removeprefix(_KIND)
    internal = "error_internal" if problem.status >= 500 else "error_invalid_parameters"
    short = _SPEECHACE.get(code, internal)
    if code == "bad-audio" and "longer than" in problem.detail:
        short = "error_audio_too_long"
    detail = "key" if problem.status == 401 else problem.detail
    return {"status": "error", "short_message": short, "detail_message": detail}
