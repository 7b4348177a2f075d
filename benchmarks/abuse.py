"""What the service does when it is treated badly, and what people are told.

    python -m benchmarks.abuse [PART …] [--examples N] [--uploads N]

All parts by default, each with `nativeear serve` in a process of its own:

`schema`   schemathesis asks everything that /openapi.json allows, and more, --examples times per
           route: no 5xx, and no answer that the description does not know. It asks a service that
           is open, and closed ones with a key that may administer, as a teacher and as a learner.
`uploads`  recordings that are none, forms, names and headers that are wrong on purpose: each is to
           be refused with 4xx in plain words, and no file may be left.
`half`     half requests and nonsense by the hundred, to a service that may open 300 files: another
           client is to be answered within a second as a rule, and the log to stay short.
`kill`     kill -9 while it stores, three times
`disk`     a disk that is full
`index`    an index that is damaged while it is used, and before the service starts

The last three tell what a client is told, what the service does afterwards, and how many of the
assessments that were answered are not there any more.

The exit code is 1 if anything was found.
"""

from __future__ import annotations

import http.client
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.reporting import options_of, show
from nativeear.service.api.authentication import COOKIE
from nativeear.service.client import Client, ProblemError
from nativeear.service.database.keys import NewKey
from nativeear.service.database.people_store import People
from nativeear.service.database.store import Store
from nativeear.speech.errors import NativeEarError
from tests.support.bad_uploads import PROMPT, bad_uploads, sent
from tests.support.served import ROOT, readiness, serving

TEXT = "Your message has been saved."
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)
CALLERS = ("open", "admin", "teacher", "learner")
_THAT_END_IT = ("--exclude-path", "/v1/me/sign-out", "--exclude-path", "/v1/me")
"""Routes after which nobody is signed in any more."""

_REPORTED = ("= ERRORS =", "= FAILURES =", "= SUMMARY =")
SENDERS = 4
KILLS = 3
HALVES = 400
HALVES_S = 20.0
PATIENCE_S = 600.0

Fault = Callable[[Path], Iterator[tuple[str, str, int]]]
"""Tells what a client was told, what came afterwards, and how many assessments were lost."""


def main() -> None:
    """Do all of it, print the findings, and tell by the exit code whether there are any."""
    parser = options_of(__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="see above")
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--uploads", type=int, default=10_000)
    options = parser.parse_args()
    fine = True
    parts: dict[str, Callable[[Path], bool]] = {
        "schema": lambda folder: ask_schema(folder, options.examples),
        "uploads": lambda folder: send_uploads(folder, options.uploads),
        "half": send_halves,
        "kill": lambda folder: bring(folder, "kill -9 while it stores", kill_it),
        "disk": lambda folder: bring(folder, "the disk is full", fill_the_disk),
        "index": lambda folder: bring(folder, "the index is damaged", damage_the_index),
    }
    for name, part in parts.items():
        if not options.parts or name in options.parts:
            with tempfile.TemporaryDirectory() as folder:
                fine = part(Path(folder)) and fine
    sys.exit(0 if fine else 1)


def ask_schema(folder: Path, examples: int) -> bool:
    """Let schemathesis ask in everybody's name; all are asked, whatever is found."""
    fine = [_ask_schema_as(caller, folder / caller, examples) for caller in CALLERS]
    return all(fine)


def _ask_schema_as(caller: str, folder: Path, examples: int) -> bool:
    folder.mkdir()
    database = f"sqlite:///{folder / 'service.db'}"
    headers = _headers_of(caller, database)
    shown = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    options = ("--record", "en-US", "--record-dir", str(folder / "takes"))
    environment = {"NATIVEEAR_INDEXES": str(folder / "indexes")}
    with serving(folder, *options, database=database, environment=environment) as served:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{served.url}/openapi.json"),
                *(*shown, *(_THAT_END_IT if "Cookie" in headers else ())),
                *("--checks", CHECKS, "--max-examples", str(examples)),
                *("--phases", "examples,coverage,fuzzing", "--continue-on-failure"),
                *("--request-timeout", "60", "--suppress-health-check", "all", "--no-color"),
                "--generation-deterministic",
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=folder,
        )
    told = done.stdout + done.stderr
    found = next((told.find(part) for part in _REPORTED if part in told), 0)
    print(f"{caller}:\n{told[told.rfind(chr(10), 0, found) + 1 :]}")
    return done.returncode == 0


