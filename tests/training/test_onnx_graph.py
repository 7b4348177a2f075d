"""The graph of the compact encoder says what torch says."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from nativeear.speech.encoders.compact import FOLDER, GRAPH
from nativeear.speech.encoders.sessions import open_session

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")

from training.compact_model import CompactConfig, CompactEncoder, load, save  # noqa: E402
from training.onnx_graph import build, hidden, write  # noqa: E402

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
    [("float32", 0.999999), ("float16", 0.999999), ("blocks", 0.9999), ("tensor", 0.95)],
)
def test_every_layer_is_torchs(folder: Path, tmp_path: Path, products: str, least: float) -> None:
    """Products of whole tensors saturate on processors without instructions for 8 bits."""
    file = tmp_path / "encoder.onnx"
    onnx.save(build(folder, products), file)  # type: ignore[arg-type]
    mel = np.random.default_rng(0).normal(size=(80, 131)).astype(np.float32)
    outputs = [*(hidden(layer) for layer in range(4)), "log_probs"]
    found = open_session(file).run(outputs, {"log_mel": mel[None]})
    model = load(folder)
    with torch.inference_mode():
        encoded = model(*model.collate([torch.from_numpy(mel)]))
    for ours, exact in zip(found, [*encoded.hidden, encoded.log_probs], strict=True):
        one, other = ours[0], exact[0].numpy()
        norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        assert ((one * other).sum(axis=1) / norms).min() > least


def test_the_shipped_graph_is_made_of_the_weights_that_were_trained(tmp_path: Path) -> None:
    write(Path(__file__).parents[2] / "training" / "weights", tmp_path)
    for name in (GRAPH, "config.json"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()
