"""Phones heard in free speech, by the encoder and the index that come with the project."""

import numpy as np
import pytest

import nativeear
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.neighbours import Exclusion
from nativeear.scoring.assessor import Assessor
from nativeear.scoring.free.quality import OwnClassQuality
from nativeear.scoring.free.transcripts import decode_speech
from nativeear.service.report.page import render_page
from nativeear.service.result_textgrid import to_textgrid
from nativeear.speech.audio import SAMPLE_RATE, Audio
from nativeear.speech.errors import InputError
from tests.conftest import PROMPTS

PROMPT = PROMPTS / "vm-goodbye.g722"
needs_prompts = pytest.mark.skipif(
    not PROMPTS.is_dir(), reason="asterisk-core-sounds-en-g722 is not installed"
)


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return nativeear.load()


@needs_prompts
def test_native_speech_is_heard_and_scores_high(assessor: Assessor) -> None:
    result = assessor.assess_free(PROMPT)
    assert result.transcript is not None
    assert result.transcript.source == "phones"
    heard = {phone.phone for phone in result.phones}
    assert {"G", "D", "B"} & heard, "“goodbye”"
    assert (result.score.pronunciation or 0.0) > 60
    assert result.score.completeness is None
    assert result.calibration == "similarity"
    assert result.fluency is not None
    assert result.fluency.words_per_minute is None
    for phone in result.phones:
        assert phone.verdict in {"correct", "accented", "uncertain"}
        assert phone.probability_mispronounced is None
        assert phone.gop.sf is None
    assert result.remarks == ()
    assert any("replaced by another" in warning for warning in result.warnings)
    grid = to_textgrid(result)
    assert len(grid.tiers[1].intervals) == len(result.phones)
    assert "replaced by another" in render_page(result, Audio.load(PROMPT), assessor.index)


@needs_prompts
def test_runs_part_at_pauses(assessor: Assessor) -> None:
    said = Audio.load(PROMPT).samples
    audio = Audio(np.concatenate([said, np.zeros(SAMPLE_RATE, np.float32), said]))
    decoded = decode_speech(assessor.encoder.encode(audio), audio, assessor.inventory)
    assert decoded is not None
    first, second = decoded.transcript.words
    assert first.end_s < len(said) / SAMPLE_RATE + 0.1 < second.start_s
    assert all(0 < run.confidence <= 1 for run in (first, second))


def test_a_recording_without_speech_is_refused(assessor: Assessor) -> None:
    rng = np.random.default_rng(0)
    noise = Audio((rng.normal(size=SAMPLE_RATE) * 0.01).astype(np.float32))
    with pytest.raises(InputError, match="No speech was heard"):
        assessor.assess_free(noise)


def test_own_sounds_are_like_their_kind_and_other_sounds_are_not(tone_index: PhoneIndex) -> None:
    from nativeear.speech.encoders.spectral import SpectralEncoder
    from nativeear.speech.pooling import pool
    from tests.conftest import recording

    said = ["M", "IY", "S", "AA"]
    samples, spans = recording(said, seed=7)
    frames = SpectralEncoder().encode(Audio(samples))
    embeddings = pool(frames, [s[:2] for s in spans if s[2]], tone_index.manifest.pooling)
    quality = OwnClassQuality(tone_index)
    right = quality.grades(embeddings, said, Exclusion())
    wrong = quality.grades(embeddings, ["S", "AA", "IY", "M"], Exclusion())
    assert min(grade.score or 0.0 for grade in right) > 20
    assert max(grade.score or 0.0 for grade in wrong) < 20
    assert {grade.verdict for grade in wrong} == {"accented"}
    assert quality.grades(embeddings[:1], ["ZH"], Exclusion())[0].verdict == "uncertain"
