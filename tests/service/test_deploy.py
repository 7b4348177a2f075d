"""The files of docs/deploy.md before a real service: nginx and Caddy, with a made certificate."""

import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
import yaml
from typer.testing import CliRunner
from websockets.sync.client import connect

from nativeear.service.cli import app
from tests.docs.reading import ROOT, blocks
from tests.service.api.conftest import PROMPT, TEXT
from tests.support.served import Served, serving

PAGE = ROOT / "docs" / "deploy.md"
NAME = "ear.example.org"
KEYS, SERVE, OPENSSL = "".join(blocks(PAGE, "bash")).strip().splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("deploy")
    subprocess.run(OPENSSL.split(), cwd=folder, check=True, capture_output=True)
    return folder


def key(folder: Path, command: str = KEYS) -> str:
    database = f"sqlite:///{folder / 'service.db'}"
    done = CliRunner().invoke(app, [*command.split()[1:], "--database", database])
    assert done.exit_code == 0, done.output
    return done.stdout.strip().splitlines()[-1].split()[-1]


@pytest.fixture(scope="module")
def secret(folder: Path) -> str:
    return key(folder)


@pytest.fixture(scope="module")
def served(folder: Path, secret: str) -> Iterator[Served]:
    with serving(folder, "--workers", "1", *SERVE.split()[2:]) as served:
        yield served


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def nginx(folder: Path, served: Served, port: int) -> list[str]:
    (site,) = blocks(PAGE, "nginx")
    site = site.replace("listen 443", f"listen 127.0.0.1:{port}")
    (folder / "site.conf").write_text(filled(site, folder, served))
    rooms = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = " ".join(f"{room}_temp_path {folder / room};" for room in rooms)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder / 'nginx.pid'}; error_log stderr; worker_processes 1;"
        f"events {{}} http {{ access_log off; {paths} include {folder / 'site.conf'}; }}"
    )
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, served: Served, port: int) -> list[str]:
    (site,) = blocks(PAGE, "caddyfile")
    site = site.replace(f"{NAME} {{", f"{NAME}:{port} {{")
    site = site.replace("{\n", "{\n\tadmin off\n\tauto_https disable_redirects\n", 1)
    (folder / "Caddyfile").write_text(filled(site, folder, served))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def filled(site: str, folder: Path, served: Served) -> str:
    assert "127.0.0.1:8000" in site
    assert "/etc/ssl/ear.key" in site
    site = site.replace("127.0.0.1:8000", served.url.removeprefix("http://"))
    return site.replace("/etc/ssl/", f"{folder}/")


@contextmanager
def proxied(command: list[str], folder: Path, port: int) -> Iterator[None]:
    log = folder / "proxy.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=out,
            cwd=folder,
            env={"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(folder)},
        )
    try:
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


class Proxy:
    def __init__(self, folder: Path, port: int, secret: str) -> None:
        self.port = port
        self.origin = f"https://{NAME}:{port}"
        self.key = {"Authorization": f"Bearer {secret}"}
        self.trust = ssl.create_default_context(cafile=str(folder / "ear.pem"))

    def wire(self) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.port), 60)
        return self.trust.wrap_socket(plain, server_hostname=NAME)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(NAME, self.port)
        connection.sock = self.wire()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {**self.key, **named})
        answer = connection.getresponse()
        told = answer.status, answer.read()
        connection.close()
        return told


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def proxy(
    request: pytest.FixtureRequest,
    folder: Path,
    served: Served,
    secret: str,
) -> Iterator[Proxy]:
    command: Callable[..., list[str]] = request.param
    if not shutil.which(command.__name__):
        pytest.skip(f"{command.__name__} is not installed")
    port = free_port()
    with proxied(command(folder, served, port), folder, port):
        yield Proxy(folder, port, secret)


