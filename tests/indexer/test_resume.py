"""Builds that are killed at random instants and resumed, by the product's own command.

`python -m benchmarks.crashes` does the same at length, on real speech.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest
import soundfile

from benchmarks.crashes import crash_builds
from tests.conftest import RATE, SOUNDS, recording

KILLS = 5


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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGKILL")
def test_killed_builds_resume_to_the_bytes_of_an_unbroken_one(corpus: Path, tmp_path: Path) -> None:
    options = ["--corpus", str(corpus), "--lang", "en-US", "--aligner", "flatstart"]
    outcome = crash_builds([*options, "--encoder", "spectral"], tmp_path, KILLS, seed=3)
    assert len(outcome.crashes) == KILLS
    assert outcome.finished >= 1
    assert outcome.differing == ()
    assert outcome.left_over == ()
    # Kills that all come before the first file is written would show nothing.
    assert len({crash.reached.partition(":")[0] for crash in outcome.crashes}) >= 2
