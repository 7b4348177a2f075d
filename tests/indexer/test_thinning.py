import shutil
from pathlib import Path

import numpy as np
import pytest

from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.thinning import (
    LEAST,
    OUTLIER_ODDS,
    Budget,
    quotas,
    representatives,
    thin,
    thinning,
)
from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.manifest import Manifest
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import sha256_of
from nativeear.indexes.verification import verify
from nativeear.speech.errors import InputError


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(params=[True, False], ids=["embeddings", "bare"])
def index(request: pytest.FixtureRequest, tone_corpus: Path, tmp_path: Path) -> Path:
    """An index of the tones, in which one `S` is called `IY`."""
    corpus = Path(shutil.copytree(tone_corpus, tmp_path / "corpus"))
    grid = next(p for p in sorted(corpus.rglob("*.TextGrid")) if '"S"' in p.read_text())
    head, _, tail = grid.read_text().rpartition('"S"')
    grid.write_text(f'{head}"IY"{tail}')
    out = tmp_path / "tones"
    build_index(
        BuildRequest(
            (str(corpus),), "en-US", out, encoder="spectral", embeddings=request.param, clips="flac"
        )
    )
    return out


def test_a_mislabelled_exemplar_goes_and_is_told(index: Path) -> None:
    before = read_manifest(index).counts
    report = thin(index)
    assert [(o.phone, o.heard) for o in report.outliers] == [("IY", "S")]
    assert report.outliers[0].odds > OUTLIER_ODDS
    after = read_manifest(index).counts
    assert after.phones["IY"] == before.phones["IY"] - 1
    assert after.exemplars == before.exemplars - 1 == report.change.exemplars
    assert (after.utterances, report.thinned) == (before.utterances, 0)


def test_a_thin_index_is_a_new_version_within_its_budget(index: Path) -> None:
    report = thin(index, Budget(160))
    manifest = read_manifest(index)
    assert verify(index).ok
    assert 150 <= manifest.counts.exemplars <= 160
    assert manifest.revision == report.change.revision == 2
    assert manifest.command.endswith("--budget 160")
    opened = PhoneIndex.open(index)
    assert opened.clip(0) is not None
    phones = [phone for phone in manifest.classes if phone != "SIL"]
    assert all(manifest.counts.phones[phone] >= LEAST for phone in phones)


def test_out_leaves_the_index_as_it_is(index: Path, tmp_path: Path) -> None:
    before = sha256_of(index / "manifest.json")
    for name in ("one", "two"):
        thin(index, Budget(160), out=tmp_path / name)
    assert sha256_of(index / "manifest.json") == before
    assert read_manifest(tmp_path / "one").name == "one"
    assert read_manifest(tmp_path / "one").revision == 1
    for file in ("vectors.faiss", "exemplars.parquet"):
        assert sha256_of(tmp_path / "one" / file) == sha256_of(tmp_path / "two" / file)


def test_bytes_are_a_budget_too(index: Path) -> None:
    def kept(manifest: Manifest) -> int:
        names = ("vectors.faiss", "exemplars.parquet", "embeddings.npy")
        return sum(manifest.files[name].bytes for name in names if name in manifest.files)

    half = kept(read_manifest(index)) // 2
    thin(index, Budget(half, "bytes"))
    # A table has a header whose length does not shrink with it.
    assert kept(read_manifest(index)) < half + 8_000


def test_a_budget_that_leaves_nothing_is_refused(index: Path) -> None:
    with pytest.raises(InputError, match="too small"):
        thin(index, Budget(4))
    assert read_manifest(index).revision == 1


def test_quotas_are_proportional_and_keep_the_rare() -> None:
    counts = np.array([1000, 400, 40, 3])
    shares = quotas(counts, 400)
    assert shares.sum() <= 400
    assert shares.tolist()[2:] == [LEAST + 2, 3]
    assert (shares[0] - LEAST) / (shares[1] - LEAST) == pytest.approx(970 / 370, rel=0.02)
    assert quotas(counts, 20).tolist() == [5, 5, 5, 3]
    assert quotas(counts, 10_000).tolist() == counts.tolist()


def test_representatives_skip_duplicates_and_mirror_the_whole() -> None:
    rng = np.random.default_rng(0)
    centres = np.eye(4)
    # Ninety copies of one sound, and thirty different ones around three others.
    vectors = unit(
        np.concatenate(
            [
                np.repeat(centres[:1], 90, axis=0) + rng.normal(size=(90, 4)) * 0.001,
                np.repeat(centres[1:], 10, axis=0) + rng.normal(size=(30, 4)) * 0.1,
            ]
        )
    )
    taken = representatives(vectors, np.ones(120), 12)
    assert len(set(taken.tolist())) == 12
    assert {int(vectors[row].argmax()) for row in taken} == {0, 1, 2, 3}
    # Where the copies weigh as much as one other group, they get no more than it.
    weights = np.concatenate([np.full(90, 10 / 90), np.ones(30)])
    balanced = vectors[representatives(vectors, weights, 12)].argmax(axis=1)
    assert np.bincount(balanced, minlength=4).tolist() == [3, 3, 3, 3]


def test_large_phones_are_thinned_in_parts(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nativeear.indexer.thinning.PART", 16)
    opened = PhoneIndex.open(index)
    found = thinning(opened, 160)
    assert 150 <= int(found.stays.sum()) <= 160
    assert (thinning(opened, 160).stays == found.stays).all()
