"""What a take is checked for, and what a recording session keeps."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import nativeear
from nativeear.indexer.readers.table import read
from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessor import Assessor
from nativeear.service.recording.checks import check_take
from nativeear.service.recording.session import RecordingSession
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError
from tests.support.catalogues import PLURALS, lacks

ROOT = Path(__file__).parents[2]
TEXT = "Your message has been saved."
PAGE = ROOT / "service" / "record_page"


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return nativeear.load("en-US")


@pytest.fixture(scope="module")
def prompt() -> Audio:
    said = Audio.load(ROOT / "service" / "data" / "vm-msgsaved.flac").samples
    quiet = np.random.default_rng(0).normal(0, 1e-4, 8000).astype(np.float32)
    return Audio(np.concatenate([quiet, said, quiet]))


def faults_of(assessor: Assessor, audio: Audio, text: str = TEXT) -> list[str]:
    found = check_take(audio, assessor.assess(audio, text))
    return [fault for fault, _ in found.faults]


def test_a_good_take_has_no_fault(assessor: Assessor, prompt: Audio) -> None:
    assert faults_of(assessor, prompt) == []


def test_what_is_soft_distorted_or_noisy_is_refused(assessor: Assessor, prompt: Audio) -> None:
    assert faults_of(assessor, Audio(prompt.samples * np.float32(0.02))) == ["soft"]
    assert "clipped" in faults_of(assessor, Audio(np.clip(prompt.samples * 20, -1, 1)))
    noise = np.random.default_rng(0).normal(0, 0.03, len(prompt.samples)).astype(np.float32)
    assert "noisy" in faults_of(assessor, Audio(prompt.samples + noise))


def test_another_text_is_refused(assessor: Assessor, prompt: Audio) -> None:
    assert "other-text" in faults_of(assessor, prompt, "She bought eleven oranges at the market.")
    longer = check_take(prompt, assessor.assess(prompt, "Your message has been really saved."))
    assert ("omitted", "really") in longer.faults


def test_a_session_keeps_what_was_read(tmp_path: Path, prompt: Audio) -> None:
    index = PhoneIndex.open(find_index("en-US"))
    begun = RecordingSession.open(tmp_path / "reads", index, 0.5)
    anna = begun.enter("Anna K.", "female")
    assert anna.id == "anna-k"
    assert begun.enter("ANNA K", "").sex == "female"  # who is known stays as she was
    begun.keep(anna, 2, prompt)
    begun.keep(anna, 2, prompt)
    session = RecordingSession.open(tmp_path / "reads", index, 20.0)  # goes on
    assert session.script == begun.script
    assert [take.id for take in session.takes()] == ["anna-k-002"]
    session.write_table()
    (utterance,) = read(str(tmp_path / "reads")).utterances
    assert (utterance.text, utterance.speaker, utterance.sex) == (session.text(2), "anna-k", "f")
    assert Audio.load(utterance.audio).duration_s == pytest.approx(prompt.duration_s)
    session.drop(anna, 2)
    assert session.takes() == []
    assert not list(tmp_path.rglob("*.part"))


def test_what_is_no_name_no_speaker_or_no_line_is_refused(tmp_path: Path) -> None:
    index = PhoneIndex.open(find_index("en-US"))
    session = RecordingSession.open(tmp_path, index, 0.2)
    for name in ("..", "/", "  "):
        with pytest.raises(InputError):
            session.enter(name, "")
    assert session.speaker("../speakers") is None
    for line in (0, len(session.script.lines) + 1):
        with pytest.raises(InputError):
            session.text(line)


@pytest.mark.parametrize("tag", PLURALS)
def test_the_page_speaks_every_language_of_the_learners_page(tag: str) -> None:
    english, own = (
        json.loads((PAGE / "texts" / f"{each}.json").read_text("utf-8")) for each in ("en", tag)
    )
    assert lacks(own, english, tag) == []
    same = [key for key, text in own.items() if text == english.get(key)]
    assert tag == "en" or len(same) < 3, same


def test_every_text_of_the_page_is_used_and_there() -> None:
    html = (PAGE / "index.html").read_text("utf-8")
    code = "".join(path.read_text("utf-8") for path in PAGE.glob("*.js"))
    own = json.loads((PAGE / "texts" / "en.json").read_text("utf-8"))
    everybodys = json.loads((ROOT / "service" / "page" / "texts" / "en.json").read_text("utf-8"))
    for key, text in re.findall(r'data-text="([\w.]+)">([^<]*)<', html):
        assert {**everybodys, **own}[key] == text
    for key, text in re.findall(r'aria-label="([^"]*)" data-label="([\w.]+)"', html):
        assert {**everybodys, **own}[text] == key
    used = set(re.findall(r'"(record(?:\.\w+)+)"', code + html)) - {"record.css", "record.js"}
    plural = {f"{key}.{form}" for key in re.findall(r'\btn\("([\w.]+)"', code)
              for form in ("one", "other")}  # fmt: skip
    assert not plural - set(own)
    unused = {key for key in own if key not in used | plural}
    faults = {"soft", "clipped", "noisy", "other-text"}
    faults |= {"omitted", "repeated", "restart", "extra"}
    assert unused == {f"record.fault.{fault}" for fault in faults}
    assert not {key for key in used - set(own) if f"{key}.one" not in own}
    for unsafe in ("innerHTML", "eval(", "cssText"):
        assert unsafe not in code
