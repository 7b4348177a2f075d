"""Exact search on a graphics card: the vectors of a large index, resident in its memory.

A processor reads gigabytes for every question; a card keeps them in faster memory. PyTorch and not
`faiss-gpu` does it: a margin needs the nearest of every phone, where a flat index of FAISS finds
the nearest of all, and encoders on a card need PyTorch anyway.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nativeear.indexes.similarity import BLOCK_BYTES, FloatArray, IntArray
from nativeear.speech.encoders.catalogue import has_gpu

ROOM = 2
"""Free memory of the card has to be this many times the vectors: encoders need some, too."""


class ResidentVectors:
    """Unit vectors on a device, class by class. Safe to share between threads.

    Parameters
    ----------
    vectors
        float32 `[n, d]`, ordered by class; read class by class.
    bounds
        int64 `[P + 1]`: class p holds the rows `bounds[p]:bounds[p + 1]`.
    """

    def __init__(self, vectors: FloatArray, bounds: IntArray, device: str) -> None:
        import torch

        self._bounds = bounds
        self._device = device
        self._classes = [
            torch.from_numpy(np.array(vectors[first:end])).to(device)
            for first, end in pairwise(bounds.tolist())
        ]

    def best_of_classes(
        self, queries: FloatArray, m: int, excluded: NDArray[np.bool_] | None = None
    ) -> tuple[FloatArray, IntArray]:
        """The m nearest exemplars of every class.

        Parameters
        ----------
        queries
            Unit vectors, float32 `[N, d]`.
        excluded
            bool `[n]`, rows that must not answer.

        Returns
        -------
        similarities
            float32 `[N, P, m]`, ascending; -inf in front where a class has fewer.
        rows
            int64 `[N, P, m]`; -1 where the similarity is -inf.
        """
        best = np.full((len(queries), len(self._classes), m), -np.inf, dtype=np.float32)
        rows = np.full(best.shape, -1, dtype=np.int64)
        step = max(1, BLOCK_BYTES // (4 * max(1, int(np.diff(self._bounds).max(initial=0)))))
        for first in range(0, len(queries), step):
            block = slice(first, first + step)
            self._ask(queries[block], m, excluded, best[block], rows[block])
        rows[np.isneginf(best)] = -1
        return best, rows

    def _ask(
        self,
        queries: FloatArray,
        m: int,
        excluded: NDArray[np.bool_] | None,
        best: FloatArray,
        rows: IntArray,
    ) -> None:
        import torch

        with torch.inference_mode():
            asked = torch.from_numpy(np.ascontiguousarray(queries)).to(self._device)
            for p, own in enumerate(self._classes):
                held = min(m, len(own))
                if not held:
                    continue
                first, end = self._bounds[p : p + 2].tolist()
                products = asked @ own.T
                if excluded is not None:
                    left_out = torch.from_numpy(np.flatnonzero(excluded[first:end]))
                    products[:, left_out.to(self._device)] = -torch.inf
                values, places = products.topk(held, dim=1)
                best[:, p, m - held :] = values.flip(1).cpu().numpy()
                rows[:, p, m - held :] = first + places.flip(1).cpu().numpy()


def on_gpu(vectors: FloatArray, bounds: IntArray) -> ResidentVectors | None:
    """Vectors on a graphics card; None where there is none, or it has no room for them."""
    if not has_gpu():
        return None
    import torch

    if torch.cuda.mem_get_info()[0] < ROOM * vectors.nbytes:
        return None
    return ResidentVectors(vectors, bounds, "cuda")
