"""Clients that connect and do not do their part, over real sockets."""

import http.client
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nativeear.service.api import connections
from nativeear.service.api.connections import network_of
from nativeear.service.api.logs import BURST, Throttle
from nativeear.service.api.settings import ServiceSettings
from tests.service.api.listening import Listening, answer, listening
from tests.service.api.test_edge import key
from tests.service.api.test_serving import Served

HALF = "GET /healthz HTTP/1.1\nHost: localhost\nX-"
WHOLE = "GET /healthz HTTP/1.1\nHost: localhost\n\n"
HALF_BODY = "POST /v1/validate HTTP/1.1\nHost: localhost\nContent-Length: 100\n\n{"


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(database=f"sqlite:///{tmp_path / 'few.db'}", indexes=("en-US",))


@pytest.fixture
def few(settings: ServiceSettings) -> Iterator[Listening]:
    with listening(replace(settings, connections=20, connections_per_client=8)) as served:
        yield served


def closed(served: Listening, why: str) -> float:
    return served.service.metrics.closed.labels(why)._value.get()


def is_open(connection: socket.socket) -> bool:
    connection.settimeout(0.05)
    try:
        return connection.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def heard(connection: socket.socket, words: bytes) -> None:
    told = b""
    while words not in told:
        piece = connection.recv(65536)
        assert piece, told
        told += piece


def asked(served: Listening, source: str) -> None:
    """A whole request, which is answered before the socket's patience of 20 s ends."""
    with served.begun(WHOLE, source) as connection:
        assert answer(connection)[0] == 200


