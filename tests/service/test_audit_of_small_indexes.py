"""Audits of indexes that hold next to nothing: no arithmetic may give up, whatever the vectors."""

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from nativeear.indexer.assembly import IndexSettings, publish_new
from nativeear.indexer.audit.report import AuditReport, audit
from nativeear.indexer.corpus import Utterance
from nativeear.indexer.discriminant import class_sums
from nativeear.indexer.pool import Record
from nativeear.indexer.pooled_utterance import PooledPhone, PooledUtterance
from nativeear.indexes.manifest import EncoderIdentity
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.audit_summary import print_audit
from nativeear.service.report.audit import render_audit
from nativeear.speech.errors import CorpusError
from nativeear.speech.inventory import PhoneInventory

INVENTORY = PhoneInventory.load("en-US")
KINDS = ("random", "the same", "nothing", "the phone's", "far from 0")


def vectors(kind: str, own: list[str], dim: int, rng: np.random.Generator) -> NDArray[np.float64]:
    noise = rng.normal(size=(len(own), dim))
    if kind == "the phone's":
        places = [INVENTORY.symbols.index(p) if p in INVENTORY else -1 for p in own]
        return np.stack([np.random.default_rng(place + 1).normal(size=dim) for place in places])
    return {
        "random": noise,
        "the same": np.ones_like(noise),
        "nothing": np.zeros_like(noise),
        "far from 0": 1000 + noise,
    }[kind]


def build(folder: Path, kind: str, rng: np.random.Generator, *, embeddings: bool) -> PhoneIndex:
    phones = rng.choice(INVENTORY.symbols, size=rng.choice([2, 3, 6, 20]), replace=False).tolist()
    utterances, length = int(rng.choice([1, 2, 3, 30])), int(rng.choice([1, 2, 4, 8]))
    dim, speakers = int(rng.choice([1, 2, 5, 200])), int(rng.choice([1, 2, 6]))
    records = []
    for number in range(utterances):
        own = [*rng.choice(phones, size=length).tolist(), *["SIL"] * int(rng.integers(2))]
        pooled = tuple(
            PooledPhone(phone, "SIL", "spn", -1, "word", at * 0.1, at * 0.1 + 0.1)
            for at, phone in enumerate(own)
        )
        path = folder / f"{number}.npz"
        made = vectors(kind, own, dim, rng).astype(np.float32)
        PooledUtterance(pooled, made, 1.6).save(path)
        said = Utterance(f"u{number}", Path("none.wav"), "word", f"s{number % speakers}")
        records.append(Record("random", "none", said, path))
    settings = IndexSettings(
        name="x",
        language="en-US",
        inventory=INVENTORY.to_json(),
        encoder=EncoderIdentity(name="spectral", layer=None, fingerprint="sha256:0", dim=dim),
        pooling="middle-third",
        aligner="auto",
        g2p=None,
        min_rating=None,
        clips=None,
        command="",
    )
    publish_new(folder / "index", records, settings, embeddings=embeddings)
    return PhoneIndex.open(folder / "index")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("embeddings", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_can_be_built_can_be_audited(kind: str, embeddings: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    built = 0
    for number in range(8):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            index = build(folder, kind, rng, embeddings=embeddings)
        except CorpusError as refused:
            assert "too few phones" in refused.message
            continue
        built += 1
        report = audit(index)
        assert AuditReport.model_validate_json(report.model_dump_json()) == report
        print_audit(report, Console(file=io.StringIO()))
        assert render_audit(report, index)
    assert built >= 3


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_classes_of_one_embedding_each_are_told_apart(offset: float) -> None:
    """Nothing is known of how they vary, and rounding must not be taken for it."""
    rng = np.random.default_rng(0)
    data = offset + rng.normal(size=(20, 300))
    transform = class_sums(data, np.arange(20))[0].lda()
    found = transform(data.astype(np.float32))
    assert np.isfinite(found).all()
    products = found @ found.T
    np.fill_diagonal(products, -1)
    assert products.max() < 0.5
