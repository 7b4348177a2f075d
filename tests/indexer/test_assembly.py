import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import nativeear.indexer.discriminant
from nativeear.indexer.assembly import IndexSettings, publish_new
from nativeear.indexer.corpus import Utterance
from nativeear.indexer.decision import ASKED, LEAST_ASKED, draw, fit_decision
from nativeear.indexer.discriminant import class_sums, fit_lda, transformed
from nativeear.indexer.pool import Record
from nativeear.indexer.pooled_utterance import PooledPhone, PooledUtterance
from nativeear.indexes.manifest import EncoderIdentity
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.verification import verify
from nativeear.speech.errors import EncoderError

ROOT = Path(__file__).parents[2]
PHONES = ("AA", "IY", "M", "S")


def settings(dim: int) -> IndexSettings:
    return IndexSettings(
        name="x",
        language="en-US",
        inventory={"language": "en-US", "phones": []},
        encoder=EncoderIdentity(name="spectral", layer=None, fingerprint="sha256:0", dim=dim),
        pooling="middle-third",
        aligner="auto",
        g2p=None,
        min_rating=None,
        clips=None,
        command="",
    )


def records(folder: Path, utterances: int, phones: int, dim: int, scale: float = 1) -> list[Record]:
    """Records of random embeddings around a centre for each phone."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(len(PHONES), dim))
    made = []
    for number in range(utterances):
        own = rng.integers(0, len(PHONES), phones)
        described = tuple(
            PooledPhone(PHONES[p], "SIL", "SIL", -1, "word", i * 0.1, i * 0.1 + 0.1)
            for i, p in enumerate(own)
        )
        embeddings = (centres[own] + rng.normal(size=(phones, dim))) * scale
        utterance = Utterance(f"u{number:05d}", Path("none.wav"), "word", f"s{number % 7}")
        path = folder / f"{number}.npz"
        PooledUtterance(described, embeddings.astype(np.float32), 1.5).save(path)
        made.append(Record("random", "none", utterance, path))
    return made


def test_embeddings_lie_in_the_order_of_the_exemplars(tmp_path: Path) -> None:
    made = records(tmp_path, 12, 20, 8)
    manifest = publish_new(tmp_path / "index", made, settings(8))
    index = PhoneIndex.open(tmp_path / "index")
    embeddings = np.load(tmp_path / "index" / "embeddings.npy", mmap_mode="r")
    assert embeddings.dtype == np.float16
    assert len(embeddings) == manifest.counts.exemplars == 240
    loaded = {r.utterance.id: PooledUtterance.load(r.path) for r in made}
    for row in range(0, 240, 17):
        exemplar = index.exemplar(row)
        i = round(exemplar.start_s * 10)
        assert loaded[exemplar.utterance].phones[i].phone == exemplar.phone
        given = loaded[exemplar.utterance].embeddings[i]
        assert np.array_equal(embeddings[row], given.astype(np.float16))
        vector = index.transform(embeddings[[row]].astype(np.float32))[0]
        assert index.vectors[row] == pytest.approx(vector, abs=1e-5)
    utterances = pq.read_table(tmp_path / "index" / "utterances.parquet").to_pylist()
    assert len(utterances) == 12
    assert utterances[3] == {
        "corpus": "random", "utterance": "u00003", "speaker": "s3", "audio_s": 1.5, "sex": None,
    }  # fmt: skip
    assert manifest.counts.audio_s == 18
    assert manifest.counts.speakers == 7


def test_the_order_in_which_records_come_does_not_matter(tmp_path: Path) -> None:
    made = records(tmp_path, 12, 20, 8)
    publish_new(tmp_path / "one", made, settings(8))
    publish_new(tmp_path / "other", made[::-1], settings(8))
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


def test_without_embeddings_only_these_are_missing(tmp_path: Path) -> None:
    made = records(tmp_path, 6, 20, 8)
    publish_new(tmp_path / "with", made, settings(8))
    publish_new(tmp_path / "without", made, settings(8), embeddings=False)
    names = {p.name for p in (tmp_path / "with").iterdir()}
    assert names - {p.name for p in (tmp_path / "without").iterdir()} == {"embeddings.npy"}
    for name in ("vectors.faiss", "exemplars.parquet"):
        files = [(tmp_path / folder / name).read_bytes() for folder in ("with", "without")]
        assert files[0] == files[1]
    assert verify(tmp_path / "without").ok


def test_embeddings_too_large_for_half_precision_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="embeddings of u00000 cannot be kept") as caught:
        publish_new(tmp_path / "index", records(tmp_path, 4, 20, 8, scale=1e5), settings(8))
    assert "65504" in caught.value.cause
    assert not (tmp_path / "index").exists()


def test_sums_in_blocks_are_the_scatter_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    classes = rng.integers(0, 3, 500)
    data = (rng.normal(size=(500, 6)) + 3 * classes[:, None]).astype(np.float16)
    monkeypatch.setattr(nativeear.indexer.discriminant, "BLOCK_ROWS", 64)
    parts = class_sums(data, classes, rng.integers(0, 4, 500))
    assert len(parts) == 4
    whole = sum(parts[1:], start=parts[0])
    exact = data.astype(np.float64)
    assert whole.products == pytest.approx(exact.T @ exact)
    assert whole.sums[1] == pytest.approx(exact[classes == 1].sum(axis=0))
    assert whole.counts.tolist() == np.bincount(classes).tolist()
    # Within the classes the whitened scatter is the identity, but for the shrinkage.
    transform = fit_lda(data, [str(c) for c in classes])
    projected = (exact - transform.mean) @ transform.matrix
    centred = np.concatenate(
        [projected[classes == c] - projected[classes == c].mean(axis=0) for c in range(3)]
    )
    assert centred.T @ centred / 500 == pytest.approx(np.eye(2), abs=0.05)
    rows = np.array([7, 3, 499])
    assert transformed(transform, data, rows) == pytest.approx(
        transform(data[rows].astype(np.float32)), abs=1e-5
    )


def test_a_decision_is_the_same_from_a_file_as_from_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    bounds = np.array([0, 80, 160, 240])
    own = np.repeat([0, 1, 2], 80)
    data = (rng.normal(size=(240, 5)) + own[:, None]).astype(np.float16)
    np.save(tmp_path / "data.npy", data)
    mapped = np.load(tmp_path / "data.npy", mmap_mode="r")
    groups = rng.integers(0, 12, 240)
    one = fit_decision(data.astype(np.float32), bounds, groups)
    other = fit_decision(mapped, bounds, groups)
    assert one.decision == other.decision
    assert np.array_equal(one.native_margins, other.native_margins, equal_nan=True)


def anonymous_peak_mib(folder: Path, utterances: int) -> float:
    """Peak of the memory that an assembly holds beside mapped files, in MiB."""
    program = f"""
