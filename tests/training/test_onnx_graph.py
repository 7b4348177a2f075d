"""The graph of the compact encoder says what torch says."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from nativeear.speech.encoders.compact_model import CompactConfig, CompactEncoder, load, save
from tests.support.onnx_graphs import open_graph
from training.onnx_graph import build, hidden

CONFIG = CompactConfig(width=32, n_heads=2, n_layers=2, knn_layer=1, gop_layer=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network with random weights, packaged."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("compact")
    save(CompactEncoder(CONFIG), path, CONFIG)
    return path


@pytest.mark.parametrize(
    ("products", "least"),
    [("float32", 0.999999), ("float16", 0.999999), ("frames", 0.999), ("tensor", 0.999)],
)
def test_every_layer_is_torchs(folder: Path, tmp_path: Path, products: str, least: float) -> None:
    file = tmp_path / "encoder.onnx"
    onnx.save(build(folder, products), file)  # type: ignore[arg-type]
    mel = np.random.default_rng(0).normal(size=(80, 131)).astype(np.float32)
    outputs = [*(hidden(layer) for layer in range(4)), "log_probs"]
    found = open_graph(file).run(outputs, {"log_mel": mel[None]})
    model = load(folder)
    with torch.inference_mode():
        encoded = model(*model.collate([torch.from_numpy(mel)]))
    for ours, exact in zip(found, [*encoded.hidden, encoded.log_probs], strict=True):
        one, other = ours[0], exact[0].numpy()
        norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        assert ((one * other).sum(axis=1) / norms).min() > least
