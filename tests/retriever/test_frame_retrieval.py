import numpy as np
import pytest
from scipy.special import log_softmax

from nativeear.indexes.frame_evidence import span_weights
from nativeear.indexes.index_files import EMBEDDINGS
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.frame_retrieval import FrameRetrieval
from nativeear.retriever.neighbours import Exclusion
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.spectral import SpectralEncoder
from nativeear.speech.frames import Frames
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
    everything = Exclusion(utterances=frozenset(tone_index.utterances[1]))
    weights = np.ones((len(frames), 1))
    found = FrameRetrieval(tone_index).evidence(frames, weights, ["M"], exclusion=everything)
    assert np.isnan(found.margin).all()


def test_a_span_without_a_frame_takes_the_nearest() -> None:
    frames = Frames(np.zeros((5, 2), np.float32), 0.02, 0.01)
    weights = span_weights(frames, [(0.0, 0.04), (0.041, 0.045)])
    np.testing.assert_array_equal(weights.sum(axis=0), [2, 1])
    assert weights[2, 1] == 1


def drawn(index: PhoneIndex, count: int, n_phones: int) -> tuple[Frames, np.ndarray]:
    """Frames around the index's own, and weights of which some are next to nothing."""
    rng = np.random.default_rng(1)
    own = np.load(index.path / EMBEDDINGS, mmap_mode="r")[:: len(index.vectors) // count][:count]
    frames = Frames((own + rng.normal(size=own.shape) * 0.2).astype(np.float32), 0.02, 0.01)
    weights = rng.choice([0.0, 0.0009, 0.0011, 0.4, 1.0], size=(count, n_phones))
    weights[-1] = 0.0009
    return frames, weights


@pytest.mark.parametrize("most", [400, 7])
@pytest.mark.parametrize("speakers", [frozenset(), frozenset({"ben"})])
def test_frames_are_averaged_over_exemplars_that_are_evenly_spread(
    tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch, most: int, speakers: frozenset[str]
) -> None:
    """The definition by hand: mean log posterior and margin over the frames that are a phone's."""
    monkeypatch.setattr("nativeear.indexes.frame_evidence.EXEMPLARS_PER_CLASS", most)
    frames, weights = drawn(tone_index, 12, 4)
    canonical = ["S", "AA", "M", "IY"]
    corpus = tone_index.manifest.corpora[0].name
    exclusion = Exclusion(speakers=frozenset((corpus, name) for name in speakers))
    found = FrameRetrieval(tone_index).evidence(frames, weights, canonical, exclusion=exclusion)
    speaker, names = tone_index.codes("speaker")
    left_out = np.isin(speaker, [i for i, name in enumerate(names) if name in speakers])
    cosines = tone_index.transform(frames.embeddings) @ tone_index.vectors.T
    similar = np.empty((len(frames), len(tone_index.classes)))
    for p, phone in enumerate(tone_index.classes):
        rows = tone_index.rows_of(phone)
        count = min(rows.stop - rows.start, most)
        spread = np.linspace(rows.start, rows.stop - 1, count).round().astype(int)
        answering = spread[~left_out[spread]]
        top = np.sort(cosines[:, answering], axis=1)[:, -tone_index.manifest.decision.top_m :]
        similar[:, p] = top.mean(axis=1)
    asked = weights.max(axis=1) > 0.001
    for n, phone in enumerate(canonical):
        own = tone_index.classes.index(phone)
        share = np.where(asked, weights[:, n], 0.0) / weights[asked, n].sum()
        log_posterior = log_softmax(similar / 0.1, axis=1)[:, own]
        margin = similar[:, own] - np.delete(similar, own, axis=1).max(axis=1)
        assert found.log_posterior[n] == pytest.approx(share @ log_posterior, abs=1e-3)
        assert found.margin[n] == pytest.approx(share @ margin, abs=1e-4)


def test_frames_that_are_nobody_s_are_not_asked(tone_index: PhoneIndex) -> None:
    frames, weights = drawn(tone_index, 12, 4)
    other = frames.embeddings.copy()
    other[-1] = np.nan  # of no phone with more than a thousandth
    ask = FrameRetrieval(tone_index)
    changed = Frames(other, frames.hop_s, frames.offset_s)
    first, second = (
        ask.evidence(each, weights, ["S", "AA", "M", "IY"]) for each in (frames, changed)
    )
    np.testing.assert_array_equal(first.margin, second.margin)


def test_no_phones_no_evidence(tone_index: PhoneIndex) -> None:
    frames, _ = drawn(tone_index, 3, 1)
    found = FrameRetrieval(tone_index).evidence(frames, np.zeros((3, 0)), [])
    assert found.log_posterior.shape == found.margin.shape == (0,)


def test_a_span_holds_the_frame_that_begins_it_and_not_the_one_that_ends_it() -> None:
    frames = Frames(np.zeros((6, 2), np.float32), 0.5, 0.25)  # centres that are no fractions
    weights = span_weights(frames, [(0.25, 1.25), (1.25, 2.75), (2.0, 2.0)])
    np.testing.assert_array_equal(weights[:, 0], [1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(weights[:, 1], [0, 0, 1, 1, 1, 0])
    assert weights[:, 2].sum() == 1
