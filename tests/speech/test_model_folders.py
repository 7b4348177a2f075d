"""Indexes of models in folders keep nothing of the builder, and open on other machines."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import nativeear
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.speech.encoders.catalogue import load_encoder
from nativeear.speech.encoders.model_folders import (
    ENVIRONMENT,
    find,
    look_in,
    portable_name,
    remember,
)
from nativeear.speech.errors import EncoderError

transformers = pytest.importorskip("transformers", reason="the extra `torch` is not installed")

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small random HuBERT in a folder of the builder's."""
    folder = tmp_path / "builder" / "models" / "my-hubert"
    transformers.set_seed(1)
    transformers.HubertModel(transformers.HubertConfig(**SIZES)).save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def _no_memory_of_other_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv(ENVIRONMENT, raising=False)


@pytest.fixture
def index(model: Path, tone_corpus: Path, tmp_path: Path) -> Path:
    """An index that was built with it."""
    out = tmp_path / "index"
    build_index(
        BuildRequest(
            corpora=(str(tone_corpus),), language="en-US", out=out, encoder=str(model), layer=2
        )
    )
    return out


def test_an_index_of_a_model_in_a_folder_opens_on_another_machine(
    index: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = (index / "manifest.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in manifest
    assert PhoneIndex.open(index).manifest.encoder.name == "my-hubert"

    assert nativeear.load(index).encoder.name == str(model)  # the builder names it but once

    carried = tmp_path / "elsewhere" / "called-otherwise"
    shutil.move(model, carried)
    with pytest.raises(EncoderError, match="my-hubert, which built the index") as refused:
        nativeear.load(index)
    assert "--encoder" in (refused.value.fix or "") and ENVIRONMENT in (refused.value.fix or "")
    assert nativeear.load(index, encoder=str(carried)).encoder.name == str(carried)

    monkeypatch.setenv(ENVIRONMENT, os.pathsep.join([str(tmp_path / "none"), str(carried.parent)]))
    assert nativeear.load(index).encoder.name == str(carried)


def test_a_model_of_the_same_name_that_is_another_is_passed_over(
    index: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "elsewhere"
    right = models / "z-right"
    shutil.move(model, right)
    transformers.set_seed(2)
    other = transformers.HubertModel(transformers.HubertConfig(**SIZES))
    other.save_pretrained(models / "my-hubert")
    (models / "broken").mkdir()
    (models / "broken" / "config.json").write_text("{", encoding="utf-8")
    monkeypatch.setenv(ENVIRONMENT, str(models))
    assert nativeear.load(index).encoder.name == str(right)
    with pytest.raises(EncoderError, match="built with another encoder"):
        nativeear.load(index, encoder=str(models / "my-hubert"))


def test_names_are_portable(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model.parent)
    assert portable_name(str(model)) == "my-hubert"
    assert portable_name("./my-hubert") == "my-hubert"
    assert portable_name(f"transformers:{model}") == "transformers:my-hubert"
    for name in ("default", "spectral", "hubert-large", "facebook/hubert-large-ls960-ft"):
        assert portable_name(name) == name


def test_the_shipped_encoder_is_never_looked_for_in_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "none"))
    shipped = load_encoder("compact")
    remember(shipped)
    assert not (tmp_path / "data").exists()
    assert find("compact", shipped.fingerprint).fingerprint == shipped.fingerprint


def test_folders_named_on_the_command_line_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "/models")
    look_in(["/mine"])
    assert os.environ[ENVIRONMENT] == os.pathsep.join(["/mine", "/models"])
