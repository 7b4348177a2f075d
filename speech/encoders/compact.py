"""The encoder that ships: six Whisper layers with a phone CTC head, learnt for this project.

One pass gives the embeddings for retrieval and the phone posteriors for GOP. A folder holds
`encoder.onnx`, which onnxruntime runs, and `config.json`; beside the shipped ones, `card.json` says
what they were made from and how good they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from nativeear.speech.audio import Audio
from nativeear.speech.encoders.fingerprint import fingerprint
from nativeear.speech.encoders.log_mel import SAMPLE_RATE, log_mel
from nativeear.speech.encoders.sessions import open_session
from nativeear.speech.encoders.windows import plan, stitch
from nativeear.speech.errors import EncoderError, MissingDependencyError
from nativeear.speech.frames import FloatArray, Frames

FOLDER = Path(__file__).parents[1] / "data" / "compact"
GRAPH, CONFIG, CARD = "encoder.onnx", "config.json", "card.json"
WINDOW_FRAMES = 500  # 10 s, about as long as the longest utterances it has learnt from
MARGIN_FRAMES = 100  # 2 s of context on both sides of a joint
VERSION = 2  # grows with every change of the front end that changes frames


class ShippedEncoder:
    """The compact encoder, open on one device. Safe to share between threads.

    Parameters
    ----------
    session
        The open graph.
    folder
        Where it came from.
    name
        How people name it.
    layer
        Which hidden states are the embeddings: 0 is what enters the first layer, 6 what the last
        puts out, 7 what the phone head reads.
    """

    def __init__(
        self, session: Any, config: dict[str, Any], folder: Path, name: str, layer: int
    ) -> None:
        self._session = session
        self._outputs = [f"hidden_{layer}", "log_probs"]
        self._hop_s, self._offset_s = float(config["hop_s"]), float(config["offset_s"])
        self.name = name
        self.dim = int(config["width"])
        self.phone_labels = tuple(config["labels"])
        self.fingerprint = fingerprint(
            {"encoder": "compact", "version": VERSION, "layer": layer}, [folder / GRAPH]
        )

    def encode(self, audio: Audio) -> Frames:
        """Encode one recording; beyond 10 s in overlapping windows.

        Windows serve better than one long piece: the network knows absolute positions, and has
        learnt from utterances of a few seconds. Frames near a joint differ from those of another
        cut of the same recording; the tests state by how much.
        """
        if audio.sample_rate != SAMPLE_RATE:
            raise EncoderError(
                f"The encoder {self.name} hears 16000 Hz, and this recording has "
                f"{audio.sample_rate}.",
                fix="Open the recording with Audio.load, which resamples it.",
            )
        mel = log_mel(audio.samples)  # of the whole, so that all windows are normalised alike
        windows = plan((mel.shape[1] + 1) // 2, size=WINDOW_FRAMES, margin=MARGIN_FRAMES)
        pieces = [self._run(mel[:, 2 * window.start : 2 * window.stop]) for window in windows]
        return Frames(
            embeddings=stitch([embeddings for embeddings, _ in pieces], windows),
            hop_s=self._hop_s,
            offset_s=self._offset_s,
            log_probs=stitch([log_probs for _, log_probs in pieces], windows),
            labels=self.phone_labels,
        )

    def encode_batch(self, audios: Sequence[Audio]) -> list[Frames]:
        """Encode several recordings, one after the other: a processor gains nothing by padding."""
        return [self.encode(audio) for audio in audios]

    def _run(self, mel: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Embeddings and log posteriors of one window."""
        embeddings, log_probs = self._session.run(self._outputs, {"log_mel": mel[None]})
        return embeddings[0], log_probs[0]


def load(
    source: str = "",
    *,
    name: str = "compact",
    layer: int | None = None,
    device: str = "auto",
    dtype: str = "float32",
) -> ShippedEncoder:
    """Open the shipped graph, or that of another folder that `training` has made.

    Raises
    ------
    EncoderError
        If the folder is not whole, or there is no such layer.
    """
    del dtype  # that of the graph
    folder = Path(source) if source and source != name else FOLDER
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        chosen, last = config["knn_layer"] if layer is None else layer, config["n_layers"] + 1
        session = open_session(folder / GRAPH, device)
    except MissingDependencyError:
        raise
    except (OSError, ValueError, KeyError, EncoderError) as error:
        raise EncoderError(
            f"The encoder {name} cannot be opened.",
            cause=f"{folder.name}: {str(error).splitlines()[0]}",
            fix="Install NativeEar again, or make the graph again with `training.onnx_graph`.",
        ) from error
    if not 0 <= chosen <= last:
        raise EncoderError(
            f"The encoder {name} has no layer {chosen}.", fix=f"Choose one from 0 to {last}."
        )
    return ShippedEncoder(session, config, folder, name, chosen)


@cache
def card() -> dict[str, Any]:
    """The card of the shipped weights: architecture, data, licences, accuracy, hash."""
    described: dict[str, Any] = json.loads((FOLDER / CARD).read_text(encoding="utf-8"))
    return described
