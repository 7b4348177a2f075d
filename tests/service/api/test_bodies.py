"""Bodies of requests: refused before they are read, bounded together, and not waited for."""

import select
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from nativeear.service.api import body as body_module
from nativeear.service.api.middleware import FORM_BYTES
from nativeear.service.api.problems import BusyError
from nativeear.service.api.quota import ByteQuota
from nativeear.service.api.settings import ServiceSettings
from tests.service.api.listening import Listening, answer, listening
from tests.service.api.test_edge import key

MIB = 1 << 20
BOUNDARY = "part"
FORM = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\n"
PART = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
).encode()


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(
        database=f"sqlite:///{tmp_path / 'bodies.db'}",
        indexes=("en-US",),
        jobs_dir=tmp_path / "jobs",
        max_bytes=4 * MIB,
        max_held_bytes=10 * MIB,
    )


@pytest.fixture
def reader(settings: ServiceSettings) -> str:
    return key(settings, "read")


@pytest.fixture
def served(settings: ServiceSettings, reader: str) -> Iterator[Listening]:
    with listening(settings) as served:
        yield served


def post(path: str, secret: str, *more: str) -> str:
    headers = "".join(f"{line}\n" for line in more)
    return f"POST {path} HTTP/1.1\nHost: localhost\nX-API-Key: {secret}\n{headers}\n"


def bodied(service: Any) -> list[str]:
    """Every path of the interface that takes a body, with something in the place of names."""
    paths = service_paths(service)
    return [path.replace("{id}", "0" * 32) for path, told in paths if "requestBody" in told]


def service_paths(application: Any) -> list[tuple[str, Any]]:
    described = application.openapi()["paths"]
    return [
        (path, told["post"])
        for path, told in described.items()
        if "post" in told and not path.startswith("/compat/")  # its problems have others' shapes
    ]


def test_a_key_without_the_scope_is_answered_before_the_body(
    settings: ServiceSettings,
    reader: str,
    served: Listening,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from nativeear.service.api.application import create_application

    monkeypatch.setattr(body_module, "PATIENCE_S", 120.0)
    application = create_application(replace(settings, database=settings.database + ".2"))
    paths = bodied(application)
    application.state.service.store.close()
    assert {"/v1/assessments", "/v1/indexes", "/v1/validate"} <= set(paths)
    for path in set(paths) - {"/v1/join"}:  # which asks for no key
        for more in ("Content-Length: 200000", "Transfer-Encoding: chunked"):
            for patience in ("", "Expect: 100-continue\n"):
                with served.begun(post(path, reader, FORM + patience + more)) as connection:
                    status, problem = answer(connection)  # sooner than a body is waited for
                    assert (status, problem["type"]) == (403, "urn:nativeear:problem:forbidden")
    assert served.service.uploads.held == 0


def test_whoever_still_sends_reads_the_refusal_and_goes_on(reader: str, served: Listening) -> None:
    with served.begun(post("/v1/assessments", reader, FORM + f"Content-Length: {MIB}")) as sending:
        for _ in range(4):
            sending.sendall(bytes(MIB // 4))
            time.sleep(0.1)
        assert answer(sending)[0] == 403
        sending.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer(sending)[0] == 200


def test_key_length_and_quota_are_looked_at_before_the_body(settings: ServiceSettings) -> None:
    hurried = key(settings, "assess", requests_per_minute=1)
    small = key(settings, "assess", max_bytes=MIB)
    asked = [
        ("nek_no", 4000, 401),
        (small, 3 * MIB, 413),
        (key(settings, "assess"), 5 * MIB, 413),
        (hurried, 5 * MIB, 413),
        (hurried, 4000, 429),
    ]
    with listening(settings) as served:
        for secret, length, status in asked:
            head = post("/v1/assessments", secret, FORM + f"Content-Length: {length}")
            with served.begun(head) as connection:
                assert answer(connection)[0] == status


def test_uploads_at_once_hold_no_more_than_the_bound(settings: ServiceSettings) -> None:
    secret = key(settings, "assess")
    total = settings.max_held_bytes
    with listening(settings) as served:
        length = f"Content-Length: {4 * MIB}"
        open_ones: list[socket.socket] = []
        for _ in range(8):
            one = served.begun(post("/v1/assessments", secret, FORM + length))
            one.sendall(PART)
            open_ones.append(one)
        most = 0
        alive = list(open_ones)
        for _ in range(30):  # each sends almost all of it and never ends
            for one in list(alive):
                try:
                    one.sendall(bytes(MIB // 8))
                except OSError:
                    alive.remove(one)
            most = max(most, served.service.uploads.held)
        assert MIB < most <= total
        late = served.begun(post("/v1/assessments", secret, FORM + length))
        status, problem = answer(late)
        assert (status, problem["type"]) == (503, "urn:nativeear:problem:busy")
        refused: list[socket.socket] = []
        until = time.monotonic() + 60
        while len(refused) < 4:
            assert time.monotonic() < until
            refused += select.select([o for o in open_ones if o not in refused], [], [], 1.0)[0]
        assert len(refused) <= 7
        assert {answer(one)[0] for one in refused} == {503}
        for one in (*open_ones, late):
            one.close()
        until = time.monotonic() + 60
        while served.service.uploads.held:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_a_body_that_does_not_come_is_not_waited_for(
    settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "PATIENCE_S", 1.0)
    secret = key(settings, "assess")
    with listening(settings) as served:
        forms = (("/v1/assessments", FORM, PART), ("/v1/validate", "", b" "))
        for path, kind, part in forms:
            head = post(path, secret, kind + "Content-Length: 5000")
            with served.begun(head) as connection:
                for sent in range(3):
                    connection.sendall(part if not sent else b" ")
                    time.sleep(0.1)
                status, problem = answer(connection)
                assert (status, problem["type"]) == (408, "urn:nativeear:problem:too-slow")


def test_a_budget_gives_what_it_has_and_takes_it_back() -> None:
    quota = ByteQuota(10)
    one, other = quota.reserve(), quota.reserve()
    one.take(6)
    with pytest.raises(BusyError):
        other.take(5)
    other.take(4)
    assert quota.held == 10
    one.release()
    one.release()
    assert quota.held == 4
    other.release()
    assert quota.held == 0


def test_what_a_container_may_write_is_as_much_as_uploads_may_hold() -> None:
    composed = yaml.safe_load(
        (Path(__file__).parents[3] / "compose.yaml").read_text(encoding="utf-8")
    )
    (mounted,) = composed["services"]["nativeear"]["tmpfs"]
    size = int(mounted.partition("size=")[2].partition("m")[0]) * MIB
    settings = ServiceSettings(database="")
    decoding = 2 * settings.max_bytes
    sent = settings.max_held_bytes + settings.max_corpus_bytes + 2 * FORM_BYTES
    assert size >= sent + decoding
