"""`assess --l1` and `--explain`, through the command line and on sounds that are really heard."""

import json
from html import escape
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessment import Assessment, Remark
from nativeear.scoring.feedback.sentences import sentence
from nativeear.scoring.verdicts import FLAGGED
from nativeear.service.cli import app
from nativeear.service.terminal import render


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def wrong(tone_index: PhoneIndex, tone_corpus: Path) -> tuple[object, ...]:
    """A recording whose first sound is M, assessed as if it ought to be S."""
    wav = next(path for path in tone_corpus.rglob("*.wav") if path.stem == "anna01")
    return ("assess", wav, "--phones", "S IY | S AA", "--index", tone_index.path)


def test_what_is_wrong_is_put_into_words(wrong: tuple[object, ...]) -> None:
    result = run(*wrong, "--json", "--l1", "zh")
    assert result.exit_code == 0, result.output
    assessment = Assessment.model_validate_json(result.stdout)
    flagged = [phone for phone in assessment.phones if phone.verdict in FLAGGED]
    faulty = [phone for phone in flagged if phone.needs_work]
    assert faulty
    for phone in assessment.phones:
        assert bool(phone.feedback) == (phone in faulty)
    for remark in assessment.remarks:
        for word, place in remark.places:
            assert assessment.words[word].phones[place].phone == remark.phone
    assert {remark.phone for remark in assessment.remarks} <= {phone.phone for phone in faulty}
    assert assessment.remarks
    said = run(*wrong)
    assert "Work on this first" in said.stdout


def test_advice_is_in_the_language_that_is_asked_for(
    wrong: tuple[object, ...], tmp_path: Path
) -> None:
    report = tmp_path / "me.html"
    result = run(*wrong, "--json", "--advice-language", "de", "--html", report)
    assert result.exit_code == 0, result.output
    found = Assessment.model_validate_json(result.stdout)
    assert found.remarks
    for remark in found.remarks:
        assert remark.advice is not None
        assert remark.text == sentence(remark.advice, "de")
        assert f'<p lang="de">{escape(remark.text, quote=False)}</p>' in report.read_text("utf-8")
    assert found.remarks[0].text in " ".join(run(*wrong, "--advice-language", "de").stdout.split())


@pytest.mark.parametrize("option", ["--html", "--textgrid"])
def test_no_file_is_written_over_the_recording(
    wrong: tuple[object, ...], option: str, tmp_path: Path
) -> None:
    recording = Path(str(wrong[1]))
    sound = recording.read_bytes()
    (tmp_path / "link").symlink_to(recording.parent)
    result = run(*wrong, option, tmp_path / "link" / recording.name)
    assert result.exit_code == 2
    assert "Another of the files that were named is there." in result.stderr
    assert recording.read_bytes() == sound
    both = tmp_path / "me"
    assert run(*wrong, "--html", both, "--textgrid", both).exit_code == 2
    assert not both.exists()


def test_a_manifest_takes_the_first_language(wrong: tuple[object, ...], tmp_path: Path) -> None:
    manifest, out = tmp_path / "m.csv", tmp_path / "out.jsonl"
    manifest.write_text(f"id,audio,text,phones\n1,{wrong[1]},,S IY | S AA\n")
    arguments = ("assess", "--manifest", manifest, "--out", out, "--index", wrong[-1])
    assert run(*arguments, "--l1", "zh").exit_code == 0
    assert json.loads(out.read_text(encoding="utf-8"))["remarks"]
    out.unlink()
    result = run(*arguments, "--l1", "klingon")
    assert result.exit_code == 2
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--l1", "klingon"), "No sounds are known of the first language 'klingon'."),
        (("--advice-language", "pt"), "No advice is given in 'pt'."),
        (("--explain", "localhost"), "'localhost' is no address of a chat endpoint."),
        (("--explain-model", "x"), "--explain-model goes with --explain only."),
    ],
)
def test_what_cannot_be_used_is_refused(
    wrong: tuple[object, ...], options: tuple[str, ...], message: str
) -> None:
    result = run(*wrong, *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_dead_endpoint_does_not_cost_the_result(wrong: tuple[object, ...]) -> None:
    result = run(*wrong, "--json", "--explain", "http://127.0.0.1:9/v1")
    assert result.exit_code == 0
    assessment = Assessment.model_validate_json(result.stdout)
    assert assessment.explanation is None
    assert "was not explained" in assessment.warnings[-1]


def test_remarks_and_explanation_are_shown(assessment: Assessment) -> None:
    from rich.console import Console

    remark = Remark(
        text="You said /s/ instead of /θ/: do so.",
        phone="TH",
        ipa="θ",
        places=((1, 0),),
        minimal_pairs=(("faith", "face"), ("worth", "worse")),
        l1_note="Mandarin has no /θ/.",
    )
    update = {"remarks": (remark,), "explanation": "Well [b]said[/b]."}
    console = Console(width=200)
    with console.capture() as shown:
        console.print(render(assessment.model_copy(update=update)))
    text = shown.get()
    assert (
        "You said /s/ instead of /θ/: do so. Mandarin has no /θ/. "
        "Practise: faith – face, worth – worse." in text
    )
    assert "Well [b]said[/b]." in text
    assert text.index("Work on this first") < text.index("Sounds to work on")
