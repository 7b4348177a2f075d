import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import nativeear
from nativeear.indexer.exporting import FORMS, Form, export_index, import_index
from nativeear.indexes.catalogue import find_index
from nativeear.indexes.locking import writing
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.verification import verify
from nativeear.speech.errors import InputError, MissingDependencyError, NativeEarError
from tests.support.aligned import DATA, PROMPTS


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    if request.param == "lance":
        pytest.importorskip("lance", reason="lance is not installed")
    return request.param  # type: ignore[no-any-return]


def test_an_index_comes_back(form: Form, tone_index: PhoneIndex, tmp_path: Path) -> None:
    told = export_index(tone_index.path, tmp_path / "open", form)
    assert told.exemplars == len(tone_index.vectors)
    import_index(tmp_path / "open", tmp_path / "back")
    back = PhoneIndex.open(tmp_path / "back")
    assert verify(back.path).ok
    assert back.name == "back"
    assert back.vectors.tobytes() == tone_index.vectors.tobytes()
    assert back.transform.fingerprint == tone_index.transform.fingerprint
    assert repr(back.table.to_pylist()) == repr(tone_index.table.to_pylist())  # NaN is NaN
    assert back.playable.tolist() == tone_index.playable.tolist()
    manifests = [
        index.manifest.model_copy(update={"files": {}, "name": "", "seal": ""})
        for index in (back, tone_index)
    ]
    assert manifests[0] == manifests[1]


def test_verdicts_by_an_index_that_came_back_are_the_same(form: Form, tmp_path: Path) -> None:
    """On real recordings, by the shipped index."""
    export_index(find_index("en-US"), tmp_path / "open", form)
    import_index(tmp_path / "open", tmp_path / "back")
    before, after = nativeear.load("en-US"), nativeear.load(tmp_path / "back")
    for name, text in PROMPTS:
        one, other = (each.assess(DATA / name, text) for each in (before, after))
        assert one.model_copy(update={"index": ""}) == other.model_copy(update={"index": ""})


def test_an_export_that_was_changed_is_refused(tone_index: PhoneIndex, tmp_path: Path) -> None:
    out = tmp_path / "open"
    export_index(tone_index.path, out, "parquet")
    table = pq.read_table(out / "exemplars.parquet")
    pq.write_table(table.slice(1), out / "exemplars.parquet")
    with pytest.raises(InputError, match="not those of the index any more"):
        import_index(out, tmp_path / "back")
    pq.write_table(table, out / "exemplars.parquet")
    with np.load(out / "transform.npz") as arrays:
        np.savez(out / "transform.npz", mean=arrays["mean"] + 1, matrix=arrays["matrix"])
    with pytest.raises(InputError, match="not those of the index any more"):
        import_index(out, tmp_path / "back")
    (out / "transform.npz").unlink()
    with pytest.raises(InputError, match="no whole export"):
        import_index(out, tmp_path / "back")
    assert not (tmp_path / "back").exists()
    with pytest.raises(InputError, match="exists already"):
        export_index(tone_index.path, out, "npz")


@pytest.mark.parametrize("damage", ["cut", "empty", "gone"])
@pytest.mark.parametrize(
    "name",
    ["vectors.npz", "transform.npz", "exemplars.parquet", "index/manifest.json", "index/audio"],
)
def test_a_damaged_export_is_told_in_a_sentence(
    name: str, damage: str, tone_index: PhoneIndex, tmp_path: Path
) -> None:
    out = tmp_path / "open"
    export_index(tone_index.path, out, "npz")
    file = out / name
    if file.is_dir():
        file = next(iter(sorted(file.iterdir())))
    content = file.read_bytes()
    file.unlink()
    if damage != "gone":
        file.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    with pytest.raises(NativeEarError):
        import_index(out, tmp_path / "back")
    assert [entry.name for entry in tmp_path.iterdir()] == ["open"]


def test_changed_vectors_are_refused(tone_index: PhoneIndex, tmp_path: Path) -> None:
    export_index(tone_index.path, tmp_path / "open", "npz")
    file = tmp_path / "open" / "vectors.npz"
    with np.load(file) as arrays:
        changed = dict(arrays)
    changed["vectors"] = changed["vectors"][::-1]
    np.savez(file, **changed)
    with pytest.raises(InputError, match="not as exported"):
        import_index(tmp_path / "open", tmp_path / "back")
    with pytest.raises(InputError, match="no export of an index"):
        import_index(tmp_path, tmp_path / "back")


def test_what_another_writes_is_left_alone(tone_index: PhoneIndex, tmp_path: Path) -> None:
    """An unfinished folder of one who was killed goes; that of one at work stays."""
    out, stage = tmp_path / "open", tmp_path / ".open.abcdefgh.stage"
    stage.mkdir()
    with (
        writing(tmp_path / "open", "nativeear index build"),
        pytest.raises(InputError, match="Another command is writing"),
    ):
        export_index(tone_index.path, out, "npz")
    stage.mkdir(exist_ok=True)
    export_index(tone_index.path, out, "npz")
    assert not stage.exists()
    with (
        writing(tmp_path / "back", "nativeear index build"),
        pytest.raises(InputError, match="Another command is writing"),
    ):
        import_index(out, tmp_path / "back")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["open"]


def test_lance_that_is_not_installed_is_named(
    tone_index: PhoneIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lance", None)
    with pytest.raises(MissingDependencyError, match="Lance is not installed"):
        export_index(tone_index.path, tmp_path / "open", "lance")
    assert not (tmp_path / "open").exists()


def test_licences_go_with_it(tone_index: PhoneIndex, tmp_path: Path) -> None:
    export_index(tone_index.path, tmp_path / "open", "npz")
    lines = (tmp_path / "open" / "licences.csv").read_text().splitlines()
    assert lines[0] == "corpus,licence,utterances,audio_s"
    assert len(lines) == 1 + len(tone_index.manifest.corpora)