def _headers_of(caller: str, database: str) -> dict[str, str]:
    """What somebody shows to be let in, made in a database that no service has opened yet."""
    if caller == "open":
        return {}
    with closing(Store.open(database)) as store:
        if caller == "admin":
            secret = store.create_key(NewKey(name=caller, scopes=("admin",)))[1]
            return {"Authorization": f"Bearer {secret}"}
        people = People(store)
        teacher, code = people.create("teacher", "Tom", expires_at=None)
        if caller == "learner":
            group = people.create_group(teacher.id, "3b").id
            code = people.create("learner", "Ana", group_id=group, expires_at=None)[1]
        token = people.join(code, None).token
        return {
            "Cookie": f"{COOKIE}={token}",
            "X-CSRF-Token": people.session_of(token).csrf,
        }


def send_uploads(folder: Path, count: int) -> bool:
    """Send what nobody should send."""
    statuses: defaultdict[str, Counter[str]] = defaultdict(Counter)
    wrongs: defaultdict[str, set[str]] = defaultdict(set)
    uploads = bad_uploads(count, PROMPT.read_bytes())
    with serving(folder) as served, ThreadPoolExecutor(SENDERS) as senders:
        before = served.resident_mib
        while some := list(islice(uploads, 100)):
            answers = senders.map(sent, [served] * len(some), some)
            for upload, (status, wrong) in zip(some, answers, strict=True):
                statuses[upload.kind][status] += 1
                wrongs[upload.kind] |= {wrong} - {""}
        with Client(served.url) as client:
            lives = client.assess(PROMPT, text=TEXT).score.overall is not None
            stored = len(list(client.assessments()))
        after = served.resident_mib
    left = sorted(path.name for path in (folder / "temporary").iterdir())
    traces = served.log.read_text(encoding="utf-8").count("Traceback")
    rows = []
    for kind, answered in sorted(statuses.items()):
        answers_told = ", ".join(f"{n} × {status}" for status, n in answered.most_common())
        wrong = "; ".join(sorted(wrongs[kind])[:5])
        rows.append((kind, answered.total(), answers_told, wrong or "none"))
    show("", ("upload", "sent", "answers", "not refused in plain words"), rows)
    print(f"afterwards it assesses a recording: {'yes' if lives else 'no'}")
    print(f"assessments stored: {stored}, of which 1 was meant to be")
    print(f"files left: {', '.join(left) or 'none'}; tracebacks logged: {traces}")
    print(f"memory: {before:.0f} → {after:.0f} MiB")
    return lives and not left and not traces and not any(wrongs.values())


def send_halves(folder: Path) -> bool:
    """Begin requests and leave them, and ask from another address meanwhile."""
    stop = threading.Event()
    took: list[float] = []

    def begin(port: int, source: str) -> None:
        held: deque[socket.socket] = deque(maxlen=HALVES)  # those that fall out are closed
        while not stop.is_set():
            with suppress(OSError):
                one = socket.create_connection(("127.0.0.1", port), 20, (source, 0))
                held.append(one)
                one.sendall(b"GET /healthz HTTP/1.1\r\nX-" if len(held) % 2 else b"\0no\r\n\r\n")

    with serving(folder, files=300) as served:
        port = urlsplit(served.url).port or 0
        before = len(served.log.read_text(encoding="utf-8").splitlines())
        beginners = [
            threading.Thread(target=begin, args=(port, f"127.0.0.{n}"))
            for n in range(2, 2 + SENDERS)
        ]
        for beginner in beginners:
            beginner.start()
        until = monotonic() + HALVES_S
        while monotonic() < until:
            started = monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                took.append(monotonic() - started)
            except (OSError, http.client.HTTPException):
                took.append(float("inf"))
            connection.close()
            sleep(0.2)
        stop.set()
        for beginner in beginners:
            beginner.join()
        lines = len(served.log.read_text(encoding="utf-8").splitlines()) - before
    took.sort()
    p50, p95, worst = (took[int(share * (len(took) - 1))] for share in (0.5, 0.95, 1.0))
    times = f"{p50:.3f} s, 95 % {p95:.3f} s, at worst {worst:.3f} s"
    print(f"half requests: answered in {times}; {lines} log lines")
    return p95 < 1 and worst < PATIENCE_S and lines < 1000


def bring(folder: Path, name: str, fault: Fault) -> bool:
    """Break what the service stands on."""
    rows = list(fault(folder))
    show(name, ("what a client is told", "afterwards", "lost"), rows)
    return all(missing == 0 and "wrong" not in afterwards for _, afterwards, missing in rows)


def assessed(client: Client, key: str) -> str:
    """Have the prompt assessed and kept under a key; the id."""
    return client.assess(PROMPT, text=TEXT, keep_audio=True, idempotency_key=key).id


