"""The body of a request: how long it may be, how long it may take, and what it holds meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from nativeear.service.api.problems import ServiceError, TooLargeError, TooSlowError
from nativeear.service.api.quota import ByteQuota

PATIENCE_S = 20.0
"""How long a client may be waited for in all, however little it sends."""

SLOWEST_BYTES_PER_S = 1000
"""And so much longer as its bytes take at this pace, a quarter of that of the worst telephone."""

_LINGER_S = 5.0


class Body:
    """Receives the body of a request within its bounds.

    Parameters
    ----------
    receive
        Where it comes from.
    headers
        Those of the request.
    """

    def __init__(self, receive: Receive, headers: Headers) -> None:
        self._receive = receive
        self._content_length = headers.get("content-length", "")
        self._ended = not self._content_length and "transfer-encoding" not in headers
        self._is_waited_for = "expect" in headers
        self._limit = 0
        self._count = 0
        self._waited_s = 0.0
        self.reservation = ByteQuota(0).reserve()

    def bound(self, limit: int, quota: ByteQuota) -> None:
        """Bound it before its first byte; what it has so far is held from now on.

        Raises
        ------
        TooLargeError
            If its length is told, and above the limit.
        BusyError
            If the quota has not got as much.
        """
        self._limit = limit
        self.reservation = quota.reserve()
        if self._content_length.isdigit():
            if int(self._content_length) > limit:
                raise self._too_large()
            quota.refuse_without(int(self._content_length))

    async def receive(self) -> Message:
        """What comes next.

        Raises
        ------
        HTTPException
            If it is too long or too slow, or if all hold too much. Only this kind passes through
            the reading of a form unchanged; its cause is the error.
        """
        if self._ended:
            return await self._receive()
        self._is_waited_for = False
        message = await self._next()
        self._count += len(message.get("body", b""))
        try:
            if self._count > self._limit:
                raise self._too_large()
            self.reservation.take(len(message.get("body", b"")))
        except ServiceError as error:
            raise HTTPException(error.status, error.message) from error
        return message

    async def linger(self) -> None:
        """Let what was not read come, for a few seconds, and forget it; nothing is held any more.

        A connection that is closed over an unread body is reset, and the answer may be lost with
        it: a client would be told nothing of why it was refused.
        """
        self.reservation.release()
        if self._is_waited_for:
            return  # for a word that the client never got
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._rest(), _LINGER_S)

    @property
    def is_left(self) -> bool:
        """Whether some of it was not read."""
        return not self._ended

    async def _next(self) -> Message:
        left_s = PATIENCE_S + self._count / SLOWEST_BYTES_PER_S - self._waited_s
        started = monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, left_s))
        except asyncio.TimeoutError:
            slow = TooSlowError(
                "The body of the request came too slowly.",
                cause=f"{self._count:,} bytes came in {self._waited_s + left_s:.0f} s.",
                fix="Send it again over a faster connection, or a smaller recording.",
            )
            raise HTTPException(slow.status, slow.message) from slow
        self._waited_s += monotonic() - started
        self._ended = not message.get("more_body", False)
        return message

    async def _rest(self) -> None:
        while not self._ended:
            self._ended = not (await self._receive()).get("more_body", False)

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"More than {self._limit:,} bytes were sent.")
