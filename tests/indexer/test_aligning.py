import csv
import os
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import parselmouth
import pytest
import soundfile
from praatio import textgrid as praatio

from nativeear.indexer.aligning import AligningReport, AligningRequest, align_corpora
from nativeear.indexer.corpus import Utterance
from nativeear.indexer.textgrid_files import textgrid_path
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler, recording_of
from nativeear.speech.aligners.textgrid import read_alignment
from nativeear.speech.errors import CorpusError, InputError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.textgrid import CONFIDENCE_TIER, TextGrid
from tests.conftest import PROMPTS, RATE

SPOKEN = {"activated": "Activated.", "agent-loggedoff": "Agent logged off.", "goodbye": "Goodbye."}
needs_prompts = pytest.mark.skipif(
    not PROMPTS.is_dir(), reason="asterisk-core-sounds-en-g722 is not installed"
)


def align(corpus: Path, out: Path, **options: object) -> AligningReport:
    return align_corpora(
        AligningRequest(
            corpora=(str(corpus),),
            language="en-US",
            out=out,
            encoder="spectral",
            **options,  # type: ignore[arg-type]
        )
    )


def table(path: Path, rows: list[tuple[str, Path | str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "audio", "text"), *rows])
    return path


def grids(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three real prompts, and one whose text cannot be laid on its recording."""
    if not PROMPTS.is_dir():
        pytest.skip("asterisk-core-sounds-en-g722 is not installed")
    folder = tmp_path_factory.mktemp("prompts")
    rows: list[tuple[str, Path | str, str]] = [
        (f"allison/{name}", PROMPTS / f"{name}.g722", text) for name, text in SPOKEN.items()
    ]
    rows.insert(1, ("allison/short", PROMPTS / "goodbye.g722", "unquestionably " * 30))
    return table(folder / "prompts.csv", rows)


# Names


@pytest.mark.parametrize(
    ("identity", "path"),
    [
        ("anna/one", "anna/one.TextGrid"),
        ("a.b.wav", "a.b.wav.TextGrid"),
        ("Käse 1/ню", "Käse 1/ню.TextGrid"),
    ],
)
def test_a_plain_id_is_its_path(identity: str, path: str, tmp_path: Path) -> None:
    assert textgrid_path(tmp_path, identity) == tmp_path / path


UNSAFE = [
    *("../../etc/x", "/etc/x", "..", "", ".", "a//b", "a/./b", "a/../b", "a\\..\\b", "C:x", "a?"),
    *("a*", "a\0b", "a\nb", "a.", "a ", "con", "LPT1.txt", "x" * 500, "ж" * 300, "\ud800"),
]


def test_no_id_leads_outside_or_to_the_file_of_another(tmp_path: Path) -> None:
    paths = [textgrid_path(tmp_path, identity) for identity in UNSAFE]
    assert len(set(paths)) == len(paths)
    for path in paths:
        assert ".." not in path.parts
        assert path.resolve().is_relative_to(tmp_path.resolve())
        assert all(len(part.encode()) < 200 for part in path.relative_to(tmp_path).parts)
        assert not set('<>:"|?*\\\0\n') & set(path.relative_to(tmp_path).as_posix())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("takes it")
    assert textgrid_path(tmp_path, "../../etc/x") == textgrid_path(tmp_path, "../../etc/x")


# Real speech


def test_prompts_become_textgrids_that_praat_opens(prompts: Path, tmp_path: Path) -> None:
    out = tmp_path / "grids"
    report = align(prompts, out)
    assert (report.aligned, report.kept) == (3, 0)
    ((broken, reason),) = report.set_aside
    assert broken == "allison/short"
    assert "too short" in reason
    assert grids(out) == [f"allison/{name}.TextGrid" for name in sorted(SPOKEN)]
    for name, text in SPOKEN.items():
        path = out / "allison" / f"{name}.TextGrid"
        praat = parselmouth.Data.read(str(path))
        assert parselmouth.praat.call(praat, "Get number of tiers") == 3
        assert parselmouth.praat.call(praat, "Get tier name", 3) == CONFIDENCE_TIER
        n_phones = parselmouth.praat.call(praat, "Get number of intervals", 2)
        other = praatio.openTextgrid(str(path), includeEmptyIntervals=True)
        assert other.tierNames == ("words", "phones", "confidence")
        assert len(other.getTier("phones").entries) == n_phones
        scores = [e.label for e in other.getTier("confidence").entries if e.label]
        assert scores
        assert all(0 <= float(score) <= 1 for score in scores)
        assert {float(score) for score in scores} != {1.0}  # the aligner's own, not a stand-in
        alignment = read_alignment(path, PhoneInventory.load("en-US"))
        assert " ".join(alignment.words).lower() == text.lower().rstrip(".")
        assert all(a.end_s == b.start_s for a, b in pairwise(alignment.phones))


def test_two_processes_write_what_one_writes(prompts: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    first, second = align(prompts, one), align(prompts, two, workers=2)
    assert first.set_aside == second.set_aside
    assert grids(one) == grids(two)
    for name in grids(one):
        assert (one / name).read_bytes() == (two / name).read_bytes()


# Tones: grids that are there already


def test_grids_of_a_corpus_are_written_again_with_confidence(
    tone_corpus: Path, tmp_path: Path
) -> None:
    report = align(tone_corpus, tmp_path / "out")
    assert (report.aligned, report.set_aside) == (30, ())
    mine = read_alignment(tmp_path / "out/anna/anna01.TextGrid", PhoneInventory.load("en-US"))
    theirs = read_alignment(tone_corpus / "anna/anna01.TextGrid", PhoneInventory.load("en-US"))
    assert [p.phone for p in mine.phones] == [p.phone for p in theirs.phones]
    assert [p.start_s for p in mine.phones] == pytest.approx([p.start_s for p in theirs.phones])


def test_finished_ones_are_kept_and_never_overwritten(tone_corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stopped: list[int] = []

    def interrupt(stage: str, done: int, total: int) -> None:
        stopped.append(done)
        if done == 5:
            raise KeyboardInterrupt

    request = AligningRequest((str(tone_corpus),), "en-US", out, encoder="spectral")
    with pytest.raises(KeyboardInterrupt):
        align_corpora(request, interrupt)
    assert stopped == [0, 1, 2, 3, 4, 5]
    assert len(grids(out)) == 5  # and nothing half written
    mine = out / grids(out)[0]
    mine.write_text("by hand")
    with pytest.raises(InputError, match="5 of the TextGrids exist already"):
        align(tone_corpus, out)
    report = align(tone_corpus, out, resume=True)
    assert (report.aligned, report.kept) == (25, 5)
    assert mine.read_text() == "by hand"
    assert align(tone_corpus, out, resume=True).kept == 30


def test_the_grids_of_two_corpora_lie_apart(tone_corpus: Path, tmp_path: Path) -> None:
    request = AligningRequest(
        (str(tone_corpus / "anna"), str(tone_corpus / "ben")),
        "en-US",
        tmp_path / "out",
        encoder="spectral",
    )
    assert align_corpora(request).aligned == 30
    assert {name.split("/")[0] for name in grids(tmp_path / "out")} == {"anna", "ben"}


def test_a_link_that_leads_outside_is_not_followed(tone_corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "anna").symlink_to(tmp_path / "elsewhere")
    report = align(tone_corpus, tmp_path / "out")
    assert report.aligned == 15
    assert {reason.rpartition(": ")[2] for _, reason in report.set_aside} == {
        "a folder on the way is a link."
    }
    assert grids(tmp_path / "elsewhere") == []


def test_ids_that_differ_in_case_alone_get_files_of_their_own(
    tone_corpus: Path, tmp_path: Path
) -> None:
    wav = tone_corpus / "anna" / "anna01.wav"
    corpus = table(tmp_path / "c.csv", [("A", wav, "see me"), ("a", wav, "see me")])
    assert align(corpus, tmp_path / "out").aligned == 2
    names = grids(tmp_path / "out")
    assert len({name.casefold() for name in names}) == 2


def test_where_nothing_can_be_aligned_the_first_reason_is_told(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=RATE // 5) * 0.1
    soundfile.write(tmp_path / "a.wav", noise, RATE)
    corpus = table(tmp_path / "c.csv", [("a", "a.wav", "much too long a text for this")])
    with pytest.raises(CorpusError, match="No utterance") as caught:
        align(corpus, tmp_path / "out")
    assert "1 were set aside" in caught.value.cause
    assert "too short" in caught.value.cause


def test_a_part_of_a_recording_is_aligned_by_itself(tone_corpus: Path, tmp_path: Path) -> None:
    samples, _ = soundfile.read(tone_corpus / "anna" / "anna01.wav")
    soundfile.write(tmp_path / "long.wav", np.concatenate([samples] * 3), RATE)
    part = Utterance("part", tmp_path / "long.wav", "see me", "anna", start_s=0.5, end_s=1.1)
    pooler = UtterancePooler(PoolingRequest("en-US", "auto", "spectral", None, "middle-third"))
    alignment = pooler.align(part, recording_of(part))
    assert alignment.words == ("see", "me")
    assert alignment.phones[-1].end_s == pytest.approx(0.6)


# MFA: the whole corpus in one run

MFA = r'''#!{python}
"""Aligns the first half of each speaker with equal phones, and ends with 0."""
import pathlib, sys, wave
open(pathlib.Path(__file__).with_name("runs"), "a").write("run\n")
_, corpus, dictionary, model, out = sys.argv[1:6]
entries = dict(line.rstrip("\n").split("\t") for line in open(dictionary))
for lab in sorted(pathlib.Path(corpus).rglob("*.lab"))[::2]:
    with wave.open(str(lab.with_suffix(".wav"))) as sound:
        end = sound.getnframes() / 16000
    words = lab.read_text().split()
    phones = [entries[word].split() for word in words]
    step = end / sum(map(len, phones))
    grid = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", str(end)]
    grid += ["<exists>", "2", '"IntervalTier"', '"words"', "0", str(end), str(len(words))]
    at = 0
    for word, labels in zip(words, phones):
        grid += [str(at * step), str((at + len(labels)) * step), '"' + word + '"']
        at += len(labels)
    labels = sum(phones, [])
    grid += ['"IntervalTier"', '"phones"', "0", str(end), str(len(labels))]
    for i, label in enumerate(labels):
        grid += [str(i * step), str((i + 1) * step), '"' + label + '"']
    path = pathlib.Path(out) / lab.relative_to(corpus).with_suffix(".TextGrid")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(grid) + "\n")
'''


def test_mfa_gets_the_corpus_in_one_run(
    tone_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "mfa"
    script.write_text(MFA.format(python=sys.executable))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    rows: list[tuple[str, Path | str, str]] = [
        (f"{wav.stem}", wav, "see me") for wav in sorted(tone_corpus.rglob("*.wav"))[:4]
    ]
    corpus = table(tmp_path / "c.csv", [*rows, ("empty", rows[0][1], "...")])
    report = align(corpus, tmp_path / "out", aligner="mfa")
    assert (script.parent / "runs").read_text() == "run\n"
    assert report.aligned == 2
    reasons = dict(report.set_aside)
    assert len(reasons) == 3
    assert "no words" in reasons["empty"]
    assert "wrote no TextGrid" in reasons["anna01"]
    written = TextGrid.load(tmp_path / "out" / "anna00.TextGrid")
    assert [i.label for i in written.tiers[0].intervals] == ["see", "me"]
    assert [i.label for i in written.tiers[1].intervals] == ["S", "IY1", "M", "IY1"]
