"""The service behind real sockets, without an index: nothing is loaded."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nativeear.service.api.application import create_application
from nativeear.service.api.serving import server_of
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.api.state import Service


@dataclass(frozen=True)
class Listening:
    port: int
    service: Service

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 20, (source, 0))

    def begun(self, head: str, source: str = "127.0.0.1") -> socket.socket:
        """A connection over which something was sent, a whole head or half of one."""
        connection = self.connect(source)
        connection.sendall(head.replace("\n", "\r\n").encode())
        return connection


@contextmanager
def listening(settings: ServiceSettings) -> Iterator[Listening]:
    application = create_application(settings)
    server = server_of(application)
    server.config.port = 0
    server.config.lifespan = "off"
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 120
        while not server.started:
            assert time.monotonic() < until
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Listening(port, application.state.service)
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
        application.state.service.store.close()


def answer(connection: socket.socket) -> tuple[int, Any]:
    """The status and the JSON of the next answer; (0, None) where the connection just ends."""
    told = b""
    while b"\r\n\r\n" not in told:
        piece = connection.recv(65536)
        if not piece:
            return 0, None
        told += piece
    head, _, body = told.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        piece = connection.recv(65536)
        assert piece, "the answer is cut"
        body += piece
    return int(head.split()[1]), json.loads(body[:length] or b"null")
