"""Corpora as they are released: small folders laid out like them, with real audio in them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from nativeear.indexer.corpus import Corpus, find_reader, read_corpus
from nativeear.indexer.readers import commonvoice, fleurs, librispeech, ljspeech, mls
from nativeear.speech.audio import Audio
from nativeear.speech.errors import CorpusError

FORMATS = {".flac": ("FLAC", None), ".wav": ("WAV", None), ".mp3": ("MP3", None)}


def record(*files: Path, opus: bool = False) -> None:
    """Half a second of sound each."""
    sound = np.sin(np.arange(8000) * 0.05) * 0.3
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        kind, subtype = ("OGG", "OPUS") if opus else FORMATS[file.suffix]
        soundfile.write(file, sound, 16_000, format=kind, subtype=subtype)


def write(file: Path, *lines: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def reasons(corpus: Corpus) -> dict[str, str]:
    return {item.id: item.reason for item in corpus.set_aside}


def hear(corpus: Corpus) -> None:
    """Every utterance's audio decodes."""
    for utterance in corpus.utterances:
        assert Audio.load(utterance.audio).duration_s == pytest.approx(0.5, abs=0.1)


# --- LibriSpeech --------------------------------------------------------------------------------


@pytest.fixture
def libri(tmp_path: Path) -> Path:
    root = tmp_path / "LibriSpeech"
    write(
        root / "SPEAKERS.TXT",
        ";ID  |SEX| SUBSET           |MINUTES| NAME",
        "84   | F | dev-clean        |  8.02 | Christie Nowak",
        "1272 | M | dev-clean        |  8.01 | John | Rose",
    )
    for speaker, chapter, texts in (
        ("84", "121123", ("GO DO YOU HEAR", "BUT IN LESS THAN FIVE MINUTES")),
        ("1272", "128104", ("MISTER QUILTER IS THE APOSTLE", "")),
    ):
        folder = root / "dev-clean" / speaker / chapter
        ids = [f"{speaker}-{chapter}-{i:04}" for i in range(len(texts))]
        record(*(folder / f"{each}.flac" for each in ids))
        write(
            folder / f"{speaker}-{chapter}.trans.txt",
            *(f"{each} {text}" for each, text in zip(ids, texts, strict=True)),
        )
    return root


def test_librispeech(libri: Path) -> None:
    (libri / "dev-clean/84/121123/84-121123-0001.flac").unlink()
    for path, name in ((libri, "LibriSpeech"), (libri / "dev-clean", "dev-clean")):
        assert find_reader(str(path)) == "librispeech"
        corpus = librispeech.read(str(path))
        assert (corpus.name, corpus.language, corpus.licence) == (name, "en-US", "CC BY 4.0")
        assert [(u.id, u.text, u.speaker, u.sex) for u in corpus.utterances] == [
            ("1272-128104-0000", "MISTER QUILTER IS THE APOSTLE", "1272", "m"),
            ("84-121123-0000", "GO DO YOU HEAR", "84", "f"),
        ]
        assert reasons(corpus) == {
            "1272-128104-0001": "1272-128104.trans.txt, line 2: the text is empty.",
            "84-121123-0001": "84-121123.trans.txt, line 2: there is no recording "
            f"{path.joinpath('dev-clean') if path == libri else path}"
            "/84/121123/84-121123-0001.flac.",
        }
        hear(corpus)


