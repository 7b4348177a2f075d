import math
from dataclasses import replace

import numpy as np
import pytest

from nativeear.scoring.prosody.stress import CUES, StressModel, polysyllables, prominent_word
from nativeear.speech.prosody.stress import CORRELATES, Syllable


def word(
    rng: np.random.Generator, number: int, syllables: int, stressed: int, finality: int = 1
) -> list[Syllable]:
    """A word whose stressed nucleus is longer, higher and louder; the last one is lengthened."""
    made = []
    for place in range(syllables):
        main = place == stressed
        last = place == syllables - 1
        made.append(
            Syllable(
                word=number,
                place=place,
                stress=1 if main else 0,
                finality=finality if last else 0,
                log_duration=-2.5 + 0.5 * main + 0.6 * last + 0.15 * rng.normal(),
                f0_semitones=3.0 * main - 2.0 * last + rng.normal(),
                f0_mean_semitones=2.0 * main - 2.0 * last + rng.normal(),
                movement_semitones=1.0 + 0.5 * rng.normal(),
                onset_s=0.1 + 0.02 * rng.normal(),
                emphasis_db=-8.0 + 4.0 * main - 2.0 * last + rng.normal(),
                tilt_db=-3.0 + 2.0 * main + rng.normal(),
            )
        )
    return made


