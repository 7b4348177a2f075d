"""Builds and changes of indexes that are killed at drawn instants and run again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nativeear.indexes.publishing import VERSIONS, sha256_of

SEED = 0
NAME = "crashes"


@dataclass(frozen=True)
class Crash:
    """One build that was killed.

    Attributes
    ----------
    after_s
        How long it had run.
    reached
        What it had said last: the stage, and how far it was.
    finished_before
        How many builds had come to their end before this one began.
    """

    after_s: float
    reached: str
    finished_before: int


@dataclass(frozen=True)
class Outcome:
    """What came of a series of kills.

    Attributes
    ----------
    crashes
        The kills, in order.
    finished
        Builds that came to their end: one after the last kill, and those that were faster than
        their instant.
    differing
        Files of these that an unbroken build does not have, lacks, or has with other bytes.
    left_over
        What lay beside the index when all was done.
    """

    crashes: tuple[Crash, ...]
    finished: int
    differing: tuple[str, ...]
    left_over: tuple[str, ...]


def build_command(options: Sequence[str], out: Path) -> list[str]:
    """The product's own command."""
    command = [sys.executable, "-m", "nativeear", "index", "build", "--name", NAME]
    return [*command, *options, "--out", str(out), "--resume"]


def crash_builds(options: Sequence[str], folder: Path, kills: int, seed: int = SEED) -> Outcome:
    """Build once, then kill and resume until there were so many kills and all is done.

    Parameters
    ----------
    options
        Of `nativeear index build`, without `--out`, `--name` and `--resume`.
    folder
        Empty folder to work in.
    kills
        How many builds to kill.
    seed
        Of the instants.
    """
    started = time.monotonic()
    whole = folder / "whole"
    _run(build_command(options, whole), folder / "log", None)
    takes_s = time.monotonic() - started
    expected = digests(whole)
    out = folder / "broken" / "index"
    out.parent.mkdir()
    rng = np.random.default_rng(seed)
    crashes: list[Crash] = []
    differing: set[str] = set()
    finished = 0
    while True:
        instant_s = float(rng.uniform(0.0, takes_s)) if len(crashes) < kills else None
        reached = _run(build_command(options, out), folder / "log", instant_s)
        if reached is not None and instant_s is not None:
            crashes.append(Crash(instant_s, reached, finished))
            if reached == "starting":
                takes_s *= 1.2  # the machine may have become slower since
        if out.exists():  # published, even if it was killed right after that
            found = digests(out)
            names = expected.keys() | found.keys()
            differing |= {name for name in names if found.get(name) != expected.get(name)}
            finished += 1
            left = tuple(sorted(path.name for path in out.parent.iterdir() if path != out))
            if instant_s is None:
                return Outcome(tuple(crashes), finished, tuple(sorted(differing)), left)
            shutil.rmtree(out)


@dataclass(frozen=True)
class ChangeOutcome:
    """What came of changes that were killed.

    Attributes
    ----------
    kills
        How many were, by their command and by what was found after the kill: `as before` or
        `as after`.
    wrong
        What was neither, after a kill or at the end.
    """

    kills: dict[tuple[str, str], int]
    wrong: tuple[str, ...]


def crash_changes(
    build: Sequence[str],
    changes: Sequence[Sequence[str]],
    folder: Path,
    kills: int,
    seed: int = SEED,
) -> ChangeOutcome:
    """Change an index and kill that, again and again.

    Parameters
    ----------
    build
        Of `nativeear index build`, as for `crash_builds`.
    changes
        Commands with their options, without the index, such as `["remove", "--speaker", "anna"]`;
        taken in turn, each on the index as it was built.
    folder
        Empty folder to work in.
    kills
        How many changes to kill.
    seed
        Of the instants.
    """
    log = folder / "log"
    built = folder / "built" / "index"
    _run(build_command(build, built), log, None)
    unbroken = [
        _unbroken(change, built, folder / f"unbroken-{i}") for i, change in enumerate(changes)
    ]
    rng = np.random.default_rng(seed)
    found: Counter[tuple[str, str]] = Counter()
    wrong = []
    before = digests(built)
    while found.total() < kills:
        change = changes[found.total() % len(changes)]
        after, takes_s = unbroken[found.total() % len(changes)]
        target = _fresh(built, folder / "broken")
        command = change_command(change, target)
        instant_s = float(rng.uniform(0.0, takes_s))
        if _run(command, log, instant_s) is None:
            continue  # it was faster than its instant
        states = {"as before": before, "as after": after}
        state = next((name for name, files in states.items() if digests(target) == files), "")
        found[change[0], state] += 1
        finished = state == "as after"
        if not finished or (target.parent / ".index.adding").exists():
            _run(command, log, None)  # goes on; or finds all of it there, and clears up
        made = digests(target)
        if finished:
            made["manifest.json"] = after["manifest.json"]  # it counts as a version of its own
            (target.parent / ".index.lock").unlink(missing_ok=True)  # nobody holds it any more
        names = {path.name for path in target.parent.iterdir()}
        if not state or made != after or names != {"index"}:
            wrong.append(f"{change[0]} after {instant_s:.2f} s: {state or 'neither'}, {names}")
    return ChangeOutcome(dict(sorted(found.items())), tuple(wrong))


def change_command(change: Sequence[str], target: Path) -> list[str]:
    """The product's own command."""
    name, *options = change
    resume = ["--resume"] if name == "add" else []
    return [sys.executable, "-m", "nativeear", "index", name, str(target), *options, *resume]


def _fresh(built: Path, folder: Path) -> Path:
    """The index as it was built, alone in a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(built, folder / built.name))


def _unbroken(change: Sequence[str], built: Path, folder: Path) -> tuple[dict[str, str], float]:
    """What an unbroken change makes of the index, and how long it takes."""
    target = _fresh(built, folder)
    started = time.monotonic()
    _run(change_command(change, target), built.parent.parent / "log", None)
    return digests(target), time.monotonic() - started


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, but for older versions."""
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] != VERSIONS
    }


def _run(command: Sequence[str], log: Path, kill_after_s: float | None) -> str | None:
    """Run a build; what it had said last if it was killed, None if it came to its end."""
    with log.open("w") as stream:
        # A session of its own, so that the workers are killed with it.
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=stream, start_new_session=True
        )
        try:
            process.wait(kill_after_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            said = log.read_text().splitlines()
            return said[-1] if said else "starting"
    if process.returncode:
        raise RuntimeError(f"The build failed: {log.read_text()[-1000:]}")
    return None
