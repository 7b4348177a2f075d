"""The Python of README and docs is run, in the folder in which the commands are run."""

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nativeear.service.cli import app
from tests.docs.reading import ELSEWHERE, PAGES, blocks

NOT_RUN = {
    'assessor.assess_free("me.wav", recogniser=WhisperRecogniser(Path("whisper-small")))': (
        "wants a downloaded model; tests/scoring/free/test_recognised.py is told words instead"
    )
}

WITH_PYTHON = [page for page in PAGES if page.name not in ELSEWHERE and blocks(page, "python")]


def given(page: Path) -> dict[str, object]:
    """What a page takes for granted."""
    import nativeear

    return {"nativeear": nativeear}


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.stem)
def test_the_python_of_a_page_runs(page: Path, inside: Path) -> None:
    names = given(page)
    if page.name == "open-index.md":
        for form in ("parquet", "faiss"):
            command = f"index export my-index --to {form} --out {form}"
            assert CliRunner().invoke(app, command.split()).exit_code == 0
    for block in blocks(page, "python"):
        lines = [line for line in block.splitlines() if line not in NOT_RUN]
        if "import duckdb" in lines and find_spec("duckdb") is None:
            continue  # no dependency of ours
        exec(compile("\n".join(lines), page.name, "exec"), names)  # noqa: S102
    if page.name == "report.md":
        assert (inside / "me.html").read_text("utf-8").startswith("<!doctype html>")


PUBLIC = ("nativeear", "nativeear.testing")


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.stem
)
def test_a_page_imports_the_public_face_alone(page: Path) -> None:
    for node in ast.walk(ast.parse("\n".join(blocks(page, "python")))):
        if isinstance(node, ast.Import):
            ours = [alias.name for alias in node.names if alias.name.startswith("nativeear")]
            assert set(ours) <= set(PUBLIC)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nativeear"):
            assert node.module in PUBLIC, f"{page.name} imports from {node.module}"
            public = set(import_module(node.module).__all__)
            assert {alias.name for alias in node.names} <= public


def test_what_is_not_run_still_stands_there() -> None:
    lines = {
        line for page in PAGES for block in blocks(page, "python") for line in block.split("\n")
    }
    assert set(NOT_RUN) <= lines
