"""ONNX CTC models through onnxruntime, such as ZIPA's exports from icefall.

A folder holds

- `model.onnx`, one input of features or samples, and, where the model has one, an input of lengths
  whose name ends in `lens`, `len` or `lengths`. An output named `log_probs` or `logits`, else the
  first three-dimensional one, is the CTC head `[N, T', V]`. An output named `encoder_out`,
  `hidden_states` or `embeddings` gives the embeddings; without one the log posteriors do.
- `tokens.txt` (`label id` on every line) or `vocab.json` (`{label: id}`); and `labels.csv`, where
  labels are in no notation that is known, see `speech.encoders.label_tables`.
- `config.json`, optional: `{"features": "fbank" | "waveform", "blank_id", "hop_s", "offset_s"}`.
  Without it a model with a three-dimensional input is fed 80 Kaldi filter banks and any other the
  samples; the blank is the label called `<blk>`, `<blank>` or `<pad>`, or 0; the times are
  measured by running the model on silence of two lengths, and the offset holds within half a hop.

icefall names the input `x` `[N, T, 80]`, the lengths `x_lens`, the outputs `log_probs` and
`log_probs_len`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from nativeear.speech.audio import Audio
from nativeear.speech.encoders.fingerprint import fingerprint
from nativeear.speech.encoders.label_tables import in_ipa
from nativeear.speech.encoders.sessions import open_session
from nativeear.speech.encoders.settings_files import read_settings
from nativeear.speech.encoders.windows import plan, stitch
from nativeear.speech.errors import EncoderError
from nativeear.speech.frames import FloatArray, Frames
from nativeear.speech.phone_head import labels_refusal

SAMPLE_RATE = 16_000
N_MELS = 80
WINDOW = 400  # samples: 25 ms
HOP = 160  # samples: 10 ms
N_FFT = 512
MEL_LOW_HZ, MEL_HIGH_HZ = 20.0, 7_600.0  # lhotse's default: 400 Hz below the Nyquist frequency
PRE_EMPHASIS = 0.97

WINDOW_S = 30.0  # the longest that is encoded in one piece
MARGIN_S = 2.5
PROBE_S = (2.0, 4.0)  # of silence, to measure hop and offset
VERSION = 1  # grows with every change of this file that changes frames

_BLANKS = ("<blk>", "<blank>", "<pad>", "[PAD]")
_HEADS = ("log_probs", "logits")
_EMBEDDINGS = ("encoder_out", "hidden_states", "embeddings")

Features = Literal["fbank", "waveform"]


@dataclass(frozen=True)
class _Graph:
    """Names of the graph's inputs and outputs; empty where it has none."""

    inputs: str
    lengths: str
    head: str
    embeddings: str
    rank: int


