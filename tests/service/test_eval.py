"""`nativeear eval` from files in published layouts to numbers, on tones and a tiny index."""

import csv
import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from praatio import textgrid as praat
from typer.testing import CliRunner, Result

from nativeear.indexer.annotated_corpus import AnnotatedCorpus, AnnotatedUtterance, Speaker
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.assessment import Assessment
from nativeear.service.cli import app
from nativeear.service.demo import PROMPT
from nativeear.service.evaluation_corpus import names_in_index
from nativeear.service.evaluation_worker import Reading
from nativeear.speech.textgrid import TextGrid
from tests.conftest import RATE, recording

SIX = 6
HEADER = "id,speaker,age,gender,audio,text,phones,phone_scores"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["eval", *(str(argument) for argument in arguments)])


def told(result: Result, exit_code: int = 0) -> Any:
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def rated(tone_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of six recordings: each right, and each again with M meant where S is heard.

    It is called like the corpus of the index, for it is the same speech.
    """
    folder = tmp_path_factory.mktemp("rated") / tone_corpus.name
    folder.mkdir()
    with (folder / "utterances.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER.split(","))
        for speaker, age in (("anna", 9), ("ben", 40)):
            for number in range(3):
                name = f"{speaker}{number:02d}"
                shutil.copy(tone_corpus / speaker / f"{name}.wav", folder)
                grid = TextGrid.load(tone_corpus / speaker / f"{name}.TextGrid")
                phones = [i.label for i in grid.tiers[1].intervals if i.label]
                meant = ["M" if phone == "S" else phone for phone in phones]
                rows.writerow(
                    [name, speaker, age, "f", f"{name}.wav", "", " ".join(phones), "2 " * SIX]
                )
                scores = ["0.2" if phone == "S" else "2" for phone in phones]
                rows.writerow(
                    [
                        f"{name}-m",
                        speaker,
                        age,
                        "f",
                        f"{name}.wav",
                        "",
                        " ".join(meant),
                        " ".join(scores),
                    ]
                )
    return folder


def test_a_table_gives_counts_measures_and_intervals(rated: Path, tone_index: PhoneIndex) -> None:
    options = ["manifest", "--data", rated, "--index", tone_index.path, "--json"]
    found = told(run(*options, "--no-exclude-own"))
    assert found["corpus"]["speakers_in_index"] == 2
    assert found["corpus"]["failed"] == found["corpus"]["set_aside"] == []
    assert (found["utterances"], found["speakers"], found["interval_by"]) == (12, 2, "speaker")
    counts = found["counts"]
    assert counts["phones"] == 12 * SIX
    judged = ("true_acceptances", "false_acceptances", "true_rejections", "false_rejections")
    assert sum(counts[name] for name in judged) + counts["uncertain"] == 12 * SIX
    measures = found["measures"]
    rate = counts["false_rejections"] / (counts["false_rejections"] + counts["true_acceptances"])
    assert measures["false_rejection_rate"]["value"] == pytest.approx(rate)
    # A hiss where a hum was meant: even roughly aligned tones tell the direction.
    assert measures["roc_auc"]["value"] > 0.65
    assert measures["phone_pcc"]["value"] > 0.2
    assert measures["phone_pcc"]["low"] <= measures["phone_pcc"]["value"]
    assert measures["word_pcc"]["value"] is None
    assert [group["name"] for group in found["by_age"]] == ["child", "adult"]
    assert {each["canonical"] for each in found["confusions"]} <= {"IY", "AA", "M", "S"}
    assert found["system"]["exclude_own"] is False


def test_a_part_is_drawn_by_its_seed_and_workers_change_nothing(
    rated: Path, tone_index: PhoneIndex
) -> None:
    options = ["manifest", "--data", rated, "--index", tone_index.path, "--json"]
    options += ["--limit", 4, "--seed", 3, "--speakers", "anna", "--threshold-score", 0]
    found = told(run(*options, "--workers", 2))
    assert (found["utterances"], found["interval_by"]) == (4, "utterance")
    assert found["system"]["exclude_own"] is True
    assert found["system"]["detection"] == {"by": "score", "threshold": 0.0}
    assert found["counts"]["true_rejections"] == found["counts"]["false_rejections"] == 0
    assert found == told(run(*options))


def test_an_index_without_a_phone_head_has_no_recogniser(
    rated: Path, tone_index: PhoneIndex
) -> None:
    options = ["manifest", "--data", rated, "--index", tone_index.path]
    refused = run(*options, "--baseline", "recogniser")
    assert refused.exit_code == 2
    assert "no phone head" in refused.stderr


def test_a_recogniser_is_measured_beside_ours(tmp_path: Path) -> None:
    """A native, right as he is read, and again as if he had meant an M for one of his vowels."""
    clip = files("nativeear.service") / "data" / PROMPT[0]
    (tmp_path / PROMPT[0]).write_bytes(clip.read_bytes())
    said = "P L IY Z | HH OW L D | W AY L | AY | AH T EH M P T | T UW | K AH N EH K T"
    phones = f"TH AE NG K | Y UW | {said} | Y UW | W IH DH | Y AO R | P AA R T IY"
    meant = phones.replace("N EH K", "N M K")
    right = ["2"] * len(phones.replace("| ", "").split())
    place = meant.replace("| ", "").split().index("N") + 1
    wrong = [*right[:place], "0", *right[place + 1 :]]
    table = tmp_path / "utterances.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER.split(","))
        for name, labels, scores in (("a", phones, right), ("b", meant, wrong)):
            rows.writerow([name, "a", 30, "f", PROMPT[0], "", labels, " ".join(scores)])
    options = ["manifest", "--data", table, "--index", "en-US", "--baseline", "recogniser"]
    out = tmp_path / "out.jsonl"
    found = told(run(*options, "--json", "--out", out))
    theirs = found["recogniser"]
    assert (theirs["utterances"], theirs["counts"]["phones"]) == (2, 2 * len(right))
    # The same phones in both columns; what it makes of the others stands apart.
    declined = found["counts"]["uncertain"]
    assert theirs["counts"]["uncertain"] == theirs["declined"]["phones"] == declined
    assert theirs["declined"]["uncertain"] == 0
    # Whatever the head heard there, it was no M; and it hears most of a native as he is read.
    assert theirs["counts"]["true_rejections"] == found["counts"]["true_rejections"] == 1
    assert theirs["measures"]["false_rejection_rate"]["value"] < 0.3
    assert theirs["measures"]["roc_auc_probability"]["value"] is None
    assert "recogniser" not in told(run(*options[:-2], "--json"))
    again = run(*options, "--out", out, "--resume")
    assert again.exit_code == 0, again.output
    for words in ("ours", "recogniser", "ROC-AUC of the score"):
        assert words in again.stdout


def test_assessments_are_kept_and_not_made_twice(
    rated: Path, tone_index: PhoneIndex, tmp_path: Path
) -> None:
    folder = tmp_path / "rated"
    shutil.copytree(rated, folder)
    (folder / "broken.wav").write_bytes(b"no audio")
    with (folder / "utterances.csv").open("a", newline="") as file:
        csv.writer(file).writerow(["broken", "cleo", "", "", "broken.wav", "", "M", "2"])
    out = tmp_path / "out.jsonl"
    options = ["manifest", "--data", folder, "--index", tone_index.path, "--json", "--out", out]
    first = told(run(*options), exit_code=1)
    assert [item["id"] for item in first["corpus"]["failed"]] == ["broken"]
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in rows][-2:] == ["ben02-m", "broken"]
    assert rows[-1]["error"]["code"] == "bad-audio"
    assert Assessment.model_validate(rows[0]["assessment"]).id == "anna00"
    assert not list(tmp_path.glob("*.partial"))

    # As if it had been killed while it wrote the last row but two.
    lines = out.read_bytes().splitlines(keepends=True)
    partial = tmp_path / "out.jsonl.partial"
    partial.write_bytes(b"".join(lines[:-3]) + lines[-3][:50])
    before = out.read_bytes()
    out.unlink()
    for wav in folder.glob("anna*.wav"):
        wav.write_bytes(b"no longer audio: can only have been assessed before")
    assert told(run(*options, "--resume"), exit_code=1) == first
    assert out.read_bytes() == before

    # With other settings they are not the same assessments.
    again = run(*options, "--resume", "--false-rejections", 0.1)
    assert len(told(again, exit_code=1)["corpus"]["failed"]) == 7


def test_simulated_errors_on_native_speech(
    tone_corpus: Path, tone_index: PhoneIndex, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    options = ["simulated", "--data", tone_corpus, "--index", tone_index.path, "--limit", 6]
    options += ["--out", out, "--resume"]
    table = run(*options)
    assert table.exit_code == 0, table.output
    assert "spill" in table.stdout
    assert "Assessing with near errors: 6 of 6" in table.stderr
    found = told(run(*options, "--json"))
    assert found["untouched"]["counts"]["mispronounced"] == 0
    assert found["untouched"]["counts"]["phones"] == 6 * SIX
    for kind in ("any", "near"):
        assert found[kind]["counts"]["phones"] == 6 * SIX
        assert found[kind]["counts"]["mispronounced"] >= 6
        measures = found[kind]["measures"]
        assert measures["paired_roc_auc"]["value"] > 0.6
        spill = measures["neighbours_flagged"]["value"]
        spill -= measures["neighbours_flagged_untouched"]["value"]
        assert measures["spill"]["value"] == pytest.approx(spill)
    parts = [json.loads(line)["part"] for line in out.read_text().splitlines()]
    assert parts == ["untouched"] * 6 + ["any"] * 6 + ["near"] * 6
    nothing = run(*options, "--split", "test")
    assert (nothing.exit_code, "no utterance to assess" in nothing.stderr) == (2, True)


def test_l2_arctic_with_a_deletion_and_an_insertion(tone_index: PhoneIndex, tmp_path: Path) -> None:
    speaker = tmp_path / "NJS"
    (speaker / "annotation").mkdir(parents=True)
    (speaker / "wav").mkdir()
    said = ["M", "IY", "S", "AA", "S"]
    samples, spans = recording(said, seed=5)
    soundfile.write(speaker / "wav" / "arctic_a0001.wav", samples, RATE)
    soundfile.write(speaker / "wav" / "arctic_a0002.wav", np.zeros(100), RATE)
    marks = ["M", "IY1", "M,S,s", "AA1", "sil,S,a"]
    labels = [(a, b, mark) for (a, b, _), mark in zip(spans[1:-1], marks, strict=True)]
    labels[3] = (labels[3][0], labels[3][1] - 0.02, "AA1")
    labels.insert(4, (labels[4][0] - 0.02, labels[4][0], "IY0,sil,d"))
    grid = praat.Textgrid()
    grid.addTier(
        praat.IntervalTier("words", [(labels[0][0], labels[-1][1], "word")], 0, spans[-1][1])
    )
    grid.addTier(praat.IntervalTier("phones", labels, 0, spans[-1][1]))
    for name in ("arctic_a0001", "arctic_a0002"):
        grid.save(str(speaker / "annotation" / f"{name}.TextGrid"), "short_textgrid", True)
    found = told(
        run("l2arctic", "--data", tmp_path, "--index", tone_index.path, "--json"), exit_code=1
    )
    assert [item["id"] for item in found["corpus"]["failed"]] == ["NJS-arctic_a0002"]
    assert (found["counts"]["phones"], found["counts"]["mispronounced"]) == (5, 2)
    assert found["measures"]["phone_pcc"]["value"] is None
    assert found["measures"]["deletion_recall"]["value"] in {0.0, 1.0}
    assert found["measures"]["insertion_recall"]["value"] in {0.0, 1.0}
    assert [group["name"] for group in found["by_l1"]] == ["es"]


def test_the_table_and_the_plots(rated: Path, tone_index: PhoneIndex, tmp_path: Path) -> None:
    plot, reliability = tmp_path / "confusions.png", tmp_path / "reliability.svg"
    options = ["manifest", "--data", rated, "--index", tone_index.path]
    result = run(*options, "--plot", plot, "--reliability", reliability)
    assert result.exit_code == 0, result.output
    for words in ("false rejections", "95 % interval by speaker", "ROC-AUC", "by age", "child"):
        assert words in result.stdout
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert "expected calibration error" in reliability.read_text() or reliability.stat().st_size
    missing = run(*options, "--plot", tmp_path / "none" / "plot.png")
    assert (missing.exit_code, "cannot be written" in missing.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threshold", "0.5", "--threshold-score", "50"], "exclude each other"),
        (["--resume"], "--resume needs --out"),
        (["--speakers", "anna,nobody"], "has no speaker 'nobody'"),
        (["--data", "nowhere"], "no table of rated recordings"),
        (["--index", "nowhere"], "nowhere"),
        (["--out", "nowhere/out.jsonl"], "cannot be written"),
        (["--calibration", "wise"], "no calibration called 'wise'"),
    ],
)
def test_bad_input_ends_with_2(  # noqa: PLR0917
    arguments: list[str],
    message: str,
    rated: Path,
    tone_index: PhoneIndex,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("manifest", "--data", rated, "--index", tone_index.path, *arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def heard(*speech: tuple[str, str]) -> tuple[AnnotatedUtterance, ...]:
    return tuple(AnnotatedUtterance(id, Speaker(who), Path("none.wav")) for id, who in speech)


def test_the_same_speech_is_found_in_the_index_and_no_other_of_its_name(
    tone_index: PhoneIndex,
) -> None:
    own = tone_index.manifest.corpora[0].name
    first = tone_index.exemplar(0)
    for corpus, same in (
        (AnnotatedCorpus(own, heard(("new", "anna"))), (own,)),
        (AnnotatedCorpus("other", heard(("new", "anna"))), ("other",)),
        (AnnotatedCorpus("other", heard((first.utterance, "nobody"))), ("other",)),
        (AnnotatedCorpus("other", heard((first.utterance, first.speaker))), ("other", own)),
    ):
        assert names_in_index(corpus, tone_index) == same
        reading = Reading.of(corpus.utterances[0], "annotated", same, exclude_own=True)
        speakers = frozenset(reading.excluded_speakers)
        silent = Exclusion(speakers=speakers).rows(tone_index)
        assert silent.any() == (own in same), corpus
    unasked = Reading.of(corpus.utterances[0], "annotated", same, exclude_own=False)
    assert unasked.excluded_speakers == ()
    assert Exclusion(frozenset(unasked.excluded_utterances)).rows(tone_index).sum() > 0
