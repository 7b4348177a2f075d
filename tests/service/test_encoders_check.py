"""`nativeear encoders check`: what a model can serve for, and what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nativeear.service.cli import app
from tests.speech.test_onnx_encoder import write, zipformer_like
from tests.support.tiny_models import ESPEAK, LETTERS, saved

RUNNER = CliRunner()


def checked(folder: Path | str, *options: str, code: int = 0) -> dict[str, Any]:
    result = RUNNER.invoke(app, ["encoders", "check", str(folder), "--json", *options])
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("family", ["Hubert", "WavLM", "Wav2Vec2Bert"])
def test_a_model_without_phones_serves_retrieval(family: str, tmp_path: Path) -> None:
    found = checked(saved(tmp_path / "model", family))
    assert (found["retrieval"], found["posteriors"]) == (True, False)
    assert found["layers"] == 4
    assert found["layer"] == 3
    assert found["hop_ms"] == 20.0
    assert found["dim"] == 32
    assert found["head"] is None
    assert "no CTC head" in found["head_refusal"]
    assert any("--head" in note for note in found["notes"])
    assert found["problems"] == []
    assert 0 < found["load_s"] < 60
    assert found["encode_s"] > 0


def test_the_layer_that_is_asked_for_is_the_one_told(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", "Hubert")
    assert checked(folder, "--layer", "2")["layer"] == 2
    assert RUNNER.invoke(app, ["encoders", "check", str(folder), "--layer", "9"]).exit_code == 2


def test_letters_are_no_phones(tmp_path: Path) -> None:
    found = checked(saved(tmp_path / "model", "Hubert", LETTERS))
    assert not found["posteriors"]
    assert "letters or word pieces (| E T A" in found["head_refusal"]


@pytest.mark.parametrize(
    "file", ["vocab.json", "preprocessor_config.json", "model.safetensors.index.json"]
)
@pytest.mark.parametrize("content", ["{", "[]"])
def test_damaged_settings_are_told_with_their_file(file: str, content: str, tmp_path: Path) -> None:
    folder = saved(tmp_path / "model", "Hubert", LETTERS)
    if "index" in file:
        (folder / "model.safetensors").unlink()
    (folder / file).write_text(content)
    result = RUNNER.invoke(app, ["encoders", "check", str(folder)])
    assert result.exit_code == 2, result.output
    assert file in result.stderr


@pytest.mark.parametrize(
    ("lang", "composite", "told"), [("en-US", "iə", 39), ("it", "aɪ", None), ("de", "aɪə", None)]
)
def test_the_labels_of_espeak_are_held_against_the_inventory(
    lang: str, composite: str, told: int | None, tmp_path: Path
) -> None:
    found = checked(saved(tmp_path / "model", "Wav2Vec2", ESPEAK), "--lang", lang)
    head = found["head"]
    assert (found["retrieval"], found["posteriors"]) == (True, True)
    assert head["labels"] == len(ESPEAK)
    assert head["language"] == lang
    assert told is None or (head["phones"], head["of_phones"]) == (told, told)
    assert head["of_phones"] - head["phones"] == len(head["absent"])
    assert {"<s>", "</s>"} <= set(head["silent"])
    assert "<unk>" in head["other"]
    assert composite in {label for label, _ in head["composite"]} | set(head["other"])


def test_a_phone_without_a_label_is_told(tmp_path: Path) -> None:
    without = [label for label in ESPEAK if not label.startswith(("θ", "t"))]
    head = checked(saved(tmp_path / "model", "Wav2Vec2", without))["head"]
    assert "θ" in head["absent"]
    assert head["phones"] < head["of_phones"]


def test_a_wrong_hop_is_a_problem(tmp_path: Path) -> None:
    right = write(tmp_path / "right", zipformer_like(), hop_s=0.02)
    assert checked(right)["hop_ms"] == 20.0
    wrong = write(tmp_path / "wrong", zipformer_like(), hop_s=0.04)
    found = checked(wrong, code=1)
    assert any("the hop is wrong" in problem for problem in found["problems"])


def test_a_graph_without_embeddings_is_told(tmp_path: Path) -> None:
    notes = checked(write(tmp_path, zipformer_like()))["notes"]
    assert any("log posteriors" in note for note in notes)


@pytest.mark.parametrize("kind", ["onnx", "transformers"])
def test_a_table_beside_the_model_says_what_its_labels_mean(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    if kind == "onnx":
        write(folder, zipformer_like(v=5), ("<blk>", "q1", "q2", "q3", "q4"))
    else:
        saved(folder, "Wav2Vec2", ("<pad>", "q1", "q2", "q3", "q4"))
    assert not checked(folder)["posteriors"]
    told = "label,ipa\nq1,ʃ\nq2,ɪ\nq3,t ʃ\nq4,θ\n"
    (folder / "labels.csv").write_text(told, encoding="utf-8")
    found = checked(folder)
    assert found["posteriors"]
    assert found["head"]["composite"] == [["t ʃ", "t ʃ"]]
    assert found["head"]["phones"] >= 4
    (folder / "labels.csv").write_text("label,ipa\nq9,ʃ\n", encoding="utf-8")
    refused = RUNNER.invoke(app, ["encoders", "check", str(folder)])
    assert refused.exit_code == 2
    assert "q9" in refused.output


def test_it_is_told_in_words() -> None:
    shown = RUNNER.invoke(app, ["encoders", "check", "compact"]).stdout
    assert "retrieval and phone posteriors (en-US)" in shown
    assert "40, which tell 39 of the 39 phones" in shown
    assert "p æ s w ɝ d" in shown  # it hears the sample, `Password …`
    shown = RUNNER.invoke(app, ["encoders", "check", "spectral", "--lang", "it"]).stdout
    assert "retrieval (it)" in shown