class OnnxEncoder:
    """An ONNX CTC model; `load` makes it. `gop_refusal` is empty if its labels are phones."""

    def __init__(
        self,
        session: Any,
        graph: _Graph,
        *,
        name: str,
        labels: tuple[str, ...],
        blank: int,
        features: Features,
        hop_s: float | None,
        offset_s: float | None,
        weights: Path,
    ) -> None:
        self.name = name
        self.gop_refusal = labels_refusal(labels)
        self._session, self._graph = session, graph
        self._features, self._weights = features, weights
        self._order = [blank, *(i for i in range(len(labels)) if i != blank)]
        self.labels = tuple(labels[i] for i in self._order)
        self.phone_labels = () if self.gop_refusal else self.labels
        self._lock = threading.Lock()
        # seconds per input, and time of the centre of input 0
        self._step_s = HOP / SAMPLE_RATE if features == "fbank" else 1 / SAMPLE_RATE
        first_s = self._step_s / 2 if features == "fbank" else 0.0
        stride, lead, self.dim = self._probe()
        if hop_s is not None:
            stride = max(1, round(hop_s / self._step_s))
        self._stride, self._lead = stride, lead
        self.hop_s = stride * self._step_s
        self.offset_s = first_s + lead * self._step_s if offset_s is None else offset_s

    @cached_property
    def fingerprint(self) -> str:
        """`sha256:…` over the model's bytes, its labels, the front end and this code."""
        settings = {
            "encoder": "onnx",
            "version": VERSION,
            "features": self._features,
            "labels": self.labels,
            "graph": [self._graph.head, self._graph.embeddings],
            "times": [self.hop_s, self.offset_s],
            "windows_s": [WINDOW_S, MARGIN_S],
        }
        return fingerprint(settings, (self._weights,))

    def encode(self, audio: Audio) -> Frames:
        """Encode one recording.

        Raises
        ------
        EncoderError
            If it is not sampled at 16 kHz, or the model gives no frames for it.
        """
        if audio.sample_rate != SAMPLE_RATE:
            raise EncoderError(
                f"The encoder {self.name} hears 16000 Hz, and this recording has "
                f"{audio.sample_rate}.",
                fix="Open the recording with Audio.load, which resamples it.",
            )
        inputs = kaldi_fbank(audio.samples) if self._features == "fbank" else audio.samples
        size = round(WINDOW_S / self.hop_s)
        if len(inputs) <= size * self._stride:
            embeddings, logits = self._run(inputs)
        else:
            embeddings, logits = self._run_windows(inputs, size)
        logits = np.ascontiguousarray(logits[:, self._order])  # columns picked lie the other way
        log_probs = logits - logits.max(axis=1, keepdims=True)
        log_probs -= np.log(np.exp(log_probs).sum(axis=1, keepdims=True))
        if not self._graph.embeddings:
            embeddings = log_probs
        if self.gop_refusal:
            return Frames(embeddings, self.hop_s, self.offset_s)
        return Frames(embeddings, self.hop_s, self.offset_s, log_probs, self.labels)

    def encode_batch(self, audios: Sequence[Audio]) -> list[Frames]:
        """Encode several recordings, one after the other: padding would change their frames."""
        return [self.encode(audio) for audio in audios]

    def _run_windows(self, inputs: FloatArray, size: int) -> tuple[FloatArray, FloatArray]:
        n_frames = max(1, (len(inputs) - 2 * self._lead - 1) // self._stride + 1)
        windows = plan(n_frames, size=size, margin=round(MARGIN_S / self.hop_s))
        pieces = []
        for window in windows:
            start = window.start * self._stride
            # one stride more than the frames need, for models that round down
            stop = (window.stop + 1) * self._stride + 2 * self._lead
            embeddings, logits = self._run(inputs[start:stop])
            wanted = window.stop - window.start
            missing = max(0, wanted - len(logits))
            pieces.append(
                tuple(
                    np.pad(part[:wanted], ((0, missing), (0, 0)), mode="edge")
                    for part in (embeddings, logits)
                )
            )
        return stitch([piece[0] for piece in pieces], windows), stitch(
            [piece[1] for piece in pieces], windows
        )

    def _run(self, inputs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Embeddings `[T, D]` and head outputs `[T, V]` of `[N, 80]` or `[S]`."""
        graph = self._graph
        batch = inputs[None] if inputs.ndim + 1 == graph.rank else inputs[None, None]
        feed = {graph.inputs: np.ascontiguousarray(batch, dtype=np.float32)}
        if graph.lengths:
            feed[graph.lengths] = np.array([len(inputs)], dtype=np.int64)
        wanted = [graph.head, *([graph.embeddings] if graph.embeddings else [])]
        try:
            with self._lock:
                outputs = self._session.run(wanted, feed)
        except Exception as error:  # onnxruntime's own exceptions share no public base
            raise EncoderError(
                f"The encoder {self.name} cannot run on this recording.",
                cause=str(error).splitlines()[0],
                fix="Recordings shorter than the model's field of hearing give no frames.",
            ) from error
        logits, embeddings = outputs[0][0], outputs[-1][0]
        if logits.ndim != 2 or logits.shape[1] != len(self._order) or not len(logits):
            raise EncoderError(
                f"The encoder {self.name} gave {list(outputs[0].shape)} for {len(inputs)} inputs.",
                cause=f"Expected [1, frames, {len(self._order)}], a column per label.",
                fix="Check that tokens.txt or vocab.json belongs to model.onnx.",
            )
        return np.ascontiguousarray(embeddings, np.float32), logits.astype(np.float32)

    def _probe(self) -> tuple[int, int, int]:
        """Inputs per frame, input at the centre of frame 0, width of the embeddings."""
        lengths = [round(seconds / self._step_s) for seconds in PROBE_S]
        width = (N_MELS,) if self._features == "fbank" else ()
        runs = [self._run(np.zeros((length, *width), np.float32)) for length in lengths]
        counts = [len(logits) for _, logits in runs]
        stride = max(1, round((lengths[1] - lengths[0]) / max(1, counts[1] - counts[0])))
        # what the frames leave over lies half before the first and half behind the last
        lead = max(0, (lengths[1] - 1 - (counts[1] - 1) * stride) // 2)
        return stride, lead, int(runs[0][0].shape[1])


def load(
    source: str,
    *,
    name: str = "",
    layer: int | None = None,
    device: str = "auto",
    dtype: str = "float32",
) -> OnnxEncoder:
    """Open a folder with an ONNX CTC model as an encoder; see the module for what it holds.

    Raises
    ------
    EncoderError
        If the folder or a part of it is missing or damaged, or a `layer` is asked for.
    """
    del dtype  # that of the graph
    name = name or source
    folder = Path(source).expanduser()
    weights = folder / "model.onnx"
    if layer is not None:
        raise EncoderError(
            f"The encoder {name} has no layers to choose from.",
            cause="An ONNX graph gives what it was exported with.",
            fix="Leave the layer out.",
        )
    if not weights.is_file():
        raise EncoderError(
            f"{folder} holds no model.onnx.",
            fix="Name a folder with model.onnx and tokens.txt or vocab.json.",
        )
    settings = read_settings(folder / "config.json")
    labels = in_ipa(folder, _labels(folder))
    session = open_session(weights, device)
    graph = _graph(session, name)
    features = settings.get("features") or ("fbank" if graph.rank == 3 else "waveform")
    if features not in ("fbank", "waveform"):
        raise EncoderError(
            f"{folder / 'config.json'} asks for features {features!r}.",
            fix='Write "fbank" or "waveform".',
        )
    found = next((labels.index(label) for label in _BLANKS if label in labels), 0)
    return OnnxEncoder(
        session,
        graph,
        name=name,
        labels=labels,
        blank=int(settings.get("blank_id", found)),
        features=cast(Features, features),
        hop_s=settings.get("hop_s"),
        offset_s=settings.get("offset_s"),
        weights=weights,
    )


def _graph(session: Any, name: str) -> _Graph:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    lengths = [i.name for i in inputs if i.name.endswith(("lens", "len", "lengths"))]
    signals = [i for i in inputs if i.name not in lengths]
    named = {output.name for output in outputs}
    head = next(
        (label for label in _HEADS if label in named),
        next((o.name for o in outputs if len(o.shape or ()) == 3), ""),
    )
    if len(signals) != 1 or len(lengths) > 1 or not head:
        raise EncoderError(
            f"{name} is not a CTC model of one signal.",
            cause=f"Its inputs are {', '.join(i.name for i in inputs)}; its outputs "
            f"{', '.join(o.name for o in outputs)}.",
            fix="Export the CTC head alone; transducers are not supported.",
        )
    return _Graph(
        inputs=signals[0].name,
        lengths=lengths[0] if lengths else "",
        head=head,
        embeddings=next((label for label in _EMBEDDINGS if label in named), ""),
        rank=len(signals[0].shape),
    )


def _labels(folder: Path) -> tuple[str, ...]:
    """Labels in the order of the head's outputs.

    Raises
    ------
    EncoderError
        If there is no list of them, or it does not number them 0, 1, 2, ….
    """
    tokens, vocabulary = folder / "tokens.txt", folder / "vocab.json"
    try:
        if tokens.is_file():
            lines = tokens.read_text(encoding="utf-8").splitlines()
            pairs = [line.rsplit(maxsplit=1) for line in lines if line.strip()]
            ids = {int(pair[-1]): pair[0] for pair in pairs}
        elif vocabulary.is_file():
            ids = {v: k for k, v in json.loads(vocabulary.read_text(encoding="utf-8")).items()}
        else:
            raise EncoderError(
                f"{folder} does not say what its model's outputs mean.",
                fix="Put tokens.txt or vocab.json beside model.onnx.",
            )
        return tuple(ids[i] for i in range(len(ids)))
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise EncoderError(
            f"The labels in {folder} cannot be read.",
            cause=f"{type(error).__name__}: {error}",
            fix="They should number the model's outputs 0, 1, 2, ….",
        ) from error


def kaldi_fbank(samples: FloatArray) -> FloatArray:
    """Log mel filter banks as Kaldi and lhotse compute them for icefall, without dither.

    Parameters
    ----------
    samples
        float32 `[S]` at 16 kHz, within -1 and 1.

    Returns
    -------
    float32 `[T, 80]` in nats, a frame every 10 ms; frame t is centred on sample `80 + 160 t`. The
    ends are mirrored, so that `T` is `S / 160`, rounded, and at least 1.
    """
    signal = np.asarray(samples, dtype=np.float64)
    n_frames = max(1, (len(signal) + HOP // 2) // HOP)
    before = WINDOW // 2 - HOP // 2
    behind = max(0, (n_frames - 1) * HOP + WINDOW - before - len(signal))
    if len(signal) < WINDOW:  # too short to be mirrored
        padded = np.pad(signal, (before, behind))
    else:
        padded = np.pad(signal, (before, behind), mode="symmetric")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:n_frames]
    frames = frames - frames.mean(axis=1, keepdims=True)
    previous = np.concatenate((frames[:, :1], frames[:, :-1]), axis=1)
    povey = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))) ** 0.85
    spectrum = np.fft.rfft((frames - PRE_EMPHASIS * previous) * povey, n=N_FFT)
    power = spectrum.real**2 + spectrum.imag**2
    mel = power @ _mel_filters().T
    log_mel: FloatArray = np.log(np.maximum(mel, np.finfo(np.float32).eps)).astype(np.float32)
    return log_mel


@cache
def _mel_filters() -> FloatArray:
    """Kaldi's triangles, straight on the mel scale and not in hertz, `[80, 257]`."""
    low, high = _mel(np.array([MEL_LOW_HZ, MEL_HIGH_HZ]))
    edges = np.linspace(low, high, N_MELS + 2)
    bins = _mel(np.arange(N_FFT // 2 + 1) * (SAMPLE_RATE / N_FFT))
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    filters: FloatArray = np.maximum(0.0, np.minimum(rising, falling))
    filters[:, -1] = 0.0  # Kaldi leaves the Nyquist bin out
    return filters


def _mel(hz: Any) -> Any:
    return 1127.0 * np.log(1.0 + hz / 700.0)
