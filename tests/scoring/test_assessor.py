from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.deviations import InsertedPhone
from nativeear.retriever.evidence import sounds_like
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.assessor import Assessor
from nativeear.scoring.grading import combine
from nativeear.scoring.reading import NOT_OF_THIS_TEXT
from nativeear.scoring.results import insertion
from nativeear.speech.aligners.textgrid import read_alignment
from nativeear.speech.alignment import SILENCE, AlignedPhone, Alignment
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.encoders.spectral import SpectralEncoder
from nativeear.speech.errors import AlignmentError, EncoderError, InputError
from nativeear.speech.frames import Frames
from nativeear.speech.pronunciation import Pronouncer
from nativeear.speech.steadying import steadied
from tests.conftest import PAUSE_S, RATE, SOUNDS, recording, textgrid


@dataclass(frozen=True)
class GridAligner:
    """Lays phones, one after another, on the spans of the TextGrid of a WAV file beside it."""

    path: Path
    name: str = "grid"

    def align(
        self, audio: Audio, pronunciation: Pronunciation, frames: Frames | None = None
    ) -> Alignment:
        given = Audio.load(self.path.with_suffix(".wav"))
        at_s = steadied(given).start_s  # where what is heard of it begins
        alignment = read_alignment(
            self.path, Pronouncer("en-US").inventory, duration_s=given.duration_s
        )
        canonical = pronunciation.canonical()
        if len(canonical) != len(alignment.spoken):
            raise AlignmentError("The phones do not fit the recording.")
        words = tuple(word.word for word in pronunciation.words)
        meant = iter(canonical)
        phones = tuple(
            phone
            if phone.is_silence
            else type(phone)(
                (said := next(meant)).phone,
                phone.start_s - at_s,
                phone.end_s - at_s,
                said.word_index,
            )
            for phone in alignment.phones
        )
        return Alignment(phones, words, tuple(0 for _ in words), self.name)


@pytest.fixture
def said() -> list[str]:
    return ["M", "IY", "S", "AA", "S", "IY", "M", "AA"]


@pytest.fixture
def wav(tmp_path: Path, said: list[str]) -> Path:
    samples, spans = recording(said, seed=99)
    soundfile.write(tmp_path / "learner.wav", samples, RATE)
    (tmp_path / "learner.TextGrid").write_text(textgrid(spans, "word"), encoding="utf-8")
    return tmp_path / "learner.wav"


@pytest.fixture
def assessor(tone_index: PhoneIndex, wav: Path) -> Assessor:
    return Assessor(
        tone_index,
        SpectralEncoder(),
        GridAligner(wav.with_suffix(".TextGrid")),
        Pronouncer("en-US"),
    )


def test_a_result_names_the_encoder_as_the_index_does(tone_index: PhoneIndex, wav: Path) -> None:
    class FromFolder(SpectralEncoder):
        name = "/srv/models/spectral"
        fingerprint = SpectralEncoder().fingerprint

    encoder = FromFolder()
    aligner = GridAligner(wav.with_suffix(".TextGrid"))
    assessor = Assessor(tone_index, encoder, aligner, Pronouncer("en-US"))
    result = assessor.assess(wav, phones="M IY | S AA S | IY M AA")
    assert result.encoder == "spectral"


