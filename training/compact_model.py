"""The compact speech encoder: a short Whisper-style encoder with a phone CTC head.

The network that is trained, and `save` and `load` for a packaged folder (`config.json`,
`encoder.safetensors`). What ships is the graph that `training.onnx_graph` makes of it.

Frame t of the output is centred at `t * HOP_S` seconds. A batch gives the same as each
utterance alone: the log-mel is normalised per utterance, and frames beyond an utterance's end
are zero for the convolutions and masked for the attention.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from nativeear.speech.encoders.log_mel import (
    MEL_HOP,
    MIN_SAMPLES,
    N_FFT,
    N_MELS,
    mel_filterbank,
)

HOP_S = 0.02  # of the encoder's frames: two mel frames
MAX_FRAMES = 1500  # 30 s, as far as the encoder has learnt positions

# fmt: off
ARPABET = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY",
    "F", "G", "HH", "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY",
    "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
)
# fmt: on
BLANK = 0
LABELS = ("<blank>", *ARPABET)

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "encoder.safetensors"
WEIGHTS = Path(__file__).parent / "weights"  # of the encoder that ships


@dataclass(frozen=True)
class CompactConfig:
    """Shape of the network, and which layers serve what.

    Attributes
    ----------
    n_mels, width, n_heads, n_layers : int
    labels : tuple of str
        Index 0 is the CTC blank.
    knn_layer : int
        Index into `Encoded.hidden` whose states serve retrieval best.
    gop_layer : int
        Index into `Encoded.hidden` that the phone head reads.
    hop_s, offset_s : float
        Frame t is centred at `offset_s + t * hop_s` seconds.
    """

    n_mels: int = 80
    width: int = 512
    n_heads: int = 8
    n_layers: int = 6
    labels: tuple[str, ...] = LABELS
    knn_layer: int = 6
    gop_layer: int = 7
    hop_s: float = HOP_S
    offset_s: float = 0.0


class Encoded(NamedTuple):
    """What the encoder gives for a batch.

    Attributes
    ----------
    hidden : list of Tensor
        `n_layers + 2` of shape = (batch, T, width): the front end with positions, each block,
        and the normalised last block that the phone head reads.
    log_probs : Tensor, shape = (batch, T, n_labels)
    lengths : Tensor, shape = (batch,)
        True number of frames of each utterance; what lies beyond is padding.
    """

    hidden: list[Tensor]
    log_probs: Tensor
    lengths: Tensor


@cache
def mel_filters(n_mels: int = N_MELS, warp: float = 1.0) -> Tensor:
    """The front end's filters in float32, shape = (n_mels, N_FFT // 2 + 1)."""
    return torch.from_numpy(mel_filterbank(n_mels, warp)).float()


def log_mel(samples: Tensor, filters: Tensor | None = None) -> Tensor:
    """Compute Whisper's log-mel over the utterance's true length.

    Parameters
    ----------
    samples : Tensor, shape = (n_samples,)
        16 kHz, float, -1 to 1; at least `MIN_SAMPLES`.
    filters : Tensor, optional, shape = (n_mels, N_FFT // 2 + 1)

    Returns
    -------
    Tensor, shape = (n_mels, n_samples // MEL_HOP)
    """
    if samples.ndim != 1 or len(samples) < MIN_SAMPLES:
        raise ValueError(
            f"expected mono audio of {MIN_SAMPLES} samples or more, got shape "
            f"{tuple(samples.shape)}"
        )
    if filters is None:
        filters = mel_filters().to(samples)
    window = torch.hann_window(N_FFT, dtype=samples.dtype, device=samples.device)
    spectrum = torch.stft(samples, N_FFT, MEL_HOP, window=window, return_complex=True)
    power = spectrum[:, :-1].abs() ** 2
    log_power = (filters @ power).clamp(min=1e-10).log10()
    return (torch.maximum(log_power, log_power.max() - 8.0) + 4.0) / 4.0


