"""The tables of `training.evidence` as arrays, and what marks are fitted on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nativeear.scoring.fusion.features import RATIO, FeatureTable
from nativeear.scoring.fusion.marks import SENTENCE_MARKS, WORD_MARKS, completeness
from nativeear.scoring.fusion.measures import WordFacts, phone_measures, word_measures
from nativeear.scoring.fusion.phone_model import COLUMNS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Evidence:
    """The tables of `training.evidence`: N phones, W words, S readings.

    `recording` numbers the recordings of the phones; those of claimed phones have numbers of their
    own, which no word and no reading has.
    """

    features: FeatureTable
    phone: NDArray[np.str_]
    speaker: NDArray[np.str_]
    word: IntArray
    recording: IntArray
    fold: IntArray
    expert: FloatArray
    claimed: BoolArray
    words: Sequence[Mapping[str, Any]]
    readings: Sequence[Mapping[str, Any]]

    @classmethod
    def read(cls, folder: Path) -> Evidence:
        """Read what `training.evidence` wrote."""
        phones, words, readings = (
            pq.read_table(folder / f"{name}.parquet") for name in ("phones", "words", "sentences")
        )
        number = {name: i for i, name in enumerate(_column(readings, "utterance").tolist())}
        claimed = _column(phones, "claimed").astype(bool)
        own = np.array([number[name] for name in _column(phones, "utterance").tolist()])
        by_phone = sorted(name for name in phones.column_names if name.startswith(RATIO))
        names = (*COLUMNS, *by_phone)
        values = np.column_stack([_column(phones, name).astype(np.float64) for name in names])
        return cls(
            FeatureTable(names, values),
            _column(phones, "phone").astype(str),
            _column(phones, "speaker").astype(str),
            _column(phones, "word").astype(np.int64),
            own + len(number) * claimed,
            _column(phones, "fold").astype(np.int64),
            _column(phones, "expert").astype(np.float64),
            claimed,
            words.to_pylist(),
            readings.to_pylist(),
        )

    def part(self, folds: Sequence[int]) -> Evidence:
        """The learners of some folds."""
        kept = np.isin(self.fold, folds)
        return replace(
            self,
            features=FeatureTable(self.features.names, self.features.values[kept]),
            phone=self.phone[kept],
            speaker=self.speaker[kept],
            word=self.word[kept],
            recording=self.recording[kept],
            fold=self.fold[kept],
            expert=self.expert[kept],
            claimed=self.claimed[kept],
            words=[row for row in self.words if row["fold"] in folds],
            readings=[row for row in self.readings if row["fold"] in folds],
        )

    @property
    def folds(self) -> list[int]:
        """The folds that are there."""
        return [int(fold) for fold in np.unique(self.fold)]

    @cached_property
    def recordings(self) -> list[IntArray]:
        """Rows of every recording, in order."""
        starts = np.flatnonzero(np.diff(self.recording, prepend=-1))
        return np.split(np.arange(len(self.recording)), starts[1:])


def _column(table: pa.Table, name: str) -> NDArray[Any]:
    return np.asarray(table.column(name).to_numpy(zero_copy_only=False))


@dataclass(frozen=True, eq=False)
class Readings:
    """What marks are fitted on: W words and S readings, with the experts' marks."""

    words: FloatArray
    readings: list[dict[str, float]]
    complete: FloatArray
    word_marks: dict[str, FloatArray]
    sentence_marks: dict[str, FloatArray]


def readings_of(evidence: Evidence, expected: FloatArray) -> Readings:
    """Measures of every word and reading, given what is expected of every phone."""
    real = [rows for rows in evidence.recordings if not evidence.claimed[rows[0]]]
    words = list(_words_of(evidence.words))
    tables, measured, complete = [], [], []
    for rows, own, reading in zip(real, words, evidence.readings, strict=True):
        found, word = expected[rows], evidence.word[rows]
        tables.append(word_measures(found, word, own))
        flow = {
            name: np.nan if value is None else float(value)
            for name, value in reading.items()
            if isinstance(value, int | float | None)
            and name != "fold"
            and not name.startswith("expert_")
        }
        measured.append(flow | phone_measures(found, word))
        complete.append(completeness(found, word, len(own)))
    return Readings(
        np.concatenate(tables),
        measured,
        np.array(complete),
        {m: np.array([row[f"expert_{m}"] for row in evidence.words], float) for m in WORD_MARKS},
        {
            m: np.array([row[f"expert_{m}"] for row in evidence.readings], float)
            for m in (*SENTENCE_MARKS, "completeness")
        },
    )


def _words_of(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[WordFacts]]:
    """Words of each recording."""
    found: list[WordFacts] = []
    for row in rows:
        if row["word"] == 0 and found:
            yield found
            found = []
        kept = {name: row[name] for name in WordFacts.__dataclass_fields__}
        found.append(WordFacts(**kept))
    yield found
