"""Nothing that runs here calls home."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def imported(folder: Path, modules: str) -> list[str]:
    """What importing some modules leaves in a folder for temporary files."""
    folder.mkdir()
    unset = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    root = str(Path(__file__).parents[2])
    subprocess.run(
        [sys.executable, "-c", f"import {modules}"],
        check=True,
        env={**unset, "TMPDIR": str(folder), "PYTHONPATH": root},
    )
    return sorted(path.name for path in folder.iterdir())


def test_onnxruntime_makes_no_identity_to_tell_of(tmp_path: Path) -> None:
    if not imported(tmp_path / "alone", "onnxruntime"):
        pytest.skip("this onnxruntime tells nobody anything")
    assert imported(tmp_path / "with-us", "nativeear, onnxruntime") == []
