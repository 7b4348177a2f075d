import csv
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nativeear.indexes.locking import held
from nativeear.service.cli import app
from nativeear.speech.textgrid import TextGrid
from tests.support.aligned import (
    FORMS,
    GRIDS,
    MFA_IPA,
    USUAL,
    prompts_with_text,
    relabelled,
    rewritten,
)


def score(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["score", *map(str, arguments), "--workers", "1"])


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def verdicts(out: Path) -> list[tuple[str, ...]]:
    columns = ("id", "word", "phone", "verdict")
    return [tuple(row[name] for name in columns) for row in table(out / "phones.csv")]


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prompts_with_text(tmp_path_factory.mktemp("prompts") / "speech")


@pytest.fixture(scope="module")
def scored(prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prompts scored by their own grids."""
    out = tmp_path_factory.mktemp("scored") / "out"
    result = score(prompts, "--alignments", GRIDS, "--out", out)
    assert result.exit_code == 0, result.output
    return out


def test_scores_lie_beside_the_tiers_that_were_there(prompts: Path, scored: Path) -> None:
    for given in sorted(GRIDS.glob("*.TextGrid")):
        before, after = TextGrid.load(given), TextGrid.load(scored / given.name)
        assert after.tiers[: len(before.tiers)] == before.tiers
        names = [tier.name for tier in after.tiers]
        assert names == ["words", "phones", "confidence", "scores", "verdicts"]
        phones, marks, said = after.tiers[1], after.tiers[3], after.tiers[4]
        for phone, mark, verdict in zip(
            phones.intervals, marks.intervals, said.intervals, strict=True
        ):
            assert mark.start_s == pytest.approx(phone.start_s, abs=1e-6)
            assert mark.end_s == pytest.approx(phone.end_s, abs=1e-6)
            assert bool(mark.label) == bool(phone.label)
            assert bool(verdict.label) == bool(phone.label)


def test_natives_are_mostly_right(scored: Path) -> None:
    said = [verdict for *_, verdict in verdicts(scored)]
    assert len(said) > 80
    assert said.count("correct") / len(said) > 0.9
    assert {row["nearest"] for row in table(scored / "phones.csv")} > {"AH", "S"}


def test_another_notation_gives_the_same_verdicts(
    prompts: Path, scored: Path, tmp_path: Path
) -> None:
    there = rewritten(tmp_path / "there", FORMS["WebMAUS"])
    result = score(prompts, "--alignments", there, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["notation"] == "sampa"
    assert verdicts(tmp_path / "out") == verdicts(scored)


def test_a_wrong_transcript_comes_first(prompts: Path, tmp_path: Path) -> None:
    """Of another recording, its alignment says what nobody said."""
    speech = Path(shutil.copytree(prompts, tmp_path / "speech"))
    for grid in GRIDS.glob("*.TextGrid"):
        shutil.copy(grid, speech)
    wrong = speech / "vm-msgsaved.TextGrid"
    longer = TextGrid.load(speech / "priv-introsaved.TextGrid")
    end_s = TextGrid.load(wrong).end_s
    tiers = tuple(
        type(tier)(tier.name, tuple(i for i in tier.intervals if i.end_s < end_s))
        for tier in longer.tiers
    )
    TextGrid(0.0, end_s, tiers).save(wrong)
    result = score(speech, "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["worst"][0][0] == "vm-msgsaved"
    assert found["worst"][0][1] < 50
    assert found["worst"][1][1] > 80
    assert found["doubted"][0][0] == "vm-msgsaved"
    assert next(row["id"] for row in table(tmp_path / "out" / "utterances.csv")) == "vm-msgsaved"


def test_what_was_done_is_kept_and_what_changed_is_done_again(
    prompts: Path, tmp_path: Path
) -> None:
    speech = Path(shutil.copytree(prompts, tmp_path / "speech"))
    out = tmp_path / "out"
    command = (speech, "--alignments", GRIDS, "--out", out, "--json")
    first = json.loads(score(*command).stdout)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert (first["recordings"], first["kept"]) == (3, 0)
    assert json.loads(score(*command).stdout)["kept"] == 3
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    # as a kill leaves it: two lines, half a third, half a grid, and no table
    lines = (out / "scores.jsonl").read_text().splitlines(keepends=True)
    (out / "scores.jsonl").unlink()
    (out / "phones.csv").unlink()
    (out / "scores.jsonl.partial").write_text("".join(lines[:2]) + lines[2][:40])
    (out / ".auth-incorrect.TextGrid.77.partial").write_text("File ty")
    assert json.loads(score(*command).stdout)["kept"] == 2
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    (out / "vm-msgsaved.TextGrid").unlink()
    assert json.loads(score(*command).stdout)["kept"] == 2
    (speech / "vm-msgsaved.flac").touch()
    assert json.loads(score(*command).stdout)["kept"] == 2
    assert json.loads(score(*command, "--false-rejections", "0.1").stdout)["kept"] == 0


def test_what_cannot_be_scored_is_told_and_the_rest_is_done(prompts: Path, tmp_path: Path) -> None:
    speech = Path(shutil.copytree(prompts, tmp_path / "speech"))
    grids = Path(shutil.copytree(GRIDS, tmp_path / "grids"))
    (speech / "empty.wav").write_bytes(b"")
    shutil.copy(grids / "vm-msgsaved.TextGrid", grids / "empty.TextGrid")
    shutil.copy(speech / "vm-msgsaved.flac", speech / "alone.flac")
    shutil.copy(grids / "vm-msgsaved.TextGrid", grids / "unheard.TextGrid")
    (grids / "auth-incorrect.TextGrid").write_text("no grid")
    (speech / "moved.flac").symlink_to(tmp_path / "nowhere.flac")
    result = score(speech, "--alignments", grids, "--out", tmp_path / "out")
    assert result.exit_code == 1, result.output
    assert "2 recordings" in result.stdout
    assert "1 alignment has no recording of the same name" in result.stderr
    rows = table(tmp_path / "out" / "utterances.csv")
    assert [row["id"] for row in rows if not row["problem"]] == [row["id"] for row in rows[:2]]
    told = {row["id"]: row["problem"] for row in rows[2:]}
    assert told.keys() == {"alone", "auth-incorrect", "empty", "moved"}
    assert told["alone"].startswith("There is no alignment")
    assert "is not a TextGrid" in told["auth-incorrect"]
    for name in told:
        assert not (tmp_path / "out" / f"{name}.TextGrid").exists()
    # what failed is tried again, and does once it is mended
    shutil.copy(GRIDS / "auth-incorrect.TextGrid", grids)
    again = score(speech, "--alignments", grids, "--out", tmp_path / "out", "--json")
    assert (json.loads(again.stdout)["kept"], json.loads(again.stdout)["failed"]) == (2, 3)


def test_an_unknown_label_is_told_in_a_line_and_can_be_named(
    prompts: Path, scored: Path, tmp_path: Path
) -> None:
    odd = dict(MFA_IPA, S="§")
    there = rewritten(tmp_path / "there", relabelled(odd, USUAL))
    command = (prompts, "--alignments", there, "--out")
    result = score(*command, tmp_path / "out")
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stderr.splitlines() if "§" in line]
    assert "--labels" in line
    left = verdicts(tmp_path / "out")
    assert "S" not in {phone for _, _, phone, _ in left}
    assert 0 < len(left) < len(verdicts(scored))
    labels = tmp_path / "labels.csv"
    labels.write_text("label,phones\n§,S\n", encoding="utf-8")
    named = score(*command, tmp_path / "named", "--labels", labels)
    assert "§" not in named.stderr
    assert verdicts(tmp_path / "named") == verdicts(scored)
    labels.write_text("label,phones\n§,QQ\n", encoding="utf-8")
    refused = score(*command, tmp_path / "refused", "--labels", labels)
    assert refused.exit_code == 2
    assert "'QQ' is not known" in refused.stderr


def test_our_own_phones_are_laid_where_asked(prompts: Path, scored: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = (prompts, "--alignments", GRIDS, "--out", out, "--align", "own")
    result = score(*command)
    assert result.exit_code == 0, result.output
    names = [tier.name for tier in TextGrid.load(out / "vm-msgsaved.TextGrid").tiers]
    ours = ["own words", "own phones", "scores", "verdicts"]
    assert names == ["words", "phones", "confidence", *ours]
    same = sum(a == b for a, b in zip(verdicts(out), verdicts(scored), strict=True))
    assert same / len(verdicts(out)) > 0.95  # the grids are by the same aligner


def test_two_do_not_write_the_same_scores(prompts: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    running = out / ".vm-msgsaved.TextGrid.7.partial"
    running.write_text("of the other")
    command = (prompts, "--alignments", GRIDS, "--out", out)
    with held(out / "scores.jsonl", "nativeear score"):
        refused = score(*command)
        assert refused.exit_code == 2
        assert "Another command is writing" in refused.stderr
        assert "`nativeear score` runs as process" in refused.stderr
        assert sorted(out.iterdir()) == [out / ".scores.jsonl.lock", running]
    assert score(*command).exit_code == 0
    assert not [file for file in out.iterdir() if file.name.startswith(".")]


def test_a_folder_in_the_way_is_refused(prompts: Path, tmp_path: Path) -> None:
    for out in (prompts, prompts / "scored"):
        result = score(prompts, "--alignments", GRIDS, "--out", out)
        assert result.exit_code == 2
        assert "Give an --out beside it." in result.stderr
    assert score(tmp_path, "--out", tmp_path.parent / "o").exit_code == 2
