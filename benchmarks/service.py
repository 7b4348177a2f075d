"""What the service does under load, what it remembers, and what long streams cost.

    python -m benchmarks.service [--requests N] [--clients 1,4,16,64] [--memory N] [--minutes M]
                                 [--jobs N] [--kills K] [--outages M]

`nativeear serve` runs in a process of its own with its usual settings and a database in a temporary
folder; the clients are threads of this process, each with its own connection. Each asks for a
sentence of about 5 s again as soon as it has its answer; one that is told that the service is busy
waits as long as `Retry-After` says, then asks again, and its waiting does not count as latency.
Latency is that of assessments that were answered. --requests assessments are answered for each
number of clients, or two for each of them.

Then follows the memory of the service while it answers --memory more from four clients; growth is
counted from a quarter of them on, when all caches are full. Last, the packaged prompts are
streamed for --minutes at 48 kHz as to `WS /v1/stream`: about once a second the service looks for
words that are finished, and the table has the processor time of one such look.

At the very end --jobs recordings are handed in as jobs to two services on a PostgreSQL of their
own, where one is installed: each under an idempotency key, and again where nothing answers. A
service is killed (SIGKILL) at --kills drawn moments and started again, the database is crashed
--outages times and stays away for ten seconds. Each job has to be done, and once.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import statistics
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time, sleep
from urllib.parse import urlsplit

import numpy as np
import soundfile
import soxr

from benchmarks.reporting import options_of, show, show_aims
from benchmarks.speech_data import PROMPTS, prompt
from nativeear.indexes.catalogue import find_index
from nativeear.service.api.metrics import Metrics
from nativeear.service.api.quota import ByteQuota
from nativeear.service.api.references import Reference
from nativeear.service.api.streaming import NothingFinishedError, PartialWork, StreamBuffer
from tests.support.bad_uploads import BOUNDARY, form
from tests.support.postgres import Postgres, binaries
from tests.support.served import Served, serving
from tests.support.surviving import Trial, survive

SENTENCE_S = 5.0
MEMORY_CLIENTS = 4
SAMPLES = 8
"""How often memory is looked at."""

STREAM_RATE, STREAM_EVERY_S = 48_000, 15

AWAY_S = 10.0
"""How long the database is away each time."""

AIM_ALONE_S = 0.25
AIM_THROUGHPUT = 0.95
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
        """How many got neither an assessment nor `busy` and when to ask again."""
        return self.statuses.total() - self.statuses["200"] - self.statuses["503"]

    def note(self, status: str, took_s: float) -> None:
        """Count one answer."""
        with self.lock:
            self.statuses[status] += 1
            if status == "200":
                self.latencies_s.append(took_s)


def sentence() -> bytes:
    """A packaged prompt of 4.6 s with silence behind it and what is said, as on the wire."""
    name, text = PROMPTS[-1]
    speech, rate = soundfile.read(prompt(name))
    wav = io.BytesIO()
    samples = np.pad(speech, (0, round(SENTENCE_S * rate) - len(speech)))
    soundfile.write(wav, samples, rate, format="WAV", subtype="PCM_16")
    return form(wav.getvalue(), fields=(("text", text.encode()),))


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--clients", default="1,4,16,64")
    parser.add_argument("--memory", type=int, default=2000, help="0 leaves memory out")
    parser.add_argument("--minutes", type=float, default=5.0, help="0 leaves streams out")
    parser.add_argument("--jobs", type=int, default=200, help="0 leaves jobs out")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--outages", type=int, default=2)
    options = parser.parse_args()
    print(f"{SENTENCE_S:g} s of sound, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    if options.requests:
        load([int(count) for count in options.clients.split(",")], options.requests, options.memory)
    if options.minutes:
        stream(round(60 * options.minutes))
    if options.jobs:
        kill_and_crash(options.jobs, options.kills, options.outages)


def load(clients: list[int], requests: int, memory_requests: int) -> None:
    """Have it asked by more and more clients, then look at its memory, and print."""
    request = sentence()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as served:
        ask(served, request, clients=2, wanted=8)  # nobody's first request is measured
        loads = {
            count: ask(served, request, clients=count, wanted=max(requests, 2 * count))
            for count in clients
        }
        memory = remember(served, request, memory_requests) if memory_requests else []
    show_loads(loads)
    if memory:
        header = ("requests", *(f"{done:,}" for done, _ in memory))
        show("", header, [("memory, MiB", *(f"{mib:.0f}" for _, mib in memory))])
    show_service_aims(loads, memory)


def ask(served: Served, request: bytes, *, clients: int, wanted: int) -> Answers:
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


def one(connection: http.client.HTTPConnection, request: bytes, answers: Answers) -> float:
    """Ask once; the seconds after which it is to be asked again, 0 if it need not be."""
    started = perf_counter()
    try:
        connection.request(
            "POST",
            "/v1/assessments",
            request,
            {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
        )
        answered = connection.getresponse()
        body = answered.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        answers.note(type(error).__name__, perf_counter() - started)
        return 0.0
    answers.note(_status(answered, body), perf_counter() - started)
    if answered.status != 503:
        return 0.0
    return float(answered.headers.get("Retry-After", "1"))


def _status(answered: http.client.HTTPResponse, body: bytes) -> str:
    """What an answer counts as: its status, or what it lacks."""
    if answered.status == 200 and "score" not in json.loads(body):
        return "no score"
    if answered.status == 503 and "Retry-After" not in answered.headers:
        return "no Retry-After"
    return str(answered.status)


def remember(served: Served, request: bytes, requests: int) -> list[tuple[int, float]]:
    """Memory of the service in MiB after so many requests."""
    found = [(0, served.resident_mib)]
    for done in range(SAMPLES):
        wanted = requests * (done + 1) // SAMPLES - requests * done // SAMPLES
        ask(served, request, clients=MEMORY_CLIENTS, wanted=wanted)
        found.append((found[-1][0] + wanted, served.resident_mib))
    return found


def show_loads(loads: dict[int, Answers]) -> None:
    """Print what clients waited for, and what they were answered."""
    rows = []
    for count, answers in loads.items():
        times = sorted(answers.latencies_s)
        late = times[min(len(times) - 1, int(0.95 * len(times)))]
        seconds = (f"{value:.2f}" for value in (statistics.median(times), late, answers.per_s))
        rows.append((count, len(times), *seconds, answers.statuses["503"], answers.failed))
    header = ("clients", "answered", "p50 s", "p95 s", "per s", "busy (503)", "failed")
    show("", header, rows)


def show_service_aims(loads: dict[int, Answers], memory: list[tuple[int, float]]) -> None:
    """Print each aim, what was found, and whether it is met."""
    failed = sum(answers.failed for answers in loads.values())
    rows = [("no failure but 503 with Retry-After", "0", str(failed), failed == 0)]
    if 1 in loads:
        alone = statistics.median(loads[1].latencies_s)
        rows.append(("p50 alone", f"≤ {AIM_ALONE_S} s", f"{alone:.2f} s", alone <= AIM_ALONE_S))
    most = max(loads)
    share = loads[most].per_s / max(answers.per_s for answers in loads.values())
    aim = f"throughput at {most} clients, of the best"
    rows.append((aim, f"≥ {AIM_THROUGHPUT:.0%}", f"{share:.0%}", share >= AIM_THROUGHPUT))
    if memory:
        grown = memory[-1][1] - memory[SAMPLES // 4][1]
        aim = f"growth of memory over {memory[-1][0]:,} requests"
        wanted = f"≤ {AIM_GROWTH_MIB:.0f} MiB"
        rows.append((aim, wanted, f"{grown:.0f} MiB", grown <= AIM_GROWTH_MIB))
    show_aims(rows)


def stream(seconds: int) -> None:
    """Send the prompts, one after the other, and print what looks at them cost."""
    parts = []
    for name, _ in PROMPTS:
        samples, rate = soundfile.read(prompt(name), dtype="float32")
        parts.append(soxr.resample(samples, rate, STREAM_RATE))
    spoken = np.concatenate(parts)
    times = seconds * STREAM_RATE // len(spoken) + 1
    samples = np.round(32767 * np.resize(spoken, seconds * STREAM_RATE)).astype("<i2")
    text = " ".join(text for _, text in PROMPTS * times)
    reference = Reference.open("en-US", find_index("en-US"), Metrics())
    meant = reference.assessor.pronounce(text)
    quota = ByteQuota(1 << 30)
    take = StreamBuffer(STREAM_RATE, seconds + 1.0, quota.reserve())
    rows, told = [], 0
    for second in range(1, seconds + 1):
        take.add(samples[(second - 1) * STREAM_RATE : second * STREAM_RATE].tobytes())
        if not take.is_due:
            continue
        window, started = take.window, process_time()
        heard = take.recent()
        work = PartialWork(reference, heard, text, pronunciation=meant, window=window)
        with suppress(NothingFinishedError):
            told += len(take.news(work.run(reference.assessor), window))
        if second % STREAM_EVERY_S == 0:
            figures = (second, heard.duration_s, process_time() - started, told)
            rows.append([f"{value:.3g}" for value in (*figures, quota.held / 2**20)])
    show("", ("heard, s", "looked at, s", "processor, s", "words told", "held, MiB"), rows)


def kill_and_crash(jobs: int, kills: int, outages: int) -> None:
    """Put jobs through kills and crashes, and print what came of them."""
    installed = binaries()
    if installed is None:
        print("PostgreSQL is not installed: jobs are left out.")
        return
    name, text = PROMPTS[-1]
    with tempfile.TemporaryDirectory() as folder, Postgres.running(installed) as server:

        @contextmanager
        def away() -> Iterator[None]:
            server.kill()
            yield
            server.start()

        trial = Trial(
            database=server.new_database(),
            away=away,
            jobs=jobs,
            kills=kills,
            outages=outages,
            away_s=AWAY_S,
            services=2,
        )
        survived = survive(Path(folder), trial, Path(prompt(name)).read_bytes(), text)
    header = ("jobs", "kills", "outages", "seconds", *survived.states, "twice or more")
    again = sum(count > 1 for count in survived.learners.values())
    figures = (jobs, survived.kills, survived.outages, f"{survived.seconds:.0f}")
    show("", header, [(*figures, *survived.states.values(), again)])
    show("", ("told the client instead", "times"), survived.told.most_common())
    found = f"{survived.states['done']}, {len(survived.learners)} recordings, {again} twice"
    show_aims([("results of jobs", f"{jobs}, none twice", found, survived.is_whole(jobs))])


if __name__ == "__main__":
    main()
