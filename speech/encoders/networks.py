"""Networks of the transformers library, read at one layer, on batches of windows."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from nativeear.speech.frames import FloatArray

# WavLM's layers in transformers mix a boolean and a float mask, which torch supports and regrets.
warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")


@dataclass(frozen=True, eq=False)
class Piece:
    """A window of one recording's input, and what the network has to know of the whole."""

    inputs: FloatArray  # [N, ...]
    n_frames: int
    statistics: tuple[FloatArray, FloatArray] | None  # mean and variance [C] for the group norm


class Network(Protocol):
    """Runs pieces that fit into one batch."""

    takes_mask: bool

    def statistics(self, inputs: FloatArray) -> tuple[FloatArray, FloatArray] | None:
        """What a network has to know of the whole recording before it sees a window of it."""

    def run(self, pieces: Sequence[Piece]) -> list[tuple[FloatArray, FloatArray | None]]:
        """Embeddings `[T, D]`, and logits `[T, V]` with a head, of every piece."""


class _RecordingNorm(nn.Module):
    """The group norm of a base model, with mean and variance of the recording given from outside.

    `nn.GroupNorm` would take them over a window and its padding.
    """

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps
        self.mean: Tensor | None = None  # [B, C]
        self.variance: Tensor | None = None  # [B, C]

    def forward(self, hidden: Tensor) -> Tensor:
        """Normalise `[B, C, T]`."""
        assert self.mean is not None and self.variance is not None  # noqa: S101  set by run
        scale = torch.rsqrt(self.variance + self.eps) * self.weight.float()
        shift = self.bias.float() - self.mean * scale
        return (hidden.float() * scale[:, :, None] + shift[:, :, None]).to(hidden.dtype)


def _moved(inputs: FloatArray, parameter: Tensor) -> Tensor:
    """Input of a network where its parameters are, in their type.

    To a GPU it goes from pinned memory, which the card fetches by itself, and is rounded there.
    """
    tensor = torch.from_numpy(inputs)
    if parameter.is_cuda:
        tensor = tensor.pin_memory().to(parameter.device, non_blocking=True)
    return tensor.to(parameter.dtype)