def test_every_field_is_filled_or_null(assessor: Assessor, wav: Path, said: list[str]) -> None:
    result = assessor.assess(wav, phones="M IY | S AA S | IY M AA")
    assert (result.id, result.language, result.index) == ("learner", "en-US", "tones")
    assert (result.encoder, result.calibration) == ("spectral", "training-free")
    assert [phone.phone for phone in result.phones] == said
    assert [phone.ipa for phone in result.phones[:4]] == ["m", "i", "s", "ɑ"]
    assert result.score.pronunciation is not None
    assert result.score.pronunciation > 60
    assert result.score.completeness == 100
    assert result.fluency is not None
    assert result.fluency.syllables_per_s == pytest.approx(4.2, abs=1.2)
    assert result.fluency.words_per_minute == pytest.approx(190, abs=50)
    assert result.score.fluency is not None
    assert result.prosody is not None
    assert result.prosody.f0 is not None
    assert result.prosody.f0.median_hz == pytest.approx(120, abs=15)
    assert result.prosody.contour is not None
    assert len(result.prosody.contour.t_s) == len(result.prosody.contour.f0_hz)
    for word in result.words:
        assert word.start_s is not None
        assert word.end_s is not None
        assert word.start_s < word.end_s
        assert not word.omitted
    for phone in result.phones:
        assert phone.sounds_like[0].phone == phone.phone
        assert phone.knn.coverage == assessor.index.manifest.counts.phones[phone.phone]
        assert 0 <= (phone.probability_mispronounced or 0.0) <= 1
        assert phone.gop.sf is None, "the spectral encoder has no phone head"
        assert phone.evidence
        for item in phone.evidence:
            assert assessor.index.exemplar(item.exemplar).phone == item.phone


def test_words_per_minute_count_words_that_were_said_right(assessor: Assessor, wav: Path) -> None:
    right = assessor.assess(wav, phones="M IY | S AA S | IY M AA").fluency
    wrong = assessor.assess(wav, phones="M IY | AA S AA | IY M AA").fluency
    assert right is not None and wrong is not None
    assert right.words_correct_per_minute and wrong.words_correct_per_minute
    assert wrong.words_correct_per_minute == pytest.approx(right.words_correct_per_minute * 2 / 3)


def test_every_phone_shows_what_was_heard_and_how_natives_say_it(
    assessor: Assessor, wav: Path
) -> None:
    said = "M IY S S S IY M AA"
    result = assessor.assess(wav, phones=said)
    recording = Audio.load(wav)
    start_s = steadied(recording).start_s
    evidence = assessor.gather_evidence(recording, assessor.pronounce(None, said))
    index = assessor.index
    for phone, own, laid in zip(result.phones, evidence.retrieval, evidence.phones, strict=True):
        laid_s = (laid.start_s + start_s, laid.end_s + start_s)
        assert phone.phone == laid.phone
        assert (phone.start_s, phone.end_s) == pytest.approx(laid_s)
        near = dict(zip(own.neighbours[:3], own.similarities[:3], strict=True))
        near |= dict(zip(own.models, own.model_similarities, strict=True))
        assert [(item.exemplar, item.similarity) for item in phone.evidence] == [*near.items()]
        for item in phone.evidence:
            row = index.exemplar(item.exemplar)
            assert (item.phone, item.word, item.speaker) == (row.phone, row.word, row.speaker)
        assert phone.knn.margin == own.margin
        assert phone.knn.canonical_share == own.canonical_share
        assert (phone.knn.k, phone.knn.coverage) == (len(own.neighbours), own.coverage)
        told = [(each.phone, each.probability) for each in phone.sounds_like]
        assert told == [*sounds_like(index, own)]
        likeliest = [(each.phone, round(each.score / 100, 4)) for each in phone.nbest]
        assert likeliest[: len(told)] == [(name, round(p, 4)) for name, p in told]
        assert 1 <= len(likeliest) <= 5
        assert SILENCE not in dict(likeliest)
        scores = [each.score for each in phone.nbest]
        assert scores == sorted(scores, reverse=True)


def test_words_and_syllables_are_made_of_their_phones(assessor: Assessor, wav: Path) -> None:
    result = assessor.assess(wav, phones="M IY S AA | S IY M AA")
    for word, first in zip(result.words, (0, 4), strict=True):
        phones = result.phones[first : first + 4]
        assert word.phones == phones
        assert word.score == combine([phone.score for phone in phones])
        assert (word.start_s, word.end_s) == (phones[0].start_s, phones[-1].end_s)
        assert word.syllables[0].phones[0] == 0
        assert word.syllables[-1].phones[1] == 4
        for syllable in word.syllables:
            own = phones[slice(*syllable.phones)]
            assert syllable.score == combine([phone.score for phone in own])


