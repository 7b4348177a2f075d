"""Builds, additions and removals on a full disk, and in a folder that may not be written."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import MANIFEST, sha256_of
from nativeear.indexes.verification import verify
from nativeear.service.cli import app

ROOT = Path(__file__).parents[2]
PLENTY = 1 << 30

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and mounts of Linux")


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Let no file grow beyond some bytes: what is written after that fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def index(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["index", *map(str, arguments)])


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: sha256_of(path) for name, path in names.items() if "versions" not in name}


@pytest.fixture
def tones(tone_index: PhoneIndex, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tone_index.path, tmp_path / "here" / "tones"))


def limits(folder: Path) -> list[int]:
    """Just too small for each of the files of an index, and for all of them."""
    sizes = {path.stat().st_size for path in folder.iterdir() if path.is_file()}
    return sorted({0, *(size - 1 for size in sizes)})


def assert_plain(result: Result) -> None:
    assert result.exit_code == 2, (result.output, result.exception)
    told = result.stderr
    assert told.count("Error:") == 1
    assert "Fix:" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    "change",
    [("add", "--corpus"), ("remove", "--speaker", "ben"), ("thin", "--budget", "120")],
    ids=lambda change: change[0],
)
def test_a_full_disk_leaves_the_index_as_it_was(
    change: tuple[str, ...], tones: Path, tone_corpus: Path
) -> None:
    name, *options = change
    if name == "add":
        assert index("remove", tones, "--speaker", "ben").exit_code == 0
        options.append(str(tone_corpus))
    before = digests(tones)
    beside = {path.name for path in tones.parent.iterdir()}
    refused = 0
    for size in limits(tones):
        with no_file_above(size):
            result = index(name, tones, *options)
        if result.exit_code == 0:
            break  # nothing larger was to be written
        assert_plain(result)
        refused += 1
        assert digests(tones) == before
        assert {path.name for path in tones.parent.iterdir()} - {".tones.adding"} == beside
    assert refused >= 2
    if digests(tones) == before:
        assert index(name, tones, *options).exit_code == 0
    assert verify(tones).ok
    assert digests(tones) != before
    assert {path.name for path in tones.parent.iterdir()} == {"tones"}


def test_a_build_on_a_full_disk_publishes_nothing_and_resumes(
    tones: Path, tone_corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "there" / "new"
    options = ("--corpus", tone_corpus, "--lang", "en-US", "--encoder", "spectral", "--out", out)
    refused = 0
    for size in limits(tones):
        with no_file_above(size):
            result = index("build", *options, "--resume")
        if result.exit_code == 0:
            break
        assert_plain(result)
        refused += 1
        assert not out.exists()
    assert refused >= 2
    if not out.exists():
        assert index("build", *options, "--resume").exit_code == 0
    assert verify(out).ok
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    whole = index("build", *options[:-1], tmp_path / "whole" / "new")
    assert whole.exit_code == 0
    vectors = [sha256_of(folder / "vectors.faiss") for folder in (out, tmp_path / "whole" / "new")]
    assert vectors[0] == vectors[1]


def read_only(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command for which a folder cannot be written, whoever runs it."""
    if os.geteuid() == 0:
        bind = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
        command = ["unshare", "-m", "sh", "-c", bind, str(folder), *command]
    else:
        folder.chmod(0o555)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    finally:
        if os.geteuid() != 0:
            folder.chmod(0o755)


@pytest.mark.parametrize("name", ["build", "remove"])
def test_a_folder_that_may_not_be_written_is_told_plainly(
    name: str, tones: Path, tone_corpus: Path
) -> None:
    if (
        os.geteuid() == 0
        and subprocess.run(
            ["unshare", "-m", "mount", "--bind", "/tmp", "/tmp"],  # noqa: S108
            capture_output=True,
            check=False,
        ).returncode
    ):
        pytest.skip("root may write everything here, and nothing can be mounted")
    before = digests(tones)
    new = str(tones.parent / "new")
    corpus = ["--corpus", str(tone_corpus), "--lang", "en-US", "--encoder", "spectral"]
    options = {"build": [*corpus, "--out", new], "remove": [str(tones), "--speaker", "ben"]}[name]
    command = [sys.executable, "-m", "nativeear", "index", name, *options]
    done = read_only(tones.parent, command)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("Error:") == 1
    assert "Read-only" in done.stderr or "Permission" in done.stderr
    assert "Traceback" not in done.stderr
    assert digests(tones) == before
    assert (tones / MANIFEST).exists()
    assert [path.name for path in tones.parent.iterdir()] == ["tones"]
