"""The server that runs the application until it is told to stop."""

from __future__ import annotations

import logging
import socket
from types import FrameType

import uvicorn

from service.api.application import create_application
from service.api.engine import LONGEST_RETRY_S
from service.api.settings import ServiceSettings
from service.api.state import Service

logger = logging.getLogger("nativeear.service")

KEEP_ALIVE_S = LONGEST_RETRY_S + 15
"""A client that waits as long as `Retry-After` says finds its connection still open: one that is
closed meanwhile breaks under the body that is sent next, and no answer can be read from it."""


class _Server(uvicorn.Server):
    """A server that tells the service at once that it is to stop.

    Streams and events end then, and new requests are refused; what runs is finished.
    """

    service: Service

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say where it listens, once it does."""
        await super().startup(sockets)
        for server in getattr(self, "servers", ()):
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                logger.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.service.engine.refuse_new()
        super().handle_exit(sig, frame)


def run(settings: ServiceSettings) -> None:
    """Serve until a signal comes.

    Raises
    ------
    NativeEarError
        If the service cannot start.
    """
    for chatty in ("faiss", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    application = create_application(settings)
    server = _Server(
        uvicorn.Config(
            application,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(settings.drain_s) + 1,
            ws_max_size=1 << 20,
            h11_max_incomplete_event_size=64 << 10,
        )
    )
    server.service = application.state.service
    server.run()
