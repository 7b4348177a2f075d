"""A page in Chromium and Python say the same of ten recordings: natives, noise, slips, quiet."""

from dataclasses import replace
from pathlib import Path

import numpy as np

import nativeear
from nativeear.scoring.assessment import Assessment
from nativeear.speech.audio import Audio
from tests.support.aligned import DATA, PROMPTS
from tests.support.browser import (
    ASSESS,
    LOAD,
    apart,
    chromium,
    hosted,
    needs_package,
    without_rounding,
)

SLIPS = (
    "Your massage has Ben's shaved.",
    "Thank you. Police holed while I tempt to collect you with your par tea!",
    "Passport in correct. Please enter your pass word followed by the bound key.",
)
NOISE_DB = 20

pytestmark = needs_package


def noisy(audio: Audio) -> Audio:
    """The same in white noise."""
    level = float(np.sqrt(np.mean(audio.samples**2))) * 10 ** (-NOISE_DB / 20)
    noise = np.random.default_rng(0).normal(0, level, len(audio.samples))
    return replace(audio, samples=(audio.samples + noise).astype(np.float32))


def ten() -> list[tuple[Audio, str]]:
    prompts = [(Audio.load(DATA / name), text) for name, text in PROMPTS]
    in_noise = [(noisy(audio), text) for audio, text in prompts]
    slips = [(audio, said) for (audio, _), said in zip(prompts, SLIPS, strict=True)]
    quiet = replace(prompts[0][0], samples=prompts[0][0].samples * np.float32(0.05))
    return [*prompts, *in_noise, *slips, (quiet, prompts[0][1])]


def test_verdicts_scores_and_times_are_those_of_python(demo: Path) -> None:
    said = ten()
    assessor = without_rounding(nativeear.load("en-US"))
    theirs = [assessor.assess(audio, text) for audio, text in said]
    with chromium() as browser, hosted(demo) as url:
        page = browser.new_page()
        page.goto(f"{url}nativeear/")
        page.evaluate(LOAD, 1)
        found = [page.evaluate(ASSESS, [audio.samples.tolist(), text])[1] for audio, text in said]
    ours = [Assessment.model_validate(each) for each in found]
    pairs = list(zip(ours, theirs, strict=True))
    agree, scores, times = (
        np.concatenate([each[i] for each in (apart(*both) for both in pairs)]) for i in range(3)
    )
    assert len(agree) > 250
    assert agree.mean() >= 0.995
    assert (scores <= 0.5).mean() >= 0.97
    assert (times <= 0.010).mean() >= 0.98
    assert any(phone.verdict != "correct" for each in ours[6:9] for phone in each.phones)
    for one, other in pairs:
        assert [each.grapheme for each in one.phones] == [each.grapheme for each in other.phones]
        assert (one.fluency is None, one.prosody is None) == (
            other.fluency is None,
            other.prosody is None,
        )
        for name in ("overall", "pronunciation", "fluency", "prosody", "completeness"):
            ours_is, theirs_is = getattr(one.score, name), getattr(other.score, name)
            assert (ours_is is None) == (theirs_is is None), name
            assert ours_is is None or abs(ours_is - theirs_is) <= 2, name