class MaskedNetwork:
    """HuBERT, wav2vec2, WavLM and w2v-BERT: one padded batch with an attention mask."""

    takes_mask = True

    def __init__(self, model: Any, layer: int, *, head: bool) -> None:
        self._model = model
        self._parameter = next(model.parameters())
        self._captured: Tensor | None = None
        self._norm: _RecordingNorm | None = None
        base = model.base_model
        self._listen(base.encoder, layer, head=head)
        convolutions = getattr(getattr(base, "feature_extractor", None), "conv_layers", None)
        if convolutions and isinstance(getattr(convolutions[0], "layer_norm", None), nn.GroupNorm):
            self._convolution = convolutions[0].conv
            self._norm = convolutions[0].layer_norm = _RecordingNorm(convolutions[0].layer_norm)

    def _listen(self, encoder: Any, layer: int, *, head: bool) -> None:
        # Hooks and not output_hidden_states: releases of transformers differ in whether the last
        # of those has seen the final norm. Here it has: it is what the encoder puts out.
        def keep(_: nn.Module, __: Any, output: Any) -> None:
            self._captured = output if isinstance(output, Tensor) else output[0]

        def keep_input(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            self._captured = inputs[0]

        if layer == len(encoder.layers):
            encoder.register_forward_hook(keep)
        elif layer == 0:
            encoder.layers[0].register_forward_pre_hook(keep_input)
        else:
            encoder.layers[layer - 1].register_forward_hook(keep)
        if not head:  # nothing is heard of the layers above
            del encoder.layers[max(layer, 1) :]

    def statistics(self, inputs: FloatArray) -> tuple[FloatArray, FloatArray] | None:
        """Mean and variance of the first convolution's channels over the recording, each `[C]`.

        They follow from the mean and covariance of the samples under the kernel, so that the
        channels themselves are never held for a whole recording.
        """
        if self._norm is None:
            return None
        kernel, stride = self._convolution.kernel_size[0], self._convolution.stride[0]
        patches = np.lib.stride_tricks.sliding_window_view(inputs, kernel)[::stride]
        total = np.zeros(kernel)
        products = np.zeros((kernel, kernel))
        for start in range(0, len(patches), 1 << 16):
            block = patches[start : start + (1 << 16)].astype(np.float64)
            total += block.sum(axis=0)
            products += block.T @ block
        mean = total / len(patches)
        covariance = products / len(patches) - np.outer(mean, mean)
        weight = self._convolution.weight[:, 0].detach().cpu().double().numpy()
        channel_mean = weight @ mean
        if self._convolution.bias is not None:
            channel_mean += self._convolution.bias.detach().cpu().double().numpy()
        variance = np.einsum("ck,kl,cl->c", weight, covariance, weight)
        return channel_mean.astype(np.float32), np.maximum(variance, 0.0).astype(np.float32)

    def run(self, pieces: Sequence[Piece]) -> list[tuple[FloatArray, FloatArray | None]]:
        """Pad the pieces to one batch, and run it with a mask where they differ in length."""
        lengths = [len(piece.inputs) for piece in pieces]
        inputs = np.zeros((len(pieces), max(lengths), *pieces[0].inputs.shape[1:]), np.float32)
        for row, piece in enumerate(pieces):
            inputs[row, : lengths[row]] = piece.inputs
        device = self._parameter.device
        mask = None
        if min(lengths) < max(lengths):
            mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long().to(device)
        if self._norm is not None:
            known = [piece.statistics for piece in pieces if piece.statistics is not None]
            self._norm.mean = torch.from_numpy(np.stack([mean for mean, _ in known])).to(device)
            self._norm.variance = torch.from_numpy(np.stack([var for _, var in known])).to(device)
        output = self._model(_moved(inputs, self._parameter), attention_mask=mask)
        assert self._captured is not None  # noqa: S101  the hook has run
        hidden, self._captured = self._captured.float().cpu().numpy(), None
        logits = getattr(output, "logits", None)
        if logits is not None:
            logits = logits.float().cpu().numpy()
        return [
            (
                hidden[row, : piece.n_frames],
                None if logits is None else logits[row, : piece.n_frames],
            )
            for row, piece in enumerate(pieces)
        ]


class WhisperNetwork:
    """Whisper's encoder on less than 30 s: its own layers, with the first T positions.

    Its positions are absolute and end at 30 s. Beyond that they start anew in every window, so
    that frames on the two sides of a joint differ by what the network makes of their positions.
    """

    takes_mask = False

    def __init__(self, model: Any, layer: int) -> None:
        self._encoder = model.get_encoder()  # the decoder is let go
        self._is_last = layer == len(self._encoder.layers)
        del self._encoder.layers[layer:]
        self._parameter = next(self._encoder.parameters())

    def statistics(self, inputs: FloatArray) -> None:
        """Nothing: the log-mel input is normalised already."""

    def run(self, pieces: Sequence[Piece]) -> list[tuple[FloatArray, FloatArray | None]]:
        """Run pieces of one length."""
        encoder = self._encoder
        mel = _moved(np.stack([piece.inputs for piece in pieces]), self._parameter).transpose(1, 2)
        hidden = nn.functional.gelu(encoder.conv1(mel))
        hidden = nn.functional.gelu(encoder.conv2(hidden)).transpose(1, 2)
        hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
        for layer in encoder.layers:
            # releases before 5 want a third mask and answer with a tuple
            masks = (None,) * (
                1 + ("layer_head_mask" in inspect.signature(layer.forward).parameters)
            )
            output = layer(hidden, *masks)
            hidden = output if isinstance(output, Tensor) else output[0]
        if self._is_last:
            hidden = encoder.layer_norm(hidden)
        return [(row, None) for row in hidden.float().cpu().numpy()]
