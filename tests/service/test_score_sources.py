import json
import shutil
from pathlib import Path

import pytest

from nativeear.service.score.sources import find_sources
from nativeear.speech.alignment import AlignedPhone
from nativeear.speech.alignment_files import grid_labels, laid_phones, load_alignment, transcript_of
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.notation import Notation, scheme_of_labels
from tests.support.aligned import FORMS, GRIDS, prompts_with_text, rewritten

ENGLISH = PhoneInventory.load("en-US")


def laid(speech: Path, alignments: Path) -> dict[str, tuple[AlignedPhone, ...]]:
    """The phones of every recording."""
    found = {}
    for source in find_sources(speech, alignments).found:
        grid = source.grid()
        assert grid is not None
        notation = Notation(ENGLISH, scheme_of_labels(grid_labels(grid, source.id), ENGLISH))
        duration_s = Audio.load(source.audio).duration_s
        read = laid_phones(grid, notation, duration_s=duration_s, whence=source.id)
        assert not read.unknown
        assert transcript_of(grid, source.id) == " ".join(read.alignment.words)
        found[source.id] = read.alignment.spoken
    return found


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_alignment_gives_the_same_phones(form: str, tmp_path: Path) -> None:
    speech = prompts_with_text(tmp_path / "speech")
    there = laid(speech, rewritten(tmp_path / "there", FORMS[form]))
    usual = laid(speech, GRIDS)
    assert there.keys() == usual.keys()
    for name, phones in usual.items():
        assert len(phones) > 15
        for own, other in zip(phones, there[name], strict=True):
            assert (own.phone, own.word_index) == (other.phone, other.word_index)
            assert own.start_s == pytest.approx(other.start_s, abs=1e-4)
            assert own.end_s == pytest.approx(other.end_s, abs=1e-4)


def test_stress_is_kept_where_it_is_written(tmp_path: Path) -> None:
    speech = prompts_with_text(tmp_path / "speech")
    assert {phone.stress for phone in laid(speech, GRIDS)["vm-msgsaved"]} >= {0, 1, None}


def test_a_label_of_two_phones_is_parted() -> None:
    from nativeear.speech.alignment_files import grid_of_spans
    from nativeear.speech.textgrid import Interval

    grid = grid_of_spans([Interval(0.1, 0.2, "n"), Interval(0.2, 0.4, "I@")], [])
    read = laid_phones(grid, Notation(ENGLISH, "xsampa"), duration_s=0.5, whence="near")
    spans = [(phone.phone, phone.start_s, phone.end_s) for phone in read.alignment.spoken]
    assert spans == [
        ("N", 0.1, 0.2),
        ("IH", 0.2, pytest.approx(0.3)),
        ("R", pytest.approx(0.3), 0.4),
    ]


def test_what_cannot_be_told_apart_is_refused(tmp_path: Path) -> None:
    speech = prompts_with_text(tmp_path / "speech")
    (speech / "all.ctm").write_text("vm-msgsaved 1 0.1 0.2 AH\n")
    with pytest.raises(InputError, match="words or phones"):
        find_sources(speech)
    with pytest.raises(InputError, match="no recording"):
        find_sources(GRIDS)
    with pytest.raises(InputError, match="no folder"):
        find_sources(speech, tmp_path / "none")


def test_damaged_json_is_told(tmp_path: Path) -> None:
    speech = prompts_with_text(tmp_path / "speech")
    (speech / "vm-msgsaved.json").write_text('{"words": [{"start": 1}]}')
    shutil.copy(GRIDS / "auth-incorrect.TextGrid", speech)
    sources = {source.id: source for source in find_sources(speech).found}
    assert sources["auth-incorrect"].is_aligned
    assert not sources["priv-introsaved"].is_aligned
    with pytest.raises(InputError, match="is no alignment"):
        sources["vm-msgsaved"].grid()
    (speech / "vm-msgsaved.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="is no alignment"):
        sources["vm-msgsaved"].grid()


def test_the_order_of_words_in_json_does_not_matter(tmp_path: Path) -> None:
    gentle = tmp_path / "gentle.json"
    words = [
        {"word": word, "start": at_s, "end": at_s + 0.2, "phones": phones}
        for word, at_s, phones in (
            ("no", 0.5, [{"phone": "n_B", "duration": 0.1}, {"phone": "ow_E", "duration": 0.1}]),
            ("I", 0.1, [{"phone": "ay_S", "duration": 0.2}]),
        )
    ]
    gentle.write_text(json.dumps({"words": words}))
    mfa = tmp_path / "mfa.json"
    entries = [[0.5, 0.6, "n"], [0.6, 0.7, "ow"], [0.1, 0.3, "ay"]]
    mfa.write_text(json.dumps({"end": 1, "tiers": {"phones": {"entries": entries}}}))
    for file in (gentle, mfa):
        grid = load_alignment(file)
        read = laid_phones(grid, Notation(ENGLISH, "arpabet"), duration_s=1.0, whence=file)
        assert [phone.phone for phone in read.alignment.spoken] == ["AY", "N", "OW"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_transcripts_come_in_the_encodings_of_textgrids(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "one.flac").write_bytes(b"")
    (tmp_path / "one.lab").write_bytes("Naïve,\r\n she said. ".encode(encoding))
    assert find_sources(tmp_path).found[0].text() == "Naïve, she said."
