"""How the natives of an index flow and sing, as the arrays that a page compares learners with."""

from __future__ import annotations

from typing import Any

import numpy as np

from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.prosody import profiles_of
from nativeear.scoring.prosody.natives import (
    FLUENCY_MEASURES,
    MELODY_MEASURES,
    RHYTHM_MEASURES,
    NativeProsody,
)
from nativeear.scoring.prosody.stress import prominent_word
from nativeear.service.browser.reference import Arrays

MEASURES = tuple(each.name for each in (*FLUENCY_MEASURES, *RHYTHM_MEASURES, *MELODY_MEASURES))


def native_arrays(index: PhoneIndex) -> Arrays:
    """Natives' measures, melodies, vowels, and what tells stress among them.

    `measures` float64 `[n, M]` by `MEASURES`, `syllables` int32, `sentence` uint8 and `voice`
    uint16, all `[n]`, of the natives that grade; `contours` float32, those of all R readings one
    behind the other, that of reading r from `contours.bounds[r]` on, and `prominent` int32 `[R]`,
    -1 where no word stands out; `vowels` uint32, rows of full ones and then of reduced ones, and
    `vowels.full` uint32 `[1]`, how many are full; of stress `weights`, `offsets` and `natives`.
    """
    natives = NativeProsody(index)
    profiles, voices = natives.profiles, natives.voices
    sentences = _sentences(index)
    readings = [row.profile for row in profiles_of(index.prosody)]
    lengths = [len(reading.contour) for reading in readings]
    contours = [value for reading in readings for value in reading.contour]
    prominent = [prominent_word(reading.nuclei) for reading in readings]
    vowels, kinds = natives.vowels.pool
    arrays = {
        "measures": np.array(
            [[getattr(profile, name) for name in MEASURES] for profile in profiles],
            dtype=np.float64,
        ).reshape(len(profiles), len(MEASURES)),
        "syllables": np.array([profile.syllables for profile in profiles], dtype=np.int32),
        "sentence": np.array(
            [sentences.index(profile.sentence) for profile in profiles], dtype=np.uint8
        ),
        "voice": np.array(voices, dtype=np.uint16),
        "contours": np.array(contours, dtype=np.float32),
        "contours.bounds": np.cumsum([0, *lengths]).astype(np.uint32),
        "prominent": np.array([-1 if word is None else word for word in prominent], dtype=np.int32),
        "vowels": vowels.astype(np.uint32),
        "vowels.full": kinds[1:2].astype(np.uint32),
    }
    if natives.stress is not None:
        margins = natives.stress.natives
        arrays |= {
            "stress.weights": natives.stress.weights,
            "stress.offsets": natives.stress.offsets,
            "stress.ordered": margins.ordered.astype(np.float32),
            "stress.tails": np.array([margins.threshold, margins.scale, margins.tail]),
        }
    return {name: np.ascontiguousarray(values) for name, values in arrays.items()}


def native_texts(index: PhoneIndex) -> dict[str, Any]:
    """Names of the measures and sentences that `native_arrays` number, and what each R read."""
    return {
        "measures": list(MEASURES),
        "sentences": _sentences(index),
        "texts": index.prosody.column("text").to_pylist(),
    }


def _sentences(index: PhoneIndex) -> list[str]:
    return sorted(set(index.prosody.column("sentence").to_pylist()))
