"""One POST to an address that somebody else chose, which must not lead into one's own network.

The name is resolved here, every address that it has is looked at, and the connection is made to one
of these: whoever resolves it otherwise a moment later gains nothing. Redirects are not followed, no
proxy is asked, and of the answer only the status is read.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from nativeear.speech.errors import InputError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

WITHIN_S = 15.0
"""How long all of it may take."""

_PREFIX = "whsec_"
_EMBEDDING = tuple(
    map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
)
"""Networks of IPv6 whose addresses stand for others of IPv4."""

_SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "3fff::/20", "5f00::/16"),
    )
)
"""Networks that IANA keeps for purposes of their own and that `is_global` of Python before 3.13
takes for public."""


class UndeliveredError(Exception):
    """An address was not told; why, in a few words."""


def check_url(url: str, allowed: Sequence[str]) -> None:
    """Refuse what can never be told anything.

    Raises
    ------
    InputError
        If it is no plain address of the web, or is not to be reached from here.
    """
    fix = "Give an address such as https://school.example/nativeear."
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise InputError("That is no address of the web.", cause=str(error), fix=fix) from None
    plain = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in {"https", "http"} or not host or not plain or port == 0:
        raise InputError("That is no address of the web.", fix=fix)
    if parts.username is not None or parts.password is not None:
        raise InputError("A webhook has no name and no password in its address.", fix=fix)
    if parts.scheme == "http" and not allowed:
        raise InputError("A webhook is told over https only.", fix=fix)
    address = _written(host)
    if address is not None and not is_reachable(address, allowed):
        raise InputError(
            "A webhook may not lead to a private address.",
            fix="Give a public one, or start the service with --webhook-allow NETWORK.",
        )


def _written(host: str) -> Address | None:
    """The address that a host is written as, in any of its ways; None for a name."""
    if host.rstrip(".").rpartition(".")[2] == "localhost":
        return ipaddress.IPv4Address("127.0.0.1")
    with suppress(ValueError):
        return ipaddress.ip_address(host)
    with suppress(OSError):  # 127.1, 0x7f000001
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    return None


def is_reachable(address: Address, allowed: Sequence[str]) -> bool:
    """Whether an address is public, or lies in a network that is allowed by name."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in ipaddress.ip_network(network) for network in allowed):
        return True
    if any(address in network for network in (*_EMBEDDING, *_SPECIAL)):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def signature(secret: str, id: str, timestamp: int, body: str) -> str:
    """What proves that a message comes from here, as Standard Webhooks 1.0 has it."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = hmac.digest(key, f"{id}.{timestamp}.{body}".encode(), hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


async def send(url: str, headers: dict[str, str], body: str, allowed: Sequence[str]) -> None:
    """Send a body of JSON.

    Raises
    ------
    UndeliveredError
        If it was not taken with a status of 200 to 299 in time.
    """
    try:
        status = await asyncio.wait_for(_status(urlsplit(url), headers, body, allowed), WITHIN_S)
    except asyncio.TimeoutError:
        raise UndeliveredError(f"It did not answer within {WITHIN_S:g} s.") from None
    except (OSError, ValueError, asyncio.IncompleteReadError) as error:
        raise UndeliveredError(f"It cannot be reached: {error}") from error
    if not 200 <= status < 300:
        raise UndeliveredError(f"It answered {status}.")


async def _status(
    parts: SplitResult, headers: dict[str, str], body: str, allowed: Sequence[str]
) -> int:
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    address = await _resolved(host, port, allowed)
    if not secure and not any(address in ipaddress.ip_network(one) for one in allowed):
        raise UndeliveredError("It is told over https only.")
    context = ssl.create_default_context() if secure else None
    reader, writer = await asyncio.open_connection(
        str(address), port, ssl=context, server_hostname=host if secure else None
    )
    try:
        writer.write(_request(parts, headers, body.encode()))
        await writer.drain()
        version, _, rest = (await reader.readline()).decode("latin-1").partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
            raise UndeliveredError("It does not speak HTTP.")
        return int(rest[:3])
    finally:
        writer.close()


async def _resolved(host: str, port: int, allowed: Sequence[str]) -> Address:
    """An address of a name, if it may be reached at each that it has."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(place[0]) for *_, place in found]
    if not addresses or not all(is_reachable(one, allowed) for one in addresses):
        raise UndeliveredError("It leads to a private address.")
    return addresses[0]


def _request(parts: SplitResult, headers: dict[str, str], body: bytes) -> bytes:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    told = {
        "Host": parts.netloc,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {told[name]}\r\n" for name in told)
    return f"{head}\r\n".encode("ascii") + body
