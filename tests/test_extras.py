"""What lacks an extra says in one line which, and the core needs none."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

WITHOUT = """
import sys

asked = set()
allowed = {{*{only}, *sys.stdlib_module_names}}

class Blocked:
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root in {missing} or {only} and root[0] != "_" and root not in allowed:
            asked.add(name)
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
"""

SAVED = "service/data/vm-msgsaved.flac"
NOWHERE = str(Path(tempfile.gettempdir()) / "nativeear-never-built")
BUILD = ["index", "build", "--lang", "en-US", "--out", NOWHERE, "--corpus"]
SERVER = {"alembic", "fastapi", "prometheus_client", "sqlalchemy", "starlette", "uvicorn"}
TORCH = {"torch", "transformers", "huggingface_hub", "torchaudio"}
OTHERS = {
    "faiss",
    "pandas",
    "panphon",
    "matplotlib",
    "scipy",
    "sklearn",
    "httpx",
    "websockets",
    "onnx",
}
CLIENT = {"nativeear"} | {  # httpx, pydantic, and what they need
    *("httpx", "httpcore", "h11", "anyio", "sniffio", "idna", "certifi", "exceptiongroup"),
    *("pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"),
}


def python(
    missing: set[str], code: str, only: set[str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run code where some libraries are not installed, or only some are."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT.format(missing=missing, only=list(only or ())) + code],
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
    done = python(set(), code, only=CLIENT)
    assert done.stdout == "made\n", done.stderr


def test_the_command_says_what_a_client_lacks() -> None:
    done = python(set(), "from nativeear.__main__ import main; main()", only=CLIENT)
    assert done.returncode == 2
    assert done.stderr == (
        "Error: The command line needs typer, which `pip install nativeear` brings.\n"
        "Fix: pip install nativeear\n"
    )


@pytest.mark.parametrize("call", ["load()", "load_accents('en')", "Assessor", "build_index"])
def test_python_says_what_a_client_lacks(call: str) -> None:
    done = python(set(), f"import nativeear; nativeear.{call}", only=CLIENT)
    *_, told = done.stderr.splitlines()
    assert told.endswith("which `pip install nativeear` brings."), done.stderr
    assert f"nativeear.{call.partition('(')[0]} needs" in told


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [
        (SERVER, ["serve"], "server"),
        (SERVER, ["keys", "list"], "server"),
        (TORCH, ["encoders", "fetch", "hubert-large"], "torch"),
        (TORCH, [*BUILD, "corpus.csv", "--encoder", "hubert-large"], "torch"),
        ({"ray"}, [*BUILD, "corpus.csv", "--ray", "auto"], "ray"),
        ({"upath"}, [*BUILD, "s3://bucket/corpus.csv"], "ray"),
        (OTHERS, ["plot", SAVED, "--text", "Saved.", "--out", "melody.svg"], "plots"),
    ],
)
def test_a_command_names_the_extra_that_it_lacks(
    missing: set[str], arguments: list[str], extra: str, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus.csv"
    corpus.write_text(f"audio,text,speaker\n{Path(SAVED).resolve()},Saved.,Allison\n")
    arguments = [str(corpus) if each == "corpus.csv" else each for each in arguments]
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
        (
            {"faiss"},
            "import numpy; from nativeear.indexes.cell_lists import divide;"
            "divide(numpy.ones((4, 2), numpy.float32), numpy.array([0, 4]))",
            "faiss",
        ),
        ({"httpx"}, "import nativeear; nativeear.Client('http://127.0.0.1:1')", "client"),
        (OTHERS, "from nativeear.scoring.data_frames import data_frame as f; f(None)", "pandas"),
        (
            {"psycopg"},
            "from nativeear.service.database.connection import _postgresql as f, make_url;"
            "f(make_url('postgresql+psycopg://here/ear'))",
            "postgres",
        ),
        (
            {"faster_whisper"},
            "import nativeear, tempfile, pathlib;"
            "from nativeear.speech.recognisers.whisper import MODEL_FILES;"
            "folder = pathlib.Path(tempfile.mkdtemp());"
            "[(folder / name).touch() for name in MODEL_FILES];"
            "nativeear.WhisperRecogniser(folder)",
            "asr",
        ),
        (
            {"websockets"},
            "import nativeear; list(nativeear.Client('http://127.0.0.1:1').stream([], 8000))",
            "stream",
        ),
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
