"""Whisper's encoder as it is, before it heard a native or a learner of ours.

    python -m training.frozen_start --whisper-base base1 base2 --out whisper-base
    nativeear index build --encoder whisper-base …

A folder that `--encoder` takes, made of the CTranslate2 file that packages of the registry carry.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from training.compact_model import MAX_FRAMES, sinusoids
from training.whisper_weights import Arrays, encoder_state, find_parts, read_ctranslate2

LAYERS = 6
WIDTH, HEADS, MELS = 512, 8, 80
"""The shape of Whisper base."""

_NAMES = {
    "attention_norm": "self_attn_layer_norm",
    "attention_out": "self_attn.out_proj",
    "mlp_norm": "final_layer_norm",
    "mlp_in": "fc1",
    "mlp_out": "fc2",
}


def transformers_state(state: Arrays) -> Arrays:
    """Rename what `encoder_state` gave to the names of the transformers library.

    The bias of keys, which Whisper does not have and CTranslate2 writes as zeros, is left out.
    """
    renamed: Arrays = {}
    for name, value in state.items():
        place, _, kind = name.rpartition(".")
        if not place.startswith("blocks."):
            renamed[f"encoder.{name.replace('final_norm', 'layer_norm')}"] = value
            continue
        _, layer, part = place.split(".")
        into = f"encoder.layers.{layer}"
        if part != "qkv":
            renamed[f"{into}.{_NAMES[part]}.{kind}"] = value
            continue
        for own, third in zip("qkv", np.split(value, 3), strict=True):
            if (own, kind) != ("k", "bias"):
                renamed[f"{into}.self_attn.{own}_proj.{kind}"] = third
    renamed["encoder.embed_positions.weight"] = sinusoids(MAX_FRAMES, WIDTH).numpy()
    return renamed


def write(packages: list[Path], folder: Path) -> None:
    """Write `config.json` and `model.safetensors` of the unpacked packages' encoder.

    The decoder, which nobody asks, is described as small as can be, and has no weights.
    """
    state = transformers_state(encoder_state(read_ctranslate2(find_parts(packages)), LAYERS))
    config = {
        "model_type": "whisper",
        "architectures": ["WhisperModel"],
        "d_model": WIDTH,
        "encoder_layers": LAYERS,
        "encoder_attention_heads": HEADS,
        "encoder_ffn_dim": 4 * WIDTH,
        "num_mel_bins": MELS,
        "max_source_positions": MAX_FRAMES,
        "decoder_layers": 1,
        "decoder_attention_heads": HEADS,
        "decoder_ffn_dim": HEADS,
        "max_target_positions": 8,
        "vocab_size": 8,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "decoder_start_token_id": 1,
    }
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: np.ascontiguousarray(value) for name, value in state.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    text = json.dumps(config, indent=1)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--whisper-base", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    write(options.whisper_base, options.out)


if __name__ == "__main__":
    main()
