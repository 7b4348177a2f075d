"""A recording sent while it is spoken, and words as they are finished."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from nativeear.scoring.assessment import Assessment, WordAssessment
from nativeear.service.api.problem import Problem
from nativeear.service.client.connection import Connection, ProblemError
from nativeear.speech.extras import needing


@dataclass(frozen=True)
class FinishedWord:
    """A word that was finished while a stream was still being spoken.

    Attributes
    ----------
    place
        Which word of the text it is, from 0.
    word
        What is known of it so far; the final Assessment may say it better.
    heard_s
        How much had been heard by then, in seconds.
    """

    place: int
    word: WordAssessment
    heard_s: float


def stream(
    connection: Connection, samples: Iterable[bytes], options: Mapping[str, object]
) -> Iterator[FinishedWord | Assessment]:
    """Send samples in a thread of their own, and yield what comes; see `Client.stream`."""
    with needing("stream", "Streaming"):
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

    address = f"ws{connection.url.removeprefix('http')}/v1/stream"
    headers = {"Cookie": connection.cookies} if connection.csrf else {}
    try:
        with connect(address, max_size=None, additional_headers=headers) as socket:
            socket.send(json.dumps({**options, "key": connection.key, "csrf": connection.csrf}))

            def speak() -> None:
                with suppress(WebSocketException):  # whoever reads is told why it was closed
                    for part in samples:
                        socket.send(part)
                    socket.send(json.dumps({"end": True}))

            threading.Thread(target=speak, name="stream", daemon=True).start()
            for text in socket:
                found = message_of(text)
                if found is not None:
                    yield found
    except (OSError, WebSocketException) as error:
        raise connection.unreachable(error) from error


def message_of(text: str | bytes) -> FinishedWord | Assessment | None:
    """What the service says in a stream; None of what a client need not know.

    Raises
    ------
    ProblemError
        If it is a problem.
    """
    message = json.loads(text)
    if "problem" in message:
        raise ProblemError.of(Problem.model_validate(message["problem"]))
    if "word" in message:
        word = WordAssessment.model_validate(message["word"])
        return FinishedWord(message["place"], word, message["heard_s"])
    return Assessment.model_validate(message["final"]) if "final" in message else None
