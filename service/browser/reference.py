"""What an index and its judge come to, as the arrays that a page weighs a recording by.

Everything that does not depend on the recording is worked out here once, so that a page reads it
and fits nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.native_margins import NativeMargins
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.unheard import UnheardNatives, unheard_reference
from nativeear.retriever.deviations import Deviations
from nativeear.retriever.frame_retrieval import FrameRetrieval
from nativeear.scoring.fusion.natives import NativeReference
from nativeear.speech.reading.reading import phone_distances

Arrays = dict[str, NDArray[Any]]


def exemplar_arrays(index: PhoneIndex) -> Arrays:
    """The exemplars in the order of their rows.

    `vectors` float16 `[n, d]`; `word`, `speaker` and `utterance` number their names in
    `exemplar_names`; `start_s` and `end_s` float32 `[n]`; `playable` uint8 `[n]`; `frame_rows`
    uint32, those that answer frames.
    """
    return {
        "vectors": index.vectors.astype(np.float16),
        "word": index.codes("word")[0].astype(np.uint16),
        "speaker": index.codes("speaker")[0].astype(np.uint16),
        "utterance": index.utterances[0].astype(np.uint16),
        "start_s": index.values("start_s").astype(np.float32),
        "end_s": index.values("end_s").astype(np.float32),
        "playable": index.playable.astype(np.uint8),
        "frame_rows": FrameRetrieval(index).rows.astype(np.uint32),
    }


def exemplar_names(index: PhoneIndex) -> dict[str, list[Any]]:
    """Names that the columns of `exemplar_arrays` number; of an utterance its clip, or None."""
    return {
        "word": list(index.codes("word")[1]),
        "speaker": list(index.codes("speaker")[1]),
        "clip": [index.clips.get(name) for name in index.utterances[1]],
    }


def reference_arrays(index: PhoneIndex, columns: tuple[str, ...]) -> Arrays:
    """How natives say each of the P classes, and how far the phones of C columns are apart."""
    natives, deviations = NativeReference(index), Deviations(index)
    unheard = unheard_reference(index)
    lengths = [deviations.durations_s.get(phone, (np.nan, np.nan)) for phone in index.classes]
    judged = [natives.reliability[phone].judged() for phone in index.classes]
    arrays = {
        "mean": index.transform.mean,
        "matrix": index.transform.matrix,
        "class_means": deviations.means,
        "shortest_s": np.array([shortest_s for shortest_s, _ in lengths]),
        "median_s": natives.median_durations_s(index.classes),
        "judged": np.array(judged, dtype=np.uint8),
        "distances": phone_distances(columns, index.inventory),
    }
    arrays |= _by_class("margins", index.classes, natives.margins)
    arrays |= _by_class("log_posteriors", index.classes, natives.log_posteriors)
    arrays |= _unheard("with_head", unheard.with_head) | _unheard("alone", unheard.alone)
    return {name: np.ascontiguousarray(values) for name, values in arrays.items()}


def _by_class(name: str, classes: tuple[str, ...], natives: dict[str, NativeMargins]) -> Arrays:
    """Distributions by class one behind the other; that of class p begins at `bounds[p]`."""
    nothing = NativeMargins.fit(np.zeros(0))
    found = [natives.get(phone, nothing) for phone in classes]
    return {
        f"{name}.ordered": np.concatenate([each.ordered for each in found]).astype(np.float32),
        f"{name}.bounds": np.cumsum([0, *map(len, found)]).astype(np.uint32),
        f"{name}.tails": np.array([[each.threshold, each.scale, each.tail] for each in found]),
    }


def _unheard(name: str, natives: UnheardNatives) -> Arrays:
    known = natives.known
    return {
        f"{name}.ordered": known.ordered.astype(np.float32),
        f"{name}.tails": np.array([known.threshold, known.scale, known.tail, natives.shift]),
    }
