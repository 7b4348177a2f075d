"""What the service does under load: one sentence of about 5 s, asked by more and more clients.

    python -m benchmarks.service [--requests N] [--clients 1,4,16,64] [--memory N]

`nativeear serve` runs in a process of its own with its usual settings and a database in a temporary
folder; the clients are threads of this process, each with its own connection. Each asks again as
soon as it has its answer; one that is told that the service is busy waits as long as `Retry-After`
says, then asks again, and its waiting does not count as latency. Latency is that of assessments
that were answered. The machine is shared with the clients: `load` is what it had to do before.

--requests assessments are answered for each number of clients, or two for each of them.

After the table of clients follows the memory of the service while it answers --memory more from
four clients; growth is counted from a quarter of them on, when all caches are full.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import statistics
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table

from nativeear.service.demo import DONOR
from tests.support.served import ROOT, Served, serving

SENTENCE_S = 5.0
MEMORY_CLIENTS = 4
SAMPLES = 8
"""How often memory is looked at."""

AIM_ALONE_S = 0.4
AIM_THROUGHPUT = 0.9
AIM_GROWTH_MIB = 20.0


@dataclass
class Answers:
    """What some clients were answered."""

    latencies_s: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def per_s(self) -> float:
        """Assessments a second."""
        return self.statuses["200"] / self.seconds

    @property
    def failed(self) -> int:
        """How many were answered neither with an assessment nor with `busy`."""
        return self.statuses.total() - self.statuses["200"] - self.statuses["503"]

    def note(self, status: str, took_s: float) -> None:
        """Count one answer."""
        with self.lock:
            self.statuses[status] += 1
            if status == "200":
                self.latencies_s.append(took_s)


@dataclass(frozen=True)
class Request:
    """One assessment as bytes on the wire, the same for everybody."""

    body: bytes
    boundary: str
    duration_s: float

    @classmethod
    def of_prompt(cls) -> Request:
        """A packaged prompt of 4.6 s with silence behind it, and what is said in it."""
        name, text = DONOR
        speech, rate = soundfile.read(ROOT / "service/data" / name)
        samples = np.pad(speech, (0, round(SENTENCE_S * rate) - len(speech)))
        wav = io.BytesIO()
        soundfile.write(wav, samples, rate, format="WAV", subtype="PCM_16")
        boundary = uuid4().hex
        fields = (
            ('name="text"', text.encode()),
            ('name="audio"; filename="sentence.wav"', wav.getvalue()),
        )
        body = b"".join(
            f"--{boundary}\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode()
            + value
            + b"\r\n"
            for name, value in fields
        )
        return cls(body + f"--{boundary}--\r\n".encode(), boundary, len(samples) / rate)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--clients", default="1,4,16,64")
    parser.add_argument("--memory", type=int, default=2000, help="0 leaves memory out")
    options = parser.parse_args()
    clients = [int(count) for count in options.clients.split(",")]
    request = Request.of_prompt()
    load = os.getloadavg()[0]
    console = Console()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as served:
        ask(served, request, clients=2, wanted=8)  # nobody's first request is measured
        loads = {
            count: ask(served, request, clients=count, wanted=max(options.requests, 2 * count))
            for count in clients
        }
        memory = remember(served, request, options.memory) if options.memory else []
    console.print(
        f"One recording of {request.duration_s:.1f} s, {os.cpu_count()} cores, load {load:.1f}"
    )
    show_loads(console, loads)
    if memory:
        show_memory(console, memory)
    show_aims(console, loads, memory)


def ask(served: Served, request: Request, *, clients: int, wanted: int) -> Answers:
    """Let some clients ask until `wanted` assessments are answered."""
    answers = Answers()
    left = threading.Semaphore(wanted)
    address = urlsplit(served.url).netloc

    def work() -> None:
        connection = http.client.HTTPConnection(address, timeout=300)
        while left.acquire(blocking=False):
            while pause_s := one(connection, request, answers):
                sleep(pause_s)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    started = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.seconds = perf_counter() - started
    return answers


def one(connection: http.client.HTTPConnection, request: Request, answers: Answers) -> float:
    """Ask once; the seconds after which it is to be asked again, 0 if it need not be."""
    started = perf_counter()
    try:
        connection.request(
            "POST",
            "/v1/assessments",
            request.body,
            {"Content-Type": f"multipart/form-data; boundary={request.boundary}"},
        )
        answered = connection.getresponse()
        body = answered.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        answers.note(type(error).__name__, perf_counter() - started)
        return 0.0
    whole = answered.status != 200 or "score" in json.loads(body)
    answers.note(str(answered.status) if whole else "no score", perf_counter() - started)
    if answered.status != 503:
        return 0.0
    return float(answered.headers.get("Retry-After", "1"))


def remember(served: Served, request: Request, requests: int) -> list[tuple[int, float]]:
    """Memory of the service in MiB after so many requests."""
    found = [(0, served.resident_mib)]
    for done in range(SAMPLES):
        wanted = requests * (done + 1) // SAMPLES - requests * done // SAMPLES
        ask(served, request, clients=MEMORY_CLIENTS, wanted=wanted)
        found.append((found[-1][0] + wanted, served.resident_mib))
    return found


def show_loads(console: Console, loads: dict[int, Answers]) -> None:
    """Print what clients waited for, and what they were answered."""
    table = Table("clients", "answered", "p50 s", "p95 s", "per s", "busy (503)", "failed")
    for count, answers in loads.items():
        times = sorted(answers.latencies_s)
        late = times[min(len(times) - 1, int(0.95 * len(times)))]
        table.add_row(
            str(count),
            str(len(times)),
            f"{statistics.median(times):.2f}",
            f"{late:.2f}",
            f"{answers.per_s:.2f}",
            str(answers.statuses["503"]),
            ", ".join(
                f"{number} × {status}"
                for status, number in answers.statuses.items()
                if status not in {"200", "503"}
            )
            or "0",
        )
    console.print(table)


def show_memory(console: Console, memory: list[tuple[int, float]]) -> None:
    """Print how memory went."""
    table = Table("requests", *(f"{done:,}" for done, _ in memory))
    table.add_row("memory, MiB", *(f"{mib:.0f}" for _, mib in memory))
    console.print(table)


def growth_mib(memory: list[tuple[int, float]]) -> float:
    """How much more memory there is at the end than at a quarter of the way."""
    return memory[-1][1] - memory[SAMPLES // 4][1]


def show_aims(console: Console, loads: dict[int, Answers], memory: list[tuple[int, float]]) -> None:
    """Print each aim, what was found, and whether it is met."""
    best = max(answers.per_s for answers in loads.values())
    most = max(loads)
    failed = sum(answers.failed for answers in loads.values())
    rows = [("no failure but busy", "0", str(failed), failed == 0)]
    if 1 in loads:
        alone = statistics.median(loads[1].latencies_s)
        rows.append(("p50 alone", f"≤ {AIM_ALONE_S} s", f"{alone:.2f} s", alone <= AIM_ALONE_S))
    share = loads[most].per_s / best
    rows.append(
        (
            f"throughput at {most} clients, of the best",
            f"≥ {AIM_THROUGHPUT:.0%}",
            f"{share:.0%}",
            share >= AIM_THROUGHPUT,
        )
    )
    if memory:
        grown = growth_mib(memory)
        rows.append(
            (
                f"growth of memory over {memory[-1][0]:,} requests",
                f"≤ {AIM_GROWTH_MIB:.0f} MiB",
                f"{grown:.0f} MiB",
                grown <= AIM_GROWTH_MIB,
            )
        )
    table = Table("aim", "wanted", "found", "met")
    for aim, wanted, found, met in rows:
        table.add_row(aim, wanted, found, "yes" if met else "no")
    console.print(table)


if __name__ == "__main__":
    main()
