"""Who is told when work has ended, and where that may never lead."""

import asyncio
import ipaddress
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from fastapi.testclient import TestClient

from nativeear.service.api.settings import ServiceSettings
from nativeear.service.api.webhook_sending import (
    UndeliveredError,
    check_url,
    is_reachable,
    send,
    signature,
)
from nativeear.service.api.webhook_worker import WebhookWorker
from nativeear.service.database.queue import Recording
from nativeear.speech.errors import InputError
from tests.service.api.conftest import client_of

HERE = ("127.0.0.0/8",)


def test_a_message_is_signed_as_standard_webhooks_has_it() -> None:
    """The example of https://github.com/standard-webhooks/standard-webhooks."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105
    body = '{"test": 2432232314}'
    signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "0.1.2.3"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1"),
        *("ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::"),
        *("192.0.0.8", "192.0.0.170", "192.0.2.1", "198.18.0.1", "fec0::1", "::ffff:192.0.0.8"),
    ],
)
def test_private_addresses_are_reached_by_nobody_unless_allowed(address: str) -> None:
    assert not is_reachable(ipaddress.ip_address(address), ())


def test_public_addresses_and_those_that_are_allowed_are_reached() -> None:
    assert is_reachable(ipaddress.ip_address("127.0.0.9"), HERE)
    assert not is_reachable(ipaddress.ip_address("10.0.0.9"), HERE)
    assert is_reachable(ipaddress.ip_address("93.184.216.34"), ())
    assert is_reachable(ipaddress.ip_address("2606:4700::1111"), ())


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://a.example", "https://", "https://a.example:99999", "https://u:p@a.example"),
        *("https://127.0.0.1/x", "https://[::1]/", "http://a.example", "https://a b.example"),
        *("https://localhost/", "https://a.localhost./", "https://127.1/", "https://0x7f000001/"),
        *("https://a.example/\r\nX: y", "file:///etc/passwd", "https://\u00e4.example", "x"),
    ],
)
def test_what_is_no_webhook_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        check_url(url, ())


def test_what_may_be_one_is_taken() -> None:
    check_url("https://a.example:8443/x?y=1", ())
    check_url("http://127.0.0.1:9/x", HERE)


class Listener:
    """Answers every request with one status, and keeps what came."""

    def __init__(self, status: str) -> None:
        self.status = status
        self.heard: list[bytes] = []

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._hear, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/told?by=us"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        self.heard.append(head + await reader.readexactly(length))
        writer.write(f"HTTP/1.1 {self.status}\r\nLocation: http://10.0.0.1/\r\n\r\n".encode())
        await writer.drain()
        writer.close()


def test_an_address_is_told_and_its_answer_read() -> None:
    async def told(status: str, allowed: tuple[str, ...]) -> list[bytes]:
        listener = Listener(status)
        async with listener as url:
            await send(url, {"Webhook-Id": "msg_1"}, '{"type": "job.done"}', allowed)
        return listener.heard

    (heard,) = asyncio.run(told("204 No content", HERE))
    assert heard.startswith(b"POST /told?by=us HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Webhook-Id: msg_1\r\n" in heard
    assert heard.endswith(b'\r\n\r\n{"type": "job.done"}')
    with pytest.raises(UndeliveredError, match="answered 302"):  # and goes nowhere else
        asyncio.run(told("302 Found", HERE))
    with pytest.raises(UndeliveredError, match="private"):
        asyncio.run(told("200 OK", ()))
    with pytest.raises(UndeliveredError, match="cannot be reached"):
        asyncio.run(send("http://127.0.0.1:1/", {}, "{}", HERE))


def test_a_name_is_resolved_once_and_every_address_of_it_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    connected: list[str] = []

    async def told(*addresses: str) -> None:
        async def resolve(host: str, port: int, **_: object) -> list[tuple]:
            asked.append(host)
            return [(0, 0, 0, "", (address, port)) for address in addresses]

        async def connect(address: str, *_: object, **__: object) -> None:
            connected.append(address)
            raise OSError("nobody there")

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "getaddrinfo", resolve, raising=False)
        monkeypatch.setattr(asyncio, "open_connection", connect)
        await send("https://rebinding.example/", {}, "{}", ())

    with pytest.raises(UndeliveredError, match="private"):
        asyncio.run(told("93.184.216.34", "127.0.0.1"))
    assert connected == []
    with pytest.raises(UndeliveredError, match="nobody there"):
        asyncio.run(told("93.184.216.34"))
    assert (asked, connected) == (["rebinding.example"] * 2, ["93.184.216.34"])


@pytest.fixture
def quick(settings: ServiceSettings, tmp_path) -> Iterator[TestClient]:
    """A service that takes work, and never begins any."""
    database = f"sqlite:///{tmp_path / 'service.db'}"
    client = client_of(replace(settings, database=database, webhook_networks=HERE))
    yield client
    client.app.state.service.store.close()


def test_the_end_of_a_job_is_told_until_it_is_heard(quick: TestClient) -> None:
    store = quick.app.state.service.store
    created = quick.post("/v1/webhooks", json={"url": "http://127.0.0.1:9/"})
    assert created.status_code == 201
    assert quick.post("/v1/webhooks", json={"url": "https://10.0.0.1/"}).status_code == 422
    job = store.create_job("assessment", "{}", key_id=None, recording=Recording(b"x")).id
    assert store.cancel_queued(job, key_id=None)

    async def all_of_it() -> list[bytes]:
        listener, worker = Listener("500 Broken"), WebhookWorker(store, HERE)
        later = datetime.now(timezone.utc)
        async with listener as url:
            for status in ("500 Broken", "200 OK", "200 OK"):
                listener.status = status
                later += timedelta(days=2)
                for delivery in store.claim_deliveries(later, 9):
                    await worker.deliver(replace(delivery, url=url))
        return listener.heard

    heard = asyncio.run(all_of_it())
    assert len(heard) == 2
    first, second = map(head_of, heard)
    assert first["webhook-id"] == second["webhook-id"]
    body = heard[1].partition(b"\r\n\r\n")[2].decode()
    told = json.loads(body)
    assert (told["type"], told["data"]["id"]) == ("job.cancelled", job)
    id, at = second["webhook-id"], int(second["webhook-timestamp"])
    assert second["webhook-signature"] == signature(created.json()["secret"], id, at, body)
    (item,) = quick.get("/v1/webhooks").json()["items"]
    assert "secret" not in item
    assert quick.delete(f"/v1/webhooks/{item['id']}").status_code == 204
    assert quick.get("/v1/webhooks").json()["items"] == []


def head_of(heard: bytes) -> dict[str, str]:
    lines = heard.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}
