"""Builds that are killed at random instants and resumed, by the product's own command.

`python -m benchmarks.crashes` does the same at length, on real speech.
"""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

from nativeear.indexer.corpus import Utterance
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler
from nativeear.indexer.worker_pool import start_workers
from nativeear.speech.errors import CorpusError
from tests.conftest import RATE, SOUNDS, recording
from tests.support.killing import build_command, crash_builds, crash_changes

KILLS = 5
needs_sigkill = pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGKILL")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty words of four tones each in another order, without an alignment."""
    folder = tmp_path_factory.mktemp("resume")
    rows = [("id", "audio", "phones", "speaker")]
    for number in range(60):
        turn = number % len(SOUNDS)
        phones = [*SOUNDS[turn:], *SOUNDS[:turn]][:: 1 if number % 3 else -1]
        soundfile.write(folder / f"{number}.wav", recording(phones, number)[0], RATE)
        speaker = ("anna", "ben")[number % 2]
        rows.append((str(number), f"{number}.wav", " ".join(phones), speaker))
    with (folder / "utterances.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


def options(corpus: Path) -> list[str]:
    told = ["--corpus", str(corpus), "--lang", "en-US", "--aligner", "flatstart"]
    return [*told, "--encoder", "spectral"]


@needs_sigkill
def test_killed_builds_resume_to_the_bytes_of_an_unbroken_one(corpus: Path, tmp_path: Path) -> None:
    outcome = crash_builds(options(corpus), tmp_path, KILLS, seed=3)
    assert len(outcome.crashes) == KILLS
    assert outcome.finished >= 1
    assert outcome.differing == ()
    assert outcome.left_over == ()
    # Kills that all come before the first file is written would show nothing.
    assert len({crash.reached.partition(":")[0] for crash in outcome.crashes}) >= 2


@needs_sigkill
def test_killed_changes_leave_the_old_index_or_the_new_one(
    tone_corpus: Path, tmp_path: Path
) -> None:
    changes = [
        ["add", "--corpus", str(tone_corpus / "ben")],
        ["remove", "--utterance", "anna00"],
    ]
    build = ["--corpus", str(tone_corpus / "anna"), "--lang", "en-US", "--encoder", "spectral"]
    outcome = crash_changes(build, changes, tmp_path, 4, seed=5)
    assert outcome.wrong == ()
    assert sum(outcome.kills.values()) == 4
    assert {command for command, _ in outcome.kills} == {"add", "remove"}


@needs_sigkill
def test_workers_end_with_a_build_that_is_killed(corpus: Path, tmp_path: Path) -> None:
    """Else each would hold an encoder in memory for ever, and write into the next build's files."""
    command = build_command([*options(corpus), "--workers", "2"], tmp_path / "index")
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Learning to align"):
                break
        assert len(living(process.pid)) >= 3  # the build and its workers, at the least
        process.send_signal(signal.SIGKILL)
        process.wait()
        until = time.monotonic() + 120
        while living(process.pid) and time.monotonic() < until:
            time.sleep(0.1)
        assert living(process.pid) == []
    finally:
        if living(process.pid):
            os.killpg(process.pid, signal.SIGKILL)


def living(group: int) -> list[str]:
    """Processes of a group that are not merely waiting to be counted as ended."""
    listed = subprocess.run(
        ["ps", "-eo", "pgid=,stat=,pid="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [row[2] for row in rows if row[0] == str(group) and not row[1].startswith("Z")]


def ended(pooler: UtterancePooler, utterance: Utterance, path: Path) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return ""


@needs_sigkill
def test_a_worker_that_the_system_ends_is_told_in_a_sentence(tmp_path: Path) -> None:
    pooler = UtterancePooler(PoolingRequest("en-US", "textgrid", "spectral", None, "middle-third"))
    utterance = Utterance("one", tmp_path / "one.wav", "one", "anna")
    with pytest.raises(CorpusError, match="worker process"), start_workers(pooler, 2) as run:
        list(run(ended, [utterance] * 2, [tmp_path / "a", tmp_path / "b"]))
