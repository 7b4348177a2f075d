"""What an index keeps of its utterances, in `utterances.parquet`."""

from __future__ import annotations

import pyarrow as pa

from nativeear.indexes.exemplar import UTTERANCES as SCHEMA
from nativeear.indexes.index_files import UTTERANCES, read_columns
from nativeear.indexes.phone_index import PhoneIndex


def utterances_of(index: PhoneIndex) -> pa.Table:
    """The columns of `utterances.parquet`, see `indexes.exemplar.UTTERANCES`.

    The sex of all speakers is null where the index was built before it was kept.
    """
    table = read_columns(index.path / UTTERANCES)
    field = SCHEMA.field("sex")
    if field.name not in table.column_names:
        table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table.cast(SCHEMA)


def sexes_of(index: PhoneIndex) -> dict[tuple[str, str], str]:
    """`f` or `m` by corpus and utterance, of those whose corpus states it."""
    table = utterances_of(index)
    rows = zip(
        *(table.column(name).to_pylist() for name in ("corpus", "utterance", "sex")), strict=True
    )
    return {(corpus, utterance): sex for corpus, utterance, sex in rows if sex is not None}
