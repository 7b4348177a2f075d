"""Every stage of the page's package against its twin, in Node, on the recordings that ship."""

import os
import shutil
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


PAGE = """
import { NativeEar, NativeEarError, record, samplesOf, type Assessment } from "nativeear-web";
const ear = await NativeEar.load("/packs/en-US/", { progress: (there, all) => void (there / all) });
const sound = await samplesOf(await (await record()).stop());
try {
  const result: Assessment = await ear.assess(sound, "I think so", { l1: "zh" });
  const verdict: "correct" | "accented" | "substituted" | "deleted" | "uncertain" =
    result.words[0].phones[0].verdict;
  // @ts-expect-error there is no such field
  void [verdict, result.nothing];
} catch (error) {
  if (error instanceof NativeEarError && error.code === "bad-audio") void error.fix;
}
"""


def test_the_types_hold_and_serve_a_page(tmp_path: Path) -> None:
    assert NODE is not None
    package = tmp_path / "node_modules" / "nativeear-web"
    package.mkdir(parents=True)
    shutil.copyfile(WEB / "package.json", package / "package.json")
    runtime = "onnxruntime-web"  # which npm installs beside it
    (package.parent / runtime).symlink_to(WEB / "node_modules" / runtime)
    (tmp_path / "page.ts").write_text(PAGE, encoding="utf-8")
    compiler = [NODE, str(WEB / "node_modules" / "typescript" / "bin" / "tsc")]
    flags = "--ignoreConfig --noEmit --strict --target es2022 --module esnext --lib es2022,dom"
    for arguments, folder in (
        (["--outDir", str(package / "dist" / "types")], WEB),
        ([*flags.split(), "--moduleResolution", "bundler", "--types", "", "page.ts"], tmp_path),
    ):
        run = subprocess.run(
            [*compiler, *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout
