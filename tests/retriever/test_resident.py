"""Search as on a graphics card answers as a processor does; here PyTorch's processor stands in."""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.resident import ResidentVectors, on_gpu
from nativeear.retriever.neighbours import Exclusion, find_neighbours, similarities_to_classes

torch = pytest.importorskip("torch", reason="the extra `torch` is not installed")


@pytest.fixture
def resident_index(tone_index: PhoneIndex) -> Iterator[PhoneIndex]:
    opened = PhoneIndex.open(tone_index.path)
    opened.__dict__["resident"] = ResidentVectors(opened.vectors, opened.bounds, "cpu")
    yield opened


@pytest.mark.parametrize("excluded", [False, True])
@pytest.mark.parametrize("k", [1, 10, 400])
def test_it_finds_what_a_processor_finds(
    tone_index: PhoneIndex,
    resident_index: PhoneIndex,
    monkeypatch: pytest.MonkeyPatch,
    excluded: bool,
    k: int,
) -> None:
    monkeypatch.setattr("nativeear.indexes.resident.BLOCK_BYTES", 1 << 12)  # several blocks
    queries = tone_index.vectors[::9] + np.float32(0.01)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    anna = Exclusion(speakers=frozenset({(tone_index.manifest.corpora[0].name, "anna")}))
    rows = anna.rows(tone_index) if excluded else None
    expected, found = (find_neighbours(i, queries, k, rows) for i in (tone_index, resident_index))
    assert (found.ids >= 0).sum() == (expected.ids >= 0).sum()
    assert (found.ids == expected.ids).mean() > 0.98  # rounding decides among the likest
    assert found.similarities == pytest.approx(expected.similarities, abs=1e-5)
    assert found.by_class == pytest.approx(expected.by_class, abs=1e-5, nan_ok=True)
    own = np.repeat(np.arange(len(tone_index.classes)), np.diff(tone_index.bounds))
    np.testing.assert_array_equal(found.phones, np.where(found.ids < 0, -1, own[found.ids]))


def test_classes_are_as_near_as_to_a_processor(
    tone_index: PhoneIndex, resident_index: PhoneIndex
) -> None:
    queries = tone_index.vectors[::5].copy()
    expected, found = (similarities_to_classes(i, queries) for i in (tone_index, resident_index))
    assert found == pytest.approx(expected, abs=1e-5, nan_ok=True)


def test_a_card_is_asked_only_for_what_is_large_and_fits(
    tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr("nativeear.indexes.phone_index.on_gpu", lambda *given: asked.append(given))
    assert PhoneIndex.open(tone_index.path).resident is None
    assert not asked
    monkeypatch.setattr("nativeear.indexes.phone_index.COPIED_BYTES", 0)
    assert PhoneIndex.open(tone_index.path).resident is None
    assert len(asked) == 1


@pytest.mark.parametrize("share", [0.5, 1.9])
def test_without_a_card_or_room_a_processor_searches(
    tone_index: PhoneIndex, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    vectors, bounds = tone_index.vectors, tone_index.bounds
    monkeypatch.setattr(torch, "cuda", SimpleNamespace(is_available=lambda: False))
    assert on_gpu(vectors, bounds) is None
    free = int(share * vectors.nbytes)
    card = SimpleNamespace(is_available=lambda: True, mem_get_info=lambda: (free, free))
    monkeypatch.setattr(torch, "cuda", card)
    assert on_gpu(vectors, bounds) is None
