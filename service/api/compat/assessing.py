"""One recording, assessed at once for a request in another service's shape."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from fastapi import Request

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.access_log import TEXT
from nativeear.service.api.authentication import Caller
from nativeear.service.api.quota import reservation_of
from nativeear.service.api.state import Service
from nativeear.service.api.submissions import Submission, attributed, save, target_of


async def assess_now(
    service: Service,
    request: Request,
    caller: Caller,
    data: bytes,
    *,
    text: str | None,
    language: str | None,
    learner_id: str | None = None,
) -> Assessment:
    """Assess a recording against a text, or freely without one, and store the result."""
    form: dict[str, Any] = {
        "text": text,
        "phones": None,
        "language": language,
        "index": None,
        "l1": None,
        "learner_id": learner_id,
        "group": None,
        "calibration": "auto",
        "keep_audio": False,
        **({} if text else {"free": True}),
    }
    request.scope["state"][TEXT] = text
    form = await to_thread.run_sync(attributed, service, caller, form)
    recording = await service.decoder.decode(data, caller.max_audio_s)
    caller.refuse_speech(recording.duration_s)
    reservation_of(request).take(recording.samples.nbytes)
    target = await to_thread.run_sync(target_of, service, form)
    work = target.work(recording)
    result = await service.engine.answer(service.engine.submit(work), _gone(request))
    await to_thread.run_sync(save, service, work, Submission(caller.key_id, form), result)
    return result


async def _gone(request: Request) -> None:
    """Wait until the client leaves. The body has been read: nothing else can come."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
