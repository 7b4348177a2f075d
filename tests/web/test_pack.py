"""`nativeear web-pack`: what a page needs of an index, as files for any static host."""

import gzip
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.browser.pack import obstacle, write_pack
from nativeear.service.cli import app
from nativeear.speech.errors import InputError
from nativeear.speech.pronunciation import Pronouncer


def read(pack: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((pack / "pack.json").read_text(encoding="utf-8"))
    return found


def test_its_files_are_named_by_what_is_in_them_and_fit_the_budget(pack: Path) -> None:
    files = read(pack)["files"]
    for name, file in files.items():
        content = (pack / file["path"]).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        assert (len(content), digest) == (file["bytes"], file["sha256"])
        assert file["path"].startswith(f"{name}.{digest[:16]}.")
    assert {file.name for file in pack.iterdir()} == {f["path"] for f in files.values()} | {
        "pack.json"
    }
    assert sum(file["bytes"] for file in files.values()) <= 45e6


def test_its_exemplars_are_those_of_the_index_in_half_precision(pack: Path) -> None:
    index = PhoneIndex.open(Path("indexes/en-US"))
    manifest = read(pack)
    arrays = load_file(pack / manifest["files"]["exemplars"]["path"])
    assert arrays["vectors"].dtype == np.float16
    assert np.abs(arrays["vectors"].astype(np.float32) - index.vectors).max() < 5e-4
    assert manifest["bounds"] == index.bounds.tolist()
    names = json.loads((pack / manifest["files"]["names"]["path"]).read_text(encoding="utf-8"))
    row = int(np.flatnonzero(index.playable)[7])
    exemplar, clip = index.exemplar(row), index.clip(row)
    assert clip is not None
    assert names["word"][arrays["word"][row]] == exemplar.word
    assert names["speaker"][arrays["speaker"][row]] == exemplar.speaker
    assert names["clip"][arrays["utterance"][row]] == clip.relative_to(index.path).as_posix()


@pytest.mark.parametrize("word", ["and", "tomato", "o'clock", "brexit", "zyuganov's"])
def test_its_lexicon_has_every_form_of_a_word(pack: Path, word: str) -> None:
    file = pack / read(pack)["files"]["lexicon"]["path"]
    lines = dict(
        line.split("\t") for line in gzip.decompress(file.read_bytes()).decode().split("\n")
    )
    (listed,) = Pronouncer("en-US").listed(word)
    assert lines[word].split("|") == [
        " ".join(
            phone if stress is None else f"{phone}{stress}"
            for phone, stress in zip(form.phones, form.stress, strict=True)
        )
        for form in listed.variants
    ]


def test_it_names_the_licence_of_every_corpus(pack: Path) -> None:
    told = {each["what"]: each["licence"] for each in read(pack)["licences"]}
    assert told["asterisk-en"] == "CC BY-SA 3.0"


def test_an_index_that_no_page_can_judge_by_is_refused(
    tone_index: PhoneIndex, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="No pack can be made") as refused:
        write_pack(tone_index, tmp_path / "pack")
    assert "heard by the encoder spectral" in str(refused.value.cause)
    assert not (tmp_path / "pack").exists()


def test_an_index_of_another_language_is_none_that_a_page_can_judge_by() -> None:
    italian: Any = SimpleNamespace(language="it-IT")
    assert obstacle(italian) == (
        "It is of it-IT, and a page has dictionary and judge of English alone."
    )


def test_no_pack_is_written_over_another(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    with pytest.raises(InputError, match="exists already"):
        write_pack(PhoneIndex.open(Path("indexes/en-US")), tmp_path / "pack")
    assert not list((tmp_path / "pack").iterdir())


@pytest.mark.parametrize(("budget", "told"), [("3MB", "3 MB were allowed"), ("much", "is no size")])
def test_a_budget_that_cannot_be_kept_is_an_error_and_nothing_is_written(
    budget: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nativeear.service.browser.pack.lexicon_text", lambda *_: b"")
    out = tmp_path / "pack"
    result = CliRunner().invoke(app, ["web-pack", "en-US", "--out", str(out), "--budget", budget])
    assert result.exit_code == 2
    assert told in result.output
    assert not list(tmp_path.iterdir())