def test_the_page_and_the_interface_are_reached(proxy: Proxy) -> None:
    status, page = proxy.ask("GET", "/")
    assert (status, b">NativeEar</title>" in page) == (200, True)
    assert proxy.ask("GET", "/v1/indexes")[0] == 200
    assert proxy.ask("GET", "/v1/indexes", Authorization="Bearer nek_no")[0] == 401
    assert proxy.ask("GET", "/metrics")[0] == 404


def test_the_own_page_may_ask_and_others_may_not(proxy: Proxy) -> None:
    asked = b'{"text": "I think so."}'
    told = {"Content_Type": "application/json"}
    own = proxy.ask("POST", "/v1/validate", asked, Origin=proxy.origin, **told)
    assert own[0] == 200, own
    for origin in ("https://evil.example", f"https://{NAME}.evil.example"):
        assert proxy.ask("POST", "/v1/validate", asked, Origin=origin, **told)[0] == 403


def test_a_recording_is_assessed(proxy: Proxy) -> None:
    request = httpx.Request(
        "POST",
        "https://x/",
        files={"audio": PROMPT.read_bytes()},
        data={"text": TEXT},
    )
    status, told = proxy.ask(
        "POST",
        "/v1/assessments",
        request.read(),
        Content_Type=request.headers["content-type"],
        Origin=proxy.origin,
    )
    assert status == 200, told
    assert [word["word"] for word in json.loads(told)["words"]][-1] == "saved"


def test_a_key_without_the_scope_is_refused_before_the_body(proxy: Proxy, folder: Path) -> None:
    reader = key(folder, KEYS.replace("--scope assess ", ""))
    with proxy.wire() as wire:
        wire.sendall(
            f"POST /v1/assessments HTTP/1.1\r\nHost: {NAME}\r\nX-API-Key: {reader}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n"
            "Content-Length: 50000000\r\n\r\n--x\r\n".encode()
        )
        wire.settimeout(0.1)
        for _ in range(50):  # of 50,000 pieces: Caddy answers between two of them
            wire.sendall(bytes(1000))
            with suppress(TimeoutError):
                assert b" 403 " in wire.recv(65536).splitlines()[0]
                break
        else:
            pytest.fail("no answer before the end of the body")


def test_a_stream_passes(proxy: Proxy, secret: str) -> None:
    samples, rate = soundfile.read(PROMPT, dtype="int16")
    final: dict[str, Any] = {}
    uri = f"wss://{NAME}:{proxy.port}/v1/stream"
    with connect(
        uri,
        sock=socket.create_connection(("127.0.0.1", proxy.port)),
        ssl=proxy.trust,
        server_hostname=NAME,
        origin=proxy.origin,  # type: ignore[arg-type]
    ) as stream:
        stream.send(json.dumps({"sample_rate": rate, "text": TEXT, "key": secret}))
        assert "ready" in json.loads(stream.recv(30))
        for at in range(0, len(samples), rate):
            stream.send(np.ascontiguousarray(samples[at : at + rate]).tobytes())
        stream.send('{"end": true}')
        while not final:
            told = json.loads(stream.recv(60))
            assert "problem" not in told, told
            final = told.get("final", {})
    assert [word["word"] for word in final["words"]][-1] == "saved"


def test_other_names_are_refused_and_this_machine_is_not(served: Served) -> None:
    for name, status in ((NAME, 200), (NAME.upper(), 200), ("evil.example", 403)):
        assert httpx.get(f"{served.url}/healthz", headers={"Host": name}).status_code == status
    assert httpx.get(f"{served.url}/healthz").status_code == 200


def test_the_containers_command_is_the_services() -> None:
    (snippet,) = blocks(PAGE, "yaml")
    words = yaml.safe_load(snippet)["services"]["nativeear"]["command"].split()
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    own = json.loads(re.findall(r"^CMD (\[.*\])$", image, re.M)[-1])
    assert words[: len(own)] == own
    assert words[len(own) :] == [*SERVE.split()[2:4], "--forwarded-allow-ips", "172.16.0.0/12"]
