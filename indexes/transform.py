"""The closed-form linear map that belongs to an index: encoder space → search space."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Transform:
    """`x → unit((x − mean) @ matrix)`; unit length makes inner products cosines."""

    kind: str  # how the matrix was found: `lda`, `whitening` or `identity`
    mean: FloatArray  # float32 `[D]`
    matrix: FloatArray  # float32 `[D, d]`

    def __call__(self, embeddings: FloatArray) -> FloatArray:
        """Map float32 `[N, D]` to unit vectors, float32 `[N, d]`, C-contiguous."""
        projected = (embeddings - self.mean) @ self.matrix
        norms = np.linalg.norm(projected, axis=1, keepdims=True)
        return np.ascontiguousarray(projected / np.maximum(norms, 1e-12), dtype=np.float32)

    @property
    def fingerprint(self) -> str:
        """`sha256:…` over kind, mean and matrix."""
        digest = hashlib.sha256(self.kind.encode())
        digest.update(np.ascontiguousarray(self.mean).tobytes())
        digest.update(np.ascontiguousarray(self.matrix).tobytes())
        return f"sha256:{digest.hexdigest()}"

    def save(self, path: Path) -> None:
        """Write as safetensors."""
        save_file(
            {
                "mean": np.ascontiguousarray(self.mean),
                "matrix": np.ascontiguousarray(self.matrix),
            },
            path,
        )

    @classmethod
    def load(cls, path: Path, kind: str) -> Transform:
        """Read what `save` wrote."""
        arrays = load_file(path)
        return cls(kind=kind, mean=arrays["mean"], matrix=arrays["matrix"])
