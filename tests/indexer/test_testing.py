"""Every reader of ours keeps to the protocol, and one that does not is found out."""

import json
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import soundfile

from nativeear.indexer.corpus import SHIPPED, Corpus, SetAside, Span, Utterance
from nativeear.indexer.readers import table
from nativeear.indexer.testing import check_reader
from nativeear.speech.errors import ConformanceError
from tests.conftest import RATE, recording, textgrid


def sound(*files: Path) -> None:
    samples, _ = recording(["M", "IY", "S", "AA"], seed=1)
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, samples, RATE)


def write(file: Path, *lines: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def of_table(root: Path) -> Path:
    sound(root / "a.wav", root / "b.wav")
    write(
        root / "c.csv", "id,audio,text,speaker,gender", "a,a.wav,see ma,ann,f", "b,b.wav,ma,ben,m"
    )
    return root / "c.csv"


def of_textgrid(root: Path) -> Path:
    _, spans = recording(["M", "IY", "S", "AA"], seed=1)
    sound(root / "a.wav")
    write(root / "a.TextGrid", textgrid(spans, "word"))
    return root


def of_transcripts(root: Path) -> Path:
    sound(root / "ann" / "a.wav")
    write(root / "ann" / "a.lab", "see ma")
    return root


def of_librispeech(root: Path) -> Path:
    write(root / "SPEAKERS.TXT", ";ID |SEX| SUBSET |MINUTES| NAME", "84 | F | dev-clean | 8 | C")
    sound(root / "dev-clean" / "84" / "1" / "84-1-0000.flac")
    write(root / "dev-clean" / "84" / "1" / "84-1.trans.txt", "84-1-0000 GO DO YOU HEAR")
    return root


def of_ljspeech(root: Path) -> Path:
    sound(root / "wavs" / "LJ001-0001.wav")
    write(root / "metadata.csv", "LJ001-0001|in 1455|in fourteen fifty-five")
    return root


def of_commonvoice(root: Path) -> Path:
    sound(root / "clips" / "cv_1.mp3")
    head = [
        "client_id",
        "path",
        "sentence_id",
        "sentence",
        "up_votes",
        "gender",
        "variant",
        "locale",
    ]
    row = ["aaa", "cv_1.mp3", "s1", "Hej.", "2", "female", "", "sv-SE"]
    write(root / "validated.tsv", "\t".join(head), "\t".join(row))
    return root


def of_mls(root: Path) -> Path:
    sound(root / "train" / "audio" / "1" / "2" / "1_2_000000.flac")
    write(root / "train" / "transcripts.txt", "1_2_000000\thabe nun ach")
    return root


def of_fleurs(root: Path) -> Path:
    sound(root / "audio" / "train" / "100.wav")
    write(root / "train.tsv", "1\t100.wav\tHon.\thon\th o n |\t8000\tFEMALE")
    return root


def of_kaldi(root: Path) -> Path:
    sound(root / "a.wav")
    write(root / "wav.scp", f"ann-1 {root}/a.wav")
    write(root / "text", "ann-1 HELLO WORLD")
    write(root / "utt2spk", "ann-1 ann")
    return root


def of_lhotse(root: Path) -> Path:
    sound(root / "a.flac")
    source = {"type": "file", "channels": [0], "source": str(root / "a.flac")}
    audio = {
        "id": "r", "sources": [source], "sampling_rate": RATE, "num_samples": RATE,
        "duration": 1.0, "channel_ids": [0],
    }  # fmt: skip
    said = {
        "id": "s", "recording_id": "r", "start": 0.0, "duration": 0.8, "channel": 0,
        "text": "hello there", "language": "en", "speaker": "ann", "gender": "F",
        "alignment": {"phone": [["HH", 0.1, 0.1, 0.9], ["AH", 0.2, 0.2, 0.9]]},
    }  # fmt: skip
    write(root / "recordings.jsonl", json.dumps(audio))
    write(root / "supervisions.jsonl", json.dumps(said))
    return root


def of_asterisk(root: Path) -> Path:
    (root / "hello.g722").write_bytes(b"")
    write(root / "core-sounds-en.txt", "hello: Hello there.")
    return root


BUILDERS = {
    name.removeprefix("of_"): build for name, build in globals().items() if name.startswith("of_")
}


@pytest.mark.parametrize("name", SHIPPED)
def test_our_readers_keep_to_their_protocol(name: str, tmp_path: Path) -> None:
    module = import_module(SHIPPED[name])
    build = BUILDERS[SHIPPED[name].rpartition(".")[2]]
    root = tmp_path / "corpus"
    root.mkdir()
    corpus = check_reader(module.read, build(root), getattr(module, "fits", None))
    assert corpus.set_aside == ()


Twist = Callable[[Corpus], Corpus]


def twisted(**changes: object) -> Twist:
    """A corpus of which the first utterance is otherwise."""

    def twist(corpus: Corpus) -> Corpus:
        first, *rest = corpus.utterances
        return replace(corpus, utterances=(replace(first, **changes), *rest))

    return twist


DEVIANTS: dict[str, Twist] = {
    "ids are not unique": twisted(id="b"),
    "has no id": twisted(id=""),
    "has no speaker": twisted(speaker=""),
    "nothing tells what is said": twisted(text=None),
    "set it aside": twisted(audio=Path("gone.wav")),
    "is no Path": twisted(audio="a.wav"),
    "has the sex 'female'": twisted(sex="female"),
    "reaches from 2.0 to 1.0": twisted(start_s=2.0, end_s=1.0),
    "1 ratings of 2 phones": twisted(phones="M IY", ratings=(1.0,)),
    "are not in order": twisted(spans=(Span("M", 1.0, 2.0), Span("IY", 0.0, 1.0))),
    "span backwards": twisted(spans=(Span("M", 1.0, 0.5),)),
    "without a reason": lambda corpus: replace(corpus, set_aside=(SetAside("x", ""),)),
    "not a Corpus": lambda corpus: list(corpus.utterances),  # type: ignore[return-value]
    "not named": lambda corpus: replace(corpus, licence=""),
    "finds no utterance": lambda corpus: replace(corpus, utterances=()),
    "does not take the language": lambda corpus: replace(corpus, language="en-US"),
}


@pytest.mark.parametrize("complaint", DEVIANTS)
def test_a_deviant_reader_is_found_out(complaint: str, tmp_path: Path) -> None:
    path = of_table(tmp_path)

    def read(path: str, **named: str | None) -> Corpus:
        return DEVIANTS[complaint](table.read(path, **named))  # type: ignore[arg-type]

    with pytest.raises(ConformanceError, match=complaint):
        check_reader(read, path)


def test_a_reader_may_neither_fail_nor_invent(tmp_path: Path) -> None:
    path = of_table(tmp_path)
    calls: list[Utterance] = []

    def broken(path: str, **named: str | None) -> Corpus:
        raise KeyError(path)

    def invents(path: str, **named: str | None) -> Corpus:
        return table.read(str(tmp_path / "c.csv"), **named)  # type: ignore[arg-type]

    def counts(path: str, **named: str | None) -> Corpus:
        corpus = table.read(path, **named)  # type: ignore[arg-type]
        calls.extend(corpus.utterances)
        return replace(corpus, utterances=tuple(calls[:2] if len(calls) > 4 else calls[:1]))

    def trips(path: str, **named: str | None) -> Corpus:
        if "nothing" in path:
            raise FileNotFoundError(path)
        return table.read(path, **named)  # type: ignore[arg-type]

    for read, complaint in (
        (broken, "reading fails with KeyError"),
        (invents, "reads a corpus that is not there"),
        (counts, "read otherwise"),
        (trips, "is not there gives FileNotFoundError"),
    ):
        with pytest.raises(ConformanceError, match=complaint):
            check_reader(read, path)
    with pytest.raises(ConformanceError, match="fits does not know"):
        check_reader(table.read, path, lambda _: False)
