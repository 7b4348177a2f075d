"""Every stage of the page's package against its twin, in Node, on the recordings that ship."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nativeear.service.demo import DONOR, PROMPT
from tests.support.browser import NODE, WEB, needs_package
from tests.support.served import ROOT

RECORDINGS = (
    PROMPT,
    DONOR,
    ("vm-msgsaved.flac", "Your message has been saved."),
    # as if it had been read with slips
    ("vm-msgsaved.flac", "Your massage has Ben's shaved."),
    ("vm-msgsaved.flac", "Your has been saved."),  # and a word beside the text
    (DONOR[0], DONOR[1].replace("enter your", "enter tomorrow your")),
)

pytestmark = needs_package


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Python makes of the recordings, stage by stage."""
    folder = tmp_path_factory.mktemp("golden")
    pairs = [part for name, text in RECORDINGS for part in (f"service/data/{name}", text)]
    script = WEB / "test" / "golden.py"
    subprocess.run([sys.executable, str(script), str(folder), *pairs], check=True, cwd=ROOT)
    return folder


def test_every_stage_gives_what_its_twin_does(pack: Path, golden: Path) -> None:
    assert NODE is not None
    subprocess.run([NODE, "build.mjs"], check=True, cwd=WEB)
    run = subprocess.run(
        [NODE, "--test", "--test-reporter=spec", "test/stages.test.mjs"],
        cwd=WEB,
        env={**os.environ, "PACK": str(pack), "GOLDEN": str(golden)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert f"pass {11 * len(RECORDINGS)}" in run.stdout


def test_the_types_hold() -> None:
    assert NODE is not None
    compiler = WEB / "node_modules" / "typescript" / "bin" / "tsc"
    run = subprocess.run(
        [NODE, str(compiler), "--noEmit"], cwd=WEB, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout
