"""The distribution `nativeear-client`: built, installed alone, and asking a service."""

import os
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.support.served import ROOT, Served

pytest.importorskip("hatchling", reason="hatchling is not installed")
Requirement = pytest.importorskip("packaging.requirements").Requirement

ASKING = """
import sys
from pathlib import Path

from nativeear_client import Assessment, Client, NativeEarError, ProblemError

url, recording = sys.argv[1:]
with Client(url) as client:
    result = client.assess(recording, text="Your message has been saved.")
    assert isinstance(result, Assessment)
    print(*(word.word for word in result.words))
    for refused in (lambda: client.assess(b"no sound", text="Saved."), result.to_frame,
                    lambda: list(client.stream([], 8000))):
        try:
            refused()
        except NativeEarError as error:
            print(error.code, error.fix)
assert not {"numpy", "nativeear"} & {name.partition(".")[0] for name in sys.modules}
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made of the source distribution, which is made of this repository."""
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(out)]
    folder = ROOT / "packages" / "client"
    subprocess.run([*build, "-t", "sdist"], cwd=folder, check=True, capture_output=True)
    (source,) = out.glob("*.tar.gz")
    subprocess.run(["tar", "xzf", source.name], cwd=out, check=True)
    unpacked = out / source.name.removesuffix(".tar.gz")
    subprocess.run([*build, "-t", "wheel"], cwd=unpacked, check=True, capture_output=True)
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the client, httpx, pydantic, and what these need."""
    folder = tmp_path_factory.mktemp("client")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in needed("httpx") | needed("pydantic"):
        found = distribution(name)
        for part in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            (packages / part).symlink_to(Path(str(found.locate_file(part))))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--no-cache-dir"]
    subprocess.run(
        [*pip, "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True, env=_no_path()
    )
    subprocess.run([*pip, "check"], check=True, env=_no_path(), capture_output=True)
    return python


def needed(name: str) -> set[str]:
    """A distribution that is installed here, and all that it cannot do without."""
    asked = [Requirement(line) for line in distribution(name).requires or ()]
    kept = [each for each in asked if not each.marker or each.marker.evaluate({"extra": ""})]
    return {distribution(name).name}.union(*(needed(each.name) for each in kept))


def _no_path() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def test_it_asks_a_service_where_nothing_else_is_installed(
    python: Path, served: Served, tmp_path: Path
) -> None:
    asked = [str(python), "-c", ASKING, served.url, ROOT / "service" / "data" / "vm-msgsaved.flac"]
    done = subprocess.run(
        asked, capture_output=True, text=True, cwd=tmp_path, env=_no_path(), check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Your message has been saved",
        "unsupported-media Give a WAV, FLAC, Ogg, Opus, MP3, M4A or .g722 file.",
        "missing-dependency pip install 'nativeear-client[pandas]'",
        "missing-dependency pip install 'nativeear-client[stream]'",
    ]


def test_it_is_typed_and_shares_no_file_with_the_whole(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        sources = [opened.read(name).decode() for name in names if name.endswith(".py")]
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"nativeear_client"}
    assert "nativeear_client/py.typed" in names
    assert not [source for source in sources if "import nativeear." in source]
    assert not [source for source in sources if "from nativeear." in source]
