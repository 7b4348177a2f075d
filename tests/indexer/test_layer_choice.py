"""`--layer auto`: the layer at which natives who are left out are told best from errors."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nativeear.indexer.layer_choice import LaidUtterance, search, trial
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.cli import app
from nativeear.speech.audio import Audio


@pytest.mark.parametrize("layers", [1, 4, 6, 12, 24, 48])
def test_a_single_peak_is_found_wherever_it_is(layers: int) -> None:
    for peak in range(1, layers + 1):
        assert search(layers, lambda layer, peak=peak: -abs(layer - peak)) == peak


def test_not_every_layer_of_a_deep_model_is_tried() -> None:
    tried: set[int] = set()

    def auc(layer: int) -> float:
        tried.add(layer)
        return -abs(layer - 17)

    assert search(24, auc) == 17
    assert len(tried) <= 12


def sample(spread: float) -> tuple[np.ndarray, list[LaidUtterance]]:
    """Twenty utterances by as many speakers, in which three phones differ by so much."""
    rng = np.random.default_rng(0)
    centres = {"AA": [spread, 0, 0], "IY": [0, spread, 0], "S": [0, 0, spread]}
    phones = ("AA", "IY", "S", "AA", "IY", "S")
    laid, rows = [], []
    for number in range(20):
        spans = tuple((float(i), i + 1.0) for i in range(len(phones)))
        silence = Audio(np.ones(16_000, np.float32))
        laid.append(LaidUtterance(silence, f"speaker{number}", phones, spans))
        rows += [rng.normal(centres[phone]) for phone in phones]
    return np.array(rows, np.float32), laid


def test_what_tells_phones_apart_has_the_larger_auc() -> None:
    near, far = (trial(1, *sample(spread)) for spread in (0.0, 8.0))
    assert far.auc > 0.99
    assert far.accuracy > 0.99
    assert near.auc < 0.6  # nothing is told where all phones sound alike
    assert near.accuracy < 0.5


def test_an_index_tells_how_its_layer_was_chosen(tone_corpus: Path, tmp_path: Path) -> None:
    command = f"index build --corpus {tone_corpus} --lang en-US --out {tmp_path / 'index'}"
    made = CliRunner().invoke(app, [*command.split(), "--layer", "auto", "--json"])
    assert made.exit_code == 0, made.output
    manifest = PhoneIndex.open(tmp_path / "index").manifest
    choice = manifest.layer_choice
    assert choice is not None
    assert [each.layer for each in choice.tried] == [1, 2, 3, 4, 5, 6]
    best = max(choice.tried, key=lambda each: each.auc)
    assert best.auc == next(each.auc for each in choice.tried if each.layer == choice.chosen)
    assert manifest.encoder.layer == choice.chosen
    assert f"--layer {choice.chosen}" in manifest.command
    assert choice.phones > 150
    shown = CliRunner().invoke(app, ["index", "show", str(tmp_path / "index"), "--json"])
    assert json.loads(shown.stdout)


@pytest.mark.parametrize(
    ("encoder", "layer", "told"),
    [("spectral", "auto", "no layers"), ("compact", "deep", "--layer cannot be")],
)
def test_what_cannot_be_chosen_is_refused(
    encoder: str, layer: str, told: str, tone_corpus: Path, tmp_path: Path
) -> None:
    command = f"index build --corpus {tone_corpus} --lang en-US --out {tmp_path / 'index'}"
    made = CliRunner().invoke(app, [*command.split(), "--encoder", encoder, "--layer", layer])
    assert made.exit_code == 2
    assert told in made.output