def eventually(true: Callable[[], bool], within_s: float = 60.0) -> None:
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is closed because it is slow: room comes by another way, or not in time."""
    monkeypatch.setattr(connections, "HEAD_S", 120.0)
    monkeypatch.setattr("nativeear.service.api.body.PATIENCE_S", 120.0)


@pytest.mark.parametrize("half", [HALF, HALF_BODY, ""])
@pytest.mark.usefixtures("patient")
def test_half_requests_make_room_for_whole_ones(few: Listening, half: str) -> None:
    mine = [few.begun(half, "127.0.0.1") for _ in range(30)]
    asked(few, "127.0.0.1")
    eventually(lambda: sum(is_open(one) for one in mine) <= 8)
    theirs = [few.begun(half, f"127.0.0.{n}") for n in (2, 3, 4) for _ in range(30)]
    for source in ("127.0.0.1", "127.0.0.4", "127.0.0.5"):
        asked(few, source)
    eventually(lambda: sum(is_open(one) for one in mine + theirs) <= 20)
    eventually(lambda: closed(few, "too many") >= 100)
    for one in mine + theirs:
        one.close()


def test_what_is_being_answered_is_not_closed_and_fills_the_room(few: Listening) -> None:
    job = few.service.store.create_job("assessment", "{}", key_id=None).id
    follow = f"GET /v1/jobs/{job}/events HTTP/1.1\nHost: localhost\n\n"
    following = [few.begun(follow) for _ in range(8)]
    for one in following:
        heard(one, b"event: queued")
    one_too_many = few.begun(WHOLE)
    status, problem = answer(one_too_many)
    assert (status, problem["type"]) == (503, "urn:nativeear:problem:busy")
    asked(few, "127.0.0.2")
    few.service.store.update_job(job, state="cancelled")
    for one in following:
        heard(one, b"event: cancelled")
        one.close()


def test_heads_are_not_waited_for(few: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.5)
    silent, half, trickling = few.begun(""), few.begun(HALF), few.begun(HALF)
    until = time.monotonic() + 60
    with pytest.raises(OSError):
        while time.monotonic() < until:
            trickling.sendall(b"a")
            time.sleep(0.05)
    assert answer(silent) == (0, None)
    status, problem = answer(half)
    assert (status, problem["type"]) == (408, "urn:nativeear:problem:too-slow")
    assert closed(few, "too slow") == 3


def test_a_connection_that_is_kept_alive_may_be_silent(
    few: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 1.0)
    kept = http.client.HTTPConnection("127.0.0.1", few.port, timeout=20)
    for _ in range(2):
        kept.request("GET", "/healthz", headers={"Host": "localhost"})
        assert kept.getresponse().read()
        time.sleep(2)
    kept.close()
    assert closed(few, "too slow") == 0


def test_a_refused_body_that_goes_on_coming_is_given_up(
    few: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.3)
    monkeypatch.setattr("nativeear.service.api.body._LINGER_S", 0.3)
    head = "POST /healthz HTTP/1.1\nHost: localhost\nContent-Length: 100000\n\n"
    with few.begun(head) as trickling:
        assert answer(trickling)[0] == 405
        until = time.monotonic() + 60
        with pytest.raises(OSError):
            while time.monotonic() < until:
                trickling.sendall(b"a")
                time.sleep(0.05)


def test_answers_that_nobody_reads_are_given_up(
    few: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_STALLED_S", 1.5)
    greedy = few.begun("GET /openapi.json HTTP/1.1\nHost: localhost\n\n" * 500)
    eventually(lambda: closed(few, "not read") > 0)
    reader = few.connect()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    reader.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
    for _ in range(30):
        assert reader.recv(60_000)
        time.sleep(0.1)
    assert closed(few, "not read") == 1
    greedy.close()
    reader.close()


def test_connections_come_no_faster_than_they_may(settings: ServiceSettings) -> None:
    slow = replace(settings, connections_per_client_per_s=2.0, proxies=("127.0.0.9",))

    def answered(served: Listening, source: str) -> tuple[int, float]:
        """How many of twenty, and how many it may be: ten, and two for each second it took."""
        found, started = 0, time.monotonic()
        for _ in range(20):
            try:
                asked(served, source)
                found += 1
            except (OSError, AssertionError):
                pass
        return found, 11 + 2 * (time.monotonic() - started)

    key(settings, "read")  # behind a proxy there has to be one
    with listening(slow) as served:
        told = [answered(served, source) for source in ("127.0.0.1", "127.0.0.2")]
        assert all(10 <= found <= most for found, most in told), told
        assert answered(served, "127.0.0.9")[0] == 20
        refused = 40 - sum(found for found, _ in told)
        eventually(lambda: closed(served, "too fast") == refused)


def test_a_network_is_one_client() -> None:
    assert network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")


def test_each_place_says_so_much_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("nativeear.test")
    throttle = Throttle()
    with caplog.at_level(logging.WARNING, logger="nativeear.test"):
        caplog.handler.addFilter(throttle)
        try:
            for number in range(10 * BURST):
                logger.warning("the sky falls for the %dth time", number)
            logger.warning("and something else")
            assert len(caplog.messages) == BURST + 1
            line = caplog.records[0].lineno
            (bucket,) = [bucket for bucket in throttle._buckets.values() if bucket._left < 1]
            bucket._left = 1.0
            for _ in range(2):
                record = logger.makeRecord("", logging.WARNING, __file__, line, "again", (), None)
                caplog.handler.handle(record)
            assert caplog.messages[BURST + 1 :] == [f"again (and {9 * BURST:,} more like it)"]
        finally:
            caplog.handler.removeFilter(throttle)


def test_four_hundred_half_requests_of_a_service_with_few_files(tmp_path: Path) -> None:
    served = Served(tmp_path, files=300)
    try:
        port = int(served.ready().rpartition(":")[2])
        stop = threading.Event()

        def attack(source: str) -> None:
            held: list[socket.socket] = []
            while not stop.is_set():
                try:
                    one = socket.create_connection(("127.0.0.1", port), 20, (source, 0))
                    one.sendall(HALF.encode() if len(held) % 2 else b"\0nonsense\r\n\r\n")
                    held.append(one)
                except OSError:
                    pass
                while len(held) > 400:
                    held.pop(0).close()
            for one in held:
                one.close()

        attackers = [threading.Thread(target=attack, args=(f"127.0.0.{n}",)) for n in (1, 2)]
        for attacker in attackers:
            attacker.start()
        time.sleep(5)
        service = Listening(port, None)  # type: ignore[arg-type]
        for _ in range(10):
            asked(service, "127.0.0.3")
        stop.set()
        for attacker in attackers:
            attacker.join()
        files = Path(f"/proc/{served.process.pid}/fd")
        eventually(lambda: len(list(files.iterdir())) < 300)
        lines = "".join(served.log).splitlines()
        assert not [line for line in lines if "Too many open files" in line]
        assert len(lines) < 2 * BURST
    finally:
        served.process.kill()
        served.process.wait()
