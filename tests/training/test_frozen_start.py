"""The frozen start is the same network by the library's names."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")
transformers = pytest.importorskip("transformers", reason="the extra `torch` is not installed")

from nativeear.speech.audio import Audio  # noqa: E402
from nativeear.speech.encoders.transformers import load  # noqa: E402
from training import frozen_start  # noqa: E402
from training.compact_model import CompactConfig, CompactEncoder  # noqa: E402


@pytest.mark.parametrize("layer", [1, 2])
def test_its_frames_are_those_of_the_training_start(
    layer: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    small = CompactConfig(width=32, n_heads=2, n_layers=2)
    model = CompactEncoder(small).eval()
    for block in model.blocks:
        torch.nn.init.zeros_(block.qkv.bias[32:64])  # as Whisper has it
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    arrays = {name: value for name, value in state.items() if not name.startswith("head.")}
    for name, value in {"LAYERS": 2, "WIDTH": 32, "HEADS": 2}.items():
        monkeypatch.setattr(frozen_start, name, value)
    for name, result in {"find_parts": [], "read_ctranslate2": {}, "encoder_state": arrays}.items():
        monkeypatch.setattr(frozen_start, name, lambda *_, given=result: given)
    frozen_start.write([], tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["encoder_layers"] == 2

    samples = np.random.default_rng(0).normal(size=16_000).astype(np.float32) / 10
    found = load(str(tmp_path), layer=layer, device="cpu").encode(Audio(samples)).embeddings
    hidden = model.encode([samples]).hidden
    expected = hidden[3 if layer == 2 else 1][0].numpy()  # after the last, the norm
    np.testing.assert_allclose(found, expected[: len(found)], atol=1e-4)
