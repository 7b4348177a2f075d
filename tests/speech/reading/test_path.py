"""The best path against every path there is, on texts and recordings of a few frames."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest

from nativeear.speech.canonical import PhoneSequence, Pronunciation, WordPronunciation
from nativeear.speech.reading import path as reading_path
from nativeear.speech.reading.graph import BLANK, WORDS_BACK, Costs, spell
from nativeear.speech.reading.path import Pass, best_reading, free_scores

COLUMNS = {"a": (1,), "b": (2,), "c": (3,), "ab": (1, 2)}
COSTS = Costs(
    floor=-3.0,
    wrong=0.8,
    wrong_phone=0.7,
    form=0.4,
    skip=1.1,
    skip_phone=0.3,
    back=0.9,
    back_word=0.2,
    restart=1.3,
    extra=0.7,
    extra_phone=0.6,
)


def pronounced(*words: str) -> Pronunciation:
    """Words of phones with spaces between, their forms with bars between."""
    return Pronunciation(
        "en-US",
        tuple(
            WordPronunciation(
                word,
                tuple(
                    PhoneSequence(tuple(form.split()), (None,) * len(form.split()), (), "given")
                    for form in word.split("|")
                ),
            )
            for word in words
        ),
    )


def log_probs(frames: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.exponential(size=(frames, 4)) ** 3 + 1e-6
    return np.log(values / values.sum(axis=1, keepdims=True))


def joints_reached(at: int, words: int, text: Pronunciation) -> dict[int, float]:
    """What leaving joint `at` costs for each joint that a word may then be entered from."""
    found = {at: 0.0}
    for j in range(at + 1, words + 1):
        word = text.words[j - 1]
        shortest = min(len(form.phones) for form in word.variants)
        found[j] = found[j - 1] + COSTS.skip + COSTS.skip_phone * shortest
    for back in range(1, WORDS_BACK + 1):
        if at - back >= 0:
            found[at - back] = COSTS.back + COSTS.back_word * back
    return found


def places(text: Pronunciation) -> Iterator[tuple[str, int, int, int]]:
    """Every place that a frame may lie in: pauses, other speech, labels and blanks of forms."""
    words = len(text.words)
    for j in range(words + 1):
        yield "pause", j, 0, 0
        yield "extra", j, 0, 0
    for w, word in enumerate(text.words):
        for f, form in enumerate(word.variants):
            labels = [c for phone in form.phones for c in COLUMNS[phone]]
            for k in range(2 * len(labels) - 1):
                yield "word", w, f, k
            for k in range(0, 2 * len(labels) - 1, 2):
                yield "other", w, f, k


def brute_force(text: Pronunciation, scores: np.ndarray) -> float:
    words = len(text.words)
    all_places = list(places(text))
    free, _ = free_scores(scores, COSTS.extra_phone)
    wrong, _ = free_scores(scores, COSTS.wrong_phone)
    floored = np.maximum(scores, COSTS.floor)

    def labels(w: int, f: int) -> list[int]:
        return [c for phone in text.words[w].variants[f].phones for c in COLUMNS[phone]]

    def emitted(t: int, place: tuple[str, int, int, int]) -> float:
        kind, w, f, k = place
        if kind == "pause":
            return float(floored[t, BLANK])
        if kind == "extra":
            return float(free[t])
        if kind == "other":
            return float(wrong[t])
        return float(floored[t, BLANK if k % 2 else labels(w, f)[k // 2]])

    def leaving(place: tuple[str, int, int, int]) -> dict[int, float]:
        """Joints that may be left behind a frame in a place, with what that costs."""
        kind, w, f, k = place
        if kind in {"pause", "extra"}:
            return joints_reached(w, words, text)
        found: dict[int, float] = {}
        if k == 2 * len(labels(w, f)) - 2:
            found |= joints_reached(w + 1, words, text)
        for joint, cost in joints_reached(w, words, text).items():
            found[joint] = min(found.get(joint, np.inf), cost + COSTS.restart)
        return found

    def entering(joint: int, place: tuple[str, int, int, int]) -> float:
        kind, w, f, k = place
        if joint != w or k:
            return np.inf
        if kind in {"pause", "extra"}:
            return {"pause": 0.0, "extra": COSTS.extra}[kind]
        return (COSTS.form if f else 0.0) + (COSTS.wrong if kind == "other" else 0.0)

    def step(one: tuple[str, int, int, int], other: tuple[str, int, int, int]) -> float:
        cost = min(
            (c + entering(joint, other) for joint, c in leaving(one).items()), default=np.inf
        )
        if one == other:
            return 0.0
        if one[1:3] == other[1:3] and {one[0], other[0]} <= {"word", "other"}:
            moved = other[3] - one[3]
            if moved == 1 or (moved == 2 and other[3] % 2 == 0):
                return min(cost, COSTS.wrong if other[0] == "other" else 0.0)
        return cost

    steps = {(a, b): step(a, b) for a, b in product(all_places, repeat=2)}
    first = {
        p: min(c + entering(j, p) for j, c in joints_reached(0, words, text).items() if j >= 0)
        for p in all_places
    }
    last = {p: leaving(p).get(words, np.inf) for p in all_places}
    best = -np.inf
    for way in product(all_places, repeat=len(scores)):
        cost = first[way[0]] + last[way[-1]]
        for pair in pairwise(way):
            cost += steps[pair]
            if cost == np.inf:
                break
        else:
            best = max(best, sum(emitted(t, p) for t, p in enumerate(way)) - cost)
    return best


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("words", [("a b",), ("a", "b|c"), ("ab",), ("a", "b", "c")])
def test_no_path_of_all_is_better(words: tuple[str, ...], seed: int) -> None:
    text, scores = pronounced(*words), log_probs(4, seed)
    found = best_reading(spell(text, COLUMNS, COSTS), scores, COSTS)
    assert found.score == pytest.approx(brute_force(text, scores))


@pytest.mark.parametrize("seed", range(4))
def test_every_frame_lies_in_one_pass(seed: int) -> None:
    text = pronounced("a b|a c", "b", "c a b", "a")
    scores, graph = log_probs(40, seed), spell(text, COLUMNS, COSTS)
    passes = best_reading(graph, scores, COSTS).passes
    assert [p.first for p in passes] == [0, *(p.past for p in passes[:-1])]
    assert passes[-1].past == len(scores)
    for p in passes:
        assert not p.states or len(p.states) == p.past - p.first
        assert not p.states or p.states[0] in graph.first
        assert all(graph.bounds[p.joint] <= s < graph.bounds[p.joint + 1] for s in p.states)


def test_windows_over_a_long_text_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    phones = [[("a", "b", "c")[i] for i in rng.integers(3, size=3)] for _ in range(90)]
    text = pronounced(*(" ".join(word) for word in phones))
    said = [COLUMNS[p][0] for i, word in enumerate(phones) if i not in {20, 21, 60} for p in word]
    scores = np.full((3 * len(said), 4), np.log(0.02))
    for i, column in enumerate(said):
        scores[3 * i : 3 * i + 2, column] = np.log(0.94)
        scores[3 * i + 2, BLANK] = np.log(0.94)
    costs = replace(COSTS, skip=4.0, back=4.0, extra=4.0, restart=4.0, wrong=9.0, floor=-6.0)
    graph = spell(text, COLUMNS, costs)
    whole = best_reading(graph, scores, costs)
    monkeypatch.setattr(reading_path, "WHOLE", 1_000)
    windowed = best_reading(graph, scores, costs)
    assert windowed.passes == whole.passes
    assert windowed.score == pytest.approx(whole.score)
    assert 85 < len([p for p in whole.passes if p.states]) < 90


@pytest.mark.parametrize("whole", [8_000_000, 1_000])
def test_one_may_stop_early_in_a_long_text(monkeypatch: pytest.MonkeyPatch, whole: int) -> None:
    monkeypatch.setattr(reading_path, "WHOLE", whole)
    assert [p.joint for p in long_reading(150, range(30))] == [*range(30)]


def long_reading(words: int, read: Sequence[int]) -> list[Pass]:
    """The words that are found in a recording of some words of a text of many."""
    rng = np.random.default_rng(4)
    phones = [[("a", "b", "c")[i] for i in rng.integers(3, size=12)] for _ in range(words)]
    said = [COLUMNS[p][0] for i in read for p in phones[i]]
    scores = np.full((3 * len(said), 4), np.log(0.02))
    for i, column in enumerate(said):
        scores[3 * i : 3 * i + 2, column] = np.log(0.94)
        scores[3 * i + 2, BLANK] = np.log(0.94)
    costs = replace(
        COSTS,
        skip=4.0,
        skip_phone=0.5,
        back=9.0,
        extra=9.0,
        extra_phone=4.0,
        restart=9.0,
        wrong=9.0,
        floor=-6.0,
    )
    found = best_reading(spell(pronounced(*map(" ".join, phones)), COLUMNS, costs), scores, costs)
    return [p for p in found.passes if p.states]
