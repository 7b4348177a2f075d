"""Kaldi's data folders, CTM files and lhotse's manifests."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nativeear.indexer.corpus import Corpus, Span, find_reader, read_corpus
from nativeear.indexer.readers import kaldi, lhotse
from nativeear.indexer.readers.ctm import read_ctm, within, without_positions
from nativeear.speech.audio import Audio
from nativeear.speech.errors import CorpusError


def record(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, np.sin(np.arange(64_000) * 0.05) * 0.3, 16_000)


def write(file: Path, *lines: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def reasons(corpus: Corpus) -> dict[str, str]:
    return {item.id: item.reason for item in corpus.set_aside}


# --- Kaldi --------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """`data/train` of a recipe, with recordings beside `data`."""
    folder = tmp_path / "data" / "train"
    record(tmp_path / "sound" / "a1.wav", tmp_path / "absolute" / "b1.flac")
    write(
        folder / "wav.scp",
        "anna-1 sound/a1.wav",
        f"ben-1 {tmp_path}/absolute/b1.flac",
        f"cleo-1 touch {tmp_path}/ran |",
        "dora-1 sound/all.ark:1042",
        "eve-1 sound/gone.wav",
        "fay-1 sound/a1.wav",
    )
    write(
        folder / "text",
        "anna-1 HELLO WORLD",
        "ben-1 SO IT IS",
        "cleo-1 NEVER",
        "dora-1 NEVER",
        "eve-1 NEVER",
        "gus-1 LOST",
    )
    write(folder / "utt2spk", *(f"{name}-1 {name}" for name in ("anna", "ben", "cleo", "dora")))
    write(folder / "spk2gender", "anna f", "ben m")
    write(folder / "utt2lang", "anna-1 en-GB", "ben-1 en-GB")
    return folder


def test_a_kaldi_folder(data: Path, tmp_path: Path) -> None:
    assert find_reader(str(data)) == "kaldi"
    corpus = kaldi.read(str(data))
    assert (corpus.name, corpus.language, corpus.licence) == ("train", "en-GB", "not stated")
    assert [(u.id, u.text, u.speaker, u.sex, u.end_s) for u in corpus.utterances] == [
        ("anna-1", "HELLO WORLD", "anna", "f", None),
        ("ben-1", "SO IT IS", "ben", "m", None),
    ]
    assert [u.audio.resolve() for u in corpus.utterances] == [
        (tmp_path / "sound" / "a1.wav").resolve(),
        (tmp_path / "absolute" / "b1.flac").resolve(),
    ]
    assert all(Audio.load(u.audio).duration_s == 4.0 for u in corpus.utterances)
    assert reasons(corpus) == {
        "cleo-1": f"wav.scp: cleo-1 is a command, which is not run: touch {tmp_path}/ran |",
        "dora-1": "wav.scp: dora-1 lies within the archive sound/all.ark; write it to a file of"
        " its own.",
        "eve-1": f"wav.scp: there is no recording {data / 'sound' / 'gone.wav'}.",
        "fay-1": "wav.scp: the text is empty.",
        "gus-1": "it has a text, and nothing tells its recording.",
    }
    assert not (tmp_path / "ran").exists()


def test_marks_in_a_text_are_no_words(data: Path) -> None:
    write(data / "text", "anna-1 SO <UNK> IT IS", "ben-1 YES [laughter]")
    corpus_reasons = reasons(kaldi.read(str(data), name="mine"))
    assert corpus_reasons["anna-1"] == "wav.scp: it is not told how <UNK> is said."
    assert corpus_reasons["ben-1"] == "wav.scp: it is not told how [laughter] is said."
    write(data / "phones.ctm", "anna-1 1 0.0 0.1 S", "anna-1 1 0.1 0.1 OW")
    assert [u.id for u in kaldi.read(str(data)).utterances] == ["anna-1"]


def test_without_speakers_everyone_is_one(data: Path) -> None:
    for name in ("utt2spk", "spk2gender", "utt2lang"):
        (data / name).unlink()
    corpus = kaldi.read(str(data))
    assert {(u.speaker, u.sex) for u in corpus.utterances} == {("unknown", None)}
    assert corpus.language == "und"


def test_segments_of_recordings(data: Path) -> None:
    write(
        data / "segments",
        "anna-1 anna-1 0.50 1.75",
        "ben-1 ben-1 2.0 -1",
        "eve-1 anna-1 3.0 2.0",
        "gus-1 nowhere 0.0 1.0",
        "dora-1 anna-1 soon",
        "anna-1 anna-1 2.0 3.0",
    )
    corpus = kaldi.read(str(data))
    assert [(u.id, u.start_s, u.end_s) for u in corpus.utterances] == [
        ("anna-1", 0.5, 1.75),
        ("ben-1", 2.0, None),
    ]
    found = reasons(corpus)
    assert found["eve-1"] == "segments, line 3: it begins at 3 s and ends at 2 s."
    assert found["gus-1"] == "segments, line 4: wav.scp has no recording nowhere."
    assert found["dora-1"] == "segments, line 5: it is not utterance, recording, start, end."
    assert found["anna-1"] == "segments, line 6: the id is already taken by segments, line 1."


@pytest.mark.parametrize("name", ["ctm", "phones.ctm", "ali.ctm"])
def test_a_phone_ctm_is_a_ready_alignment(data: Path, name: str) -> None:
    write(
        data / name,
        "anna-1 1 0.00 0.10 SIL",
        "anna-1 1 0.10 0.05 HH_B 1.00",
        "anna-1 1 0.15 0.10 AH0_I",
        "anna-1 1 0.25 0.10 L_I",
        "anna-1 1 0.35 0.15 OW1_E",
        "anna-1 1 0.60 0.10 W_B",
        "anna-1 1 0.70 0.30 ER1_E",
        "ben-1 1 0.00 0.10 S_B",
    )
    corpus = kaldi.read(str(data))
    anna, ben = corpus.utterances
    assert anna.spans == (
        Span("SIL", 0.0, 0.1),
        Span("HH", 0.1, 0.15),
        Span("AH0", 0.15, 0.25),
        Span("L", 0.25, 0.35),
        Span("OW1", 0.35, 0.5),
        Span("W", 0.6, 0.7),
        Span("ER1", 0.7, 1.0),
    )
    assert anna.word_spans == (Span("HELLO", 0.1, 0.5), Span("WORLD", 0.6, 1.0))
    # The marks make one word at most, and its text has three.
    assert (ben.spans, ben.word_spans) == ((Span("S", 0.0, 0.1),), ())


def test_a_ctm_of_words_gives_no_phones(data: Path) -> None:
    write(data / "ctm", "anna-1 1 0.1 0.4 hello", "anna-1 1 0.5 0.1 <eps>", "anna-1 1 0.6 1 world")
    anna = kaldi.read(str(data)).utterances[0]
    assert anna.spans == ()
    assert anna.word_spans == (Span("hello", 0.1, 0.5), Span("world", 0.6, 1.6))


def test_a_ctm_of_recordings_is_cut_into_segments(data: Path) -> None:
    write(data / "text", "u1 so", "u2 it")
    write(data / "segments", "u1 anna-1 0.5 1.0", "u2 anna-1 1.0 2.0")
    write(
        data / "phones.ctm",
        "anna-1 1 0.49 0.20 S_B",
        "anna-1 1 0.69 0.20 OW_E",
        "anna-1 1 1.25 0.25 IH_B",
        "anna-1 1 1.50 0.25 T_E",
    )
    first, second = kaldi.read(str(data)).utterances
    assert [(s.label, round(s.start_s, 3), round(s.end_s, 3)) for s in first.spans] == [
        ("S", 0.0, 0.19),
        ("OW", 0.19, 0.39),
    ]
    assert second.spans == (Span("IH", 0.25, 0.5), Span("T", 0.5, 0.75))
    assert second.word_spans == (Span("it", 0.25, 0.75),)


def test_overlapping_phones_set_their_utterance_aside(data: Path) -> None:
    write(data / "phones.ctm", "anna-1 1 0.0 0.5 AA", "anna-1 1 0.2 0.5 B", "ben-1 1 0 -1 S")
    found = reasons(kaldi.read(str(data)))
    assert found["anna-1"] == "wav.scp: 'B' begins at 0.2 s, before 'AA' ends at 0.5 s."
    assert found["ben-1"] == "wav.scp: 'S' begins at 0 s and ends at -1 s."


def test_numbered_labels_need_their_table(data: Path) -> None:
    write(data / "phones.ctm", "anna-1 1 0.00 0.10 1", "anna-1 1 0.10 0.20 38")
    with pytest.raises(CorpusError, match="by number") as caught:
        kaldi.read(str(data))
    assert "phones.txt" in caught.value.fix
    write(data / "phones.txt", "<eps> 0", "SIL 1", "AA1_S 38")
    anna = kaldi.read(str(data)).utterances[0]
    assert [span.label for span in anna.spans] == ["SIL", "AA1"]


def test_damaged_kaldi_files_are_refused(data: Path, tmp_path: Path) -> None:
    write(data / "phones.ctm", ";; comment", "anna-1 1 0.0 0.1 AA", "anna-1 1 0.1")
    with pytest.raises(CorpusError, match=r"phones\.ctm, line 3: this is no line of a CTM"):
        kaldi.read(str(data))
    write(data / "utt2spk", "anna-1 anna", "anna-1 ben")
    with pytest.raises(CorpusError, match="utt2spk, line 2: the id anna-1 is already taken"):
        kaldi.read(str(data))
    with pytest.raises(CorpusError, match="no Kaldi data folder"):
        kaldi.read(str(tmp_path))


def test_ctm_parts(tmp_path: Path) -> None:
    write(tmp_path / "x.ctm", "r A 1.0 0.5 b", "r A 0.0 1.0 a 0.9")
    spans = read_ctm(tmp_path / "x.ctm")["r"]
    assert spans == [Span("a", 0.0, 1.0), Span("b", 1.0, 1.5)]
    assert within(spans, 1.0, None) == (Span("b", 0.0, 0.5),)
    assert without_positions([Span("a_S", 0, 1), Span("SIL_S", 1, 2)], "uh") == (
        (Span("a", 0, 1), Span("SIL", 1, 2)),
        (Span("uh", 0, 1),),
    )


# --- lhotse -------------------------------------------------------------------------------------


def recording(identity: str, source: str, **more: object) -> dict[str, object]:
    return {
        "id": identity,
        "sources": [{"type": "file", "channels": [0], "source": source}],
        "sampling_rate": 16000,
        "num_samples": 64000,
        "duration": 4.0,
        "channel_ids": [0],
        **more,
    }


def supervision(identity: str, of: str, start: float, duration: float, **more: object) -> dict:
    return {
        "id": identity,
        "recording_id": of,
        "start": start,
        "duration": duration,
        "channel": 0,
        "text": "hello there",
        "language": "en",
        "speaker": "anna",
        "gender": "Female",
        **more,
    }


def dump(file: Path, *items: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(json.dumps(item) + "\n" for item in items).encode()
    file.write_bytes(gzip.compress(data) if file.suffix == ".gz" else data)


ALIGNMENT = {
    "word": [["hello", 1.0, 0.5, None], ["there", 1.5, 0.5, None]],
    "phone": [["HH", 1.0, 0.1, 0.9], ["AH", 1.1, 0.2, 0.9]],
}


@pytest.mark.parametrize("gz", ["", ".gz"])
@pytest.mark.parametrize("prefix", ["", "mini_"])
def test_recordings_and_supervisions(tmp_path: Path, gz: str, prefix: str) -> None:
    record(tmp_path / "sound" / "r1.flac")
    folder = tmp_path / "data" / "manifests"
    command = {"type": "command", "channels": [0], "source": "touch ran"}
    dump(
        folder / f"{prefix}recordings.jsonl{gz}",
        recording("r1", "sound/r1.flac"),
        recording("r2", "", sources=[command]),
        recording("r3", "sound/r1.flac", transforms=[{"name": "Speed"}]),
        recording("r4", "", sources=[{"type": "file", "channels": [0, 1], "source": "s.wav"}]),
    )
    dump(
        folder / f"{prefix}supervisions.jsonl{gz}",
        supervision("s1", "r1", 1.0, 1.5, alignment=ALIGNMENT),
        supervision("s2", "r1", 2.5, 1.5, speaker=None, gender=None),
        supervision("s3", "r2", 0, 1),
        supervision("s4", "r3", 0, 1),
        supervision("s5", "r4", 0, 1),
        supervision("s6", "r9", 0, 1),
        supervision("s7", "r1", 0, 1, text=None),
        {"id": "s8", "recording_id": "r1"},
        supervision("s1", "r1", 0, 1),
    )
    assert find_reader(str(folder)) == "lhotse"
    corpus = lhotse.read(str(folder))
    assert (corpus.name, corpus.language) == ("manifests", "und")  # s8 has no language
    first, second = corpus.utterances
    assert first.audio.resolve() == (tmp_path / "sound" / "r1.flac").resolve()
    assert (first.speaker, first.sex, first.start_s, first.end_s) == ("anna", "f", 1.0, 2.5)
    assert first.spans == (Span("HH", 0.0, 0.1), Span("AH", 0.1, 0.3))
    assert first.word_spans == (Span("hello", 0.0, 0.5), Span("there", 0.5, 1.0))
    assert (second.speaker, second.sex, second.start_s, second.end_s) == (
        "unknown",
        None,
        2.5,
        None,
    )
    place = f"{prefix}supervisions.jsonl{gz}, line"
    assert reasons(corpus) == {
        "s3": f"{place} 3: the recording r2 is a command, which is not run or fetched: touch ran",
        "s4": f"{place} 4: the recording r3 is changed by transforms; save the audio first.",
        "s5": f"{place} 5: the recording r4 has several channels.",
        "s6": f"{place} 6: its recording is not in the manifests.",
        "s7": f"{place} 7: the text is empty.",
        "s8": f"{place} 8: it is no supervision of lhotse: KeyError('start').",
        "s1": f"{place} 9: the id is already taken by {place} 1.",
    }
    one = lhotse.read(str(folder / f"{prefix}supervisions.jsonl{gz}"))
    assert one.utterances == corpus.utterances


def test_cuts_shift_their_supervisions(tmp_path: Path) -> None:
    record(tmp_path / "r1.wav")
    whole = recording("r1", str(tmp_path / "r1.wav"))
    # Within a cut, times count from the start of the cut.
    shifted = {tier: [[w, s - 0.5, d, p] for w, s, d, p in x] for tier, x in ALIGNMENT.items()}
    dump(
        tmp_path / "cuts.jsonl.gz",
        {
            "id": "c1",
            "type": "MonoCut",
            "start": 0.5,
            "duration": 2.0,
            "channel": 0,
            "recording": whole,
            "supervisions": [supervision("s1", "r1", 0.5, 1.0, alignment=shifted, language="sv")],
        },
        {"id": "c2", "type": "MixedCut", "tracks": []},
        {"id": "c3", "type": "MonoCut", "start": 0, "supervisions": [supervision("s3", "r", 0, 1)]},
    )
    assert find_reader(str(tmp_path)) == find_reader(str(tmp_path / "cuts.jsonl.gz")) == "lhotse"
    corpus = lhotse.read(str(tmp_path / "cuts.jsonl.gz"))
    (utterance,) = corpus.utterances
    assert corpus.name == "cuts"
    assert (utterance.start_s, utterance.end_s) == (1.0, 2.0)
    assert utterance.spans == (Span("HH", 0.0, 0.1), Span("AH", 0.1, 0.3))
    assert reasons(corpus) == {
        "c2": "cuts.jsonl.gz, line 2: it is a MixedCut, not a plain cut.",
        "s3": "cuts.jsonl.gz, line 3: its recording is not in the manifests.",
    }


@pytest.mark.parametrize(("written", "tag"), [("sv_SE", "sv-SE"), ("Swedish", "und"), ("sv", "sv")])
def test_the_language_of_supervisions(tmp_path: Path, written: str, tag: str) -> None:
    record(tmp_path / "r.wav")
    dump(tmp_path / "recordings.jsonl", recording("r", "r.wav"))
    dump(tmp_path / "supervisions.jsonl", supervision("s", "r", 0, 4, language=written))
    assert read_corpus(tmp_path).language == tag


def test_damaged_manifests_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no corpus of lhotse"):
        lhotse.read(str(tmp_path))
    (tmp_path / "cuts.jsonl").write_text('{"id": "a"}\n{"id": \n')
    with pytest.raises(CorpusError, match=r"cuts\.jsonl, line 2: this is no JSON"):
        lhotse.read(str(tmp_path))
    (tmp_path / "cuts.jsonl").write_text("[1]\n")
    with pytest.raises(CorpusError, match=r"cuts\.jsonl, line 1: this is no JSON object"):
        lhotse.read(str(tmp_path))
    (tmp_path / "cuts.jsonl").unlink()
    (tmp_path / "cuts.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(CorpusError, match=r"cuts\.jsonl\.gz cannot be read"):
        lhotse.read(str(tmp_path))
    (tmp_path / "cuts.jsonl.gz").unlink()
    dump(tmp_path / "supervisions.jsonl", supervision("s", "r", 0, 1))
    with pytest.raises(CorpusError, match="no corpus of lhotse") as caught:
        lhotse.read(str(tmp_path))
    assert caught.value.cause == "Found supervisions.jsonl."
