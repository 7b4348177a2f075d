"""Indexes being built beside the service, one process each; a cancelled one is killed."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Any

from nativeear.indexes.locking import writing
from nativeear.service.api.outbox import Outbox, Write
from nativeear.service.api.problem import Problem
from nativeear.service.api.problems import without_folders
from nativeear.service.api.quota import Reservation
from nativeear.service.api.unpacking import discard
from nativeear.service.database.store import Store
from nativeear.service.own_process import started
from nativeear.speech.errors import InputError, NativeEarError

logger = logging.getLogger("nativeear.service")

_MODULE = "nativeear.service.api.build_process"
_TELL_S = 0.5  # no more often than this is progress written to the database
_DYING_S = 5.0  # how long what belongs to a killed build may take to be gone


@dataclass(frozen=True)
class BuildSpec:
    """What to build.

    Attributes
    ----------
    corpus
        A folder on this machine.
    out
        The folder of the index; must not exist.
    within
        The folder that all its files must lie in, if it was uploaded.
    name, language, aligner, encoder, licence, clips, reader
        See `indexer.build.BuildRequest`.
    """

    corpus: str
    language: str
    out: str
    name: str
    aligner: str = "auto"
    encoder: str = "default"
    licence: str | None = None
    clips: str | None = None
    reader: str = "auto"
    within: str | None = None


class Builds:
    """The builds of one service, one at a time. Safe to share between threads."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._cancelled: set[str] = set()
        self._stopping = False
        self._lock = threading.Lock()
        self._turn = threading.Semaphore(1)
        self._threads: dict[str, threading.Thread] = {}  # of jobs that have not ended

    @property
    def jobs(self) -> tuple[str, ...]:
        """Ids of those that wait or are being built."""
        with self._lock:
            return tuple(self._threads)

    def start(
        self, job: str, spec: BuildSpec, unpacked: Path | None, reservation: Reservation
    ) -> None:
        """Build in the background; `unpacked` is removed afterwards, and no longer held."""
        thread = threading.Thread(
            target=self._follow,
            args=(job, spec, unpacked, reservation),
            name=f"build-{job}",
            daemon=True,
        )
        with self._lock:
            self._threads[job] = thread
        thread.start()

    def cancel(self, job: str) -> None:
        """Kill a build, or leave it undone if it has not begun."""
        with self._lock:
            if job in self._threads:
                self._cancelled.add(job)
            process = self._processes.get(job)
        if process is not None:
            _kill(process)

    def stop(self) -> None:
        """Kill every build and wait until that is written down."""
        with self._lock:
            self._stopping = True
            running, threads = list(self._processes), list(self._threads.values())
        for job in running:
            self.cancel(job)
        for thread in threads:
            thread.join(10.0)

    def _follow(
        self, job: str, spec: BuildSpec, unpacked: Path | None, reservation: Reservation
    ) -> None:
        try:
            try:
                with self._turn:
                    end = self._run(job, spec)
            finally:
                if unpacked is not None:
                    discard(unpacked)
                reservation.release()
            self._outbox.write(job, end)  # once nothing is left of it
        finally:
            with self._lock:
                del self._threads[job]
                self._cancelled.discard(job)

    def _run(self, job: str, spec: BuildSpec) -> Write:
        """Build, and return what writes down what became of it."""
        ended = partial(self._store.update_job, job)
        with self._lock:
            if job in self._cancelled or self._stopping:
                process = None
            else:
                process = self._processes[job] = started(_MODULE, own_session=True)
        if process is None:
            return partial(ended, state="cancelled")
        try:
            self._say(job, state="running")
            last = self._converse(job, spec, process)
        finally:
            _kill(process)
            process.wait()
            with self._lock:
                del self._processes[job]
                cancelled = job in self._cancelled
        if "result" in last:
            return partial(ended, state="done", result=json.dumps(last["result"]))
        if cancelled:
            _clear_away(Path(spec.out))
            return partial(ended, state="cancelled")
        problem = _problem(last.get("problem"), spec)
        return partial(ended, state="failed", problem=problem.model_dump_json())

    def _say(self, job: str, **progress: Any) -> None:
        """Write down how far a build is; a build goes on without that."""
        with suppress(NativeEarError):
            self._store.update_job(job, **progress)

    def _converse(
        self, job: str, spec: BuildSpec, process: subprocess.Popen[str]
    ) -> Mapping[str, Any]:
        """Give the order, write progress down, and return the last thing that was said."""
        requests, answers = _pipes(process)
        with suppress(BrokenPipeError), requests:
            json.dump(asdict(spec), requests)
        last: dict[str, Any] = {}
        written_at = -_TELL_S
        for line in answers:
            last = json.loads(line)
            if "stage" in last and monotonic() - written_at >= _TELL_S:
                written_at = monotonic()
                self._say(job, stage=last["stage"], done=last["done"], total=last["total"])
        return last


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process was started without pipes")
    return process.stdin, process.stdout


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()


def _clear_away(out: Path) -> None:
    """Remove what a killed build left: its utterances, its stage and its lock."""
    until = monotonic() + _DYING_S
    while True:
        try:
            with writing(out, "clear away a cancelled build"):
                discard(out.parent / f".{out.name}.building")
        except InputError:  # a worker of the build still holds the lock, until it is dead too
            if monotonic() > until:
                return
            sleep(0.05)
        else:
            return


def _problem(error: Mapping[str, str] | None, spec: BuildSpec) -> Problem:
    """What a build failed at; files of its corpus are named as in the corpus."""
    if error is None:
        error = {
            "code": "build-died",
            "message": "The build ended without a word.",
            "cause": "Its process was killed, perhaps for want of memory.",
            "fix": "Try again, with less speech or more memory.",
        }
    detail, cause, fix = (
        without_folders(error[part].replace(f"{spec.corpus}/", ""))
        for part in ("message", "cause", "fix")
    )
    return Problem(
        type=f"urn:nativeear:problem:{error['code']}",
        title="Build failed",
        status=422,
        detail=detail,
        cause=cause,
        fix=fix,
    )