import sys, threading, time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
spec = spec_from_file_location("made", {str(Path(__file__))!r})
made = module_from_spec(spec)
spec.loader.exec_module(made)
import faiss, nativeear.indexes.similarity
nativeear.indexes.similarity.BLOCK_BYTES = 1 << 20  # a bound that both sizes reach
folder = Path({str(folder)!r})
records = made.records(folder, {utterances}, 250, 512)
def held():
    for line in open("/proc/self/status"):
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
peak, done = [held()], threading.Event()
start = peak[0]
def watch():
    while not done.wait(0.005):
        peak.append(held())
watcher = threading.Thread(target=watch)
watcher.start()
made.publish_new(folder / "index", records, made.settings(512))
done.set()
watcher.join()
print(max(peak) - start)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_embeddings(tmp_path: Path) -> None:
    peaks = []
    for utterances in (100, 300):
        folder = tmp_path / str(utterances)
        folder.mkdir()
        peaks.append(anonymous_peak_mib(folder, utterances))
    grown_rows = (300 - 100) * 250
    embeddings_mib = grown_rows * 512 * 2 / 2**20
    assert peaks[1] - peaks[0] < embeddings_mib / 2


def test_of_a_large_index_natives_are_asked_in_the_shares_of_their_classes() -> None:
    counts = np.array([40, 500, 20_000, 40_000])
    bounds = np.concatenate([[0], np.cumsum(counts)])
    rows = draw(bounds, np.random.default_rng(0))
    assert np.array_equal(rows, np.unique(rows))
    asked = np.histogram(rows, bounds)[0]
    assert asked.tolist() == [40, LEAST_ASKED, *(counts[2:] * ASKED / counts.sum()).round()]
    small = np.array([0, 40, 2_000])
    assert np.array_equal(draw(small, np.random.default_rng(0)), np.arange(2_000))
