"""Models of transformers of every family that NativeEar reads, random and small, in folders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nativeear.speech.tables import table

BODY = {
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
WAVE = {
    **BODY,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "conv_bias": True,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "Hubert": WAVE,
    "WavLM": WAVE,
    "Wav2Vec2": WAVE,
    "Wav2Vec2Bert": BODY,
}

ESPEAK = ("<pad>", "<s>", "</s>", "<unk>", *(row["label"] for row in table("ctc_labels_espeak")))
"""Labels as those of wav2vec2-xlsr-53-espeak-cv-ft; the blank is the first."""

LETTERS = ("<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ")
"""Labels as those of hubert-large-ls960-ft."""


def saved(folder: Path, family: str, labels: Sequence[str] = (), *, seed: int = 0) -> Path:
    """A random model as `save_pretrained` writes it, with a CTC head if there are labels.

    Skips the test where torch is not installed.
    """
    torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")
    transformers = pytest.importorskip("transformers")
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    settings = dict(FAMILIES[family])
    if labels:
        settings |= {"vocab_size": len(labels), "pad_token_id": 0}
    config = getattr(transformers, f"{family}Config")(**settings)
    kind = f"{family}ForCTC" if labels else f"{family}Model"
    getattr(transformers, kind)(config).eval().save_pretrained(folder)
    if labels:
        numbered = {label: number for number, label in enumerate(labels)}
        (folder / "vocab.json").write_text(json.dumps(numbered), encoding="utf-8")
    return folder
