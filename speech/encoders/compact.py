"""The encoder that ships: six Whisper layers with a phone CTC head, learnt for this project.

One pass gives the embeddings for retrieval and the phone posteriors for GOP. The weights lie in
the package; `card.json` beside them says what they were made from and how good they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nativeear.speech.audio import Audio
from nativeear.speech.encoders.catalogue import has_gpu
from nativeear.speech.encoders.fingerprint import fingerprint
from nativeear.speech.encoders.windows import Window, plan, stitch
from nativeear.speech.errors import EncoderError
from nativeear.speech.frames import Frames

if TYPE_CHECKING:
    from torch import Tensor

    from nativeear.speech.encoders.compact_model import CompactEncoder

FOLDER = Path(__file__).parents[1] / "data" / "compact"
CARD = "card.json"
WINDOW_FRAMES = 500  # 10 s, about as long as the longest utterances it has learnt from
MARGIN_FRAMES = 100  # 2 s of context on both sides of a joint
BATCH_S = 120.0  # seconds of padded sound that go through the network together
VERSION = 1  # grows with every change of the front end that changes frames


class ShippedEncoder:
    """The compact encoder, open on one device. Safe to share between threads.

    Parameters
    ----------
    model
        The network with its weights.
    folder
        Where they came from.
    name
        How people name it.
    layer
        Which hidden states are the embeddings: 0 is what enters the first layer, 6 what the last
        puts out, 7 what the phone head reads.
    """

    def __init__(self, model: CompactEncoder, folder: Path, name: str, layer: int) -> None:
        self._model = model
        self._layer = layer
        self.name = name
        self.dim = model.config.width
        self.phone_labels = tuple(model.config.labels)
        self.fingerprint = fingerprint(
            {"encoder": "compact", "version": VERSION, "layer": layer},
            [folder / "encoder.safetensors"],
        )

    def encode(self, audio: Audio) -> Frames:
        """Encode one recording; beyond 10 s in overlapping windows.

        Windows serve better than one long piece: the network knows absolute positions, and has
        learnt from utterances of a few seconds. Frames near a joint differ from those of another
        cut of the same recording; the tests state by how much.
        """
        return self.encode_batch([audio])[0]

    def encode_batch(self, audios: Sequence[Audio]) -> list[Frames]:
        """Encode several recordings; the frames equal those of single calls to about 1e-4."""
        mels = [self._mel(audio) for audio in audios]
        windows = [
            plan((mel.shape[1] + 1) // 2, size=WINDOW_FRAMES, margin=MARGIN_FRAMES) for mel in mels
        ]
        jobs = [
            (number, mel[:, 2 * window.start : 2 * window.stop])
            for number, (mel, planned) in enumerate(zip(mels, windows, strict=True))
            for window in planned
        ]
        pieces: list[list[tuple[Any, Any]]] = [[] for _ in audios]
        encoded = self._run([mel for _, mel in jobs])
        for (number, _), piece in zip(jobs, encoded, strict=True):
            pieces[number].append(piece)
        return [
            self._frames(piece, planned) for piece, planned in zip(pieces, windows, strict=True)
        ]

    def _mel(self, audio: Audio) -> Tensor:
        """Log-mel of the whole recording, so that all its windows are normalised alike."""
        import torch

        from nativeear.speech.encoders.compact_model import SAMPLE_RATE, log_mel

        if audio.sample_rate != SAMPLE_RATE:
            raise EncoderError(
                f"The encoder {self.name} hears 16000 Hz, and this recording has "
                f"{audio.sample_rate}.",
                fix="Open the recording with Audio.load, which resamples it.",
            )
        with torch.inference_mode():
            return log_mel(torch.as_tensor(audio.samples, device=self._model.head.weight.device))

    def _run(self, mels: list[Tensor]) -> list[tuple[Any, Any]]:
        """Embeddings and log posteriors of every log-mel, in batches of similar length."""
        import torch

        order = sorted(range(len(mels)), key=lambda i: mels[i].shape[1])
        found: list[tuple[Any, Any]] = [(None, None)] * len(mels)
        with torch.inference_mode():
            while order:
                longest = mels[order[-1]].shape[1] / 100  # seconds
                taken = [
                    order.pop() for _ in range(min(len(order), max(1, int(BATCH_S / longest))))
                ]
                batch = self._model(*self._model.collate([mels[i] for i in taken]))
                hidden = batch.hidden[self._layer].cpu().numpy()
                log_probs = batch.log_probs.cpu().numpy()
                for row, (i, length) in enumerate(zip(taken, batch.lengths.tolist(), strict=True)):
                    found[i] = (hidden[row, :length], log_probs[row, :length])
        return found

    def _frames(self, pieces: list[tuple[Any, Any]], windows: tuple[Window, ...]) -> Frames:
        config = self._model.config
        return Frames(
            embeddings=np.ascontiguousarray(stitch([piece for piece, _ in pieces], windows)),
            hop_s=config.hop_s,
            offset_s=config.offset_s,
            log_probs=np.ascontiguousarray(stitch([piece for _, piece in pieces], windows)),
            labels=tuple(config.labels),
        )


def load(
    source: str = "",
    *,
    name: str = "compact",
    layer: int | None = None,
    device: str = "auto",
    dtype: str = "float32",
) -> ShippedEncoder:
    """Open the shipped weights, or those of another folder that `training` has made.

    With `bfloat16` the products of the blocks are rounded to it, all else stays float32: embeddings
    keep a cosine of 0.9999 with those of float32. `auto` takes it on processors that have
    instructions for it, where it takes 0.6 of the time.

    Raises
    ------
    EncoderError
        If the folder is not whole, or there is no such layer.
    """
    import torch

    from nativeear.speech.encoders.compact_model import load as load_model

    folder = Path(source) if source and source != name else FOLDER
    if device == "auto":
        device = "cuda" if has_gpu() else "cpu"
    try:
        model = load_model(folder, device)
        if dtype == "bfloat16" or (dtype == "auto" and _multiplies_bfloat16(device)):
            model.multiply_in(torch.bfloat16)
    except Exception as error:
        raise EncoderError(
            f"The encoder {name} cannot be opened.",
            cause=f"{folder.name}: {str(error).splitlines()[0]}",
            fix="Install NativeEar again, or make the weights again with `training.encoder`.",
        ) from error
    chosen = model.config.knn_layer if layer is None else layer
    if not 0 <= chosen <= model.config.n_layers + 1:
        raise EncoderError(
            f"The encoder {name} has no layer {chosen}.",
            fix=f"Choose one from 0 to {model.config.n_layers + 1}.",
        )
    return ShippedEncoder(model, folder, name, chosen)


def _multiplies_bfloat16(device: str) -> bool:
    """Whether a device is a processor with instructions for products in bfloat16."""
    import torch

    ask = getattr(torch.cpu, "get_capabilities", None)  # since torch 2.9
    capabilities: dict[str, Any] = dict(ask()) if ask else {}
    return device == "cpu" and any(
        capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
    )


@cache
def card() -> dict[str, Any]:
    """The card of the shipped weights: architecture, data, licences, accuracy, hash."""
    described: dict[str, Any] = json.loads((FOLDER / CARD).read_text(encoding="utf-8"))
    return described