def lost(client: Client, known: dict[str, str]) -> int:
    """How many of the assessments that were answered are not there, whole, any more."""
    missing = 0
    for key, id in known.items():
        try:
            whole = client.assessment(id).id == id and client.audio(id) == PROMPT.read_bytes()
            missing += not whole or assessed(client, key) != id
        except NativeEarError:
            missing += 1
    return missing


def refusal(ask: Callable[[], object]) -> str:
    """What a client is told; empty if nothing is refused."""
    try:
        ask()
    except ProblemError as problem:
        return f"{problem.status} {problem} {problem.fix}"
    return ""


def kill_it(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Kill it while four clients write, and start it again on what is left."""
    known: dict[str, str] = {}
    told: Counter[str] = Counter()
    for _ in range(KILLS):
        with serving(folder) as served:

            def write(url: str = served.url) -> None:
                with Client(url, patience_s=0) as client:
                    while True:
                        key = uuid4().hex
                        try:
                            known[key] = assessed(client, key)
                        except ProblemError as problem:
                            told[str(problem).replace(url, "URL")] += 1
                            return

            writers = [threading.Thread(target=write) for _ in range(SENDERS)]
            for writer in writers:
                writer.start()
            until, had = monotonic() + PATIENCE_S, len(known)
            while len(known) < had + SENDERS and monotonic() < until:
                sleep(0.05)
            served.process.send_signal(signal.SIGKILL)
            for writer in writers:
                writer.join()
    with serving(folder) as served, Client(served.url) as client:
        missing = lost(client, known)
    with sqlite3.connect(folder / "service.db") as database:
        (whole,) = database.execute("PRAGMA integrity_check").fetchone()
    # espeak-ng's own copies stay behind after a kill; recordings must not.
    left = [path.name for path in (folder / "temporary").glob("nativeear*")]
    state = f"{len(known)} answered, database {whole}, files left: {', '.join(left) or 'none'}"
    yield "; ".join(told), state if whole == "ok" and not left else f"wrong: {state}", missing


def fill_the_disk(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Let no file of the service grow, then let them grow again."""
    with serving(folder) as served, Client(served.url, patience_s=0) as client:
        known = {key: assessed(client, key) for key in ("a", "b")}
        free = resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE)
        size = (folder / "service.db-wal").stat().st_size
        resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (size, free[1]))
        told = refusal(lambda: [assessed(client, uuid4().hex) for _ in range(5)])
        reads = client.assessment(known["a"]).id == known["a"]
        resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, free)
        again = refusal(lambda: assessed(client, "c"))
        missing = lost(client, known)
    yield told or "nothing", _state(bool(told) and reads, again), missing


def damage_the_index(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Exchange an index by a damaged one while it is used, and start the service with that."""
    indexes = folder / "indexes"
    shutil.copytree(ROOT / "indexes" / "en-US", indexes / "mine")
    environment = {"NATIVEEAR_INDEXES": str(indexes)}

    def ask(client: Client) -> str:
        return client.assess(PROMPT, text=TEXT, index="mine").id

    with (
        serving(folder, "--index", "mine", environment=environment) as served,
        Client(served.url, patience_s=0) as client,
    ):
        known = {"a": assessed(client, "a")}
        ask(client)
        broken = indexes / ".broken"
        shutil.copytree(indexes / "mine", broken)
        (broken / "vectors.faiss").write_bytes(bytes(1000))
        manifest = broken / "manifest.json"
        manifest.write_text(manifest.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        (indexes / "mine").rename(indexes / ".old")
        broken.rename(indexes / "mine")
        sleep(8)  # it looks for changed indexes every few seconds
        told = refusal(lambda: ask(client))
        noticed = "stays as it was" in served.log.read_text(encoding="utf-8")
        missing = lost(client, known)
    yield told or "nothing: the version that is open goes on", _state(noticed, told), missing
    with (
        serving(folder, "--index", "mine", environment=environment, until_ready=False) as served,
        Client(served.url, patience_s=0) as client,
    ):
        until = monotonic() + PATIENCE_S
        while "damaged" not in (told := readiness(served.url)) and monotonic() < until:
            sleep(0.2)
        noticed = "damaged" in told
        (indexes / "mine").rename(broken)
        (indexes / ".old").rename(indexes / "mine")
        while (mended := readiness(served.url)) and monotonic() < until:
            sleep(0.2)
        yield f"started with it: {told}", _state(noticed, mended), lost(client, known)


def _state(as_wanted: bool, refused: str) -> str:
    if refused:
        return f"wrong: {refused}"
    return "answers again" if as_wanted else "wrong: nobody was told"


if __name__ == "__main__":
    main()