def natives(count: int = 60) -> list[list[Syllable]]:
    rng = np.random.default_rng(0)
    return [
        [
            s
            for number in range(3)
            for s in word(rng, number, 2 + number, int(rng.integers(2 + number)), 1 + number // 2)
        ]
        for _ in range(count)
    ]


def test_stress_is_found_where_it_is() -> None:
    model = StressModel.fit(natives())
    assert model is not None
    rng = np.random.default_rng(1)
    for stressed in (0, 1, 2):
        found = [model.observe(word(rng, 0, 3, stressed)) for _ in range(100)]
        assert np.mean([o.observed == stressed for o in found]) > 0.93
        assert np.mean([o.margin for o in found]) > 0


def test_moved_stress_is_found_and_marked_down() -> None:
    model = StressModel.fit(natives())
    assert model is not None
    rng = np.random.default_rng(2)
    for _ in range(50):
        said = word(rng, 0, 3, 2)
        meant = [replace(s, stress=1 if s.place == 0 else 0) for s in said]
        right, wrong = model.observe(said), model.observe(meant)
        assert wrong.expected == 0
        assert wrong.margin < right.margin
    assert wrong.observed == 2


def test_unvoiced_nuclei_are_told_by_what_is_left() -> None:
    model = StressModel.fit(natives())
    assert model is not None
    rng = np.random.default_rng(3)
    said = [
        replace(s, f0_semitones=math.nan, f0_mean_semitones=math.nan, movement_semitones=math.nan)
        for s in word(rng, 0, 2, 0)
    ]
    assert np.isfinite(model.cues(said) @ model.weights).all()


def test_few_words_teach_nothing() -> None:
    assert StressModel.fit(natives(5)) is None


def test_only_words_with_one_main_stress_among_several_syllables_count() -> None:
    rng = np.random.default_rng(4)
    single = word(rng, 0, 1, 0)
    double = [replace(s, stress=1) for s in word(rng, 1, 2, 0)]
    unknown = [replace(s, stress=-1) for s in word(rng, 2, 2, 0)]
    good = word(rng, 3, 3, 1)
    assert polysyllables([*single, *double, *unknown, *good]) == [tuple(good)]


def test_the_prominent_word_stands_above_the_falling_line() -> None:
    rng = np.random.default_rng(5)
    nuclei = []
    for number in range(6):
        base = word(rng, number, 1, 0)[0]
        nuclei.append(replace(base, f0_semitones=5.0 - 2.0 * number, emphasis_db=-5.0))
    nuclei[4] = replace(nuclei[4], f0_semitones=nuclei[4].f0_semitones + 4, emphasis_db=-1.0)
    assert prominent_word(nuclei) == 4
    assert prominent_word(nuclei[:1]) is None


def test_level_does_not_matter() -> None:
    model = StressModel.fit(natives())
    assert model is not None
    said = word(np.random.default_rng(6), 0, 3, 1)
    soft = [replace(s, emphasis_db=s.emphasis_db - 20) for s in said]
    assert model.observe(soft).margin == pytest.approx(model.observe(said).margin)


def test_a_reduced_vowel_gives_an_unstressed_syllable_away() -> None:
    rng = np.random.default_rng(7)

    def alike(number: int, stressed: int) -> list[Syllable]:
        """A word whose syllables differ by the fullness of their vowels alone."""
        flat = dict.fromkeys(CORRELATES, 0.0)
        return [
            replace(s, **flat, fullness=0.1 * s.stress + 0.03 * rng.normal())  # type: ignore[arg-type]
            for s in word(rng, number, 3, stressed)
        ]

    model = StressModel.fit([alike(0, int(rng.integers(3))) for _ in range(90)])
    assert model is not None
    found = [model.observe(alike(0, i % 3)).observed == i % 3 for i in range(90)]
    assert np.mean(found) > 0.85
    unheard = [replace(s, fullness=math.nan) for s in alike(0, 1)]
    assert np.isfinite(model.cues(unheard) @ model.weights).all()


def test_a_place_is_not_preferred_for_where_natives_mostly_stress() -> None:
    rng = np.random.default_rng(8)
    natives = [word(rng, 0, 2, int(rng.random() < 0.1)) for _ in range(300)]
    model = StressModel.fit(natives)
    assert model is not None
    second = [model.observe(word(rng, 0, 2, 1)).observed for _ in range(100)]
    assert np.mean(second) > 0.9


def by_hand(words: list[tuple[Syllable, ...]]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Fisher's discriminant, and the cues of every word with its places taken off."""
    centred = []
    for word in words:
        values = np.array([[getattr(s, name) for name in CUES] for s in word], dtype=float)
        rows = np.zeros_like(values)
        for c, column in enumerate(values.T):
            known = ~np.isnan(column)
            if known.any():
                rows[known, c] = column[known] - column[known].mean()
        centred.append(rows)
    kinds: dict[object, tuple[list[np.ndarray], list[np.ndarray]]] = {}
    for word, rows in zip(words, centred, strict=True):
        for i, (syllable, row) in enumerate(zip(word, rows, strict=True)):
            for kind in ((syllable.finality, min(i, 2), min(len(word), 4)), syllable.finality):
                kinds.setdefault(kind, ([], []))[syllable.stress != 1].append(row)
    corrected = []
    for word, rows in zip(words, centred, strict=True):
        offsets = []
        for i, syllable in enumerate(word):
            own = kinds[syllable.finality, min(i, 2), min(len(word), 4)]
            parts = own if min(map(len, own)) >= 8 else kinds[syllable.finality]
            offsets.append((np.mean(parts[0], axis=0) + np.mean(parts[1], axis=0)) / 2)
        corrected.append(rows - np.array(offsets))
    everything = np.concatenate(corrected)
    stressed = np.array([s.stress == 1 for word in words for s in word])
    groups = everything[stressed], everything[~stressed]
    within = (np.cov(groups[0].T) + np.cov(groups[1].T)) / 2
    within += 1e-3 * np.diag(np.diag(within)) + 1e-9 * np.eye(len(within))
    weights = np.linalg.inv(within) @ (groups[0].mean(axis=0) - groups[1].mean(axis=0))
    return weights / np.sqrt(weights @ within @ weights), corrected


def test_prominence_is_fishers_discriminant_of_cues_without_their_places() -> None:
    """With words of two to four syllables, some of places that few natives fill."""
    rng = np.random.default_rng(9)
    utterances = natives(40)
    for nuclei in utterances[::3]:  # some are unvoiced
        nuclei[int(rng.integers(len(nuclei)))] = replace(nuclei[0], f0_semitones=math.nan)
    utterances += [word(rng, 0, 5, 4, 2) for _ in range(5)]
    words = [word for nuclei in utterances for word in polysyllables(nuclei)]
    weights, cues = by_hand(words)
    model = StressModel.fit(utterances)
    assert model is not None
    np.testing.assert_allclose(model.weights, weights, atol=1e-6)
    margins = []
    for said, own in zip(words, cues, strict=True):
        np.testing.assert_allclose(model.cues(said), own, atol=1e-9)
        prominence = own @ weights
        expected = next(i for i, syllable in enumerate(said) if syllable.stress == 1)
        margins.append(prominence[expected] - np.delete(prominence, expected).max())
        found = model.observe(said)
        assert (found.expected, found.observed) == (expected, int(prominence.argmax()))
        assert found.margin == pytest.approx(margins[-1], abs=1e-6)
    np.testing.assert_allclose(model.natives.ordered, np.sort(margins), atol=1e-6)


def test_thirty_words_are_enough() -> None:
    utterances = natives(10)  # three words each
    assert StressModel.fit(utterances) is not None
    first = [syllable for syllable in utterances[0] if syllable.word != 0]
    assert StressModel.fit([first, *utterances[1:]]) is None
