"""`prosody.parquet`: how the natives of an index flow and sing, a row per utterance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any, NamedTuple

import pyarrow as pa

from nativeear.speech.prosody.profile import ProsodyProfile
from nativeear.speech.prosody.stress import CORRELATES, Syllable

_SYLLABLE = pa.struct(
    [
        pa.field("word", pa.int32(), nullable=False),
        pa.field("place", pa.int16(), nullable=False),
        pa.field("stress", pa.int8(), nullable=False),
        pa.field("finality", pa.int8(), nullable=False),
        *(pa.field(name, pa.float32(), nullable=False) for name in CORRELATES),
    ]
)

_OTHER_TYPES = {
    "text": pa.string(),
    "sentence": pa.string(),
    "syllables": pa.int32(),
    "contour": pa.list_(pa.float32()),
    "nuclei": pa.list_(_SYLLABLE),
}

SCHEMA = pa.schema(
    [
        pa.field("corpus", pa.dictionary(pa.int16(), pa.string()), nullable=False),
        pa.field("utterance", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("speaker", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        *(
            pa.field(field.name, _OTHER_TYPES.get(field.name, pa.float64()), nullable=False)
            for field in fields(ProsodyProfile)
        ),
    ]
)
"""Columns of `prosody.parquet`, ordered by corpus and utterance; beside the names those of
`speech.prosody.profile.ProsodyProfile`, NaN where something could not be measured. Speech that
was rated is no native speech and has no row."""


def row_of(profile: ProsodyProfile) -> dict[str, Any]:
    """A profile as the values of its columns."""
    row = asdict(profile)
    for nucleus in row["nuclei"]:
        del nucleus["fullness"]  # asked of the index, which may change, and not kept in it
    return row


def profile_of(row: dict[str, Any]) -> ProsodyProfile:
    """What `row_of` described, or a row of the table; other columns are passed over."""
    values = {field.name: row[field.name] for field in fields(ProsodyProfile)}
    values["contour"] = tuple(values["contour"])
    values["nuclei"] = tuple(Syllable(**nucleus) for nucleus in values["nuclei"])
    return ProsodyProfile(**values)


class NativeProfile(NamedTuple):
    """A row of the table: whose speech it is, and how it flows and sings."""

    corpus: str
    utterance: str
    speaker: str
    profile: ProsodyProfile


def profiles_of(table: pa.Table) -> tuple[NativeProfile, ...]:
    """Every row of the table."""
    rows: Sequence[dict[str, Any]] = table.to_pylist()
    return tuple(
        NativeProfile(row["corpus"], row["utterance"], row["speaker"], profile_of(row))
        for row in rows
    )
