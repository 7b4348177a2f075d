import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

import nativeear.service.doctor
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessment import Assessment
from nativeear.service.cli import app
from nativeear.service.index_choice import choose_index
from nativeear.speech.errors import InputError
from nativeear.speech.textgrid import TextGrid

ROOT = Path(__file__).parents[2]
HEAVY = {"numpy", "torch", "faiss", "transformers", "pyarrow", "soundfile", "rich"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def error_of(result: Result) -> dict[str, str]:
    assert result.exit_code == 2, result.output
    error: dict[str, str] = json.loads(result.stdout)["error"]
    assert set(error) == {"code", "message", "cause", "fix"}
    return error


@pytest.fixture
def indexes(tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A person's own index folder that holds one index, `tones`."""
    folder = tmp_path / "indexes"
    shutil.copytree(tone_index.path, folder / "tones")
    monkeypatch.setenv("NATIVEEAR_INDEXES", str(folder))
    return folder


@pytest.fixture
def wav(tone_corpus: Path) -> Path:
    return tone_corpus / "anna" / "anna01.wav"


# Start and help


@pytest.mark.parametrize("arguments", [["--help"], ["assess", "--help"], ["index", "--help"]])
def test_help_answers_at_once_and_loads_nothing_heavy(arguments: list[str]) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "nativeear", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & HEAVY
    # Newer typers check a subcommand's arguments with pydantic; before that it has no business.
    assert "pydantic" not in imported or arguments != ["--help"]
    # Processor time, which other work on the machine does not lengthen; 0.12 s where measured.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.6


def test_help_lists_the_commands_that_there_are() -> None:
    text = run("--help").stdout
    listed = [line.split()[0] for line in text.partition("Commands:")[2].splitlines() if line]
    assert sorted(listed) == [
        "align", "assess", "backup", "bands", "compare", "demo", "doctor", "encoders", "eval",
        "index", "inventory", "keys", "mcp", "people", "plot", "restore", "score", "serve",
        "web-demo", "web-pack",
    ]  # fmt: skip


def test_version() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("nativeear")


# How a command ends


@pytest.mark.parametrize(
    "arguments", [["hear"], ["assess", "--loud"], ["index", "build"], ["index", "show"]]
)
def test_what_typer_refuses_ends_with_2(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to assess"),
        (["a.wav"], "neither a text nor phones"),
        (["a.wav", "--text", " "], "neither a text nor phones"),
        (["a.wav", "--text", "a", "--text-file", "f"], "--text and --text-file exclude"),
        (["a.wav", "--text-file", "none.txt"], "none.txt cannot be read"),
        (["a.wav", "--text", "a", "--out", "o"], "--out goes with --manifest only"),
        (["a.wav", "--text", "a", "--workers", "2"], "--workers goes with --manifest only"),
        (["a.wav", "--text", "a", "--textgrid", "no/o"], "cannot be written to no/o"),
        (["--manifest", "m.csv"], "--manifest needs --out"),
        (["a.wav", "--manifest", "m.csv", "--out", "o"], "AUDIO goes with a single recording"),
        (["--text", "a", "--manifest", "m.csv", "--out", "o"], "--text goes with a single"),
        (["a.wav", "--text", "a"], "a.wav does not exist"),
        (["--manifest", "m.csv", "--out", "o"], "m.csv cannot be read"),
    ],
)
def test_bad_input_ends_with_2_and_says_what_to_do(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("assess", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert "\nFix: " in result.stderr
    assert message in error_of(run("assess", *arguments, "--json"))["message"]


def fail_with(error: BaseException) -> Callable[[], None]:
    def examine() -> None:
        raise error

    return examine


def test_a_fault_of_the_program_is_one_sentence_unless_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NATIVEEAR_DEBUG", raising=False)
    monkeypatch.setattr(
        nativeear.service.doctor, "examine", fail_with(ZeroDivisionError("by\nzero"))
    )
    result = run("doctor")
    assert result.exit_code == 70
    assert result.stderr.splitlines() == [
        "Error: Internal error ZeroDivisionError.",
        "Cause: by zero",
        "Fix: Run with NATIVEEAR_DEBUG=1 for the traceback, and report it.",
    ]
    assert json.loads(run("doctor", "--json").stdout)["error"]["code"] == "internal-error"
    monkeypatch.setenv("NATIVEEAR_DEBUG", "1")
    assert "Traceback" in run("doctor").stderr


def test_an_interruption_is_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nativeear.service.doctor, "examine", fail_with(KeyboardInterrupt()))
    result = run("doctor")
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


def test_an_interruption_before_a_command_took_over_is_silent() -> None:
    interrupted = (
        "import sys; from nativeear.__main__ import main\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting()); main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", interrupted], cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_a_terminal_without_unicode_is_no_fault(indexes: Path) -> None:
    for options in ([], ["--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "nativeear", "index", "show", "tones", *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=True,
        )
        assert done.stderr == b""
    assert "ɑ" in json.dumps(json.loads(done.stdout.decode()), ensure_ascii=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "arguments", [["--version"], ["index", "list"], ["index", "list", "--json"]]
)
def test_a_full_disk_behind_stdout_is_told(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "nativeear", *arguments],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: Not all could be written.\nCause: No space left")
    assert done.stderr.count("Error") == 1


def test_a_disk_that_fills_up_is_no_fault_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    full = fail_with(OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr(nativeear.service.doctor, "examine", full)
    result = run("doctor", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["cause"] == "No space left on device."


# doctor, encoders


def test_doctor_ends_with_0_or_1_as_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("doctor", "--json")
    told = json.loads(result.stdout)
    missing = [check for check in told["checks"] if check["required"] and not check["ok"]]
    assert told["ok"] is not bool(missing)
    assert result.exit_code == int(bool(missing))
    monkeypatch.setattr(nativeear.service.doctor, "DEPENDENCIES", {"no-such-library": "nothing"})
    result = run("doctor")
    assert result.exit_code == 1
    assert "pip install no-such-library" in result.stdout


def test_encoders_are_listed_shown_and_fetched() -> None:
    listed = json.loads(run("encoders", "list", "--json").stdout)
    assert {"spectral", "hubert-large"} <= {info["name"] for info in listed}
    assert "spectral" in run("encoders", "list").stdout
    assert json.loads(run("encoders", "show", "spectral", "--json").stdout)["dim"] == 240
    assert "licence" in run("encoders", "show", "hubert-large").stdout
    assert "needs no weights" in run("encoders", "fetch", "spectral").stdout
    fetched = json.loads(run("encoders", "fetch", "spectral", "--json").stdout)
    assert fetched == {"name": "spectral", "folder": None}
    assert "no-such" in error_of(run("encoders", "show", "no-such", "--json"))["message"]


# index


def test_an_index_is_built_and_found_by_name(
    tone_corpus: Path, indexes: Path, tmp_path: Path
) -> None:
    arguments = ["index", "build", "--corpus", tone_corpus, "--lang", "en-US"]
    result = run(*arguments, "--name", "mine", "--encoder", "spectral", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["path"] == str(indexes / "mine")
    assert report["utterances"] == 30
    assert "Aligning and encoding: 30 of 30" in result.stderr
    names = [summary["name"] for summary in json.loads(run("index", "list", "--json").stdout)]
    assert {"mine", "tones"} <= set(names)

    refused = run(*arguments, "--out", indexes / "mine")
    assert refused.exit_code == 2
    out = tmp_path / "other"
    assert "no place" in run(*arguments).stderr
    assert "folder" in run(*arguments, "--name", "../mine").stderr
    assert "middle-third, middle-frame" in run(*arguments, "--out", out, "--pooling", "x").stderr
    assert "flac, opus" in run(*arguments, "--out", out, "--clips", "mp3").stderr
    assert not out.exists()


def test_a_build_says_what_the_index_is_worth(tone_corpus: Path, tmp_path: Path) -> None:
    arguments = ["index", "build", "--lang", "en-US", "--encoder", "spectral", "--corpus"]
    good = run(*arguments, tone_corpus, "--out", tmp_path / "good")
    assert good.exit_code == 0, good.output
    told = " ".join(good.stdout.split())
    assert "nearest to their own. That is as it should be: the shipped encoder reaches 88%" in told
    assert "Of its 39 phones, 4 can be judged." in told

    noise, rng = tmp_path / "noise", np.random.default_rng(0)
    shutil.copytree(tone_corpus, noise)
    for path in sorted(noise.rglob("*.wav")):
        samples, rate = soundfile.read(path)
        soundfile.write(path, 0.05 * rng.normal(size=len(samples)), rate)
    useless = run(*arguments, noise, "--out", tmp_path / "useless")
    assert useless.exit_code == 0, useless.output
    told = " ".join(useless.stdout.split())
    assert "Nothing that it says can be trusted: the shipped encoder reaches 88%" in told
    shown = " ".join(run("index", "show", str(tmp_path / "useless")).stdout.split())
    assert "Nothing that it says can be trusted" in shown


def test_an_index_is_shown(indexes: Path) -> None:
    assert "tones" in run("index", "list").stdout
    told = json.loads(run("index", "show", "tones", "--json").stdout)
    assert told["path"] == str(indexes / "tones")
    assert told["encoder"]["name"] == "spectral"
    text = run("index", "show", "tones").stdout
    for words in ("en-US", "spectral", "ɑ", "utterances", "licence", "nearest"):
        assert words in text
    assert "Known indexes: " in error_of(run("index", "show", "none", "--json"))["cause"]


def test_damage_is_found(indexes: Path) -> None:
    result = run("index", "verify", "tones")
    assert result.exit_code == 0
    assert "DAMAGED" not in result.stdout
    vectors = indexes / "tones" / "vectors.faiss"
    content = bytearray(vectors.read_bytes())
    content[-1] ^= 1
    vectors.write_bytes(content)
    result = run("index", "verify", "tones")
    assert result.exit_code == 1
    assert "DAMAGED  vectors.faiss" in result.stdout
    told = json.loads(run("index", "verify", "tones", "--json").stdout)
    assert [file["name"] for file in told["files"] if not file["ok"]] == ["vectors.faiss"]


def test_a_damaged_manifest_is_damage_and_another_folder_is_bad_input(
    indexes: Path, tmp_path: Path
) -> None:
    manifest = indexes / "tones" / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8")[:100], encoding="utf-8")
    result = run("index", "verify", "tones", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["ok"] is False
    assert "damaged: " in run("index", "list").stdout
    assert run("index", "verify", tmp_path).exit_code == 2


# Which index


def test_a_language_finds_the_index_that_speaks_it(indexes: Path) -> None:
    assert choose_index(None, None) == "en-US"
    assert choose_index("tones", "en") == "tones"
    assert choose_index(str(indexes / "tones"), "EN_us") == str(indexes / "tones")
    with pytest.raises(InputError, match="tones speaks en-US, not fr"):
        choose_index("tones", "fr")
    for language in ("xx", "en-GB"):
        with pytest.raises(InputError, match=f"no index of the language {language}"):
            choose_index(None, language)


def test_the_default_index_goes_before_others_and_a_tie_is_told(
    indexes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nativeear.indexes.catalogue._PACKAGE", indexes / "none")
    assert choose_index(None, "en") == indexes / "tones"
    shutil.copytree(indexes / "tones", indexes / "again")
    with pytest.raises(InputError, match="Several indexes speak en"):
        choose_index(None, "en")
    shutil.copytree(indexes / "tones", indexes / "en-US")
    assert choose_index(None, "en") == indexes / "en-US"


# assess


def test_a_recording_is_assessed_as_table_json_and_textgrid(
    indexes: Path, wav: Path, tmp_path: Path
) -> None:
    grid = tmp_path / "out.TextGrid"
    arguments = ["assess", wav, "--phones", "M IY | S AA", "--index", "tones", "--lang", "en"]
    result = run(*arguments, "--textgrid", grid)
    assert result.exit_code == 0, result.output
    assert "against tones (en-US)" in result.stdout
    assert "score" in result.stdout
    names = [tier.name for tier in TextGrid.load(grid).tiers]
    assert names == ["words", "phones", "scores", "verdicts"]
    result = run(*arguments, "--json")
    assessment = Assessment.model_validate_json(result.stdout)
    assert (assessment.id, assessment.index) == ("anna01", "tones")
    assert [phone.phone for phone in assessment.phones] == ["M", "IY", "S", "AA"]


def test_the_text_may_lie_in_a_file(indexes: Path, wav: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("\ufeffsee me\n", encoding="utf-8")
    arguments = ["assess", wav, "--text-file", tmp_path / "text.txt", "--index", "tones", "--json"]
    words = json.loads(run(*arguments).stdout)["words"]
    assert [word["word"] for word in words] == ["see", "me"]


def test_index_and_language_that_disagree_are_refused(indexes: Path, wav: Path) -> None:
    error = error_of(
        run("assess", wav, "--text", "me", "--index", "tones", "--lang", "fr", "--json")
    )
    assert error["message"] == "The index tones speaks en-US, not fr."


def test_a_batch_tells_its_counts_and_ends_with_1_where_a_row_failed(
    indexes: Path, wav: Path, tmp_path: Path
) -> None:
    manifest, out = tmp_path / "m.csv", tmp_path / "out.jsonl"
    manifest.write_text(f"id,audio,text,note\n1,{wav},see me,x\n2,none.wav,see me,y\n")
    result = run("assess", "--manifest", manifest, "--out", out, "--index", "tones", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "out": str(out),
        "rows": 2,
        "failed": 1,
        "unused_columns": ["note"],
        "assessed": 1,
    }
    assert f"1 assessed, 1 failed: {out}" in result.stderr
    assert "Columns without a use: note" in result.stderr
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ["1", "2"]

    manifest.write_text(f"id,audio,text\n1,{wav},see me\n")
    result = run("assess", "--manifest", manifest, "--out", out, "--index", "tones")
    assert (result.exit_code, result.stdout) == (0, "")
