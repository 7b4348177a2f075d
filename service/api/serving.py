"""The server that runs the application until it is told to stop."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from functools import partial
from types import FrameType

import uvicorn
from fastapi import FastAPI

from nativeear.service.api.application import create_application
from nativeear.service.api.connections import LOOK_S, BoundedProtocol, Connections
from nativeear.service.api.engine import LONGEST_RETRY_S
from nativeear.service.api.freed import share_one_arena
from nativeear.service.api.logs import write_log
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.api.state import Service
from nativeear.speech.errors import InputError

logger = logging.getLogger("nativeear.service")

KEEP_ALIVE_S = LONGEST_RETRY_S + 15
"""A client that waits as long as `Retry-After` says finds its connection still open: one that is
closed meanwhile breaks under the body that is sent next, and no answer can be read from it."""

_QUEUE = 1024
"""Connections that may wait to be taken, with the system. Where it is full, clients knock again
after a second."""

_AT_ONCE = 16
"""Connections that are taken at once, before any of them is looked at."""

_OTHER_FILES = 64 + 6 * _AT_ONCE
"""Index, database, log, recordings that are read (some 30 in all), and the connections that are
taken and not yet looked at, or closed and not yet gone."""

_FEWEST = 32  # connections with which a service is worth to be started
_WANTED_FILES = 4096
_TICK_S = 0.1  # of uvicorn


class _Server(uvicorn.Server):
    """A server that tells the service at once that it is to stop.

    Streams and events end then, and new requests are refused; what runs is finished.
    """

    service: Service
    guard: Connections

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections now and then."""
        if counter % round(LOOK_S / _TICK_S) == 0:
            self.guard.look(self.server_state.connections)
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say where it listens, once it does."""
        await super().startup(sockets)
        for server in getattr(self, "servers", ()):
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                with listening.dup() as queue:
                    queue.listen(_QUEUE)  # asyncio takes at once as many as it lets wait
                logger.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.service.engine.refuse_new()
        super().handle_exit(sig, frame)


def server_of(application: FastAPI) -> _Server:
    """The server of an application, with bounds on what a client can do to it."""
    service: Service = application.state.service
    settings = service.settings
    guard = Connections(
        service.metrics,
        most=min(settings.connections, _files() - _OTHER_FILES),
        most_per_client=settings.connections_per_client,
        rate=settings.connections_per_s,
        rate_per_client=settings.connections_per_client_per_s,
        proxies=settings.proxies,
    )
    server = _Server(
        uvicorn.Config(
            application,
            host=settings.host,
            port=settings.port,
            http=partial(BoundedProtocol, guard=guard),  # type: ignore[arg-type]
            log_config=None,  # what it says goes where all goes
            log_level="warning",
            server_header=False,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=list(settings.proxies),
            backlog=_AT_ONCE,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(settings.drain_s) + 1,
            ws_max_size=1 << 20,
            h11_max_incomplete_event_size=64 << 10,
        )
    )
    server.service = service
    server.guard = guard
    return server


def _files() -> int:
    """Files that may be open at a time, after as many were asked for as there can be."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return 1 << 20
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    if soft == resource.RLIM_INFINITY:
        return _WANTED_FILES
    if soft < _OTHER_FILES + _FEWEST:
        raise InputError(
            f"Only {soft} files may be open at a time, which is too little for a service.",
            fix=f"Raise the limit, for instance with `ulimit -n {_WANTED_FILES}`.",
        )
    return soft


def run(settings: ServiceSettings) -> None:
    """Serve until a signal comes.

    Raises
    ------
    NativeEarError
        If the service cannot start.
    """
    share_one_arena()
    write_log(settings.log_level)
    server_of(create_application(settings)).run()