def test_phones_and_syllables_tell_their_letters(assessor: Assessor, wav: Path) -> None:
    (word,) = assessor.assess(wav, "Mesasima", phones="M IY S AA S IY M AA").words
    assert [phone.grapheme for phone in word.phones] == ["M", "e", "s", "a", "s", "i", "m", "a"]
    assert [syllable.grapheme for syllable in word.syllables] == ["Me", "sa", "si", "ma"]
    (other,) = assessor.assess(wav, "Zha", phones="ZH AA").words  # not what was said
    assert [phone.grapheme for phone in other.phones] == ["Zh", "a"]
    (unnamed,) = assessor.assess(wav, phones="M IY S AA S IY M AA").words
    assert {phone.grapheme for phone in unnamed.phones} == {None}
    assert {syllable.grapheme for syllable in unnamed.syllables} == {None}


def test_given_phones_are_judged_as_they_stand_and_the_wrong_one_is_blamed(
    assessor: Assessor, wav: Path
) -> None:
    result = assessor.assess(wav, phones="M IY S S S IY M AA", id="mine")
    assert result.id == "mine"
    assert [phone.phone for phone in result.phones] == ["M", "IY", "S", "S", "S", "IY", "M", "AA"]
    blamed = [i for i, phone in enumerate(result.phones) if phone.verdict != "correct"]
    assert blamed == [3]
    assert result.phones[3].verdict == "substituted"
    assert result.phones[3].sounds_like[0].phone == "AA"
    assert (result.phones[3].score or 0.0) < 50


def test_a_phone_that_the_index_lacks_is_uncertain_with_its_coverage(
    assessor: Assessor, wav: Path
) -> None:
    result = assessor.assess(wav, phones="M IY ZH AA S IY M AA")
    phone = result.phones[2]
    assert (phone.verdict, phone.score, phone.knn.coverage) == ("uncertain", None, 0)
    assert any("cannot judge ʒ" in warning for warning in result.warnings)


def test_of_a_recording_of_another_text_nothing_is_judged(assessor: Assessor, wav: Path) -> None:
    for phones in ("M IY | ZH", "ZH ZH"):
        result = assessor.assess(wav, phones=phones)
        assert result.reading is not None
        assert not result.reading.matches
        assert result.reading.likelihood < 0.5
        assert not result.reading.events
        assert set(result.score.model_dump().values()) == {None}
        assert not result.remarks
        assert not result.insertions
        assert result.warnings[0] == NOT_OF_THIS_TEXT
        assert len(result.warnings) == 1
        for phone in result.phones:
            assert (phone.verdict, phone.score, phone.start_s) == ("uncertain", None, None)
            assert phone.knn.coverage == assessor.index.manifest.counts.phones.get(phone.phone, 0)


@pytest.mark.parametrize(("after", "word"), [(0, -1), (1, 0), (2, 0), (3, 1), (4, 1)])
def test_an_insertion_comes_after_the_last_word_that_had_begun(after: int, word: int) -> None:
    phones = tuple(
        AlignedPhone(phone, float(i), i + 1.0, of)
        for i, (phone, of) in enumerate(
            ((SILENCE, -1), ("M", 0), (SILENCE, -1), ("S", 1), (SILENCE, -1))
        )
    )
    alignment = Alignment(phones, ("m", "s"), (0, 0), "test")
    found = insertion(alignment, InsertedPhone(after, "IY", 0.5, 0.75, 0.9))
    assert (found.after_word_index, found.phone) == (word, "IY")
    assert (found.start_s, found.end_s) == (0.5, 0.75)


