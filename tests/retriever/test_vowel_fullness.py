from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nativeear.indexer.assembly import publish_new
from nativeear.indexer.pooled_utterance import PooledUtterance
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.retriever.neighbours import Exclusion
from nativeear.retriever.vowel_fullness import TOP_M, VowelFullness, _thinned
from nativeear.speech.inventory import PhoneInventory
from tests.indexer.test_assembly import records, settings
from tests.indexer.test_prosody import profile

DIM = 8


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> PhoneIndex:
    """40 natives and 10 rated speakers whose stressed vowels point elsewhere than the others."""
    folder = tmp_path_factory.mktemp("vowels")
    rng = np.random.default_rng(0)
    made = records(folder, 50, 20, DIM)
    for i, record in enumerate(made):
        pooled = PooledUtterance.load(record.path)
        phones = tuple(
            replace(
                phone,
                phone="AA" if k % 2 == 0 else "S",
                stress=k // 2 % 2 if k % 2 == 0 else -1,
                word=f"w{rng.integers(30)}",
            )
            for k, phone in enumerate(pooled.phones)
        )
        own = profile(i) if i < 40 else None
        replace(pooled, phones=phones, prosody=own).save(record.path)
    inventory = PhoneInventory.load("en-US").to_json()
    publish_new(folder / "index", made, replace(settings(DIM), inventory=inventory))
    opened = PhoneIndex.open(folder / "index")
    # What the transform makes of it is not the question here, so the space is drawn by hand.
    stressed = opened.table.column("stress").to_numpy() == 1
    rated = np.isin(
        opened.table.column("utterance").to_pylist(), [f"u{i:05}" for i in range(40, 50)]
    )
    angles = np.where(stressed ^ rated, 0.0, 1.0) + 0.1 * rng.normal(size=len(stressed))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    opened.__dict__["vectors"] = vectors
    return opened


def asked(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), np.sin(angle)]], dtype=np.float32)


def test_a_full_vowel_is_fuller_than_a_reduced_one(index: PhoneIndex) -> None:
    vowels = VowelFullness(index)
    full, reduced = (float(vowels.of(asked(angle), ["new"])[0]) for angle in (0.0, 1.0))
    assert full > 0.2
    assert reduced < -0.2


def test_natives_are_described_in_the_order_of_time(index: PhoneIndex) -> None:
    table = index.prosody
    names = list(
        zip(table.column("corpus").to_pylist(), table.column("utterance").to_pylist(), strict=True)
    )
    assert len(names) == 40
    of_natives = VowelFullness(index).of_natives(names)
    for fullness in of_natives:
        assert len(fullness) == 10
        stressed = np.arange(10) % 2 == 1
        assert fullness[stressed].min() > fullness[~stressed].max()
    only = VowelFullness(index).of_natives(names[3:5])
    assert [one.tolist() for one in only] == [one.tolist() for one in of_natives[3:5]]


def test_the_same_word_and_the_excluded_do_not_answer(index: PhoneIndex) -> None:
    vowels = VowelFullness(index)
    vector = asked(0.0)
    assert vowels.of(vector, ["w3"])[0] != vowels.of(vector, ["new"])[0]
    everyone = Exclusion(utterances=frozenset(index.utterances[1]))
    assert np.isnan(vowels.of(vector, ["new"], everyone)[0])


def by_hand(index: PhoneIndex, vector: np.ndarray, word: str, left_out: frozenset[str]) -> float:
    """Mean cosine of the ten nearest full vowels less that of the ten nearest reduced ones."""
    table = index.table.select(["word", "stress", "utterance"]).to_pylist()
    phones = np.repeat(np.array(index.classes), np.diff(index.bounds))
    kinds: list[list[float]] = [[], []]
    for row, (exemplar, phone) in enumerate(zip(table, phones, strict=True)):
        rated = int(exemplar["utterance"][1:]) >= 40  # no native
        other = exemplar["word"] != word and exemplar["utterance"] not in left_out
        if phone == "AA" and exemplar["stress"] >= 0 and not rated and other:
            cosine = float(index.vectors[row] @ vector)
            kinds[0 if exemplar["stress"] > 0 else 1].append(cosine)
    full, reduced = (np.mean(sorted(kind)[-10:]) for kind in kinds)
    return float(full - reduced)


def silent(index: PhoneIndex, utterances: Collection[str]) -> Exclusion:
    named = [name for name in index.utterances[1] if name[1] in utterances]
    return Exclusion(utterances=frozenset(named))


@pytest.mark.parametrize("word", ["w3", "new"])
@pytest.mark.parametrize("angle", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("left_out", [frozenset(), frozenset(f"u{i:05}" for i in range(30))])
def test_fullness_is_what_the_nearest_of_either_kind_say(
    index: PhoneIndex, word: str, angle: float, left_out: frozenset[str]
) -> None:
    vector = asked(angle)
    found = VowelFullness(index).of(vector, [word], silent(index, left_out))
    assert found[0] == pytest.approx(by_hand(index, vector[0], word, left_out), abs=1e-5)


def test_few_of_one_kind_are_too_few(index: PhoneIndex) -> None:
    """Ten of each: with nine that are stressed left, nothing is told."""
    table = index.table.select(["utterance", "stress"]).to_pylist()
    stressed = [row["utterance"] for row in table if row["stress"] == 1]
    natives = sorted({u for u in stressed if int(u[1:]) < 40})
    each = stressed.count(natives[0])
    enough = -(-TOP_M // each)
    for kept, told in ((enough, True), (enough - 1, False)):
        exclusion = silent(index, natives[kept:])
        found = VowelFullness(index).of(asked(0.0), ["new"], exclusion)
        assert np.isnan(found[0]) != told


def test_no_vowels_are_asked_about_in_vain(index: PhoneIndex) -> None:
    assert VowelFullness(index).of(np.empty((0, 2), np.float32), []).shape == (0,)


@pytest.mark.parametrize(
    ("count", "left"), [(1, 1), (4000, 4000), (4001, 2001), (8001, 2667), (0, 0)]
)
def test_of_many_some_answer_evenly_spread(count: int, left: int) -> None:
    thinned = _thinned(np.arange(count))
    assert len(thinned) == left
    assert len(set(np.diff(thinned).tolist())) <= 1
    if count:
        assert thinned[0] == 0


def test_an_index_without_stress_tells_nothing(tmp_path: Path) -> None:
    made = records(tmp_path, 6, TOP_M, DIM)
    publish_new(tmp_path / "index", made, settings(DIM))
    silent = PhoneIndex.open(tmp_path / "index")
    vowels = VowelFullness(silent)
    assert np.isnan(vowels.of(silent.vectors[:2], ["a", "b"])).all()
    assert [len(own) for own in vowels.of_natives([("a", "b")])] == [0]
