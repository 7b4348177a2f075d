from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import softmax

from nativeear.indexes.cells import Shortlists
from nativeear.indexes.index_files import EMBEDDINGS
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.evidence import (
    PhoneEvidence,
    _largest_first,
    gather_evidence,
    posteriors,
    sounds_like,
)
from nativeear.retriever.neighbours import Exclusion, find_neighbours, similarities_to_classes


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
    anna = Exclusion(speakers=frozenset({(tone_index.manifest.corpora[0].name, "anna")}))
    excluded = anna.rows(tone_index)
    assert 0 < excluded.sum() < len(excluded)
    found = find_neighbours(tone_index, tone_index.vectors[:20].copy(), 10, excluded)
    assert not excluded[found.ids[found.ids >= 0]].any()
    assert {tone_index.exemplar(int(row)).speaker for row in found.ids.ravel()} == {"ben"}


def test_self_exclusion_by_utterance(tone_index: PhoneIndex, embeddings: np.ndarray) -> None:
    first = tone_index.exemplar(0)
    utterance = first.utterance
    evidence = gather_evidence(
        tone_index,
        embeddings,
        ["AA"] * 4,
        exclusion=Exclusion(utterances=frozenset({(first.corpus, utterance)})),
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


def some_queries(index: PhoneIndex, count: int = 12) -> np.ndarray:
    """Embeddings of the space around the index's own, float32 `[N, D]`."""
    rng = np.random.default_rng(3)
    own = np.load(index.path / EMBEDDINGS, mmap_mode="r")[:: len(index.vectors) // count][:count]
    spread = rng.normal(size=own.shape) * own.std(axis=0) * 0.5
    return (own + spread).astype(np.float32)


@pytest.mark.parametrize("speakers", [frozenset(), frozenset({"anna"})])
def test_evidence_is_what_a_search_by_hand_finds(
    tone_index: PhoneIndex, speakers: frozenset[str]
) -> None:
    asked = some_queries(tone_index)
    canonical = [["S", "AA", "M", "IY"][i % 4] for i in range(len(asked))]
    corpus = tone_index.manifest.corpora[0].name
    exclusion = Exclusion(speakers=frozenset((corpus, name) for name in speakers))
    found = gather_evidence(tone_index, asked, canonical, exclusion=exclusion)
    own = np.repeat(np.array(tone_index.classes), np.diff(tone_index.bounds))
    speaker, names = tone_index.codes("speaker")
    allowed = ~np.isin(speaker, [i for i, name in enumerate(names) if name in speakers])
    decision = tone_index.manifest.decision
    for vector, phone, item in zip(tone_index.transform(asked), canonical, found, strict=True):
        cosines = np.where(allowed, tone_index.vectors @ vector, -np.inf)
        nearest = np.argsort(-cosines, kind="stable")[:20]
        assert item.neighbours == tuple(nearest.tolist())
        assert item.similarities == pytest.approx(cosines[nearest], abs=1e-5)
        assert item.canonical_share == pytest.approx(np.mean(own[nearest] == phone))
        assert item.coverage == (allowed & (own == phone)).sum()
        said = np.flatnonzero(allowed & (own == phone))
        models = said[np.argsort(-cosines[said], kind="stable")[:2]]
        assert item.models == tuple(models.tolist())
        assert item.model_similarities == pytest.approx(cosines[models], abs=1e-5)
        near = {
            other: np.sort(cosines[own == other])[-decision.top_m :].mean()
            for other in tone_index.classes
        }
        competitor = max(value for other, value in near.items() if other != phone)
        assert item.margin == pytest.approx(near[phone] - competitor, abs=1e-5)
        scores = np.array([near[p] for p in tone_index.classes]) / decision.temperature
        assert item.posterior == pytest.approx(softmax(scores), abs=2e-3)


def test_where_nobody_may_answer_nothing_is_shared(tone_index: PhoneIndex) -> None:
    everyone = Exclusion(speakers=frozenset(tone_index.speakers[1]))
    with np.errstate(all="ignore"):
        found = gather_evidence(
            tone_index, some_queries(tone_index, 2), ["S", "M"], exclusion=everyone
        )
    for item in found:
        assert (item.coverage, item.canonical_share, item.neighbours, item.models) == (0, 0, (), ())
        assert np.isnan(item.margin)


def test_models_are_such_as_can_be_heard_where_there_are_any(tone_index: PhoneIndex) -> None:
    opened = PhoneIndex.open(tone_index.path)
    asked = some_queries(opened, 4)
    rows = opened.rows_of("S")
    (item, *_) = gather_evidence(opened, asked[:1], ["S"], models=3)
    playable = np.ones(len(opened.vectors), dtype=bool)
    playable[list(item.models[:1])] = False
    opened.__dict__["playable"] = playable
    (other,) = gather_evidence(opened, asked[:1], ["S"], models=2)
    assert other.models == item.models[1:]
    assert other.coverage == item.coverage
    opened.__dict__["playable"] = np.zeros(len(opened.vectors), dtype=bool)
    assert gather_evidence(opened, asked[:1], ["S"], models=3)[0].models == item.models
    opened.__dict__["playable"] = np.arange(len(opened.vectors)) == rows.start
    (one,) = gather_evidence(opened, asked[:1], ["S"], models=3)
    assert one.models == (rows.start,)


@dataclass(frozen=True)
class Divided:
    """Cells that find some exemplars of a class and no others."""

    vectors: np.ndarray
    bounds: np.ndarray
    found: np.ndarray

    def shortlists(
        self, queries: np.ndarray, k: int, *, wanted: np.ndarray | None = None
    ) -> Shortlists:
        n_classes = len(self.bounds) - 1
        wanted = np.ones((len(queries), n_classes), bool) if wanted is None else wanted
        query, phone = np.nonzero(wanted)
        rows = np.full((len(query), k), -1)
        similar = np.full((len(query), k), -np.inf, np.float32)
        for i, (q, p) in enumerate(zip(query, phone, strict=True)):
            own = np.flatnonzero(self.found[self.bounds[p] : self.bounds[p + 1]]) + self.bounds[p]
            cosines = self.vectors[own] @ queries[q]
            best = np.argsort(-cosines, kind="stable")[:k]
            rows[i, : len(best)], similar[i, : len(best)] = own[best], cosines[best]
        return Shortlists(query, phone, rows, similar)


def test_cells_are_asked_for_models_of_phones_with_many_exemplars(
    tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tone_index.rows_of("S")
    count = rows.stop - rows.start
    asked = some_queries(tone_index, 3)
    exact = [item.models for item in gather_evidence(tone_index, asked, ["S"] * 3, models=4)]

    def models(found: np.ndarray, playable: np.ndarray | None = None) -> list[tuple[int, ...]]:
        opened = PhoneIndex.open(tone_index.path)
        opened.__dict__["cells"] = Divided(opened.vectors, opened.bounds, found)
        if playable is not None:
            opened.__dict__["playable"] = playable
        return [item.models for item in gather_evidence(opened, asked, ["S"] * 3, models=4)]

    everything = np.ones(len(tone_index.vectors), bool)
    some = everything & (np.arange(len(everything)) % 2 == 0)
    # So few are read as they are, whatever the cells find.
    monkeypatch.setattr("nativeear.retriever.evidence.ASKED_OF_CELLS", count)
    assert models(some) == exact
    monkeypatch.setattr("nativeear.retriever.evidence.ASKED_OF_CELLS", count - 1)
    assert models(everything) == exact
    by_cells = models(some)
    assert by_cells != exact
    assert all(row % 2 == 0 for own in by_cells for row in own)
    # None of those found can be heard: all that can are asked.
    heard = np.arange(len(everything)) % 2 == 1
    monkeypatch.setattr("nativeear.retriever.evidence.ASKED_OF_CELLS", heard[rows].sum() - 1)
    own = np.flatnonzero(heard[rows]) + rows.start
    vectors = tone_index.transform(asked)
    expected = [
        tuple(own[np.argsort(-(tone_index.vectors[own] @ v), kind="stable")[:4]]) for v in vectors
    ]
    assert models(some, heard) == expected
    # Some can: those, and no others.
    half = heard | (np.arange(len(everything)) % 4 == 0)
    monkeypatch.setattr("nativeear.retriever.evidence.ASKED_OF_CELLS", half[rows].sum() - 1)
    assert all(row % 4 == 0 for found in models(some, half) for row in found)


def test_cells_that_find_everything_find_what_an_exact_search_finds(
    tone_index: PhoneIndex,
) -> None:
    opened = PhoneIndex.open(tone_index.path)
    everything = np.ones(len(opened.vectors), bool)
    opened.__dict__["cells"] = Divided(opened.vectors, opened.bounds, everything)
    vectors = np.concatenate([opened.transform(some_queries(opened, 5)), opened.vectors[:2]])
    for k in (1, 20):
        found, exact = (find_neighbours(index, vectors, k) for index in (opened, tone_index))
        np.testing.assert_array_equal(found.ids, exact.ids)
        np.testing.assert_array_equal(found.phones, exact.phones)
        np.testing.assert_allclose(found.similarities, exact.similarities, atol=1e-5)
        np.testing.assert_allclose(found.by_class, exact.by_class, atol=1e-5)
    by_class = find_neighbours(tone_index, vectors, 1).by_class
    np.testing.assert_allclose(similarities_to_classes(opened, vectors), by_class, atol=1e-5)
    np.testing.assert_allclose(similarities_to_classes(tone_index, vectors), by_class, atol=1e-5)
    # What cells do not find is missed, unless rows are excluded: then all others are compared.
    opened.__dict__["cells"] = Divided(opened.vectors, opened.bounds, ~everything)
    assert (find_neighbours(opened, vectors, 3).ids == -1).all()
    assert (find_neighbours(opened, vectors, 3).phones == -1).all()
    nobody = np.zeros(len(everything), bool)
    exact = find_neighbours(tone_index, vectors, 3)
    np.testing.assert_array_equal(find_neighbours(opened, vectors, 3, nobody).ids, exact.ids)


def test_blocks_of_queries_are_put_together(
    tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = tone_index.transform(some_queries(tone_index, 7))
    whole = find_neighbours(tone_index, vectors, 4)
    monkeypatch.setattr(
        "nativeear.retriever.neighbours.BLOCK_BYTES", 4 * 3 * len(tone_index.vectors)
    )
    parts = find_neighbours(tone_index, vectors, 4)
    np.testing.assert_array_equal(parts.ids, whole.ids)
    np.testing.assert_allclose(parts.by_class, whole.by_class)


def heard_as(index: PhoneIndex, **shares: float) -> PhoneEvidence:
    posterior = np.array([shares.get(phone, 0.0) for phone in index.classes], np.float32)
    return PhoneEvidence("S", posterior, 0.0, 0.0, 0, (), (), (), ())


def test_what_it_sounds_like_leaves_silence_out_and_names_what_matters(
    tone_index: PhoneIndex,
) -> None:
    item = heard_as(tone_index, SIL=0.5, S=0.3, IY=0.145, AA=0.03, M=0.025)
    assert sounds_like(tone_index, item) == (
        ("S", pytest.approx(0.6)), ("IY", pytest.approx(0.29)), ("AA", pytest.approx(0.06)),
    )  # fmt: skip
    assert [phone for phone, _ in sounds_like(tone_index, item, most=1)] == ["S"]
    assert len(sounds_like(tone_index, item, most=4)) == 4
    assert len(sounds_like(tone_index, item, most=4, least=0.055)) == 3
    faint = heard_as(tone_index, S=0.96, M=0.04)
    assert sounds_like(tone_index, faint) == (("S", pytest.approx(0.96)),)
    assert sounds_like(tone_index, heard_as(tone_index, SIL=1.0)) == ()


def test_the_largest_come_first_and_of_equal_ones_the_first() -> None:
    values = np.array([0.5, 0.9, 0.5, 0.7, 0.9], np.float32)
    for m, expected in ((1, [1]), (2, [1, 4]), (4, [1, 4, 3, 0]), (9, [1, 4, 3, 0, 2]), (0, [])):
        assert _largest_first(values, m).tolist() == expected
