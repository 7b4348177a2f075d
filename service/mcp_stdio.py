"""A server of the Model Context Protocol that answers all it was asked before it ends.

The SDK's own drops what is unanswered when its input ends, so that requests that are piped into it
(`nativeear mcp < requests`) would get no answer.
"""

from __future__ import annotations

from typing import Any

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

_LOOK_S = 0.05
_Heard = SessionMessage | Exception


class AnsweringServer(MCPServer[Any]):
    """As its base, but the end of its input is the end of questions, not of answers."""

    async def run_stdio_async(self) -> None:
        """Serve one client on standard input and output."""
        unanswered: set[str | int] = set()
        to_server, questions = anyio.create_memory_object_stream[_Heard](0)
        answers, from_server = anyio.create_memory_object_stream[SessionMessage](0)

        async def hear() -> None:
            async with to_server:
                async for heard in read:
                    message = heard.message if isinstance(heard, SessionMessage) else None
                    if isinstance(message, JSONRPCRequest):
                        unanswered.add(message.id)
                    elif (
                        isinstance(message, JSONRPCNotification)
                        and message.method == "notifications/cancelled"
                    ):
                        unanswered.discard((message.params or {}).get("requestId", ""))
                    await to_server.send(heard)
                while unanswered:
                    await anyio.sleep(_LOOK_S)

        async def tell() -> None:
            async with write:
                async for told in from_server:
                    await write.send(told)
                    if isinstance(told.message, JSONRPCResponse | JSONRPCError):
                        unanswered.discard(told.message.id or "")

        async with stdio_server() as (read, write), anyio.create_task_group() as tasks:
            tasks.start_soon(hear)
            tasks.start_soon(tell)
            own = self._lowlevel_server
            async with answers:
                await own.run(questions, answers, own.create_initialization_options())
