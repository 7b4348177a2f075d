"""`nativeear assess --free`, and what goes with it or not."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nativeear.service.cli import app
from nativeear.speech.recognisers.whisper import FOLDER_VARIABLE
from tests.conftest import PROMPTS

PROMPT = PROMPTS / "vm-goodbye.g722"
needs_prompts = pytest.mark.skipif(
    not PROMPTS.is_dir(), reason="asterisk-core-sounds-en-g722 is not installed"
)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


@needs_prompts
def test_free_speech_is_assessed_and_written_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    page, grid = tmp_path / "r.html", tmp_path / "r.TextGrid"
    code, out, err = run(
        "assess", str(PROMPT), "--free", "--json", "--html", str(page), "--textgrid", str(grid)
    )
    assert code == 0
    told = json.loads(out)
    assert told["transcript"]["source"] == "phones"
    assert told["level"] is None
    assert "nativeear[asr]" in err
    assert len(err.strip().splitlines()) == 1
    assert "<html" in page.read_text(encoding="utf-8")
    assert "verdicts" in grid.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--free", "--text", "hello"), "--text and --free exclude each other"),
        (("--free", "--phones", "M IY"), "--phones and --free exclude each other"),
        (("--text", "hello", "--asr", "x"), "--asr goes with --free only"),
        (("--free", "--manifest", "m.csv"), "goes with a single recording"),
        (("--free", "--bands", "missing.json"), "holds no fitted bands"),
        ((), "or --free where no text is known"),
    ],
)
def test_what_does_not_go_together_is_refused(more: tuple[str, ...], told: str) -> None:
    code, out, err = run("assess", str(PROMPT), *more)
    assert code == 2
    assert told in err
    assert out == ""


@needs_prompts
def test_a_folder_without_a_model_is_refused_with_what_to_do(tmp_path: Path) -> None:
    code, out, _ = run("assess", str(PROMPT), "--free", "--asr", str(tmp_path), "--json")
    assert code == 2
    error = json.loads(out)["error"]
    assert "no folder of a faster-whisper model" in error["message"]
    assert "hf download" in error["fix"]


def test_bands_need_a_table_that_can_be_read(tmp_path: Path) -> None:
    table = tmp_path / "rated.csv"
    table.write_text("audio,band\na.wav,B1\n", encoding="utf-8")
    code, _, err = run("bands", "fit", "--data", str(table), "--out", str(tmp_path / "b.json"))
    assert code == 2
    assert "no column speaker" in err
    assert not (tmp_path / "b.json").exists()
