import numpy as np
import pytest

from indexes.phone_index import PhoneIndex
from retriever.evidence import gather_evidence, posteriors, sounds_like
from retriever.neighbours import Exclusion, find_neighbours


@pytest.fixture
def embeddings(tone_index: PhoneIndex) -> np.ndarray:
    """Vectors of the encoder's space that the transform maps onto class means."""
    return np.stack(
        [
            tone_index.transform.mean
            + np.linalg.pinv(tone_index.transform.matrix).T
            @ tone_index.vectors[tone_index.rows_of(phone)].mean(axis=0)
            for phone in ("AA", "IY", "M", "S")
        ]
    ).astype(np.float32)


def test_neighbours_equal_brute_force(tone_index: PhoneIndex) -> None:
    queries = tone_index.vectors[::9].copy()
    found = find_neighbours(tone_index, queries, 5)
    cosines = queries @ tone_index.vectors.T
    assert np.allclose(found.similarities, -np.sort(-cosines, axis=1)[:, :5], atol=1e-5)
    names = [tone_index.classes[p] for p in found.phones[:, 0]]
    assert names == [tone_index.exemplar(int(row)).phone for row in found.ids[:, 0]]


def test_excluded_exemplars_do_not_answer(tone_index: PhoneIndex) -> None:
    anna = Exclusion(speakers=frozenset({"anna"}))
    excluded = anna.rows(tone_index)
    assert 0 < excluded.sum() < len(excluded)
    found = find_neighbours(tone_index, tone_index.vectors[:20].copy(), 10, excluded)
    assert not excluded[found.ids[found.ids >= 0]].any()
    assert {tone_index.exemplar(int(row)).speaker for row in found.ids.ravel()} == {"ben"}


def test_self_exclusion_by_utterance(tone_index: PhoneIndex, embeddings: np.ndarray) -> None:
    utterance = tone_index.exemplar(0).utterance
    evidence = gather_evidence(
        tone_index, embeddings, ["AA"] * 4, exclusion=Exclusion(utterances=frozenset({utterance}))
    )
    rows = tone_index.rows_of("AA")
    own = sum(
        tone_index.exemplar(row).utterance == utterance for row in range(rows.start, rows.stop)
    )
    assert own > 0
    for item in evidence:
        assert item.coverage == rows.stop - rows.start - own
        for row in (*item.neighbours, *item.models):
            assert tone_index.exemplar(row).utterance != utterance


def test_the_right_phone_has_a_margin_and_the_wrong_one_a_debt(
    tone_index: PhoneIndex, embeddings: np.ndarray
) -> None:
    right = gather_evidence(tone_index, embeddings, ["AA", "IY", "M", "S"])
    wrong = gather_evidence(tone_index, embeddings, ["S", "M", "IY", "AA"])
    for item in right:
        assert item.margin > 0
        assert item.canonical_share > 0.8
        assert sounds_like(tone_index, item)[0][0] == item.phone
    for item in wrong:
        assert item.margin < 0
        assert item.canonical_share == 0


def test_models_are_native_realisations_of_the_canonical_phone(
    tone_index: PhoneIndex, embeddings: np.ndarray
) -> None:
    (item,) = gather_evidence(tone_index, embeddings[:1], ["S"])
    assert {tone_index.exemplar(row).phone for row in item.models} == {"S"}
    assert {tone_index.exemplar(row).phone for row in item.neighbours} == {"AA"}


def test_a_phone_that_the_index_lacks_has_no_coverage_and_no_margin(
    tone_index: PhoneIndex, embeddings: np.ndarray
) -> None:
    (item,) = gather_evidence(tone_index, embeddings[:1], ["ZH"])
    assert item.coverage == 0
    assert np.isnan(item.margin)
    assert item.models == ()


def test_no_phones_no_evidence(tone_index: PhoneIndex) -> None:
    empty = np.empty((0, tone_index.manifest.encoder.dim), np.float32)
    assert gather_evidence(tone_index, empty, []) == ()


def test_posteriors_sum_to_one_and_ignore_missing_classes() -> None:
    found = posteriors(np.array([[0.9, 0.1, np.nan], [0.2, 0.2, 0.2]], np.float32), 0.1)
    assert found.sum(axis=1) == pytest.approx([1, 1])
    assert found[0, 2] == 0
    assert found[1] == pytest.approx([1 / 3] * 3)