def sinusoids(length: int, width: int) -> Tensor:
    """Give Whisper's sinusoidal positions, shape = (length, width)."""
    rates = torch.exp(-math.log(10_000) / (width // 2 - 1) * torch.arange(width // 2))
    angles = torch.arange(length)[:, None] * rates[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Block(nn.Module):
    """One pre-norm transformer block; `qkv` is the fused query, key and value."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.dtype = torch.float32  # of the products; states and norms stay float32
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp_in = nn.Linear(width, 4 * width)
        self.mlp_out = nn.Linear(4 * width, width)

    def forward(self, states: Tensor, mask: Tensor | None) -> Tensor:
        """Transform states, shape = (batch, T, width); mask True where a key may be read."""
        batch, length, width = states.shape
        fused = self.qkv(self.attention_norm(states).to(self.dtype))
        query, key, value = fused.view(batch, length, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)
        read = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        states = states + self.attention_out(read.transpose(1, 2).reshape(batch, length, width))
        grown: Tensor = self.mlp_out(F.gelu(self.mlp_in(self.mlp_norm(states).to(self.dtype))))
        return states + grown

    def multiply_in(self, dtype: torch.dtype) -> None:
        """Do the products in another precision."""
        self.dtype = dtype
        for product in (self.qkv, self.attention_out, self.mlp_in, self.mlp_out):
            product.to(dtype)


class CompactEncoder(nn.Module):
    """Convolutions, sinusoidal positions, transformer blocks, and a phone CTC head."""

    positions: Tensor

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.config = config
        self.conv1 = nn.Conv1d(config.n_mels, config.width, 3, padding=1)
        self.conv2 = nn.Conv1d(config.width, config.width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(
            Block(config.width, config.n_heads) for _ in range(config.n_layers)
        )
        self.final_norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, len(config.labels))
        self.register_buffer("positions", sinusoids(MAX_FRAMES, config.width), persistent=False)

    def forward(self, mels: Tensor, mel_lengths: Tensor) -> Encoded:
        """Encode log-mels, zero beyond each utterance's end.

        Parameters
        ----------
        mels : Tensor, shape = (batch, n_mels, n_mel_frames)
        mel_lengths : Tensor, shape = (batch,)
        """
        within = torch.arange(mels.shape[2], device=mels.device) < mel_lengths[:, None]
        states = F.gelu(self.conv1(mels * within[:, None])) * within[:, None]
        states = F.gelu(self.conv2(states)).transpose(1, 2)
        length = states.shape[1]
        if length > MAX_FRAMES:
            raise ValueError(f"longer than {MAX_FRAMES * HOP_S:.0f} s: encode it in pieces")
        states = states + self.positions[:length]
        lengths = (mel_lengths + 1) // 2
        mask = None
        if bool((lengths < length).any()):
            mask = (torch.arange(length, device=mels.device) < lengths[:, None])[:, None, None]
        hidden = [states]
        for block in self.blocks:
            states = block(states, mask)
            hidden.append(states)
        hidden.append(self.final_norm(states))
        return Encoded(hidden, F.log_softmax(self.head(hidden[-1]), dim=-1), lengths)

    def multiply_in(self, dtype: torch.dtype) -> CompactEncoder:
        """Do the products of the blocks, nine tenths of the work, in another precision."""
        for block in self.blocks:
            cast(Block, block).multiply_in(dtype)
        return self

    def collate(self, mels: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Pad log-mels of shape = (n_mels, T) to one batch, and give their lengths."""
        lengths = torch.tensor([mel.shape[1] for mel in mels], device=mels[0].device)
        padded = mels[0].new_zeros(len(mels), self.config.n_mels, int(lengths.max()))
        for row, mel in enumerate(mels):
            padded[row, :, : mel.shape[1]] = mel
        return padded, lengths

    @torch.inference_mode()
    def encode(self, waves: list[npt.NDArray[np.float32]]) -> Encoded:
        """Encode 16 kHz mono float waves, each at most 30 s, as one batch."""
        device = self.head.weight.device
        mels = [log_mel(torch.as_tensor(wave, device=device)) for wave in waves]
        encoded: Encoded = self(*self.collate(mels))
        return encoded


def save(model: CompactEncoder, folder: Path, config: CompactConfig, *, bits: int = 8) -> None:
    """Package a model as `config.json` and `encoder.safetensors`.

    Parameters
    ----------
    bits : {8, 16}
        16 writes float16. 8 writes each weight matrix as int8 with one float32 scale per
        output channel (`NAME.scale`), biases and norms as float16, the head as float16.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for name, tensor in model.state_dict().items():
        value = tensor.detach().float().cpu()
        if bits == 8 and value.ndim > 1 and not name.startswith("head."):
            scale = value.flatten(1).abs().amax(dim=1).clamp(min=1e-12) / 127.0
            shaped = scale.view(-1, *[1] * (value.ndim - 1))
            tensors[name] = (value / shaped).round().to(torch.int8).contiguous()
            tensors[f"{name}.scale"] = scale
        else:
            tensors[name] = value.half().contiguous()
    save_file(tensors, folder / WEIGHTS_FILE)
    text = json.dumps(asdict(config), indent=2, ensure_ascii=False)
    (folder / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")


def read_config(folder: Path) -> CompactConfig:
    """The configuration of a packaged encoder."""
    fields = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    return CompactConfig(**{**fields, "labels": tuple(fields["labels"])})


def load(folder: Path, device: str = "cpu") -> CompactEncoder:
    """Load a packaged encoder, ready to encode; computes in float32."""
    model = CompactEncoder(read_config(folder))
    stored = load_file(folder / WEIGHTS_FILE)
    state: dict[str, Tensor] = {}
    for name, value in stored.items():
        if name.endswith(".scale"):
            continue
        scale = stored.get(f"{name}.scale")
        full = value.float()
        if scale is not None:
            full = full * scale.view(-1, *[1] * (full.ndim - 1))
        state[name] = full
    model.load_state_dict(state)
    return model.eval().to(device)