def test_librispeech_that_is_none_or_damaged(libri: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no LibriSpeech"):
        librispeech.read(str(tmp_path / "elsewhere"))
    texts = libri / "dev-clean/84/121123/84-121123.trans.txt"
    texts.write_bytes(b"84-121123-0000 GO\n84-121123-0001 CAF\xe9\n")
    with pytest.raises(CorpusError, match=r"84-121123\.trans\.txt, line 2: this is not UTF-8"):
        librispeech.read(str(libri))


# --- LJSpeech -----------------------------------------------------------------------------------


def test_ljspeech(tmp_path: Path) -> None:
    folder = tmp_path / "LJSpeech-1.1"
    record(*(folder / "wavs" / f"LJ001-000{i}.wav" for i in (1, 2, 3)))
    write(
        folder / "metadata.csv",
        'LJ001-0001|in 1455, "the press"|in fourteen fifty-five, "the press"',
        "LJ001-0002|in being modern.|",
        "LJ001-0003",
        "LJ001-0004|gone|gone",
    )
    assert find_reader(str(folder)) == "ljspeech"
    corpus = ljspeech.read(str(folder))
    assert (corpus.name, corpus.language) == ("LJSpeech-1.1", "en-US")
    assert corpus.licence == "public domain"
    assert [(u.id, u.text, u.speaker, u.sex) for u in corpus.utterances] == [
        ("LJ001-0001", 'in fourteen fifty-five, "the press"', "LJ", "f"),
        ("LJ001-0002", "in being modern.", "LJ", "f"),
    ]
    assert reasons(corpus) == {
        "LJ001-0003": "line 3: there is no | between id and text.",
        "LJ001-0004": f"line 4: there is no recording {folder / 'wavs' / 'LJ001-0004.wav'}.",
    }
    hear(corpus)


def test_another_voice_laid_out_like_ljspeech(tmp_path: Path) -> None:
    record(tmp_path / "wavs" / "kss_1.wav")
    write(tmp_path / "metadata.csv", "kss_1.wav|그는 괜찮은 척하려고 애쓰는 것 같았다.")
    corpus = read_corpus(tmp_path, language="ko")
    (utterance,) = corpus.utterances
    assert (utterance.id, utterance.speaker, utterance.sex) == ("kss_1", "unknown", None)
    assert (corpus.language, corpus.licence) == ("ko", "not stated")
    with pytest.raises(CorpusError, match="no LJSpeech"):
        ljspeech.read(str(tmp_path / "wavs"))


# --- Common Voice -------------------------------------------------------------------------------

CLIPS = "client_id\tpath\tsentence_id\tsentence\tup_votes\tgender\taccents\tlocale"


def common_voice(tmp_path: Path) -> Path:
    folder = tmp_path / "sv-SE"
    record(*(folder / "clips" / f"common_voice_sv_{i}.mp3" for i in (1, 2, 3)))
    rows = (
        'aaa\tcommon_voice_sv_1.mp3\ts1\t"Hej, sade han.\t2\tfemale_feminine\t\tsv-SE',
        "bbb\tcommon_voice_sv_2\ts2\tDet är bra.\t2\tmale\t\tsv-SE",
        "bbb\tcommon_voice_sv_3.mp3\ts3\t \t2\t\t\tsv-SE",
        "bbb\tgone.mp3\ts4\tBorta\t2\tother\t\tsv-SE",
        "short\t",
    )
    write(folder / "validated.tsv", CLIPS, *rows)
    write(folder / "train.tsv", CLIPS, rows[1])
    write(folder / "test.tsv", CLIPS, rows[0])
    write(folder / "invalidated.tsv", CLIPS, rows[2])
    return folder


def test_common_voice(tmp_path: Path) -> None:
    folder = common_voice(tmp_path)
    assert find_reader(str(folder)) == "commonvoice"
    corpus = commonvoice.read(str(folder))
    assert (corpus.name, corpus.language, corpus.licence) == (
        "common-voice-sv-SE",
        "sv-SE",
        "CC0 1.0",
    )
    assert [(u.id, u.text, u.speaker, u.sex) for u in corpus.utterances] == [
        ("common_voice_sv_1", '"Hej, sade han.', "aaa", "f"),
        ("common_voice_sv_2", "Det är bra.", "bbb", "m"),
    ]
    assert reasons(corpus) == {
        "common_voice_sv_3": "validated.tsv, line 4: the text is empty.",
        "gone": f"validated.tsv, line 5: there is no recording {folder / 'clips' / 'gone.mp3'}.",
        "validated.tsv, line 6": "validated.tsv, line 6: it names no clip or no sentence.",
    }
    hear(corpus)


def test_one_table_of_common_voice_and_the_splits(tmp_path: Path) -> None:
    folder = common_voice(tmp_path)
    assert find_reader(str(folder / "train.tsv")) == "commonvoice"
    assert [u.id for u in commonvoice.read(str(folder / "train.tsv")).utterances] == [
        "common_voice_sv_2"
    ]
    (folder / "validated.tsv").unlink()
    assert [u.id for u in commonvoice.read(str(folder)).utterances] == [
        "common_voice_sv_2",
        "common_voice_sv_1",
    ]
    write(folder / "train.tsv", "client_id\tpath", "a\tb")
    with pytest.raises(CorpusError, match="no table of Common Voice") as caught:
        commonvoice.read(str(folder / "train.tsv"))
    assert "'client_id', 'path'" in caught.value.cause
    with pytest.raises(CorpusError, match="no Common Voice at"):
        commonvoice.read(str(tmp_path))


# --- Multilingual LibriSpeech -------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".flac", ".opus"])
def test_mls(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / ("mls_german_opus" if suffix == ".opus" else "mls_german")
    write(
        folder / "metainfo.txt",
        "SPEAKER   |   GENDER   | PARTITION  |  MINUTES   |  BOOK ID | TITLE | CHAPTER",
        "10148     |   M        | train      |  10.3      |  10119   | Faust | Nacht",
        "252       |   F        | dev        |  9.1       |  13232   | Sagen | Rhein",
    )
    for split, speaker, book in (("train", "10148", "10119"), ("dev", "252", "13232")):
        identity = f"{speaker}_{book}_000000"
        record(
            folder / split / "audio" / speaker / book / f"{identity}{suffix}",
            opus=suffix == ".opus",
        )
        write(
            folder / split / "transcripts.txt",
            f"{identity}\thabe nun ach",
            f"{speaker}_{book}_000001\tphilosophie",
            "no tab",
        )
    assert find_reader(str(folder)) == find_reader(str(folder / "dev")) == "mls"
    corpus = mls.read(str(folder))
    assert (corpus.name, corpus.language, corpus.licence) == (folder.name, "de", "CC BY 4.0")
    assert [(u.id, u.text, u.speaker, u.sex) for u in corpus.utterances] == [
        ("10148_10119_000000", "habe nun ach", "10148", "m"),
        ("252_13232_000000", "habe nun ach", "252", "f"),
    ]
    found = [item.reason for item in corpus.set_aside]
    assert found[0].startswith("train/transcripts.txt, line 2: there is no recording")
    assert found[1] == (
        "train/transcripts.txt, line 3: it is not SPEAKER_BOOK_NUMBER, a tab, the text."
    )
    hear(corpus)
    part = mls.read(str(folder / "dev"))
    assert (part.language, [u.sex for u in part.utterances]) == ("de", ["f"])
    with pytest.raises(CorpusError, match="no Multilingual LibriSpeech"):
        mls.read(str(tmp_path))


# --- FLEURS -------------------------------------------------------------------------------------


@pytest.mark.parametrize("audio", ["audio/train", "train"])
@pytest.mark.parametrize(
    ("name", "language"),
    [("sv_se", "sv-SE"), ("cmn_hans_cn", "cmn-Hans-CN"), ("es_419", "es-419"), ("mine", "und")],
)
def test_fleurs(tmp_path: Path, audio: str, name: str, language: str) -> None:
    folder = tmp_path / name
    record(folder / audio / "100.wav", folder / audio / "200.wav")
    write(
        folder / "train.tsv",
        "1\t100.wav\tHon är 25 år.\thon är 25 år\th o n |\t8000\tFEMALE",
        "1\t200.wav\tHon är 25 år.\thon är 25 år\th o n |\t8000\tMALE",
        "2\t300.wav\tBorta\tborta\tb |\t8000\tMALE",
        "3\t400.wav\tkort",
    )
    assert find_reader(str(folder)) == "fleurs"
    corpus = fleurs.read(str(folder))
    assert (corpus.name, corpus.language) == (f"fleurs-{name}", language)
    assert [(u.id, u.text, u.speaker, u.sex) for u in corpus.utterances] == [
        ("100", "Hon är 25 år.", "unknown", "f"),
        ("200", "Hon är 25 år.", "unknown", "m"),
    ]
    assert reasons(corpus) == {
        "300": f"train.tsv, line 3: there is no recording {folder / audio / '300.wav'}.",
        "400": "train.tsv, line 4: 3 columns instead of 7.",
    }
    hear(corpus)
    with pytest.raises(CorpusError, match="no FLEURS"):
        fleurs.read(str(tmp_path))
