"""What an auditor listens to, what voices are expected to be like, and what is to be recorded."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nativeear.indexer.audit.geometry import neighbourhood
from nativeear.indexer.audit.report import AuditReport
from nativeear.indexer.audit.session import BETWEEN_S, session
from nativeear.indexer.audit.suspects import suspects
from nativeear.indexer.audit.voices import voices
from nativeear.indexer.build import BuildRequest, build_index
from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.service.cli import app
from nativeear.speech.errors import InputError


@pytest.fixture(scope="module")
def shipped() -> PhoneIndex:
    return PhoneIndex.open(find_index("en-US"))


SENTENCES = ["The garage had a beige television.", "See the sea.", "§§§ no word ☃"]


# ---- voices -------------------------------------------------------------------------------------


def test_every_voice_is_told_with_its_own_figures(shipped: PhoneIndex) -> None:
    found = voices(shipped)
    assert len(found.voices) == shipped.manifest.counts.speakers
    assert sum(v.exemplars for v in found.voices) == shipped.manifest.counts.spoken
    assert all(v.asked <= v.exemplars for v in found.voices)
    shares = [v.false_rejections for v in found.voices]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 2 * np.median(shares) > 0  # voices differ
    margin = shipped.native_margins[: shipped.manifest.counts.spoken]
    known = ~np.isnan(margin)
    wrong = sum(v.error * v.asked for v in found.voices)
    assert wrong == pytest.approx(float((margin[known] <= 0).sum()), rel=0.01)


def test_women_and_men_are_told_apart(shipped: PhoneIndex) -> None:
    found = voices(shipped)
    assert [(part.sex, part.speakers) for part in found.by_sex] == [("f", 68), ("m", 58)]
    own = [v.error for v in found.voices if v.sex == "f"]
    assert found.by_sex[0].error == pytest.approx(float(np.mean(own)), abs=1e-4)


def test_new_voices_are_expected_around_what_was_asked(
    shipped: PhoneIndex, tone_index: PhoneIndex
) -> None:
    for index in (shipped, tone_index):
        low, high = voices(index).expected
        assert 0 < low < 0.04 < high < 0.2


def test_two_voices_tell_nothing_of_others(tone_index: PhoneIndex) -> None:
    found = voices(tone_index)
    assert found.voices == found.by_sex == ()
    assert found.three_largest == 1.0


# ---- what to listen to --------------------------------------------------------------------------


def test_outliers_are_the_natives_farthest_from_their_own(shipped: PhoneIndex) -> None:
    found = suspects(shipped, neighbourhood(shipped))
    margin = shipped.native_margins
    assert len(found.outliers) == 20
    assert found.outliers[0].figure == pytest.approx(float(np.nanmin(margin)), abs=1e-4)
    for each in found.outliers:
        exemplar = shipped.exemplar(each.exemplar)
        assert (each.phone, each.word) == (exemplar.phone, exemplar.word)
        assert each.figure == pytest.approx(exemplar.margin, abs=1e-4)
        assert each.figure < 0
    names = [(each.corpus, each.utterance) for each in found.outliers]
    assert max(map(names.count, names)) <= 2


def test_hubs_are_neighbours_far_more_often_than_the_mean(shipped: PhoneIndex) -> None:
    found = suspects(shipped, neighbourhood(shipped))
    figures = [each.figure for each in found.hubs]
    assert figures == sorted(figures, reverse=True)
    assert min(figures) > 5


# ---- a session ----------------------------------------------------------------------------------


def test_a_session_is_as_long_as_was_asked_and_begins_with_what_fills_most(
    shipped: PhoneIndex,
) -> None:
    short, long = (session(shipped, SENTENCES, minutes) for minutes in (1, 5))
    assert 45 < short.seconds <= 60
    assert 240 < long.seconds <= 300
    assert long.left < short.left < short.gaps
    assert short.gaps - short.left == sum(line.fills for line in short.lines)
    assert all(line.seconds > BETWEEN_S for line in short.lines)
    texts = [line.text for line in long.lines]
    assert len(set(texts)) == len(texts)


def test_sentences_with_what_is_missing_are_taken_and_others_are_not(shipped: PhoneIndex) -> None:
    texts = [line.text for line in session(shipped, SENTENCES, 4).lines]
    assert SENTENCES[0] in texts[:12]  # three of the rare ʒ
    assert SENTENCES[2] not in texts


def test_a_session_of_no_length_is_refused(shipped: PhoneIndex) -> None:
    with pytest.raises(InputError, match="is none"):
        session(shipped, SENTENCES, 0.0)


def test_the_command_prints_lines_to_read(tmp_path: Path) -> None:
    text = tmp_path / "lines.txt"
    text.write_text("\n".join(SENTENCES[:2]), encoding="utf-8")
    done = CliRunner().invoke(
        app, ["index", "record-script", "en-US", "--minutes", "1", "--from", str(text)]
    )
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert SENTENCES[0] in lines
    assert all(line.strip() and not line.isupper() for line in lines)
    assert "lack" in done.stderr


# ---- beside an earlier audit --------------------------------------------------------------------


def test_what_speech_that_was_added_has_changed_is_told(tone_corpus: Path, tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    for out, corpora in ((small, ("anna",)), (large, ("anna", "ben"))):
        build_index(
            BuildRequest(
                corpora=tuple(str(tone_corpus / name) for name in corpora),
                language="en-US",
                out=out,
                encoder="spectral",
            )
        )
    kept = tmp_path / "before.json"
    printed = CliRunner().invoke(app, ["index", "audit", str(small), "--json"])
    kept.write_text(printed.stdout, encoding="utf-8")
    page = tmp_path / "audit.html"
    told = [
        CliRunner().invoke(
            app, ["index", "audit", str(large), "--before", str(before), "--json", *more]
        )
        for before, *more in ((kept,), (small, "--html", str(page)))
    ]
    reports = [AuditReport.model_validate_json(done.stdout) for done in told]
    assert reports[0] == reports[1]
    found = reports[0].since
    assert found is not None
    assert found.index == "small"
    assert found.phones
    assert all(one < other for one, other in (phone.exemplars for phone in found.phones))
    assert found.accuracy[1] == reports[0].accuracy
    assert "What has changed" in page.read_text(encoding="utf-8")
    same = CliRunner().invoke(app, ["index", "audit", str(large), "--before", str(large), "--json"])
    alike = AuditReport.model_validate_json(same.stdout).since
    assert alike is not None
    assert alike.phones == ()


def test_what_is_no_audit_is_refused(tmp_path: Path, tone_index: PhoneIndex) -> None:
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    done = CliRunner().invoke(
        app, ["index", "audit", str(tone_index.path), "--before", str(tmp_path / "other.json")]
    )
    assert done.exit_code == 2
    assert "no audit" in done.output
