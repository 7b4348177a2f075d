import gc
import json
import shutil
import tracemalloc
from pathlib import Path

import faiss
import numpy as np
import pytest

from nativeear.indexes.catalogue import find_index, home, list_indexes
from nativeear.indexes.manifest import FORMAT_VERSION
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import staged
from nativeear.indexes.verification import verify
from nativeear.speech.errors import EncoderError, IndexFormatError, InputError


@pytest.fixture
def copy(tone_index: PhoneIndex, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tone_index.path, tmp_path / "copy"))


def test_rows_are_ordered_by_phone_and_ids_are_row_numbers(tone_index: PhoneIndex) -> None:
    assert set(tone_index.classes) == {"AA", "IY", "M", "S", "SIL"}
    assert tone_index.classes[-1] == "SIL"
    for phone in tone_index.classes:
        rows = tone_index.rows_of(phone)
        assert {tone_index.exemplar(row).phone for row in range(rows.start, rows.stop)} == {phone}
    search = faiss.read_index(str(tone_index.path / "vectors.faiss")).search
    _, ids = search(tone_index.vectors[:7], 1)
    assert ids[:, 0].tolist() == list(range(7))


def test_vectors_are_unit_and_cannot_be_changed(tone_index: PhoneIndex) -> None:
    assert tone_index.vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(tone_index.vectors, axis=1), 1, atol=1e-5)
    with pytest.raises(ValueError, match="read-only"):
        tone_index.vectors[0, 0] = 1


def test_sums_of_classes_are_read_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "nativeear.indexes.phone_index.COPIED_BYTES", 0
    )  # mapped, as large indexes are
    monkeypatch.setattr("nativeear.indexes.phone_index.SUMMED_ROWS", 1000)
    index = PhoneIndex.open(find_index("en-US"))
    assert not index.vectors.flags.aligned  # what a reduction over all of it copies whole
    tracemalloc.start()
    sums = index.class_sums
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < index.vectors.nbytes / 8
    assert np.allclose(sums, np.add.reduceat(index.vectors, index.bounds[:-1]), atol=1e-2)


def test_vectors_outlive_the_file_that_another_thread_opened(
    tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    # From Python 3.12 on, two threads may both open it; the later one's is kept.
    monkeypatch.setattr("nativeear.indexes.phone_index.COPIED_BYTES", 0)
    index = PhoneIndex.open(tone_index.path)
    mine = index.vectors
    before = mine.copy()
    del index.__dict__["vectors"]
    assert index.vectors is not mine
    gc.collect()
    np.testing.assert_array_equal(mine, before)


def test_an_exemplar_knows_where_it_comes_from(tone_index: PhoneIndex) -> None:
    exemplar = tone_index.exemplar(0)
    assert exemplar.speaker in {"anna", "ben"}
    assert exemplar.word == "word"
    assert exemplar.left in {*tone_index.classes}
    assert 0 < exemplar.end_s - exemplar.start_s < 0.2
    clip = tone_index.clip(0)
    assert clip is not None
    assert clip.is_file()


def test_the_manifest_says_what_the_index_is(tone_index: PhoneIndex) -> None:
    manifest = tone_index.manifest
    assert manifest.format_version == FORMAT_VERSION
    assert manifest.counts.speakers == 2
    assert manifest.counts.utterances == 30
    assert sum(manifest.counts.phones.values()) == manifest.counts.exemplars
    assert manifest.decision.native_accuracy > 0.9
    assert str(tone_index.path) not in (tone_index.path / "manifest.json").read_text()


def test_another_encoder_is_an_error_never_a_silent_wrong_answer(tone_index: PhoneIndex) -> None:
    class Other:
        name = "other"
        fingerprint = "sha256:0"

    with pytest.raises(EncoderError, match="built with another encoder than other"):
        tone_index.check_encoder(Other())  # type: ignore[arg-type]


def test_verify_accepts_a_sound_index(copy: Path) -> None:
    report = verify(copy)
    assert report.ok
    assert {"vectors.faiss", "exemplars.parquet", "transform.safetensors", "manifest.json"} <= {
        check.name for check in report.files
    }


@pytest.mark.parametrize("name", ["vectors.faiss", "exemplars.parquet", "transform.safetensors"])
def test_verify_finds_one_changed_byte(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    report = verify(copy)
    assert not report.ok
    assert [check.name for check in report.files if not check.ok] == [name]


def test_open_refuses_a_file_of_another_size(copy: Path) -> None:
    with (copy / "vectors.faiss").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(IndexFormatError, match="is damaged") as caught:
        PhoneIndex.open(copy)
    assert "vectors.faiss" in caught.value.cause
    assert "verify" in caught.value.fix


def test_verify_reports_strangers_and_missing_files(copy: Path) -> None:
    (copy / "stranger.txt").write_text("hello")
    (copy / "vectors.faiss").unlink()
    problems = {check.name: check.problem for check in verify(copy).files if not check.ok}
    assert problems == {"vectors.faiss": "missing", "stranger.txt": "not named in the manifest"}


def test_open_refuses_another_version(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["format_version"] = 99
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(IndexFormatError, match="index format 99"):
        PhoneIndex.open(copy)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format_version": 1}', "\x00\xff"])
def test_open_refuses_a_damaged_manifest(copy: Path, content: str) -> None:
    (copy / "manifest.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(IndexFormatError):
        PhoneIndex.open(copy)


def test_a_name_that_is_unknown_lists_the_known_ones(
    tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NATIVEEAR_INDEXES", str(tone_index.path.parent))
    assert home() == tone_index.path.parent
    assert find_index("tones") == tone_index.path
    assert "tones" in {summary.name for summary in list_indexes()}
    for name in ("a" * 5_000, "/" + "a" * 5_000, "a\0b"):  # longer than a file's may be
        with pytest.raises(InputError, match="no index called"):
            find_index(name)
    with pytest.raises(InputError, match="no index called 'klingon'") as caught:
        find_index("klingon")
    assert "tones" in caught.value.cause


def test_a_damaged_index_is_listed_with_its_problem(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copy / "manifest.json").write_text("{")
    monkeypatch.setenv("NATIVEEAR_INDEXES", str(copy.parent))
    listed = {summary.name: summary for summary in list_indexes()}
    assert "damaged" in listed["copy"].problem


def test_a_failed_build_leaves_nothing_behind(tmp_path: Path) -> None:
    out = tmp_path / "index"
    with pytest.raises(InputError, match="could not be written") as caught, staged(out) as stage:
        (stage / "vectors.faiss").write_bytes(b"half")
        raise OSError(28, "No space left on device")
    assert "No space left" in caught.value.cause
    assert list(tmp_path.iterdir()) == []


def test_the_shipped_index_names_the_folders_of_no_machine() -> None:
    recipe = PhoneIndex.open(find_index("en-US")).manifest.recipe
    assert recipe is not None
    assert not [corpus.place for corpus in recipe.corpora if Path(corpus.place).is_absolute()]
