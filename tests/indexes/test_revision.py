import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import nativeear.indexes.versions
from nativeear.indexes.catalogue import list_indexes
from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.locking import writing
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import seal, staged
from nativeear.indexes.verification import verify
from nativeear.indexes.versions import (
    clear_leftovers,
    next_revision,
    replace,
    restore,
    swap,
    versions,
)
from nativeear.speech.errors import IndexFormatError, InputError

ROOT = Path(__file__).parents[2]


class Killed(BaseException):
    """Stands for a kill: nothing of the writer runs after it."""


@pytest.fixture(params=["exchange", "renames"])
def index(
    tone_index: PhoneIndex,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """An index where folders can be exchanged, and one where the system knows no such thing."""
    if request.param == "renames":
        monkeypatch.setattr(nativeear.indexes.versions, "_exchange", lambda one, other: False)
    return Path(shutil.copytree(tone_index.path, tmp_path / "tones"))


def make(index: Path, stage: Path) -> None:
    """A whole next version in `stage`, told from others by its revision."""
    without = shutil.ignore_patterns("versions")
    shutil.copytree(index, stage, dirs_exist_ok=True, ignore=without)
    (stage / "manifest.json").unlink()
    seal(stage, read_manifest(index).model_copy(update={"revision": next_revision(index)}))


def publish_next(index: Path, keep: int = 1) -> None:
    with writing(index, "test"), staged(index) as stage:
        make(index, stage)
        replace(stage, index, keep)


def revisions(index: Path) -> tuple[int, list[int]]:
    """The published revision, and the kept ones."""
    found = versions(index)
    assert all(verify(version.path).ok for version in found)
    kept = [version.revision for version in found if not version.current]
    return read_manifest(index).revision, kept


def test_two_folders_change_places(index: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    swap(tmp_path / "one", tmp_path / "other")
    assert [p.name for p in (tmp_path / "one").iterdir()] == ["other"]
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["one"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one", "other", "tones"]


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
def test_linux_exchanges_at_one_instant(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    assert nativeear.indexes.versions._exchange(tmp_path / "one", tmp_path / "other")
    with pytest.raises(FileNotFoundError):
        nativeear.indexes.versions._exchange(tmp_path / "one", tmp_path / "none")


@pytest.mark.parametrize(("keep", "kept"), [(0, []), (1, [2]), (2, [2, 1]), (9, [2, 1])])
def test_as_many_old_versions_stay_as_told(index: Path, keep: int, kept: list[int]) -> None:
    publish_next(index, 9)
    publish_next(index, keep)
    assert revisions(index) == (3, kept)


def test_restoring_keeps_what_it_replaces(index: Path) -> None:
    publish_next(index)
    with writing(index, "test"):
        assert restore(index).revision == 1
        assert revisions(index) == (1, [2])
        assert restore(index).revision == 2
        assert revisions(index) == (2, [1])
    publish_next(index, 2)
    assert revisions(index) == (3, [2, 1])


def test_a_damaged_version_is_not_restored(index: Path) -> None:
    publish_next(index)
    (versions(index)[1].path / "vectors.faiss").write_bytes(b"x")
    with pytest.raises(IndexFormatError, match="is damaged"):
        restore(index)
    assert verify(index).ok


def kill_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Kill at the `step`-th renaming or removal of a folder from now on."""
    left = [step]

    def counted(function: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object, **options: object) -> object:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return function(*arguments, **options)

        return run

    monkeypatch.setattr(Path, "rename", counted(Path.rename))
    monkeypatch.setattr(
        nativeear.indexes.versions, "_exchange", counted(nativeear.indexes.versions._exchange)
    )
    monkeypatch.setattr(shutil, "rmtree", counted(shutil.rmtree))


@pytest.mark.parametrize("step", range(7))
@pytest.mark.parametrize("action", ["replace", "restore", "redo"])
def test_whatever_step_a_kill_hits_one_version_is_whole(
    index: Path, monkeypatch: pytest.MonkeyPatch, step: int, action: str
) -> None:
    publish_next(index, 5)
    publish_next(index, 5)
    if action == "redo":
        restore(index, 2)
    before = revisions(index)
    stage = index.parent / ".tones.abcdefgh.stage"
    if action == "replace":
        make(index, stage)
    with monkeypatch.context() as patch:
        kill_at(patch, step)
        try:
            if action == "replace":
                replace(stage, index, keep=5)
            else:
                restore(index, 3 if action == "redo" else 1)
        except Killed:
            pass
    with writing(index, "the next writer"):
        now, kept = revisions(index)
        assert sorted(p.name for p in index.parent.iterdir()) == [
            ".tones.lock",
            "tones",
        ]
    everything = {before[0], *before[1]}
    assert now in {before[0], 4 if action == "replace" else (3 if action == "redo" else 1)}
    assert {now, *kept} in ([everything, everything | {4}] if action == "replace" else [everything])


def test_leftovers_of_another_index_are_left_alone(index: Path) -> None:
    other = index.parent / ".tones.two.abcdefgh.stage"
    mine = index.parent / ".tones.abcdefgh.stage"
    for folder in (other, mine):
        folder.mkdir()
        (folder / "half").touch()
    clear_leftovers(index)
    assert other.is_dir()
    assert not mine.exists()


def test_what_is_hidden_is_not_listed(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATIVEEAR_INDEXES", str(index.parent))
    make(index, index.parent / ".tones.abcdefgh.stage")
    assert [s.name for s in list_indexes() if "tones" in s.name] == ["tones"]


HOLD = """
import sys, time
from pathlib import Path
from nativeear.indexes.locking import writing
with writing(Path(sys.argv[1]), "nativeear index add"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    out = tmp_path / "index"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(out)], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(InputError, match="Another command is writing") as caught,
            writing(out, "second"),
        ):
            pass
        assert f"`nativeear index add` runs as process {holder.pid}" in caught.value.cause
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    assert (tmp_path / ".index.lock").exists(), "a kill leaves the file, and it means nothing"
    with writing(out, "third"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_free_again_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), writing(tmp_path / "index", "first"):
        raise ZeroDivisionError
    with writing(tmp_path / "index", "second"):
        pass


def test_whoever_may_read_the_folder_may_read_its_files(index: Path, tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    make(index, stage)
    assert {path.stat().st_mode & 0o777 for path in stage.rglob("*") if path.is_file()} == {0o644}
