"""Every command in the blocks of README and docs is run, in order, in a folder of small files."""

import os
import shlex
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nativeear.service.cli import app
from nativeear.speech.encoders.catalogue import describe
from tests.docs.conftest import SAVED
from tests.docs.reading import ELSEWHERE, PAGES, commands
from tests.speech.test_onnx_encoder import write, zipformer_like
from tests.support.served import serving
from tests.support.tiny_models import ESPEAK, LETTERS, saved

NOT_RUN = {
    "python3 -m venv .venv && . .venv/bin/activate && pip install -q -e '.[server]' "
    "&& nativeear demo": "installs from the network",
    ". .venv/bin/activate && pip install -q torch==2.13.0 && pip install -q -e '.[dev]' "
    "&& python -m pytest -q -n 2 --dist loadfile": "runs this",
    "python3 -m venv .venv && . .venv/bin/activate && pip install 'nativeear[torch]'": "installs "
    "from the network",
    "nativeear serve": "runs until it is stopped: tests/service/api/test_serving.py",
    "(cd web && npm install && npm run build)": "installs from the network",
    "nativeear web-demo en-US --package web/dist --out site && python -m http.server "
    "--directory site": "wants the package built, and runs until it is stopped: tests/web",
    "nativeear serve --in-browser web/dist": "wants the package built, and runs until it is "
    "stopped: tests/service/page/test_page_hears_in_browser.py",
    "nativeear assess me.wav --free --asr whisper-small": "wants a downloaded model",
    "nativeear index build --corpus s3://speech/english.csv --lang en-US --out english "
    "--ray ray-head:6379": "wants a cluster: tests/indexer/test_cluster.py",
    "nativeear eval speechocean762 --data speechocean762 --json": "tests/service/test_eval.py",
    "nativeear eval l2arctic --data l2arctic": "tests/service/test_eval.py",
    "nativeear eval l2arctic --data l2arctic/suitcase_corpus": "tests/indexer/"
    "test_readers_annotated.py",
    "nativeear eval isle --data isle": "tests/indexer/test_readers_annotated.py",
    "nativeear eval cmukids --data cmu_kids": "tests/indexer/test_readers_annotated.py",
}
"""With the reason; where another test does the same on files of its own, it is named."""

INSTEAD = {
    "asterisk:it": "recordings.csv",
    "Thank you for calling": SAVED,
    "Grazie per aver chiamato": SAVED,
}
"""What stands for what a page names: not everybody has those prompts, and this is what `me.wav`
and `io.wav` say."""

ENDS = {"nativeear index audit my-index --fail-under 0.9": {1}}
"""Exit codes where they are not 0: the tones do not cover English."""

NATIVE = [page for page in PAGES if page.name not in ELSEWHERE and commands(page)]


def prepared(command: str) -> list[str]:
    """The words of a command, with what lies in the folder."""
    return [INSTEAD.get(word, word) for word in shlex.split(command)]


def bring_models(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models as they are fetched from the hub and carried over, of every family and small."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(inside / "hub"))
    for name, family, labels in (
        ("hubert-large", "Hubert", LETTERS),
        ("wavlm-large", "WavLM", ()),
        ("w2v-bert-2", "Wav2Vec2Bert", ()),
        ("xlsr-espeak", "Wav2Vec2", ESPEAK),
    ):
        folder = saved(inside / "models" / name, family, labels)
        cached = inside / "hub" / f"models--{describe(name).source.replace('/', '--')}"
        shutil.copytree(folder, cached / "snapshots" / "0")
        (cached / "refs").mkdir()
        (cached / "refs" / "main").write_text("0")
    write(inside / "models" / "zipa", zipformer_like(), features="fbank", blank_id=0, hop_s=0.02)


def bring_indexes(page: Path, inside: Path) -> None:
    """Put there what a page takes for granted."""
    if page.name == "README.md":
        build = "index build --corpus others.csv --lang en-US --out indexes/other"
        assert CliRunner().invoke(app, build.split()).exit_code == 0
    if page.name == "evaluation.md":
        shutil.copytree(inside / "my-index", inside / "indexes" / "it")


@pytest.mark.parametrize("page", NATIVE, ids=lambda page: page.stem)
def test_every_command_does_what_it_says(
    page: Path, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_indexes(page, inside)
    if page.name == "hubert.md":
        bring_models(inside, monkeypatch)
    for command in commands(page):
        if command in NOT_RUN or ("--to lance" in command and find_spec("lance") is None):
            continue
        name, *arguments = prepared(command)
        assert name in {"nativeear", "curl"}, f"say how to run: {command}"
        if name == "curl":
            assert '"score"' in asked(arguments, inside)
            continue
        result = CliRunner().invoke(app, arguments)
        told = f"{command}\n{result.output}\n{result.exception!r}"
        assert result.exit_code in ENDS.get(command, {0}), told
        assert "Traceback" not in result.output, told
        for option in ("--out", "--html", "--textgrid", "--plot"):
            if option in arguments:
                assert Path(arguments[arguments.index(option) + 1]).exists(), told


def asked(arguments: list[str], inside: Path) -> str:
    """What a service answers to curl."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    folder = inside / "served"
    folder.mkdir(exist_ok=True)
    with serving(folder, "--workers", "1") as served:
        there = [word.replace("http://127.0.0.1:8000", served.url) for word in arguments]
        done = subprocess.run(
            ["curl", "--fail-with-body", "-s", *there],
            capture_output=True,
            text=True,
            check=False,
            env=dict(os.environ),
        )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_what_is_not_run_still_stands_there() -> None:
    told = {command for page in PAGES for command in commands(page)}
    assert set(NOT_RUN) <= told
    assert set(ENDS) <= told
