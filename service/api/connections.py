"""Connections: how many there may be, how fast they come, and how long each may keep silent.

A server that has no more room for a connection answers nobody, and a connection costs a client
nothing. So there is always room for the next: the one whose client has been silent for longest
goes, of the client that has most. A client is an address, or a network of 64 bits in IPv6.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import Counter
from collections.abc import Collection, Iterable
from functools import lru_cache
from time import monotonic
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from nativeear.service.api.limits import TokenBucket
from nativeear.service.api.metrics import Metrics
from nativeear.service.api.problem import Problem
from nativeear.service.api.problems import MEDIA_TYPE

HEAD_S = 10.0
"""How long the head of a request may take, and the rest of a body that nobody reads any more."""

LOOK_S = 1.0
"""How often silent connections are looked for."""

_STALLED_S = 60.0  # an answer of which nothing was taken for so long is given up
_SEND_BUFFER = 256 << 10  # the system's, which grows to megabytes, and would hide how much is read
_BURST_S = 5.0  # a full bucket holds what comes in so many seconds
_MOST_BUCKETS = 10_000


class Connections:
    """Decides which connections there are. Belongs to one event loop.

    Parameters
    ----------
    metrics
        Where those that were closed are counted.
    most, most_per_client
        How many there may be.
    rate, rate_per_client
        How many may come each second; five times as many at once.
    proxies
        Addresses and networks whose connections are those of many clients: no bound per client.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        most: int,
        most_per_client: int,
        rate: float,
        rate_per_client: float,
        proxies: Iterable[str] = (),
    ) -> None:
        self._metrics = metrics
        self._most = most
        self._most_per_client = most_per_client
        self._rate_per_client = rate_per_client
        self._everybody = TokenBucket(_BURST_S * rate, rate)
        self._buckets: dict[str, TokenBucket] = {}
        self._proxies = tuple(ipaddress.ip_network(proxy, strict=False) for proxy in proxies)
        self._unread: dict[asyncio.Transport, tuple[float, tuple[int, float]]] = {}

    def comes_too_fast(self, client: str) -> bool:
        """Whether a client, or all together, connect more often than they may."""
        if self._is_proxy(client):
            return False
        owner = network_of(client)
        bucket = self._buckets.get(owner)
        if bucket is None:
            if len(self._buckets) >= _MOST_BUCKETS:
                del self._buckets[next(iter(self._buckets))]
            bucket = TokenBucket(_BURST_S * self._rate_per_client, self._rate_per_client)
            self._buckets[owner] = bucket
        return bucket.take() > 0 or self._everybody.take() > 0

    def make_room(self, newcomer: BoundedProtocol, present: Collection[Any]) -> bool:
        """Close the connection that is in the way of a new one; False if none may be closed.

        Parameters
        ----------
        newcomer
            The new one.
        present
            Protocols of uvicorn: all that are there, the new one among them.
        """
        if len(present) <= min(self._most, self._most_per_client):
            return True
        alive = [one for one in present if not _is_gone(one.transport)]
        mine = [one for one in alive if owner_of(one) == owner_of(newcomer)]
        if len(mine) > self._most_per_client and not self._is_proxy(address_of(newcomer)):
            return self._drop_most_silent(mine, newcomer)
        if len(alive) <= self._most:
            return True
        owners = Counter(owner_of(one) for one in alive)
        return any(
            self._drop_most_silent([one for one in alive if owner_of(one) == owner], newcomer)
            for owner, _ in owners.most_common()
        )

    def look(self, present: Iterable[Any]) -> None:
        """Close the connections whose client does not do its part; called every `LOOK_S`."""
        now = monotonic()
        unread: dict[asyncio.Transport, tuple[float, tuple[int, float]]] = {}
        for one in list(present):
            transport = one.transport
            if left := transport.get_write_buffer_size():
                seen = (left, getattr(one, "heard_at", 0.0))  # answers may be alike in length
                since, before = self._unread.get(transport, (now, seen))
                if seen != before:
                    since = now
                if now - since < _STALLED_S:
                    unread[transport] = (since, seen)
                else:
                    self.count("not read")
                    transport.abort()
            elif isinstance(one, BoundedProtocol) and one.is_late(now):
                self.count("too slow")
                one.give_up()
        self._unread = unread

    def count(self, why: str) -> None:
        """Count a connection that is closed."""
        self._metrics.closed.labels(why).inc()

    def _drop_most_silent(self, among: Iterable[Any], newcomer: BoundedProtocol) -> bool:
        waiting = [
            one
            for one in among
            if isinstance(one, BoundedProtocol) and one is not newcomer and one.awaits_client
        ]
        if not waiting:
            return False
        self.count("too many")
        min(waiting, key=lambda one: one.heard_at).transport.abort()
        return True

    def _is_proxy(self, client: str) -> bool:
        if not client or not self._proxies:
            return not client
        address = ipaddress.ip_address(client.partition("%")[0])
        return any(address in network for network in self._proxies)


