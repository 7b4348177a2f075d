"""Ways of telling the stressed syllable, learnt from half of the natives, asked of the rest.

    python -m benchmarks.stress_designs

Asked of the native utterances of the shipped index, both ways: halves are of utterances, and vowels
of the same word never answer for each other. Two designs ask fewer words, and are no better for
what they leave out; the shipped one asks them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table

from nativeear.indexes.catalogue import find_index
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.prosody.natives import NativeProsody
from nativeear.scoring.prosody.stress import StressModel, polysyllables
from nativeear.speech.prosody.stress import CORRELATES, Syllable

Word = tuple[Syllable, ...]
RIDGE = 1.0


class PairwiseLogistic:
    """Logistic regression of the stressed syllable's cues less those of each other one."""

    def __init__(self, words: Sequence[Word]) -> None:
        model = _fitted(words)
        cues = [model.cues(word) for word in words]
        pairs = np.concatenate(
            [
                own[stressed] - np.delete(own, stressed, axis=0)
                for own, word in zip(cues, words, strict=True)
                for stressed in [_expected(word)]
            ]
        )
        scale = pairs.std(axis=0) + 1e-9
        pairs = pairs / scale
        weights = np.zeros(pairs.shape[1])
        for _ in range(30):  # Newton's method; it has converged long before
            wrong = 1 / (1 + np.exp(pairs @ weights))
            curvature = (pairs * (wrong * (1 - wrong))[:, None]).T @ pairs
            curvature += RIDGE * np.eye(len(weights))
            weights = weights + np.linalg.solve(curvature, pairs.T @ wrong - RIDGE * weights)
        self._model, self._weights = model, weights / scale

    def right(self, word: Word) -> bool:
        """Whether the stress is found where the lexicon has it."""
        return int((self._model.cues(word) @ self._weights).argmax()) == _expected(word)


class Discriminant:
    """The shipped model."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._model = _fitted(words)

    def right(self, word: Word) -> bool:
        """Whether the stress is found where the lexicon has it."""
        found = self._model.observe(word)
        return found.observed == found.expected


def main() -> None:
    """Measure and print."""
    natives = NativeProsody(PhoneIndex.open(find_index("en-US")))
    utterances = [polysyllables(nuclei) for nuclei in natives.nuclei]
    table = Table("design", "words", "found", title="Stress where the lexicon has it")
    for name, (learner, change) in DESIGNS.items():
        halves = [
            [change(word) for words in utterances[own::2] for word in words] for own in (0, 1)
        ]
        halves = [[word for word in half if word] for half in halves]
        found = [
            model.right(word)
            for own in (0, 1)
            for model in [learner(halves[1 - own])]
            for word in halves[own]
        ]
        table.add_row(name, str(len(found)), f"{np.mean(found):.3f}")
    Console().print(table)


def _as_it_is(word: Word) -> Word:
    return word


def _without_quality(word: Word) -> Word:
    return tuple(replace(syllable, fullness=float("nan")) for syllable in word)


def _quality_alone(word: Word) -> Word:
    flat = dict.fromkeys(CORRELATES, 0.0)
    return tuple(replace(s, **flat) for s in word)  # type: ignore[arg-type]


def _one_main_stress(word: Word) -> Word:
    """Nothing of a word that has a secondary stress too, as compounds do."""
    return () if any(syllable.stress > 1 for syllable in word) else word


def _away_from_pauses(word: Word) -> Word:
    return () if word[-1].finality > 1 else word


def _without_lengthening(word: Word) -> Word:
    """The length of a vowel before a pause is not gone by at all."""
    return tuple(replace(s, log_duration=float("nan")) if s.finality > 1 else s for s in word)


def _fitted(words: Iterable[Word]) -> StressModel:
    model = StressModel.fit(words)
    if model is None:
        raise SystemExit("The index has too few words to learn stress from.")
    return model


def _expected(word: Word) -> int:
    return next(i for i, syllable in enumerate(word) if syllable.stress == 1)


Learner = Callable[[Sequence[Word]], PairwiseLogistic | Discriminant]
DESIGNS: dict[str, tuple[Learner, Callable[[Word], Word]]] = {
    "without vowel quality": (Discriminant, _without_quality),
    "vowel quality alone": (Discriminant, _quality_alone),
    "both (shipped)": (Discriminant, _as_it_is),
    "both, pairwise logistic regression": (PairwiseLogistic, _as_it_is),
    "both, length before a pause left out": (Discriminant, _without_lengthening),
    "both, words before a pause not asked": (Discriminant, _away_from_pauses),
    "both, words with a secondary stress not asked": (Discriminant, _one_main_stress),
}


if __name__ == "__main__":
    main()
