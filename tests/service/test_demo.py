import io
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import nativeear
from nativeear.service.demo import DONOR, MEANT, PROMPT, SAID, run_demo, splice
from nativeear.speech.alignment import AlignedPhone
from nativeear.speech.audio import Audio


def test_the_demo_blames_the_spliced_phone_and_no_other(tmp_path: Path) -> None:
    shown = io.StringIO()
    run_demo(Console(file=shown, width=100), keep=tmp_path)
    assert shown.getvalue().count("overall") == 2

    assessor = nativeear.load()
    native, spliced = (
        assessor.assess(tmp_path / name, PROMPT[1]) for name in ("native.wav", "spliced.wav")
    )
    assert {phone.verdict for phone in native.phones} == {"correct"}
    blamed = [
        (word.word.casefold(), phone.phone, phone.verdict, phone.sounds_like[0].phone)
        for word in spliced.words
        for phone in word.phones
        if phone.verdict != "correct"
    ]
    assert blamed == [(*MEANT, "substituted", SAID[1])]


def test_the_demo_prompts_are_not_in_the_index() -> None:
    _, utterances = nativeear.load().index.codes("utterance")
    for name, _ in (PROMPT, DONOR):
        assert (files("nativeear.service") / "data" / name).is_file()
        assert Path(name).stem not in utterances


def test_a_splice_replaces_the_span_and_nothing_else() -> None:
    prompt = Audio(np.zeros(16_000, np.float32))
    donor = Audio(np.ones(16_000, np.float32))
    target = AlignedPhone("S", 0.25, 0.35, 0)
    source = AlignedPhone("SH", 0.5, 0.75, 0)
    spliced = splice(prompt, target, donor, source)
    assert spliced.duration_s == pytest.approx(1.0 - 0.1 + 0.25)
    assert not spliced.samples[: round(0.25 * 16_000)].any()
    assert not spliced.samples[round(0.5 * 16_000) :].any()
    assert (spliced.samples[round(0.26 * 16_000) : round(0.49 * 16_000)] == 1).all()