class BoundedProtocol(H11Protocol):
    """An HTTP connection that knows for how long its client has been silent.

    Parameters
    ----------
    guard
        Decides whether it may be.
    """

    def __init__(self, *args: Any, guard: Connections, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self._guard = guard
        self._began_at = monotonic()
        self._has_begun = False
        self.heard_at = self._began_at

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let it in, or refuse it."""
        super().connection_made(transport)
        if wire := transport.get_extra_info("socket"):
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        if self._guard.comes_too_fast(address_of(self)):
            self._guard.count("too fast")
            transport.abort()
        elif not self._guard.make_room(self, self.connections):
            self._guard.count("too many")
            self.refuse(503, "busy", "The service has no room for another connection.")

    def data_received(self, data: bytes) -> None:
        """Hear more of the client."""
        self.heard_at = monotonic()
        if not self._has_begun:
            self._has_begun, self._began_at = True, self.heard_at
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Wait for the next request, or for what is left of the body of this one."""
        self._has_begun = self.conn.their_state is h11.SEND_BODY
        self.heard_at = self._began_at = monotonic()
        super().on_response_complete()

    @property
    def awaits_client(self) -> bool:
        """Whether the next thing has to come from the client: a request, or more of one."""
        return self.conn.their_state in {h11.IDLE, h11.SEND_BODY}

    def is_late(self, now: float) -> bool:
        """Whether a head has taken too long, or the rest of a body that nobody reads."""
        answered = self.cycle is None or self.cycle.response_complete
        fresh = self.cycle is None and not self._has_begun
        waits = answered and (self._has_begun or fresh)
        return waits and self.awaits_client and now - self._began_at >= HEAD_S

    def give_up(self) -> None:
        """Close it; whoever began a request is told why."""
        if self.conn.trailing_data[0] and self.conn.their_state is h11.IDLE:
            self.refuse(408, "too-slow", "The head of the request came too slowly.")
        else:
            self.transport.close()

    def refuse(self, status: int, code: str, detail: str) -> None:
        """Answer without reading, and close."""
        self._unset_keepalive_if_required()
        problem = Problem.of(code, status, detail, fix="Try again in a few seconds.")
        body = problem.model_dump_json().encode()
        head = (
            f"HTTP/1.1 {status} {problem.title}\r\nContent-Type: {MEDIA_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nRetry-After: 5\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


@lru_cache(maxsize=4096)
def network_of(client: str) -> str:
    """Who counts as one client: an address, or the network of 64 bits of one in IPv6."""
    if ":" not in client:
        return client
    address = ipaddress.IPv6Address(client.partition("%")[0])
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))


def address_of(protocol: Any) -> str:
    """The address at the other end of a protocol of uvicorn; empty where there is none."""
    return protocol.client[0] if protocol.client else ""


def owner_of(protocol: Any) -> str:
    """The client that a protocol of uvicorn belongs to."""
    return network_of(address_of(protocol))


def _is_gone(transport: asyncio.Transport) -> bool:
    return transport.is_closing() and transport.get_write_buffer_size() == 0
