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
    with needing("server", "Streaming"):
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

    address = f"ws{connection.url.removeprefix('http')}/v1/stream"
    try:
        with connect(address, max_size=None) as socket:
            socket.send(json.dumps({**options, "key": connection.key}))

            def speak() -> None:
                with suppress(WebSocketException):  # whoever reads is told why it was closed
                    for part in samples:
                        socket.send(part)
                    socket.send(json.dumps({"end": True}))

            threading.Thread(target=speak, name="stream", daemon=True).start()
            for text in socket:
                message = json.loads(text)
                if "problem" in message:
                    raise ProblemError.of(Problem.model_validate(message["problem"]))
                if "word" in message:
                    word = WordAssessment.model_validate(message["word"])
                    yield FinishedWord(message["place"], word, message["heard_s"])
                if "final" in message:
                    yield Assessment.model_validate(message["final"])
    except (OSError, WebSocketException) as error:
        raise connection.unreachable(error) from error
