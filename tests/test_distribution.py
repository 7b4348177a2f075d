"""What the wheel holds: all that an installation runs on, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="hatchling is not installed")

ROOT = Path(__file__).parents[1]
ROOMS = ("speech", "indexes", "indexer", "retriever", "scoring", "service")
NEEDED = (
    "indexes/en-US/manifest.json",
    "indexes/en-US/vectors.faiss",
    "indexes/en-US/exemplars.parquet",
    "scoring/data/expert-en/judge.safetensors",
    "speech/data/compact/encoder.onnx",
    "service/data/priv-introsaved.flac",
    "service/data/practice/en.json",
    "service/page/index.html",
    "service/page/app.js",
    "service/page/colours.css",
    "service/templates/report.html",
    "service/templates/report.css",
    "service/database/migrations/env.py",
    "service/database/migrations/versions/0001_tables.py",
    "py.typed",
    "__init__.py",
)
MAX_MB = 40


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def held(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def is_ours(path: Path) -> bool:
    """Whether a file of a room is the product's: built indexes and caches are the user's."""
    inside = path.relative_to(ROOT).parts
    is_built = inside[0] == "indexes" and len(inside) > 2 and inside[1] != "en-US"
    return path.is_file() and "__pycache__" not in inside and not is_built


def test_it_holds_every_file_of_every_room(held: set[str]) -> None:
    there = {
        f"nativeear/{path.relative_to(ROOT).as_posix()}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if is_ours(path)
    }
    assert there <= held
    told = {name for name in held if ".dist-info/" not in name}
    own = {f"nativeear/{name}" for name in ("__init__.py", "__main__.py", "py.typed", "testing.py")}
    assert told == there | own


def test_it_holds_what_each_part_cannot_do_without(held: set[str]) -> None:
    assert [name for name in NEEDED if f"nativeear/{name}" not in held] == []
    for name in ("LICENSE", "NOTICE"):
        assert any(path.endswith(f".dist-info/licenses/{name}") for path in held)


def test_every_file_of_the_shipped_index_is_held(held: set[str]) -> None:
    from nativeear.indexes.index_files import read_manifest

    manifest = read_manifest(ROOT / "indexes" / "en-US")
    assert {f"nativeear/indexes/en-US/{name}" for name in manifest.files} <= held


def test_entry_points_name_what_is_held(wheel: Path, held: set[str]) -> None:
    with zipfile.ZipFile(wheel) as opened:
        (name,) = [name for name in held if name.endswith(".dist-info/entry_points.txt")]
        told = opened.read(name).decode()
    targets = [line.partition("= ")[2] for line in told.splitlines() if " = " in line]
    assert "nativeear.__main__:main" in targets
    for target in targets:
        assert target.partition(":")[0].replace(".", "/") + ".py" in held, target


def test_it_is_small_enough_to_be_sent_around(wheel: Path) -> None:
    assert wheel.stat().st_size < MAX_MB << 20
