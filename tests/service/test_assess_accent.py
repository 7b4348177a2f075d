import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nativeear.indexes.catalogue import ENVIRONMENT, accents_of
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessment import Assessment
from nativeear.service.cli import app
from nativeear.speech.errors import InputError


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def indexes(tone_index: PhoneIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's folder with two indexes of English, and none that ships."""
    home = tmp_path / "indexes"
    for name, language in (("tones", "en-US"), ("others", "en-GB")):
        shutil.copytree(tone_index.path, home / name)
        manifest = home / name / "manifest.json"
        told = json.loads(manifest.read_text(encoding="utf-8"))
        told |= {"name": name, "language": language}
        manifest.write_text(json.dumps(told), encoding="utf-8")
    monkeypatch.setenv(ENVIRONMENT, str(home))
    monkeypatch.setattr("nativeear.indexes.catalogue._PACKAGE", tmp_path / "none")
    return home


@pytest.fixture
def wav(tone_corpus: Path) -> Path:
    return tone_corpus / "anna" / "anna01.wav"


def test_accents_are_the_indexes_of_one_primary_language(indexes: Path) -> None:
    for tag in ("en", "EN_us", "en-GB"):
        assert [summary.name for summary in accents_of(tag)] == ["others", "tones"]
    with pytest.raises(InputError, match="no index of the language fr") as refused:
        accents_of("fr-CA")
    assert "en-GB, en-US" in str(refused.value.cause)


def test_every_candidate_is_told(indexes: Path, wav: Path) -> None:
    asked = ["assess", wav, "--phones", "M IY | S AA", "--lang", "en", "--accent", "auto"]
    result = run(*asked, "--json")
    assert result.exit_code == 0, result.output
    accent = Assessment.model_validate_json(result.stdout).accent
    assert accent is not None
    assert accent.chosen in ("others", "tones")
    assert [(c.index, c.language) for c in accent.candidates] == [
        ("others", "en-GB"),
        ("tones", "en-US"),
    ]
    assert not accent.sure
    shown = " ".join(run(*asked).stdout.split())
    assert f"nearest to the natives of {accent.chosen}, but not surely" in shown
    shutil.rmtree(indexes / "others")
    shown = " ".join(run(*asked).stdout.split())
    assert "tones is the only index of its language: no accents were compared" in shown


def test_no_accent_is_told_where_none_was_asked_for(indexes: Path, wav: Path) -> None:
    asked = ["assess", wav, "--phones", "M IY", "--index", "tones", "--json"]
    assert json.loads(run(*asked).stdout)["accent"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--lang", "xx", "--accent", "auto"], "There is no index of the language xx."),
        (["--accent", "auto"], "--accent needs a language."),
        (["--lang", "en", "--accent", "scots"], "There is no accent 'scots' to ask for."),
        (
            ["--lang", "en", "--accent", "auto", "--index", "tones"],
            "--index and --accent exclude each other.",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(
    indexes: Path, wav: Path, options: list[str], message: str
) -> None:
    result = run("assess", wav, "--phones", "M IY", "--json", *options)
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["message"] == message
