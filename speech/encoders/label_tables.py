"""A model's own table of what its labels mean, where they are no notation that is known."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from nativeear.speech.errors import EncoderError

LABELS = "labels.csv"
"""Beside a model: a row `label,ipa` for each label that means something else than it says."""


def in_ipa(folder: Path, labels: Sequence[str]) -> tuple[str, ...]:
    """The labels of a head, those in IPA that the folder's table names; pieces are spaced.

    Raises
    ------
    EncoderError
        If the table cannot be read, or names a label that the head does not have.
    """
    path = folder / LABELS
    if not path.is_file():
        return tuple(labels)
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            told = {row["label"]: row["ipa"].strip() for row in csv.DictReader(stream)}
    except (OSError, ValueError, KeyError, AttributeError, csv.Error) as error:
        raise EncoderError(
            f"{path} cannot be read.",
            cause=f"{type(error).__name__}: {error}",
            fix="Write the columns label and ipa, a row for each label.",
        ) from error
    unknown = sorted(set(told) - set(labels))
    if unknown:
        raise EncoderError(
            f"{path} names labels that the model does not have.",
            cause=f"For instance {unknown[0]!r}.",
            fix="Write the labels as tokens.txt or vocab.json has them.",
        )
    return tuple(told.get(label, label) for label in labels)
