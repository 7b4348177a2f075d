"""What models elsewhere make of a recording or its words: whether they may, and asking them."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import Form

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.engine import Work
from nativeear.service.api.models import Topic
from nativeear.service.api.state import Service
from nativeear.service.language_use import with_language_use
from nativeear.service.second_ear import with_second_ear

SecondEarField = Annotated[
    bool | None,
    Form(description="Whether the model elsewhere hears it, too, where there is one."),
]
LanguageUseField = Annotated[
    bool | None,
    Form(
        description="Of free speech: whether the language model elsewhere reads the recognised "
        "words, where there is one."
    ),
]
TopicField = Annotated[
    Topic | None,
    Form(description="What was to be spoken of, for the relevance in `language_use`."),
]


def said_of_elsewhere(
    second_ear: bool | None, language_use: bool | None, topic: str | None
) -> dict[str, Any]:
    """What a form says of them; nothing where nothing was said, as before there were any.

    So the idempotency keys of earlier releases stay valid.
    """
    said = {"second_ear": second_ear, "language_use": language_use, "topic": topic}
    return {name: value for name, value in said.items() if value is not None and value != ""}


async def asked_elsewhere(service: Service, work: Work, result: Assessment) -> Assessment:
    """The result with what others say, where the service has them and the request allows it.

    It waits in threads of its own, so that a slow endpoint holds up nobody who does not ask it.
    """
    judge, text_judge = service.settings.judge, service.settings.text_judge
    if judge is not None and work.second_ear:
        result = await to_thread.run_sync(
            with_second_ear, result, work.audio, judge, limiter=service.judging
        )
    if text_judge is not None and work.free and work.language_use:
        result = await to_thread.run_sync(
            with_language_use, result, text_judge, work.topic, limiter=service.judging
        )
    return result
