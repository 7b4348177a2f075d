"""What an index made of its own natives while they were left out: `left-out.parquet`.

A build writes it of some utterances, for their frames are at hand only then. Changes carry the rows
of what stays.
"""

from __future__ import annotations

import pyarrow as pa

from nativeear.indexes.index_files import LEFT_OUT, damaged, read_columns
from nativeear.indexes.phone_index import PhoneIndex

SCHEMA = pa.schema(
    [
        pa.field("corpus", pa.dictionary(pa.int16(), pa.string()), nullable=False),
        pa.field("utterance", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("speaker", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("posterior", pa.float32(), nullable=False),
        pa.field("frame_log_posterior", pa.float32(), nullable=False),
    ]
)
"""Columns, a row per phone that was asked, utterance by utterance in the order that they were said:
its log posterior by retrieval, and the mean log posterior of its frames (`indexes.frame_evidence`).
NaN where nothing of its kind was left to answer."""


def left_out_of(index: PhoneIndex) -> pa.Table:
    """The columns of `left-out.parquet`; without rows where a build has not written it.

    Raises
    ------
    IndexFormatError
        If it is damaged.
    """
    if LEFT_OUT not in index.manifest.files:
        return pa.Table.from_batches([], SCHEMA)  # `empty_table` imports pandas, where it is
    table = read_columns(index.path / LEFT_OUT)
    if not table.schema.equals(SCHEMA):
        raise damaged(index.path, f"The columns of {LEFT_OUT} are not those that it should have.")
    return table
