"""Which phones may stand in for which: phonologically restricted substitutions.

A competitor that nobody would say in place of the canonical phone only raises false alarms
(Parikh et al., 2025, arXiv 2506.02080). A table of substitutes is a bool matrix `[V, V]`, row the
canonical label, column a label that may replace it; the diagonal is always true.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nativeear.speech.ctc import IntArray
from nativeear.speech.errors import InputError
from nativeear.speech.inventory import PhoneInventory


def nearby_substitutes(distances: ArrayLike, *, limit: float) -> NDArray[np.bool_]:
    """Allow the labels within an articulatory distance of the canonical one.

    Parameters
    ----------
    distances
        `[V, V]`, for instance PanPhon feature distances between the labels. NaN or +inf for labels
        that are no phones keeps them out.
    limit
        Largest distance allowed, in the unit of `distances`.

    Raises
    ------
    InputError
        `distances` is not square.
    """
    matrix = np.asarray(distances, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(
            f"distances have shape {list(matrix.shape)}",
            cause="expected one distance for every pair of labels, [V, V]",
            fix="compute the distances between all labels of the encoder, the blank included",
        )
    return np.asarray((matrix <= limit) | np.eye(len(matrix), dtype=bool))


def inventory_substitutes(
    inventory: PhoneInventory, columns: Sequence[str], *, limit: float
) -> NDArray[np.bool_]:
    """Allow the phones within a PanPhon distance of the canonical one.

    Parameters
    ----------
    inventory
        The phones.
    columns
        The V columns of the pooled head, see `speech.phone_head.LabelMap.columns`. The blank and
        whatever is no phone of the inventory stand in for nothing.
    limit
        Largest distance allowed, from 0 to 1, see `PhoneInventory.distance`.
    """
    distances = np.full((len(columns), len(columns)), np.nan)
    phones = [(i, column) for i, column in enumerate(columns) if column in inventory]
    for i, canonical in phones:
        for j, substitute in phones:
            distances[i, j] = inventory.distance(canonical, substitute)
    return nearby_substitutes(distances, limit=limit)


def confusable_substitutes(
    confusions: Mapping[str, Iterable[str]], labels: Sequence[str]
) -> NDArray[np.bool_]:
    """Allow the substitutes that a table of confusions lists, as for one first language.

    Parameters
    ----------
    confusions
        Canonical phone → the phones heard in its place. A phone without an entry has no substitute
        and is compared with its deletion alone.
    labels
        The V labels of the encoder.

    Raises
    ------
    InputError
        The table names a phone that is no label.
    """
    ids = {label: i for i, label in enumerate(labels)}
    table = np.eye(len(labels), dtype=bool)
    for canonical, substitutes in confusions.items():
        for phone in (canonical, *substitutes):
            if phone not in ids:
                raise InputError(
                    f"the confusion table names {phone!r}, which is not a label",
                    cause=f"the encoder's labels are {' '.join(labels)}",
                    fix="map the table to the encoder's labels first",
                )
            table[ids[canonical], ids[phone]] = True
    return table


def allowed_substitutes(
    substitutes: NDArray[np.bool_] | None, labels: IntArray, blank: int, n_vocabulary: int
) -> NDArray[np.bool_]:
    """Which labels may stand at each position, bool `[N, V]`.

    `substitutes` is bool `[V, V]`, canonical by substitute, or None for every label. The canonical
    label always may, the blank never.

    Raises
    ------
    InputError
        `substitutes` is of another shape or type.
    """
    if substitutes is None:
        allowed = np.ones((labels.size, n_vocabulary), dtype=bool)
    else:
        table = np.asarray(substitutes)
        if table.shape != (n_vocabulary, n_vocabulary) or table.dtype != np.bool_:
            raise InputError(
                f"substitutes are {table.dtype} {list(table.shape)}",
                cause=f"expected bool [{n_vocabulary}, {n_vocabulary}]: canonical by substitute",
                fix="make the table from this encoder's labels, see nativeear.scoring.substitutes",
            )
        allowed = table[labels]
        allowed[np.arange(labels.size), labels] = True
    allowed[:, blank] = False
    return allowed
