"""A service in a process of its own, as people run it, for what is measured on one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
_PATIENCE_S = 600.0  # a busy machine takes minutes to load everything


@dataclass(frozen=True)
class Served:
    """A running service.

    Attributes
    ----------
    url
        Where it listens.
    process
        The process.
    log
        What it said.
    folder
        Where it keeps its database, and everything temporary.
    """

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    folder: Path

    @property
    def resident_mib(self) -> float:
        """Memory that it holds, in MiB (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0


@contextmanager
def serving(
    folder: Path,
    *options: str,
    database: str | None = None,
    environment: Mapping[str, str] | None = None,
    until_ready: bool = True,
    files: int | None = None,
) -> Iterator[Served]:
    """Serve the shipped index from `folder`, and stop it at the end.

    Parameters
    ----------
    folder
        Exists; a second service may go on from what the first left there.
    options
        More options of `nativeear serve`.
    database
        URL; a file in `folder` by default.
    until_ready
        Wait until it is ready; else only until it listens.
    files
        How many files it may have open.

    Raises
    ------
    RuntimeError
        If it does not start; with what it said.
    """
    log = folder / "log"
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "nativeear", "serve", "--port", "0", "--index", "en-US"]
    if files is not None:
        command = ["bash", "-c", f'ulimit -n {files} && exec "$0" "$@"', *command]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--database", database or f"sqlite:///{folder / 'service.db'}", *options],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, "TMPDIR": str(temporary), **(environment or {})},
        )
    try:
        yield Served(_address(process, log, until_ready), process, log, folder)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path, until_ready: bool) -> str:
    until = monotonic() + _PATIENCE_S
    while process.poll() is None and monotonic() < until:
        found = re.search(r"listening on (http://\S+)", log.read_text(encoding="utf-8"))
        if found and (not until_ready or not readiness(found[1])):
            return found[1]
        sleep(0.2)
    raise RuntimeError(f"The service does not start: {log.read_text(encoding='utf-8')}")


def readiness(url: str) -> str:
    """What a service says while it is not ready; empty if it is."""
    try:
        with urlopen(f"{url}/readyz", timeout=10):  # noqa: S310  (our own address)
            return ""
    except HTTPError as error:
        told = json.loads(error.read())
        return f"{error.code} {told['detail']} {told['cause']} {told['fix']}".strip()
    except (URLError, OSError) as error:
        return str(error)
