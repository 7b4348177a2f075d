"""Tables of phones and utterances on their way into an index: columns, and what they name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nativeear.indexes.exemplar import SCHEMA
from nativeear.indexes.phone_index import Name
from nativeear.indexes.similarity import IntArray

FLUSH_ROWS = 1 << 14
"""Rows that are Python objects at once, before they become columns."""

BoolArray = NDArray[np.bool_]


def plain(table: pa.Table) -> pa.Table:
    """The same rows in one chunk, with dictionaries in the order of first appearance.

    So equal rows are equal bytes, whatever the table was cut from.
    """
    arrays = []
    for field in table.schema:
        column = table.column(field.name)
        if pa.types.is_dictionary(field.type):
            texts = column.cast(pa.string()).combine_chunks()
            arrays.append(texts.dictionary_encode().cast(field.type))
        else:
            arrays.append(column.combine_chunks())
    return pa.Table.from_arrays(arrays, schema=table.schema)


def codes(table: pa.Table, column: str) -> tuple[IntArray, list[str]]:
    """A text column as numbers `[n]` in the order of its sorted values, and these values."""
    parts = table.column(column).unify_dictionaries()
    if parts.num_chunks == 0:
        return np.zeros(0, dtype=np.int64), []
    values = parts.chunk(0).dictionary.to_pylist()
    by_name = sorted(range(len(values)), key=values.__getitem__)
    rank = np.empty(len(values), dtype=np.int64)
    rank[by_name] = np.arange(len(values))
    indices = np.concatenate([chunk.indices.to_numpy() for chunk in parts.chunks])
    return rank[indices], [values[i] for i in by_name]


def names_in(table: pa.Table, column: str) -> list[Name]:
    """Corpus, and what a column names in it, of every row of a table."""
    return list(zip(*(table.column(c).to_pylist() for c in ("corpus", column)), strict=True))


def utterance_names(table: pa.Table) -> list[Name]:
    """Corpus and id of every row of a table of utterances."""
    return names_in(table, "utterance")


def numbered(table: pa.Table, column: str) -> IntArray:
    """A number per row for what a column names in its corpus, `[n]`; they sort as the names do."""
    corpus, _ = codes(table, "corpus")
    value, names = codes(table, column)
    return corpus * max(1, len(names)) + value


def among(table: pa.Table, names: set[Name]) -> BoolArray:
    """Which rows of a table belong to the utterances of these names, bool `[n]`."""
    corpus, corpora = codes(table, "corpus")
    utterance, ids = codes(table, "utterance")
    known_corpora = {name: i for i, name in enumerate(corpora)}
    known_ids = {name: i for i, name in enumerate(ids)}
    wanted = [
        known_corpora[c] * len(ids) + known_ids[u]
        for c, u in names
        if c in known_corpora and u in known_ids
    ]
    return np.isin(corpus * max(1, len(ids)) + utterance, wanted)


def with_margins(phones: pa.Table, margins: NDArray[np.float32]) -> pa.Table:
    """A table of phones with their own margins, float32 `[n]`."""
    at = SCHEMA.get_field_index("margin")
    return phones.set_column(at, SCHEMA.field(at), pa.array(margins, pa.float32()))


class ColumnCollector:
    """Collects rows as columns; few of them are Python objects at any time."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._tables = [schema.empty_table()]
        self._lists: list[list[Any]] = [[] for _ in schema]

    def add(self, row: dict[str, Any]) -> None:
        """Collect a row, by the names of the columns."""
        for name, values in zip(self._schema.names, self._lists, strict=True):
            values.append(row[name])
        if len(self._lists[0]) >= FLUSH_ROWS:
            self._flush()

    def table(self) -> pa.Table:
        """All rows so far."""
        self._flush()
        return pa.concat_tables(self._tables)

    def _flush(self) -> None:
        arrays = [
            pa.array(values, pa.string()).dictionary_encode().cast(field.type)
            if pa.types.is_dictionary(field.type)
            else pa.array(values, field.type)
            for field, values in zip(self._schema, self._lists, strict=True)
        ]
        self._tables.append(pa.Table.from_arrays(arrays, schema=self._schema))
        self._lists = [[] for _ in self._schema]
