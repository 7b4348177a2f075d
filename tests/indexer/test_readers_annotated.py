"""Hand-made files in every published layout."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from praatio import textgrid as praat

from nativeear.indexer.annotated_corpus import DELETED, AnnotatedInsertion, Speaker
from nativeear.indexer.readers.annotated import (
    cmukids,
    isle,
    l2arctic,
    manifest,
    native,
    speechocean762,
)
from nativeear.indexer.readers.annotated.l2arctic import Mark
from nativeear.indexer.readers.annotated.scored import SCORE_NAMES
from nativeear.speech.errors import CorpusError
from nativeear.speech.inventory import PhoneInventory

DATA = Path(__file__).parents[3] / "shared" / "data" / "speechocean762-train"


def sound(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(1600), 16_000, format="WAV")
    return path


# speechocean762


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """speechocean762 as it is published: two splits, one utterance broken in each way."""
    scores = {
        "000010011": {
            "text": "WE CALL",
            "accuracy": 8,
            "completeness": 10.0,
            "fluency": 9,
            "prosodic": 7,
            "total": 6,
            "words": [
                {
                    "text": "WE",
                    "accuracy": 10,
                    "stress": 10,
                    "total": 10,
                    "phones": ["W", "IY0"],
                    "phones-accuracy": [2, 0.4],
                    "mispronunciations": [
                        {"canonical-phone": "IY0", "index": 1, "pronounced-phone": "IH0"}
                    ],
                },
                {
                    "text": "CALL",
                    "accuracy": 4,
                    "phones": "K AO0 L",
                    "phones-accuracy": [0.0, 0.5, 0.2],
                    "mispronunciations": [
                        {"canonical-phone": "K", "index": 0, "pronounced-phone": "<unk>"},
                        {"canonical-phone": "L", "index": 2, "pronounced-phone": "<DEL>"},
                    ],
                },
            ],
        },
        "000030012": {"text": "NO", "words": [{"text": "NO", "phones": ["N"]}]},
        "000030013": {
            "text": "NO",
            "words": [{"text": "NO", "phones": ["N", "OW0"], "phones-accuracy": [2]}],
        },
        "000030014": {"words": [{"text": "A", "phones": ["AH0"], "phones-accuracy": [2]}]},
    }
    (tmp_path / "resource").mkdir()
    (tmp_path / "resource" / "scores.json").write_text(json.dumps(scores))
    for split, ids in (
        ("train", ["000010011"]),
        ("test", ["000030012", "000030013", "000030014", "000030015", "000030016"]),
    ):
        folder = tmp_path / split
        folder.mkdir()
        speaker = ids[0][:5].lstrip("0").zfill(4)[:4]
        (folder / "wav.scp").write_text(
            "".join(f"{i}\tWAVE/SPEAKER{speaker}/{i}.WAV\n" for i in ids)
        )
        (folder / "utt2spk").write_text("".join(f"{i}\t{speaker}\n" for i in ids))
        (folder / "spk2age").write_text(f"{speaker}\t6\n")
        (folder / "spk2gender").write_text(f"{speaker}\tm\n")
        for i in ids[:-1] or ids:
            sound(tmp_path / "WAVE" / f"SPEAKER{speaker}" / f"{i}.WAV")
    return tmp_path


def test_speechocean762_as_published(published: Path) -> None:
    corpus = speechocean762.read(published, "train")
    (utterance,) = corpus.utterances
    assert utterance.speaker == Speaker(utterance.speaker.id, 6, "m", "zh")
    assert utterance.speaker.age_group == "child"
    assert utterance.audio.name == "000010011.WAV"
    assert utterance.given_phones == "W IY0 | K AO0 L"
    assert utterance.given_text == "WE CALL"
    assert [p.expert for p in utterance.phones] == [2.0, 0.4, 0.0, 0.5, 0.2]
    assert [p.mispronounced for p in utterance.phones] == [False, True, True, False, True]
    assert [p.perceived for p in utterance.phones] == [None, "IH", None, None, DELETED]
    assert [word.accuracy for word in utterance.words] == [10.0, 4.0]
    assert (utterance.sentence.accuracy, utterance.sentence.total) == (8.0, 6.0)
    assert (utterance.sentence.fluency, utterance.sentence.prosodic) == (9.0, 7.0)
    assert utterance.insertions is None


def test_broken_utterances_of_speechocean762_are_set_aside(published: Path) -> None:
    corpus = speechocean762.read(published)  # test is the published default
    assert [u.id for u in corpus.utterances] == ["000030014"]
    reasons = {item.id: item.reason for item in corpus.set_aside}
    assert "another shape" in reasons["000030012"]
    assert "2 phones have 1 scores" in reasons["000030013"]
    assert "scores.json does not hold it" in reasons["000030015"]
    assert "no recording" in reasons["000030016"]
    assert len(speechocean762.read(published, "all").utterances) == 2


def test_speechocean762_in_rows_is_the_same_corpus(published: Path, tmp_path: Path) -> None:
    known = speechocean762.read(published, "all")
    scores = json.loads((published / "resource" / "scores.json").read_text())
    rows = []
    for utterance in known.utterances:
        scored = scores[utterance.id]
        words = [
            {
                "accuracy": word.get("accuracy"),
                "phones": word["phones"].split()
                if isinstance(word["phones"], str)
                else word["phones"],
                "phones-accuracy": [float(each) for each in word["phones-accuracy"]],
                "text": word["text"],
                "mispronunciations": word.get("mispronunciations", []),
            }
            for word in scored["words"]
        ]
        who = utterance.speaker
        rows.append(
            {name: scored.get(name) for name in SCORE_NAMES}
            | {"text": scored.get("text"), "words": words, "speaker": who.id, "gender": who.gender}
            | {
                "age": who.age,
                "audio": {
                    "bytes": utterance.audio.read_bytes(),
                    "path": f"{utterance.id}.wav",
                },
            }
        )
    broken = rows[0] | {"audio": {"bytes": None, "path": "lost.wav"}}
    folder = tmp_path / "hub" / "data"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([*rows, broken]), folder / "test-00000-of-00001.parquet")
    found = speechocean762.read(tmp_path / "hub")
    assert [item.id for item in found.set_aside] == ["lost"]
    assert found.split == "test"
    assert [replace(u, audio=Path()) for u in found.utterances] == [
        replace(u, audio=Path()) for u in known.utterances
    ]
    assert [u.audio.read_bytes() for u in found.utterances] == [
        u.audio.read_bytes() for u in known.utterances
    ]
    alone = speechocean762.read(folder / "test-00000-of-00001.parquet")
    assert (len(alone.utterances), alone.split) == (len(known.utterances), "all")
    with pytest.raises(CorpusError, match="no part train"):
        speechocean762.read(tmp_path / "hub", "train")
    pq.write_table(pa.table({"text": ["a"]}), folder / "train-0.parquet")
    with pytest.raises(CorpusError, match="does not hold speechocean762"):
        speechocean762.read(tmp_path / "hub", "train")


def test_what_is_not_speechocean762_is_refused(published: Path, tmp_path: Path) -> None:
    (published / "resource" / "scores.json").write_text("{")
    with pytest.raises(CorpusError, match="is not JSON"):
        speechocean762.read(published)
    (published / "resource" / "scores.json").write_text("{}")
    (published / "test" / "wav.scp").unlink()
    with pytest.raises(CorpusError, match="has no part test"):
        speechocean762.read(published)
    (published / "resource" / "scores.json").unlink()
    with pytest.raises(CorpusError, match="is not speechocean762"):
        speechocean762.read(published)


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the development speech in ../shared/data")
def test_our_table_of_speechocean762_has_the_counts_that_are_told_of_it() -> None:
    corpus = speechocean762.read(DATA, "train")
    phones = [phone for utterance in corpus.utterances for phone in utterance.phones]
    assert (len(corpus.utterances), corpus.set_aside) == (2500, ())
    assert len({utterance.speaker.id for utterance in corpus.utterances}) == 125
    assert (len(phones), sum(phone.mispronounced for phone in phones)) == (47_076, 1_991)
    assert sum(u.given_text is not None for u in corpus.utterances) == 2500


# Tables


def table(folder: Path, header: str, *rows: Sequence[str]) -> Path:
    path = folder / "utterances.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    return path


def test_a_table_of_rated_recordings(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    table(
        tmp_path,
        "id,speaker,age,gender,audio,text,phones,phone_scores,split",
        ["1", "s", "13", "f", "a.wav", "Well, I", "W EH1 L | AY1", "2 0.4 0.5 | 2", "test"],
        ["2", "t", "x", "", "a.wav", "two words", "T UW", "2 2", "train"],
        ["1", "s", "13", "f", "a.wav", "again", "AY", "2", "test"],
        ["3", "s", "13", "f", "none.wav", "I", "AY", "2", "test"],
        ["4", "s", "13", "f", "a.wav", "I", "AY", "2 2", "test"],
        ["5", "s", "13", "f", "a.wav", "I", "AY", "2.1", "test"],
        ["6", "s", "13", "f", "a.wav", "I", "AY", "good", "test"],
        ["7", "s", "13", "f", "a.wav", "I", "AY | ", "2", "test"],
        ["8", "s", "13"],
    )
    corpus = manifest.read(tmp_path)
    first, second = corpus.utterances
    assert (first.speaker.age_group, first.speaker.gender) == ("teen", "f")
    assert [word.text for word in first.words] == ["Well,", "I"]
    assert [p.mispronounced for p in first.phones] == [False, True, False, False]
    assert second.speaker == Speaker("t")
    assert second.given_text is None  # one string of phones for two words
    reasons = [item.reason for item in corpus.set_aside]
    assert [item.id for item in corpus.set_aside] == ["1", "3", "4", "5", "6", "7", "8"]
    for reason, part in zip(
        reasons,
        ["already taken", "no recording", "1 phones have 2", "0 and 2", "not a number", "a word"],
        strict=False,
    ):
        assert part in reason
    assert [u.id for u in manifest.read(tmp_path, "train").utterances] == ["2"]
    assert [u.id for u in manifest.read(tmp_path / "utterances.csv", "all").utterances] == [
        "1",
        "2",
    ]


def test_a_table_without_splits_is_taken_whole_and_says_so(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    table(tmp_path, "id,audio,phones,phone_scores", ["1", "a.wav", "AY", "2"])
    corpus = manifest.read(tmp_path, "test")
    assert (len(corpus.utterances), corpus.split) == (1, "all")
    assert "no column split" in corpus.notes[0]
    assert corpus.utterances[0].speaker.id == "unknown"


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no table of rated recordings"):
        manifest.read(tmp_path)
    table(tmp_path, "id,audio,text", ["1", "a.wav", "hello"])
    with pytest.raises(CorpusError, match="lacks the columns phones, phone_scores"):
        manifest.read(tmp_path)


# L2-ARCTIC


def annotate(
    folder: Path,
    name: str,
    phones: Sequence[tuple[float, float, str]],
    words: Sequence[tuple[float, float, str]],
) -> None:
    grid = praat.Textgrid()
    grid.addTier(praat.IntervalTier("words", words, 0, phones[-1][1]))
    grid.addTier(praat.IntervalTier("phones", phones, 0, phones[-1][1]))
    grid.addTier(praat.IntervalTier("comments", [], 0, phones[-1][1]))
    (folder / "annotation").mkdir(parents=True, exist_ok=True)
    grid.save(
        str(folder / "annotation" / f"{name}.TextGrid"), "long_textgrid", includeBlankSpaces=True
    )
    sound(folder / "wav" / f"{name}.wav")
    (folder / "transcript").mkdir(exist_ok=True)
    (folder / "transcript" / f"{name}.txt").write_text("The third time\n")


@pytest.fixture
def arctic(tmp_path: Path) -> Path:
    """Two test speakers and one other, with every kind of mark that people have typed."""
    labels = ["sil", "DH,d,s ", "AH0", " sil , ah, a", "TH,T*,s", "er1, ERR ,S", "D,sil,d", "sp"]
    labels += ["T,T*,s", "AY1", "M,", "", "sil,err,a"]
    phones = [(i / 10, (i + 1) / 10, label) for i, label in enumerate(labels)]
    words = [(0.1, 0.4, "the"), (0.4, 0.7, "third"), (0.8, 1.1, "time")]
    annotate(tmp_path / "NJS", "arctic_a0001", phones, words)
    annotate(tmp_path / "NJS", "arctic_a0002", [(0, 0.1, "sil"), (0.1, 0.2, "AH,B,C,s")], words)
    annotate(tmp_path / "NJS", "arctic_a0003", [(0, 0.1, "sil"), (0.1, 1.2, "AH,B,a")], words)
    annotate(tmp_path / "ABA", "arctic_a0001", [(0.1, 0.9, "DH")], words)
    annotate(tmp_path / "TXHC", "arctic_a0001", [(0.1, 0.2, "DH,Z,s"), (0.3, 1.2, "AH0")], words)
    (tmp_path / "TXHC" / "wav" / "arctic_a0001.wav").unlink()
    (tmp_path / "README.md").write_text("L2-ARCTIC")
    return tmp_path


def test_l2_arctic_with_marks_as_people_typed_them(arctic: Path) -> None:
    corpus = l2arctic.read(arctic)
    (utterance,) = corpus.utterances
    assert (utterance.id, utterance.text) == ("NJS-arctic_a0001", "The third time")
    assert utterance.speaker == Speaker("NJS", None, "f", "es")
    assert utterance.given_phones == "DH AH | TH ER D | T AY M"
    assert utterance.given_text == "the third time"
    assert [(p.mispronounced, p.perceived) for p in utterance.phones] == [
        (True, "D"),
        (False, None),
        (True, "T"),
        (True, None),  # err: nobody could say what
        (True, DELETED),
        (True, None),  # T* for T: a shade, not another phone
        (False, None),
        (True, DELETED),  # a mark without a type
    ]
    assert utterance.insertions == (AnnotatedInsertion(1, "AH"), AnnotatedInsertion(7, None))


def test_splits_and_broken_grids_of_l2_arctic(arctic: Path) -> None:
    reasons = {item.id: item.reason for item in l2arctic.read(arctic).set_aside}
    assert set(reasons) == {"NJS-arctic_a0002", "NJS-arctic_a0003", "TXHC-arctic_a0001"}
    assert "not canonical,perceived,type" in reasons["NJS-arctic_a0002"]
    assert "says 'a' and looks like 's'" in reasons["NJS-arctic_a0003"]
    assert "no recording" in reasons["TXHC-arctic_a0001"]
    assert l2arctic.read(arctic).split == "test"
    assert [u.speaker.id for u in l2arctic.read(arctic, "train").utterances] == ["ABA"]
    assert len(l2arctic.read(arctic, "all").utterances) == 2
    assert len(l2arctic.read(arctic / "ABA").utterances) == 1
    with pytest.raises(CorpusError, match="no speaker of L2-ARCTIC's test part"):
        l2arctic.read(arctic / "NJS" / "wav")


def test_stories_of_l2_arctic_are_cut_at_pauses(arctic: Path) -> None:
    story = arctic / "suitcase_corpus"
    # Words of 300 ms with pauses of 200 ms; behind the 19th and the 21st, after 9.2 s and 10.4 s,
    # they are longer, so that the story is cut at the first of them and not at the second.
    phones: list[tuple[float, float, str]] = []
    words: list[tuple[float, float, str]] = []
    tenth = 0
    for n in range(28):
        marks = ("AE1", "N,M,s") if n == 20 else ("sil,ah,a", "AE1") if n == 21 else ("AE1", "N")
        pause = 4 if n in {18, 20} else 2
        edges = [(tenth + step) / 10 for step in (0, 1, 3, 3 + pause)]
        words.append((edges[0], edges[2], f"an{n}"))
        phones += zip(edges[:-1], edges[1:], (*marks, "sil"), strict=True)
        tenth += 3 + pause
    end_s = tenth / 10
    annotate(story, "njs", phones, words)
    annotate(story, "aba", [(0.0, 0.5, "DH"), (0.5, 0.7, "AH,B,C,s")], [(0.0, 0.7, "the")])
    assert "suitcase_corpus" not in {u.speaker.id for u in l2arctic.read(arctic, "all").utterances}

    corpus = l2arctic.read(story)
    assert corpus.name == "L2-ARCTIC suitcase corpus"
    first, second = corpus.utterances
    assert [u.id for u in corpus.utterances] == ["NJS-suitcase-01", "NJS-suitcase-02"]
    assert first.speaker == Speaker("NJS", None, "f", "es")
    assert first.audio == story / "wav" / "njs.wav"
    assert (first.start_s, first.end_s) == (0.0, pytest.approx(9.5))
    assert (second.start_s, second.end_s) == (pytest.approx(9.5), pytest.approx(end_s))
    assert [word.text for word in first.words] == [f"an{n}" for n in range(19)]
    assert second.text.startswith("an19 an20 an21")
    assert [p.perceived for p in second.phones[:5]] == [None, None, None, "M", None]
    assert second.insertions == (AnnotatedInsertion(3, "AH"),)
    (broken,) = l2arctic.read(story, "all").set_aside
    assert (broken.id, "not canonical,perceived" in broken.reason) == ("ABA-suitcase-01", True)
    nested = arctic / "again" / "suitcase_corpus"
    nested.mkdir(parents=True)
    story.rename(nested / "suitcase_corpus")
    assert len(l2arctic.read(nested).utterances) == 2
    (nested / "suitcase_corpus" / "annotation" / "njs.TextGrid").unlink()
    with pytest.raises(CorpusError, match="no speaker of the suitcase corpus's test part"):
        l2arctic.read(nested)


@pytest.mark.parametrize("label", ["sil", "", "SP", " spn ", "sil,sil,s"])
def test_silences_are_no_marks(label: str) -> None:
    assert Mark.read(label) is None


# ISLE


def mil(root: Path, session: str, name: str, *lines: str) -> None:
    marks = root / "ISLEDAT1" / session / "MIL" / f"{name}.txt"
    marks.parent.mkdir(parents=True, exist_ok=True)
    marks.write_text("".join(f"{line}\n" for line in lines))
    sound(marks.parent.parent / "WAVS" / f"{name}.WAV")


def test_isle(tmp_path: Path) -> None:
    mil(
        tmp_path,
        "SESS0006",
        "SESS0006_BLOCKD01_01",
        "G 000000000 001000000 #                              .   .      . . .",
        "G 001000000 002000000 I                              AY  AY     P P AY",
        "G 002000000 002500000 WANT                           W   V      . . V",
        "G 002500000 003000000 .                              OH  OH     P P OH",
        "G 003000000 003500000 .                              N   N      . . N",
        "G 003500000 004000000 .                              T   .      . . .      unreleased",
        "G 004000000 004500000 FAR                            F   F      . . F",
        "G 004500000 005000000 .                              AA  EH     P U =EH",
        "G 005000000 005500000 .                              .   R      . . R",
        "G 005500000 006000000 MORE                           M   M      . . M",
        "G 006000000 006500000 .                              AO  AX-AO  P P AX-AO",
        "G 006500000 007500000 _GARBAGE_                      BCKGRD BCKGRD . . BCKGRD",
    )
    mil(tmp_path, "SESS0003", "SESS0003_BLOCKD01_01", "I 000000000 001000000 A AX AX . . =AH")
    mil(tmp_path, "SESS0003", "SESS0003_BLOCKD01_02", "I 000000000 001000000 A AX AX")
    mil(tmp_path, "SESS0003", "SESS0003_BLOCKD01_03", "I 000000000 001000000 # . . . . .")
    mil(tmp_path, "SESS0003", "SESS0003_BLOCKD01_04", "I 000000000 001000000 A AX AX . . AX")
    (tmp_path / "ISLEDAT1" / "SESS0003" / "WAVS" / "SESS0003_BLOCKD01_04.WAV").unlink()
    corpus = isle.read(tmp_path, "test")
    assert corpus.split == "all"
    assert "no part called test" in corpus.notes[0]
    own, german = corpus.utterances
    assert (own.speaker, own.phones[0].mispronounced) == (Speaker("SESS0003", l1="it"), False)
    assert german.speaker == Speaker("SESS0006", l1="de")
    assert german.given_phones == "AY | W AA N T | F AA | M AO"
    assert german.given_text == "i want far more"
    assert [p.perceived for p in german.phones if p.mispronounced] == ["V", DELETED, "EH"]
    assert german.insertions == (AnnotatedInsertion(6, "R"), AnnotatedInsertion(7, "AX"))
    assert PhoneInventory.load("en-US").symbol("AX", "arpabet") == "AH"
    reasons = {item.id[-2:]: item.reason for item in corpus.set_aside}
    assert "line 1 has 6 columns" in reasons["02"]
    assert "no phone" in reasons["03"]
    assert "no recording" in reasons["04"]
    with pytest.raises(CorpusError, match="no usable utterance of ISLE"):
        isle.read(tmp_path / "ISLEDAT1" / "SESS0006" / "WAVS")


# Native speech


def test_native_speech_of_any_layout(tmp_path: Path, tone_corpus: Path) -> None:
    inventory = PhoneInventory.load("en-US")
    grids = native.read(str(tone_corpus), inventory)
    assert len(grids.utterances) == 30
    assert {len(utterance.phones) for utterance in grids.utterances} == {6}
    assert not any(p.mispronounced for u in grids.utterances for p in u.phones)

    sound(tmp_path / "a.wav")
    table(tmp_path, "id,audio,text,sex", ["1", "a.wav", "Hello", "f"], ["2", "b.wav", "No", "m"])
    texts = native.read(str(tmp_path), inventory)
    (utterance,) = texts.utterances
    assert (utterance.given_phones, utterance.given_text) == (None, "Hello")
    assert utterance.speaker.gender == "f"
    assert [item.id for item in texts.set_aside] == ["2"]
    held = frozenset(["1"])
    assert texts.held_out(held, "train").utterances == texts.utterances
    assert texts.held_out(held, "test").utterances == ()
    assert texts.held_out(held, None) == texts


def test_cmu_kids(tmp_path: Path) -> None:
    inventory = PhoneInventory.load("en-US")
    root = tmp_path / "cmu_kids"
    for name in ("fabmaa1", "fabmaa2", "fabmbb1"):
        sound(root / "kids" / "fabm" / "signal" / f"{name[:4]}{name[4:]}.sph")
    sound(root / "kids" / "mdef" / "signal" / "mdefcc11.sph")
    (root / "kids" / "mdef" / "trans").mkdir()
    (root / "kids" / "mdef" / "trans" / "mdefcc11.trn").write_text("he /K AE/ ran\n")
    (root / "tables").mkdir()
    (root / "tables" / "sentence.tbl").write_text("aa1\t3\tA little dog\nbb1\t2\tIt's a cat.\n")
    (root / "tables" / "speaker.tbl").write_text("ID\tLOC\tGR/AGE\tTOT\nfabm\tSIM95\t3/9\t100\n")
    corpus = cmukids.read(str(tmp_path), inventory)
    assert [(u.id, u.text) for u in corpus.utterances] == [
        ("fabmaa1", "A little dog"),
        ("fabmbb1", "It's a cat."),
    ]
    assert corpus.utterances[0].speaker == Speaker("fabm", 9, "f", "en")
    assert [item.id for item in corpus.set_aside] == ["fabmaa2", "mdefcc11"]


def test_a_table_may_leave_phones_unrated_and_tell_what_was_heard(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    table = tmp_path / "utterances.csv"
    table.write_text(
        "id,audio,text,phones,phone_scores,heard\n"
        "1,a.wav,a thing,AH | TH IH NG,- | 0 2 0,- | S - <del>\n"
        "2,a.wav,a,AH,-,\n"
        "3,a.wav,a,AH,2,AH AH\n",
        encoding="utf-8",
    )
    corpus = manifest.read(tmp_path)
    (phones,) = (utterance.phones for utterance in corpus.utterances)
    assert [phone.is_annotated for phone in phones] == [False, True, True, True]
    assert [phone.mispronounced for phone in phones] == [False, True, False, True]
    assert [phone.perceived for phone in phones] == [None, "S", None, "<del>"]
    assert [item.reason for item in corpus.set_aside] == [
        "line 3: no phone is rated.",
        "line 4: 1 phones have 2 cells of what was heard.",
    ]
