"""An index remembers the arithmetic that its encoder ran in, and hears learners in the same."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import nativeear
from nativeear.indexer.adding import AddRequest, add
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexer.merging import merge
from nativeear.indexes.difference import difference
from nativeear.indexes.index_files import read_manifest
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.cli import app
from nativeear.speech.encoders.catalogue import load_encoder
from nativeear.speech.errors import EncoderError, InputError

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")
transformers = pytest.importorskip("transformers", reason="the extra `torch` is not installed")

TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
}
"""A HuBERT of random weights: it shows nothing of quality."""


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("hubert")
    transformers.HubertModel(transformers.HubertConfig(**TINY)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def index(encoder: Path, tone_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("indexes") / "half"
    request = BuildRequest(
        corpora=(str(tone_corpus),),
        language="en-US",
        out=out,
        encoder=str(encoder),
        dtype="bfloat16",
    )
    build_index(request)
    return out


def test_the_manifest_says_so(index: Path, encoder: Path) -> None:
    manifest = read_manifest(index)
    assert manifest.encoder.dtype == "bfloat16"
    assert "--dtype bfloat16" in manifest.command
    assert manifest.encoder.fingerprint == load_encoder(encoder, dtype="bfloat16").fingerprint
    with pytest.raises(EncoderError):
        PhoneIndex.open(index).check_encoder(load_encoder(encoder))


def test_learners_are_heard_in_the_same(index: Path, tone_corpus: Path) -> None:
    wav = min(tone_corpus.rglob("*.wav"))
    assessor = nativeear.load(index, aligner="pocketsphinx")
    assert assessor.encoder.fingerprint == assessor.index.manifest.encoder.fingerprint
    frames = assessor.encoder.encode(nativeear.Audio.load(wav))
    assert frames.embeddings.dtype == np.float32
    assert np.isfinite(frames.embeddings).all()


def test_what_is_added_is_encoded_in_the_same(
    index: Path, tone_corpus: Path, tmp_path: Path
) -> None:
    corpus = tmp_path / "more"
    corpus.mkdir()
    wav = min(tone_corpus.rglob("*.wav"))
    for file in (wav, wav.with_suffix(".TextGrid")):
        shutil.copy(file, corpus / f"new-{file.name}")
    report = add(AddRequest(index=index, corpora=(str(corpus),), keep=0))
    manifest = read_manifest(index)
    assert manifest.encoder.dtype == "bfloat16"
    assert report.revision == manifest.revision


def test_another_arithmetic_is_refused(tone_corpus: Path, tmp_path: Path) -> None:
    command = ["index", "build", "--corpus", str(tone_corpus), "--lang", "en-US"]
    ended = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "x"), "--dtype", "int8"])
    assert ended.exit_code == 2
    assert "--dtype cannot be 'int8'" in ended.output
    assert not (tmp_path / "x").exists()


def test_two_arithmetics_are_not_merged(
    tone_index: PhoneIndex, tone_corpus: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    request = BuildRequest(
        corpora=(str(tone_corpus),),
        language="en-US",
        out=other,
        encoder="spectral",
        dtype="bfloat16",
    )
    build_index(request)
    with pytest.raises(InputError, match="differ in encoder's arithmetic"):
        merge([tone_index.path, other], tmp_path / "both")
    settings = difference(tone_index.path, other).settings
    pair = settings["arithmetic"]
    assert (pair.first, pair.second) == ("float32", "bfloat16")
