"""Requests that apps send to Azure's Pronunciation Assessment and to SpeechAce, answered here."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import Header, Query, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import FormData, UploadFile

from nativeear.service.api.authentication import Assessing, Caller, KeyedRouter
from nativeear.service.api.compat import azure, speechace
from nativeear.service.api.compat.assessing import assess_now
from nativeear.service.api.compat.errors import AZURE, SPEECHACE
from nativeear.service.api.models import MAX_TEXT, PathName, Plain, Tag
from nativeear.service.api.problems import InvalidRequestError, TooLargeError
from nativeear.service.api.state import Service, ServiceDep
from nativeear.speech.errors import AudioError

router = KeyedRouter(tags=["compat"])

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_OF_AZURE = {"requestBody": {"required": True, "content": {"application/octet-stream": _BINARY}}}
_OF_SPEECHACE = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["text", "user_audio_file"],
                    "properties": {
                        "text": {"type": "string"},
                        "user_audio_file": {"type": "string", "format": "binary"},
                        "include_fluency": {"type": "string"},
                    },
                }
            }
        },
    }
}


def _told(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"description": "As the other service tells it."} for status in statuses}


_ERRORS = _told(400, 401, 403, 408, 413, 415, 422, 429, 500, 501, 503, 504)


@router.post(
    AZURE + "speech/recognition/conversation/cognitiveservices/v1",
    summary="Assess as Azure does",
    response_class=JSONResponse,
    openapi_extra=_OF_AZURE,
    responses=_ERRORS,
)
async def azure_assess(
    *,
    request: Request,
    service: ServiceDep,
    caller: Assessing,
    language: Annotated[Tag, Query(description="BCP 47 tag.")],
    pronunciation_assessment: Annotated[str | None, Header(description="Base64 of JSON.")] = None,
) -> Any:
    """Azure's speech to text for short audio, with its header `Pronunciation-Assessment`."""
    asked = azure.options_of(pronunciation_assessment)
    data = await request.body()
    _refuse_large(service, caller, len(data))
    text = asked.reference_text.strip() or None
    try:
        result = await assess_now(service, request, caller, data, text=text, language=language)
    except AudioError as error:
        if not _is_silent(error):
            raise
        return JSONResponse(azure.silent())
    return JSONResponse(azure.answered(result, asked))


@router.post(
    SPEECHACE + "api/scoring/text/{version}/json",
    summary="Assess as SpeechAce does",
    response_class=JSONResponse,
    openapi_extra=_OF_SPEECHACE,
    responses=_ERRORS,
)
async def speechace_assess(
    *,
    request: Request,
    service: ServiceDep,
    caller: Assessing,
    version: str,  # noqa: ARG001, every one has these fields
    dialect: Annotated[Tag, Query(description="`en-us` and the like.")] = "en-us",
    user_id: Annotated[PathName | None, Query(description="Whose history it belongs to.")] = None,
    key: Annotated[str | None, Query(description="A key, `nek_…`."), Plain] = None,  # noqa: ARG001
) -> Any:
    """SpeechAce's scoring of a text that was read aloud."""
    async with request.form(max_files=1, max_part_size=64 << 10) as form:
        if (fault := _fault_of(form)) is not None:
            return _refused(*fault)
        text, upload = str(form["text"]), cast("UploadFile", form["user_audio_file"])
        data = await service.decoder.read(upload, caller)
        fluency = form.get("include_fluency") in {"1", "true"}
    try:
        result = await assess_now(
            service,
            request,
            caller,
            data,
            text=text.strip(),
            language=speechace.language_of(dialect),
            learner_id=user_id,
        )
    except AudioError as error:
        if not _is_silent(error):
            raise
        return _refused("error_no_speech", error.message)
    if result.of_another_text:
        return _refused("error_word_alignment", result.warnings[0])
    return JSONResponse(speechace.answered(result, text, fluency=fluency))


def _fault_of(form: FormData) -> tuple[str, str] | None:
    """Why a form cannot be answered: SpeechAce's name for it, and what it is about."""
    text = form.get("text")
    if not isinstance(form.get("user_audio_file"), UploadFile):
        return "error_audio_missing", "user_audio_file"
    if not isinstance(text, str) or not text.strip():
        return "error_missing_parameters", "text"
    if len(text) > MAX_TEXT or "\0" in text:
        return "error_text_too_long", f"More than {MAX_TEXT} characters."
    if form.get("markup_language"):
        return "error_feature_unavailable", "markup_language"
    return None


def _refused(short: str, detail: str) -> JSONResponse:
    told = {"status": "error", "short_message": short, "detail_message": detail}
    return JSONResponse(told, 400)


def _refuse_large(service: Service, caller: Caller, count: int) -> None:
    most = caller.max_bytes or service.settings.max_bytes
    if count > most:
        raise TooLargeError(f"The recording has more than {most:,} bytes.")
    if not count:
        raise InvalidRequestError("There is no audio in the body.", fix="Send a WAV or Ogg file.")


def _is_silent(error: AudioError) -> bool:
    """Whether a recording was refused since nobody speaks in it, see `speech.sound_checks`."""
    return error.message.endswith(("is silent.", "no sound."))
