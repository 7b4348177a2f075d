"""The scripts in `examples/` run as they stand, offline."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.served import serving

ROOT = Path(__file__).parents[1]
RECORDING = str(ROOT / "service" / "data" / "vm-msgsaved.flac")
TEXT = "Your message has been saved."


def run(name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_run_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    for script in (ROOT / "examples").glob("*.py"):
        assert f'run("{script.name}"' in here.replace("\n        ", ""), script.name


def test_examples_import_the_public_face_alone() -> None:
    for script in (ROOT / "examples").glob("*.py"):
        text = script.read_text(encoding="utf-8")
        assert "import nativeear" in text or "from nativeear import" in text
        assert not re.search(r"(from|import) nativeear\.", text), script


def test_assess_to_pandas() -> None:
    told = run("assess_to_pandas.py", RECORDING, TEXT)
    assert "vm-msgsaved" in told
    assert "By phone:" in told


def test_build_and_audit(tone_corpus: Path, tmp_path: Path) -> None:
    told = run("build_and_audit.py", str(tone_corpus), str(tmp_path / "tones"), "spectral")
    judged = next(line for line in told.splitlines() if line.startswith("judged:")).split()
    assert {"IY", "AA", "M", "S"} <= set(judged)
    assert "of 2 speakers" in told


def test_call_the_service(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "1") as served:
        told = run("call_the_service.py", served.url, RECORDING, TEXT)
    assert [line.split()[1] for line in told.splitlines()[:3]] == ["Your", "message", "has"]
