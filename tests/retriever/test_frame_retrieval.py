import numpy as np

from indexes.phone_index import PhoneIndex
from retriever.frame_retrieval import FrameRetrieval, span_weights
from retriever.neighbours import Exclusion
from speech.audio import Audio
from speech.encoders.spectral import SpectralEncoder
from speech.frames import Frames
from tests.conftest import RATE, recording


def test_frames_resemble_what_was_said(tone_index: PhoneIndex) -> None:
    samples, spans = recording(["M", "IY", "S", "AA"], seed=7)
    frames = SpectralEncoder().encode(Audio.from_samples(samples, RATE))
    spoken = [(start, end) for start, end, phone in spans if phone]
    weights = span_weights(frames, spoken)
    ask = FrameRetrieval(tone_index)
    right = ask.evidence(frames, weights, ["M", "IY", "S", "AA"])
    wrong = ask.evidence(frames, weights, ["S", "AA", "M", "IY"])
    assert right.margin.mean() > 0 > wrong.margin.mean()  # edges hold the neighbours, too
    assert (right.log_posterior > wrong.log_posterior).all()


def test_a_phone_that_the_index_lacks_is_not_guessed(tone_index: PhoneIndex) -> None:
    samples, _ = recording(["M", "IY"], seed=7)
    frames = SpectralEncoder().encode(Audio.from_samples(samples, RATE))
    found = FrameRetrieval(tone_index).evidence(frames, np.ones((len(frames), 1)), ["ZH"])
    assert np.isnan(found.margin).all()
    assert np.isnan(found.log_posterior).all()


def test_excluded_speech_does_not_answer(tone_index: PhoneIndex) -> None:
    samples, _ = recording(["M", "IY"], seed=7)
    frames = SpectralEncoder().encode(Audio.from_samples(samples, RATE))
    _, utterances = tone_index.codes("utterance")
    everything = Exclusion(utterances=frozenset(utterances))
    weights = np.ones((len(frames), 1))
    found = FrameRetrieval(tone_index).evidence(frames, weights, ["M"], exclusion=everything)
    assert np.isnan(found.margin).all()


def test_a_span_without_a_frame_takes_the_nearest() -> None:
    frames = Frames(np.zeros((5, 2), np.float32), 0.02, 0.01)
    weights = span_weights(frames, [(0.0, 0.04), (0.041, 0.045)])
    np.testing.assert_array_equal(weights.sum(axis=0), [2, 1])
    assert weights[2, 1] == 1
