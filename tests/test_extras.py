"""What lacks an extra says in one line which, and the core needs none."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

WITHOUT = """
import sys

asked = set()

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing}:
            asked.add(name)
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
"""

SERVER = {"alembic", "fastapi", "prometheus_client", "sqlalchemy", "starlette", "uvicorn"}
TORCH = {"torch", "transformers", "huggingface_hub", "torchaudio"}
OTHERS = {"pandas", "panphon", "matplotlib", "scipy", "sklearn", "httpx", "websockets", "onnx"}
BEYOND_CLIENT = {"numpy", "faiss", "onnxruntime", "pyarrow", "rich", "soundfile", "soxr", "typer"}


def python(missing: set[str], code: str) -> subprocess.CompletedProcess[str]:
    """Run code where some libraries are not installed."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT.format(missing=missing) + code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


def test_the_core_assesses_without_any_extra() -> None:
    """Nor does it look for one: what is installed for others would cost it time."""
    code = (
        "from nativeear.service.cli import app\n"
        "said = ['service/data/vm-msgsaved.flac', '--text', 'Your message has been saved.']\n"
        "app(['assess', *said], standalone_mode=False)\n"
        "assert not asked | {'pyarrow.compute'} & set(sys.modules), asked\n"
    )
    done = python(SERVER | TORCH | OTHERS, code)
    assert done.returncode == 0, done.stderr
    assert "saved" in done.stdout


def test_the_client_needs_httpx_and_pydantic_alone() -> None:
    code = "import nativeear; nativeear.Client('http://127.0.0.1:1').close(); print('made')"
    done = python(SERVER | TORCH | BEYOND_CLIENT | OTHERS - {"httpx"}, code)
    assert done.stdout == "made\n", done.stderr


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [
        (SERVER, ["serve"], "server"),
        (SERVER, ["keys", "list"], "server"),
        (TORCH, ["encoders", "fetch", "hubert-large"], "torch"),
    ],
)
def test_a_command_names_the_extra_that_it_lacks(
    missing: set[str], arguments: list[str], extra: str
) -> None:
    done = python(missing, f"from nativeear.service.cli import app; app({arguments})")
    assert done.returncode == 2
    assert f"pip install 'nativeear[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("missing", "code", "extra"),
    [
        (
            TORCH,
            "from nativeear.speech.encoders import load_encoder as f; f('hubert-large')",
            "torch",
        ),
        ({"httpx"}, "import nativeear; nativeear.Client('http://127.0.0.1:1')", "client"),
    ],
)
def test_an_error_in_python_names_the_extra(missing: set[str], code: str, extra: str) -> None:
    done = python(missing, code)
    assert "MissingDependencyError" in done.stderr
    assert f"which the extra [{extra}] brings." in done.stderr


def test_encoders_are_listed_without_torch() -> None:
    done = python(TORCH, "from nativeear.service.cli import app; app(['encoders', 'list'])")
    assert done.returncode == 0, done.stderr
    assert "hubert-large" in done.stdout