def test_own_exemplars_can_be_left_out(tone_corpus: Path, tone_index: PhoneIndex) -> None:
    path = next(tone_corpus.rglob("anna03.wav"))
    grid = GridAligner(path.with_suffix(".TextGrid"))
    own = read_alignment(grid.path, Pronouncer("en-US").inventory).spoken
    assessor = Assessor(tone_index, SpectralEncoder(), grid, Pronouncer("en-US"))
    (utterance,) = (u for u in tone_index.utterances[1] if u[1].endswith("anna03"))
    phones = " ".join(phone.phone for phone in own)
    whole = assessor.assess(path, phones=phones)
    left_out = assessor.assess(path, phones=phones, exclusion=Exclusion(frozenset({utterance})))
    assert max(item.similarity for item in whole.phones[0].evidence) > 0.999
    for phone in left_out.phones:
        for item in phone.evidence:
            assert tone_index.exemplar(item.exemplar).utterance != utterance[1]


@pytest.mark.parametrize("given", [{}, {"text": "  "}, {"phones": ""}])
def test_there_must_be_something_to_assess_against(
    assessor: Assessor, wav: Path, given: dict[str, str]
) -> None:
    with pytest.raises(InputError, match="neither a text nor phones"):
        assessor.assess(wav, **given)


def test_what_is_no_text_is_refused(assessor: Assessor, wav: Path) -> None:
    for given in (float("nan"), b"see", ["M", "IY"]):
        with pytest.raises(InputError, match="is a string, not "):
            assessor.assess(wav, given)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="is a string, not "):
            assessor.assess(wav, phones=given)  # type: ignore[arg-type]


def test_bytes_files_and_loaded_audio_are_assessed_alike(assessor: Assessor, wav: Path) -> None:
    phones = "M IY S AA S IY M AA"
    by_path = assessor.assess(wav, phones=phones, id="x")
    assert assessor.assess(wav.read_bytes(), phones=phones, id="x") == by_path
    assert assessor.assess(Audio.load(wav), phones=phones, id="x") == by_path
    with wav.open("rb") as stream:
        assert assessor.assess(stream, phones=phones, id="x") == by_path


def test_another_encoder_than_the_index_s_own_is_refused(tone_index: PhoneIndex, wav: Path) -> None:
    class Other(SpectralEncoder):
        fingerprint = "sha256:other"  # type: ignore[assignment]

    with pytest.raises(EncoderError, match="built with another encoder"):
        Assessor(tone_index, Other(), GridAligner(wav), Pronouncer("en-US"))


def test_the_result_is_the_json_contract(assessor: Assessor, wav: Path) -> None:
    told = assessor.assess(wav, phones="M IY S AA S IY M AA").model_dump()
    assert set(told) == {
        "id", "language", "index", "encoder", "calibration", "false_rejections", "duration_s",
        "score", "words",
        "insertions", "remarks", "fluency", "prosody", "explanation", "level",
        "transcript", "reading", "accent", "second_ear", "language_use", "warnings",
    }  # fmt: skip
    assert set(told["words"][0]) == {
        "word", "start_s", "end_s", "score", "stress", "omitted", "variant", "syllables",
        "phones",
    }  # fmt: skip
    assert set(told["words"][0]["phones"][0]) == {
        "phone", "ipa", "grapheme", "start_s", "end_s", "score", "verdict",
        "probability_mispronounced", "sounds_like", "nbest", "knn", "gop", "boundary_doubt",
        "evidence", "feedback", "advice",
    }  # fmt: skip
    assert set(told["words"][0]["phones"][0]["knn"]) == {
        "margin", "canonical_share", "k", "coverage",
    }  # fmt: skip


def test_the_tones_are_what_the_tests_take_them_for() -> None:
    samples, spans = recording(list(SOUNDS), seed=1)
    assert len(samples) / SAMPLE_RATE == pytest.approx(spans[-1][1], abs=1e-3)
    assert spans[0][1] == PAUSE_S
    assert np.abs(samples).max() < 1
