"""Where Silero VAD hears speech: an optional second opinion on what is a pause.

The network (silero-vad, MIT) is told 32 ms at a time, here all at once by its sequence model in
ONNX, so that neither torch nor torchaudio is asked.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.errors import MissingDependencyError
from nativeear.speech.prosody.pitch import runs
from nativeear.speech.prosody.praat import FloatArray

CHUNK = 512
"""Samples that one probability is about."""

CONTEXT = 64
"""Samples before them that the network hears as well."""

STATE = 128
BEGINS, ENDS = 0.5, 0.35
"""Speech begins at the one probability and lasts until the other, as Silero itself has it."""

_MODEL = Path("data", "silero_vad_16k_sequence.onnx")


def why_not_silero() -> str:
    """Why Silero VAD cannot be asked; empty if it can."""
    if find_spec("onnxruntime") is None:
        return "onnxruntime is not installed"
    return "" if _model_path() else "silero-vad is not installed, or an older one than 6.2"


def speech_probabilities(audio: Audio) -> FloatArray:
    """Probability of speech in every 32 ms, float64 `[C]`; what lacks at the end is silence.

    Raises
    ------
    MissingDependencyError
        If silero-vad or onnxruntime is not installed.
    """
    chunks = -(-len(audio.samples) // CHUNK)
    padded = np.zeros(CONTEXT + chunks * CHUNK, dtype=np.float32)
    padded[CONTEXT : CONTEXT + len(audio.samples)] = audio.samples
    windows = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT + CHUNK)[::CHUNK]
    at_rest = np.zeros((1, 1, STATE), dtype=np.float32)
    (probabilities, *_) = _session().run(
        None, {"input": windows.copy(), "h": at_rest, "c": at_rest}
    )
    return np.asarray(probabilities, dtype=np.float64)


def silent_spans(audio: Audio) -> tuple[tuple[float, float], ...]:
    """Spans in seconds where no one speaks, of any length; asks `speech_probabilities`."""
    probabilities = speech_probabilities(audio)
    speaking = np.zeros(len(probabilities), dtype=bool)
    on = False
    for i, probability in enumerate(probabilities):
        on = probability >= (ENDS if on else BEGINS)
        speaking[i] = on
    chunk_s = CHUNK / SAMPLE_RATE
    return tuple((a * chunk_s, min(b * chunk_s, audio.duration_s)) for a, b in runs(~speaking))


def _model_path() -> Path | None:
    found = find_spec("silero_vad")  # where it lies, without importing it and torch with it
    folders = found.submodule_search_locations if found else None
    path = Path(next(iter(folders))) / _MODEL if folders else None
    return path if path and path.is_file() else None


@cache
def _session() -> Any:
    reason = why_not_silero()
    if reason:
        raise MissingDependencyError(
            "Silero VAD needs silero-vad, which the extra [vad] brings.",
            cause=f"{reason}.",
            fix="pip install 'nativeear[vad]'",
        )
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # it is small
    return onnxruntime.InferenceSession(
        str(_model_path()), options, providers=["CPUExecutionProvider"]
    )
