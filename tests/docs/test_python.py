"""The Python of README and docs is run, in the folder in which the commands are run."""

from pathlib import Path

import pytest

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

    if page.name != "gop.md":
        return {"nativeear": nativeear}
    assessor = nativeear.load("en-US")
    frames = assessor.encoder.encode(nativeear.Audio.load("me.wav"))
    return {"frames": frames, "inventory": assessor.inventory}


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.stem)
def test_the_python_of_a_page_runs(page: Path, inside: Path) -> None:
    names = given(page)
    for block in blocks(page, "python"):
        lines = [line for line in block.splitlines() if line not in NOT_RUN]
        exec(compile("\n".join(lines), page.name, "exec"), names)  # noqa: S102
    if page.name == "report.md":
        assert (inside / "me.html").read_text("utf-8").startswith("<!doctype html>")


def test_what_is_not_run_still_stands_there() -> None:
    lines = {
        line for page in PAGES for block in blocks(page, "python") for line in block.split("\n")
    }
    assert set(NOT_RUN) <= lines
