"""A recording sent while it is spoken, and words as they are finished, without blocking."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import suppress

from nativeear.scoring.assessment import Assessment
from nativeear.service.client.asynchronous.connection import AsyncConnection
from nativeear.service.client.streaming import FinishedWord, message_of
from nativeear.speech.extras import needing


async def stream(
    connection: AsyncConnection, samples: AsyncIterable[bytes], options: Mapping[str, object]
) -> AsyncIterator[FinishedWord | Assessment]:
    """Send samples in a task of their own, and yield what comes; see `AsyncClient.stream`."""
    with needing("stream", "Streaming"):
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

    address = f"ws{connection.url.removeprefix('http')}/v1/stream"
    headers = {"Cookie": connection.cookies} if connection.csrf else {}
    try:
        async with connect(address, max_size=None, additional_headers=headers) as socket:
            told = {**options, "key": connection.key, "csrf": connection.csrf}
            await socket.send(json.dumps(told))

            async def speak() -> None:
                with suppress(WebSocketException):  # whoever reads is told why it was closed
                    async for part in samples:
                        await socket.send(part)
                    await socket.send(json.dumps({"end": True}))

            speaking = asyncio.create_task(speak())
            try:
                async for text in socket:
                    found = message_of(text)
                    if found is not None:
                        yield found
            finally:
                speaking.cancel()
    except (OSError, WebSocketException) as error:
        raise connection.unreachable(error) from error
