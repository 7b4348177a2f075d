"""Linear discriminant analysis in closed form: the index's own labels find the search space."""

from __future__ import annotations

import numpy as np

from indexes.transform import FloatArray, Transform

SHRINKAGE = 0.02
"""Share of the mean within-class variance added to every direction."""


def fit_lda(
    embeddings: FloatArray, labels: tuple[str, ...], *, dims: int | None = None
) -> Transform:
    """Whiten the within-class scatter and keep the directions that separate the classes most.

    Every class weighs the same in the between-class scatter, however common it is.

    Parameters
    ----------
    embeddings
        float32 `[N, D]`.
    labels
        N class labels.
    dims
        Directions kept; one less than the number of classes (all that separate) if None.

    Returns
    -------
    Transform
        `kind` is `lda`; the matrix is float32 `[D, d]`.
    """
    classes = sorted(set(labels))
    codes = np.searchsorted(classes, labels)
    data = embeddings.astype(np.float64)
    means = np.stack([data[codes == c].mean(axis=0) for c in range(len(classes))])
    centre = means.mean(axis=0)
    deviations = data - means[codes]
    within = deviations.T @ deviations / len(data)
    within += SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))
    values, directions = np.linalg.eigh(within)
    whiten = directions / np.sqrt(values)
    spread = (means - centre) @ whiten
    _, singular, axes = np.linalg.svd(spread, full_matrices=False)
    keep = min(dims or len(classes) - 1, len(singular))
    matrix = whiten @ axes[:keep].T
    matrix *= np.where(matrix[np.abs(matrix).argmax(axis=0), np.arange(keep)] < 0, -1.0, 1.0)
    return Transform("lda", centre.astype(np.float32), matrix.astype(np.float32))
