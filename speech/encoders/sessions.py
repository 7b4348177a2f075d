"""onnxruntime's sessions, opened the same way for every graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nativeear.speech.errors import EncoderError, MissingDependencyError
from nativeear.speech.threads import session_threads


def open_session(graph: Path, device: str = "cpu") -> Any:
    """Open a graph; its `run` is safe to call from several threads.

    Parameters
    ----------
    device
        `auto` takes a GPU where this onnxruntime can use one.

    Raises
    ------
    MissingDependencyError
        If onnxruntime is not installed, or does not import.
    EncoderError
        If the file cannot be opened, or a GPU is asked for and cannot be used.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError(
            "This encoder needs onnxruntime, which is not installed.",
            cause=str(error),
            fix="pip install onnxruntime",
        ) from error
    there = onnxruntime.get_available_providers()
    if device == "cuda" and "CUDAExecutionProvider" not in there:
        raise EncoderError(
            "This onnxruntime cannot use a GPU.", fix="pip install onnxruntime-gpu, or use the CPU."
        )
    providers = ["CPUExecutionProvider"]
    if device != "cpu" and "CUDAExecutionProvider" in there:
        providers.insert(0, "CUDAExecutionProvider")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = session_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Recordings differ in length: an arena would keep room for the longest, and threads that spin
    # between two products take the cores from the rest of an assessment.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=providers)
    except Exception as error:  # onnxruntime's own exceptions share no public base
        raise EncoderError(
            f"{graph} cannot be opened.",
            cause=str(error).splitlines()[0],
            fix="Download or export the model again.",
        ) from error
