from pathlib import Path

import pytest
import soundfile

from nativeear.indexes.manifest import Manifest
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessor import Assessor
from nativeear.scoring.reliability import (
    LEAST_ACCURACY,
    USUAL_ACCURACY,
    reliability_warnings,
    usefulness,
)
from nativeear.speech.encoders.spectral import SpectralEncoder
from nativeear.speech.pronunciation import Pronouncer
from tests.conftest import RATE, recording, textgrid
from tests.scoring.test_assessor import GridAligner


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    samples, spans = recording(["M", "IY", "S", "AA", "S", "IY", "M", "AA"], seed=99)
    soundfile.write(tmp_path / "learner.wav", samples, RATE)
    (tmp_path / "learner.TextGrid").write_text(textgrid(spans, "word"), encoding="utf-8")
    return tmp_path / "learner.wav"


@pytest.fixture
def assessor(tone_index: PhoneIndex, wav: Path) -> Assessor:
    grid = GridAligner(wav.with_suffix(".TextGrid"))
    return Assessor(tone_index, SpectralEncoder(), grid, Pronouncer("en-US"))


def of_accuracy(manifest: Manifest, accuracy: float) -> Manifest:
    decision = manifest.decision.model_copy(update={"native_accuracy": accuracy})
    return manifest.model_copy(update={"decision": decision})


def test_an_index_is_told_from_what_it_should_reach() -> None:
    assert usefulness(LEAST_ACCURACY - 0.01).startswith("Nothing that it says can be trusted")
    assert usefulness(LEAST_ACCURACY).startswith("That is less than usual")
    assert usefulness(USUAL_ACCURACY[0]).startswith("That is as it should be")
    for accuracy in (0.0, 0.8, 1.0):
        assert "88% to 96%" in usefulness(accuracy)


def test_a_useless_index_is_named_before_any_score(tone_index: PhoneIndex) -> None:
    assert reliability_warnings(tone_index.manifest, ()) == []
    (told,) = reliability_warnings(of_accuracy(tone_index.manifest, 0.6), ())
    assert told.startswith("The index tones hears 60% of its own left-out natives right. Nothing")


@pytest.mark.parametrize(
    ("phones", "warned"),
    [
        ("M IY S AA S IY M AA", None),
        ("M IY ZH AA S IY ZH ZH", None),
        ("ZH IY ZH AA ZH IY ZH ZH", "cannot judge 5 of the 8 sounds of this recording, so that"),
    ],
)
def test_how_few_sounds_the_scores_speak_of_is_said(
    assessor: Assessor, wav: Path, phones: str, warned: str | None
) -> None:
    result = assessor.assess(wav, phones=phones)
    told = [w for w in result.warnings if "of this recording" in w]
    assert [warned in w for w in told if warned] == [True] * bool(warned)
    assert bool(told) is bool(warned)
    scores = result.score.model_dump()
    if warned is not None:
        assert set(scores.values()) == {None}, "nothing is scored of what cannot be judged"
        assert result.fluency is not None
        assert result.fluency.syllables_per_s is not None
        unjudged = [phone for phone in result.phones if phone.verdict == "uncertain"]
        of_none = " ".join(reliability_warnings(assessor.index.manifest, unjudged))
        assert "can judge no sound of this recording, so that nothing is" in of_none
    else:
        assert scores["completeness"] == 100.0
        assert scores["pronunciation"] is not None


def test_gop_that_is_missing_for_want_of_a_phone_head_is_said(
    assessor: Assessor, wav: Path
) -> None:
    result = assessor.assess(wav, phones="M IY S AA S IY M AA")
    assert {phone.gop.sf for phone in result.phones} == {None}
    assert (
        "GOP was not measured, retrieval alone judges. The encoder has no phone CTC head."
        in result.warnings
    )
