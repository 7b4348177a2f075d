"""Graphs of ONNX as they are opened to compare them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime


def open_graph(graph: Path) -> Any:
    """onnxruntime's session of a graph, in one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
