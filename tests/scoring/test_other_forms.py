"""No form of a word is blamed for not being another: a native's prompt under other dictionaries."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import nativeear
import nativeear.scoring.judging
import nativeear.speech.reading.head
from nativeear.scoring.assessment import Assessment, WordAssessment
from nativeear.scoring.assessor import Assessor
from nativeear.scoring.other_forms import with_phones
from nativeear.scoring.verdicts import FLAGGED
from nativeear.speech.alignment import SILENCE, AlignedPhone, Alignment
from nativeear.speech.audio import Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.frames import Frames
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.reading.reading import Reading, read_text

RECORDING = Path(__file__).parents[2] / "service" / "data" / "auth-incorrect.flac"
TEXT = "Password incorrect. Please enter your password followed by the pound key."
CALIBRATIONS = ("expert", "training-free")


@pytest.fixture(scope="module", params=CALIBRATIONS)
def shipped(request: pytest.FixtureRequest) -> Assessor:
    return nativeear.load(calibration=request.param)


@pytest.fixture
def assessor(shipped: Assessor) -> Iterator[Assessor]:
    before = shipped.pronouncer, shipped.aligner
    yield shipped
    shipped.pronouncer, shipped.aligner = before


def heard(assessor: Assessor, word: str, *forms: str) -> WordAssessment:
    """The word as it is judged when a dictionary lists these forms and no others."""
    assessor.pronouncer = Pronouncer(lexicon={word: list(forms)})
    (found,) = (w for w in assessor.assess(RECORDING, TEXT).words if w.word == word)
    return found


def flagged(word: WordAssessment) -> list[str]:
    return [phone.phone for phone in word.phones if phone.verdict in FLAGGED]


@pytest.mark.parametrize(
    ("word", "said", "other"),
    [("followed", "F AA L OW D", "F UW L OW D"), ("key", "K IY", "K AY"),
     ("pound", "P AW N D", "P AW N"), ("enter", "EH N T ER", "AE N T R AH")],
)  # fmt: skip
def test_the_form_that_was_said_is_taken_wherever_it_is_listed(
    assessor: Assessor, word: str, said: str, other: str
) -> None:
    for variant, forms in enumerate([(said, other), (other, said)]):
        found = heard(assessor, word, *forms)
        assert found.variant == variant
        assert [phone.phone for phone in found.phones] == said.split()
        assert flagged(found) == []


def test_a_form_that_was_not_said_is_still_an_error(assessor: Assessor) -> None:
    assert flagged(heard(assessor, "key", "K AY"))
    assert flagged(heard(assessor, "followed", "F IY L OW D"))
    assert flagged(heard(assessor, "followed", "F IY L OW D", "F UW L OW D"))


def test_a_form_that_was_laid_by_mistake_is_not_blamed(
    assessor: Assessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_its_first_form(meant: Pronunciation, *rest: Any, **named: Any) -> Reading:
        return read_text(meant.narrowed(), *rest, **named)

    monkeypatch.setattr(nativeear.speech.reading.head, "read_text", as_its_first_form)
    found = heard(assessor, "followed", "F IY L OW D", "F AA L OW D")
    assert (found.variant, flagged(found)) == (0, [])
    monkeypatch.setattr(
        nativeear.scoring.judging,
        "accepted_phones",
        lambda meant, taken: ((),) * len(meant.canonical(taken)),
    )
    assert "IY" in flagged(heard(assessor, "followed", "F IY L OW D", "F AA L OW D"))


def test_a_vowel_that_natives_merge_is_right_and_another_is_not(
    assessor: Assessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert flagged(heard(assessor, "followed", "F AO L OW D")) == []
    monkeypatch.setattr("nativeear.speech.forms._merged", lambda language: {})
    assert flagged(heard(assessor, "followed", "F AO L OW D")) == ["AO"]


def test_phones_that_were_given_are_judged_as_they_stand(assessor: Assessor) -> None:
    def vowel(phones: str) -> str:
        whole = "P AE S W ER D | IH N K ER EH K T | P L IY Z | EH N T ER | Y AO R | P AE S W ER D"
        given = f"{whole} | {phones} | B AY | DH AH | P AW N D | K IY"
        word = assessor.assess(RECORDING, TEXT, phones=given).words[6]
        assert word.variant == 0
        return word.phones[1].verdict

    assert vowel("F AA L OW D") == "correct"
    assert vowel("F AO L OW D") in FLAGGED


def test_which_form_was_heard_is_a_field_and_no_warning(assessor: Assessor) -> None:
    result: Assessment = assessor.assess(RECORDING, TEXT)
    listed = assessor.pronounce(TEXT).words
    for word, pronunciation in zip(result.words, listed, strict=True):
        assert word.variant is not None
        form = pronunciation.variants[word.variant]
        assert tuple(phone.phone for phone in word.phones) == form.phones
    assert any(word.variant for word in result.words)
    assert not [warning for warning in result.warnings if "variant" in warning]
    assert result.to_frame("words")["variant"].tolist() == [w.variant for w in result.words]
    assert '"variant":' in result.model_dump_json()


class Forgetful:
    """An aligner that names no forms, as it may, and lies a little late."""

    name = "forgetful"

    def __init__(self, aligner: object) -> None:
        self._aligner = aligner

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        found = self._aligner.align(audio, pronunciation.narrowed(), frames)  # type: ignore[attr-defined]
        first, *middle, last = found.phones
        late = [replace(p, start_s=p.start_s + 0.08, end_s=p.end_s + 0.08) for p in middle]
        phones = (
            replace(first, end_s=first.end_s + 0.08),
            *late,
            replace(last, start_s=last.start_s + 0.08),
        )
        return Alignment(phones, found.words, aligner=self.name)


def test_an_aligner_need_not_name_the_forms_that_it_took(
    assessor: Assessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = assessor.assess(RECORDING, TEXT)
    monkeypatch.setattr(assessor, "aligner", Forgetful(assessor.aligner))
    result = assessor.assess(RECORDING, TEXT)
    assert [word.variant for word in result.words] == [word.variant for word in usual.words]
    assert all(word.phones for word in result.words)


def test_phones_are_exchanged_by_their_place_among_those_that_are_said() -> None:
    spans = [(SILENCE, -1), ("K", 0), ("AO", 0), (SILENCE, -1), ("T", 1)]
    phones = tuple(AlignedPhone(phone, i, i + 1.0, word) for i, (phone, word) in enumerate(spans))
    found = with_phones(Alignment(phones, ("a", "b"), (3, 0), "x"), {1: "AA"})
    assert [phone.phone for phone in found.phones] == [SILENCE, "K", "AA", SILENCE, "T"]
    assert (found.variants, found.words, found.aligner) == ((3, 0), ("a", "b"), "x")
