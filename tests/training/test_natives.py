"""How much further other voices are from an index of one voice."""

import numpy as np
import pytest

from training.natives import Sounds, shifted

CLASSES, DIMS, SILENCE = 8, 12, 7
CENTRES = np.random.default_rng(0).normal(0, 2, (CLASSES, DIMS))


def said(seed: int, speakers: int, each: int, farther: float) -> Sounds:
    """Phones of some speakers, each of whom has a place of his own for every class."""
    rng = np.random.default_rng(seed)
    own = np.repeat(np.arange(CLASSES), speakers * each)
    of = np.tile(np.repeat(np.arange(speakers), each), CLASSES)
    habits = rng.normal(0, farther, (CLASSES, speakers, DIMS))
    sounds = CENTRES[own] + habits[own, of] + rng.normal(0, 1, (len(own), DIMS))
    return Sounds(sounds.astype(np.float16), own, of)


def test_voices_are_further_the_more_they_differ() -> None:
    native = said(1, 40, 15, 0.0)  # one voice in forty utterances
    alike, other, strange = (
        shifted(native, said(2, 30, 20, far), SILENCE) for far in (0.0, 0.6, 1.2)
    )
    assert alike["speakers"] == other["speakers"] == 30
    assert alike["shift"] == pytest.approx(0, abs=0.35)
    assert alike["shift"] + 0.4 < other["shift"] < strange["shift"]


def test_silences_are_not_asked() -> None:
    native, others = said(1, 40, 15, 0.0), said(2, 30, 20, 0.6)
    spoken = others.own != SILENCE
    only = Sounds(others.embeddings[spoken], others.own[spoken], others.of[spoken])
    assert shifted(native, only, SILENCE) == shifted(native, others, SILENCE)
