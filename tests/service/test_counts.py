"""How much an index holds: wherever it is told, the phones and the silences are the same."""

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nativeear.indexer.audit.report import audit
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.cli import app
from nativeear.service.report.audit import render_audit


def printed(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["index", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NATIVEEAR_INDEXES", str(tmp_path / "home"))
    return tmp_path / "home"


def test_one_count_everywhere(tone_corpus: Path, home: Path) -> None:
    options = ["--corpus", tone_corpus, "--lang", "en-US", "--encoder", "spectral"]
    built = printed("build", *options, "--name", "tones")
    index = PhoneIndex.open(home / "tones")
    rows = index.rows_of("SIL")
    silences = rows.stop - rows.start
    phones = len(index.table) - silences
    assert phones == 180
    assert silences > 0
    assert (index.manifest.counts.spoken, index.manifest.counts.silences) == (phones, silences)

    told = f"{phones} phones and {silences} silences"
    assert told in built
    assert told in printed("show", "tones")
    assert told in printed("audit", "tones")
    assert f"tones en-US {phones} {silences} 2 " in printed("list")

    (listed,) = (each for each in json.loads(printed("list", "--json")) if each["name"] == "tones")
    audited = json.loads(printed("audit", "tones", "--json"))["coverage"]
    rebuilt = json.loads(printed("build", *options, "--name", "again", "--json"))
    for each in (listed, audited, rebuilt):
        assert (each["exemplars"], each["silences"]) == (phones + silences, silences)
    assert sum(phone["exemplars"] for phone in audited["phones"]) == phones

    page = re.sub(r"<[^>]*>", " ", render_audit(audit(index), index).split("<main>")[1])
    assert f"Phones held {phones}" in " ".join(page.split())
    assert f"Silences {silences}" in " ".join(page.split())


def test_a_merged_index_is_called_what_it_is(
    tone_index: PhoneIndex, tmp_path: Path, home: Path
) -> None:
    other = home / "other"
    shutil.copytree(tone_index.path, other)
    told = printed("merge", tone_index.path, other, "--out", tmp_path / "both")
    counts = tone_index.manifest.counts
    n, silences = counts.spoken, counts.silences
    held = f"{n} phones and {silences} silences from 30 utterances"
    assert f"Merged 2 indexes into {tmp_path / 'both'}: {held}" in told
    assert f"(in the parts: {2 * n} phones and {2 * silences} silences from 60)" in told
    assert "now version" not in told


def test_a_change_counts_as_a_build_does(
    tone_index: PhoneIndex, tone_corpus: Path, home: Path
) -> None:
    shutil.copytree(tone_index.path, home / "tones")

    def held() -> str:
        counts = PhoneIndex.open(home / "tones").manifest.counts
        return f"{counts.spoken} phones and {counts.silences} silences"

    before = held()
    told = printed("remove", "tones", "--utterance", "anna/anna00")
    assert held() != before
    assert f"is now version 2: {held()} from 29 utterances (before: {before} from 30)" in told
    assert f"* 2 {held()} 29 utterances" in printed("versions", "tones")
    assert f" 1 {before} 30 utterances" in printed("versions", "tones")
    now = held()
    told = printed("rebuild", "tones", "--corpus", f"{tone_corpus.stem}={tone_corpus}")
    assert f"is version 3: {held()} from" in told
    assert f"(before: {now} from 29)" in told
