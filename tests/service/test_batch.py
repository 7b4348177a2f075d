import json
from pathlib import Path

import pytest
import soundfile

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessment import Assessment
from nativeear.service.batch import assess_manifest, read_manifest
from nativeear.speech.errors import InputError, NativeEarError


def manifest(folder: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path = folder / "batch.csv"
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def test_rows_are_read_with_paths_beside_the_manifest(tmp_path: Path) -> None:
    told = read_manifest(
        manifest(
            tmp_path,
            "audio,id,text,phones,speaker",
            'a/b.wav, 1 ,"Well, well.",W EH L | W EH L,anna',
            "",
            f"{tmp_path}/c.wav,2,Hello,,",
            encoding="utf-8-sig",
        )
    )
    first, second = told.rows
    assert (first.id, first.audio, first.text) == ("1", tmp_path / "a" / "b.wav", "Well, well.")
    assert first.phones == "W EH L | W EH L"
    assert (second.audio, second.phones) == (tmp_path / "c.wav", "")
    assert told.unused_columns == ("speaker",)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([""], "lacks 'id', 'audio', 'text'"),
        (["id,audio", "1,a.wav"], "lacks 'text'"),
        (["id,audio,text,text", "1,a.wav,a,b"], "repeats 'text'"),
        (["id,audio,text"], "has no rows"),
        (["id,audio,text", ",a.wav,hello"], "Line 2 of .* has no id"),
        (["id,audio,text", "1,a.wav,hello", "1,b.wav,hello"], "Line 3 of .* repeats the id '1'"),
        (["id,audio,text", '1,a.wav,"never closed'], "cannot be read"),
    ],
)
def test_an_unusable_manifest_is_refused(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_manifest(manifest(tmp_path, *lines))


def test_a_manifest_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "batch.csv").write_bytes(b"id,audio,text\n1,a.wav,\xff\xfe\n")
    for path in (tmp_path / "batch.csv", tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_manifest(path)


def test_a_place_that_cannot_be_written_to_is_refused_before_any_work(tmp_path: Path) -> None:
    path = manifest(tmp_path, "id,audio,text", "1,a.wav,hello")
    for out in (tmp_path / "none" / "out.jsonl", tmp_path, path):
        with pytest.raises(InputError, match="cannot be written"):
            assess_manifest(path, out, index="no-such-index")


def test_an_index_that_cannot_be_loaded_leaves_no_file(tmp_path: Path) -> None:
    path = manifest(tmp_path, "id,audio,text", "1,a.wav,hello")
    with pytest.raises(NativeEarError, match="no index called 'no-such-index'"):
        assess_manifest(path, tmp_path / "out.jsonl", index="no-such-index")
    assert [p.name for p in tmp_path.iterdir()] == ["batch.csv"]


@pytest.fixture
def mixed(tone_corpus: Path, tmp_path: Path) -> Path:
    """Rows that succeed and rows that fail in every way that a row can."""
    (tmp_path / "broken.wav").write_bytes(b"RIFF no audio")
    samples, rate = soundfile.read(tone_corpus / "anna" / "anna00.wav")
    soundfile.write(tmp_path / "own.wav", samples, rate)
    return manifest(
        tmp_path,
        "id,audio,text,phones",
        "good,own.wav,,M IY S AA",
        "missing,none.wav,see me,",
        "broken,broken.wav,see me,",
        f"again,{tone_corpus}/ben/ben03.wav,see me,",
        "meaningless,own.wav,,",
        "silent,,see me,",
        "unknown,own.wav,,M QQ7 S",
        "unquoted,own.wav,Well, well, well.,M",
        f"last,{tone_corpus}/ben/ben04.wav,Müsli,S IY",
    )


def test_failures_stand_in_their_place_and_the_rest_is_done(
    mixed: Path, tone_index: PhoneIndex, tmp_path: Path
) -> None:
    steps: list[tuple[str, int, int]] = []
    report = assess_manifest(
        mixed,
        tmp_path / "one.jsonl",
        index=tone_index.path,
        progress=lambda *step: steps.append(step),
    )
    assert (report.rows, report.failed) == (9, 6)
    assert steps == [("Assessing", done, 9) for done in range(10)]
    lines = (tmp_path / "one.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [json.loads(line) for line in lines]
    codes = [(answer["id"], answer.get("error", {}).get("code")) for answer in answers]
    assert codes == [
        ("good", None),
        ("missing", "bad-audio"),
        ("broken", "bad-audio"),
        ("again", None),
        ("meaningless", "bad-input"),
        ("silent", "bad-input"),
        ("unknown", "unknown-phone"),
        ("unquoted", "bad-input"),
        ("last", None),
    ]
    for line, answer in zip(lines, answers, strict=True):
        if "error" in answer:
            assert set(answer["error"]) == {"code", "message", "cause", "fix"}
        else:
            assert Assessment.model_validate_json(line).index == tone_index.name
    assert not list(tmp_path.glob("*.partial"))

    assess_manifest(mixed, tmp_path / "two.jsonl", index=tone_index.path, workers=3)
    assert (tmp_path / "two.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()


def test_an_interrupted_batch_leaves_nothing_that_looks_whole(
    mixed: Path, tone_index: PhoneIndex, tmp_path: Path
) -> None:
    def interrupt(stage: str, done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        assess_manifest(mixed, tmp_path / "o.jsonl", index=tone_index.path, progress=interrupt)
    assert not (tmp_path / "o.jsonl").exists()
    assert len((tmp_path / "o.jsonl.partial").read_text(encoding="utf-8").splitlines()) == 2
