"""An index of format version 1 opens and answers as it did, and no changed byte goes unseen."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import faiss
import numpy as np
import pytest

from nativeear.indexes import phone_index
from nativeear.indexes.exemplar import Exemplar
from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.verification import verify
from nativeear.retriever.evidence import gather_evidence
from nativeear.speech.errors import IndexFormatError, NativeEarError

GOLDEN = Path(__file__).parent / "golden-v1"
FILES = sorted(p.relative_to(GOLDEN).as_posix() for p in GOLDEN.rglob("*") if p.is_file())
ASKED = (0, 17, 33, 60, 105)
EMBEDDINGS = np.load(GOLDEN / "embeddings.npy")[:8].astype(np.float32)
FLIPS = 16
"""Offsets of each file that are tried, besides the first and last eight."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN, tmp_path / "golden"))


def test_every_part_of_the_golden_index_is_whole() -> None:
    report = verify(GOLDEN)
    assert report.ok, [check for check in report.files if not check.ok]
    assert {check.name for check in report.files} == set(FILES)


def test_the_golden_index_answers_as_it_did() -> None:
    index = PhoneIndex.open(GOLDEN)
    search = faiss.read_index(str(GOLDEN / "vectors.faiss")).search
    similarities, ids = search(index.vectors[list(ASKED)], 3)
    assert ids.tolist() == [[0, 1, 5], [17, 15, 18], [33, 31, 32], [60, 65, 66], [105, 104, 101]]
    assert similarities[:, 1:] == pytest.approx(
        np.array(
            [
                [0.9883, 0.501],
                [0.9849, 0.9832],
                [0.9879, 0.9821],
                [0.9837, 0.9835],
                [0.9826, 0.9717],
            ]
        ),
        abs=1e-3,
    )
    embeddings = np.load(GOLDEN / "embeddings.npy")[list(ASKED)].astype(np.float32)
    phones = [index.exemplar(row).phone for row in ASKED]
    evidence = gather_evidence(index, embeddings, phones)
    assert [item.coverage for item in evidence] == [2, 6, 5, 7, 5]
    assert [item.margin for item in evidence] == pytest.approx(
        [0.5553, 0.5402, 0.4587, 0.2537, 0.2449], abs=1e-3
    )
    assert [item.models for item in evidence] == [(0, 1), (17, 15), (33, 31), (60, 65), (105, 104)]


def test_the_golden_index_says_what_it_said() -> None:
    index = PhoneIndex.open(GOLDEN)
    found = index.exemplar(33)
    assert (found.phone, found.left, found.right, found.stress) == ("IH", "W", "TH", 1)
    assert (found.word, found.speaker, found.utterance) == ("with", "allison", "priv-introsaved")
    assert (found.start_s, found.end_s) == pytest.approx((3.277813, 3.317813))
    clip = index.clip(33)
    assert clip is not None
    assert clip.name == "golden--priv-introsaved.opus"
    assert index.prosody.num_rows == 3
    assert len(index.inventory.phones) == 39
    assert index.manifest.corpora[0].licence == "CC BY-SA 3.0"


def asked(folder: Path) -> None:
    """Open an index and ask it everything that an assessment and an audit do."""
    index = PhoneIndex.open(folder)
    rows = np.arange(0, len(index.vectors), 25)
    phones = [index.exemplar(row).phone for row in rows.tolist()]
    assert isinstance(index.exemplar(0), Exemplar)
    known = [phone for phone in phones if phone in index.classes]
    gather_evidence(index, EMBEDDINGS[: len(known)], known)
    _ = index.inventory.symbols, index.durations_s, index.playable, index.prosody.num_rows
    _ = index.native_margins, index.native_log_posteriors
    for column in ("word", "speaker", "utterance"):
        index.codes(column)


def flips(name: str) -> Iterator[tuple[int, int]]:
    """Seeded places in a file, and the bits that are turned over there."""
    size = (GOLDEN / name).stat().st_size
    rng = np.random.default_rng(len(name) + size)
    edges = [*range(min(8, size)), *range(max(0, size - 8), size)]
    for at in sorted({*edges, *rng.integers(0, size, FLIPS).tolist()}):
        yield at, int(rng.integers(1, 256))


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_found_and_never_crashes(name: str, copy: Path) -> None:
    whole = (copy / name).read_bytes()
    for at, bits in flips(name):
        changed = bytearray(whole)
        changed[at] ^= bits
        (copy / name).write_bytes(changed)
        try:
            found = not verify(copy).ok
        except IndexFormatError:
            found = True
        assert found, f"{name}: {bits:#x} at {at} was not found"
        try:
            asked(copy)
        except NativeEarError:
            pass
        except Exception as error:
            raise AssertionError(f"{name}: {bits:#x} at {at} was {error!r}") from error


def test_a_changed_vector_is_refused_at_opening_where_all_are_read(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = bytearray((copy / "vectors.faiss").read_bytes())
    vectors[-4:] = np.float32(0.5).tobytes()
    (copy / "vectors.faiss").write_bytes(vectors)
    with pytest.raises(IndexFormatError, match="not those that the manifest names"):
        PhoneIndex.open(copy)
    monkeypatch.setattr(phone_index, "COPIED_BYTES", 0)  # as in an index too large for that
    assert len(PhoneIndex.open(copy).vectors)
    assert not verify(copy).ok


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_off_or_grown_is_found(name: str, copy: Path) -> None:
    whole = (copy / name).read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole + b"\0"):
        (copy / name).write_bytes(content)
        with pytest.raises(IndexFormatError):
            verify(copy).raise_if_damaged()
        with pytest.raises(IndexFormatError):
            PhoneIndex.open(copy)


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "audio/../../x", "a\\b", "c:x", ""])
def test_a_manifest_cannot_name_files_elsewhere(name: str, copy: Path) -> None:
    text = (copy / "manifest.json").read_text()
    with pytest.raises(IndexFormatError, match="manifest"):
        (copy / "manifest.json").write_text(
            text.replace('"waiting.parquet"', '"' + name.replace("\\", "\\\\") + '"')
        )
        read_manifest(copy)


@pytest.mark.parametrize(
    ("at", "value"),
    [(4, 1 << 30), (8, (1 << 62) - 1), (37, 1 << 61), (0, int.from_bytes(b"Ix64", "little"))],
)
def test_vectors_are_those_of_the_file_that_the_manifest_implies(
    at: int, value: int, copy: Path
) -> None:
    vectors = bytearray((copy / "vectors.faiss").read_bytes())
    width = 4 if at in {0, 4} else 8
    vectors[at : at + width] = value.to_bytes(width, "little")
    (copy / "vectors.faiss").write_bytes(vectors)
    with pytest.raises(IndexFormatError, match="not those that the manifest names"):
        PhoneIndex.open(copy)
