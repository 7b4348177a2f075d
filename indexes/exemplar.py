"""One native phone in an index, and the columns that hold many of them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

SCHEMA = pa.schema(
    [
        pa.field("phone", pa.dictionary(pa.int16(), pa.string()), nullable=False),
        pa.field("left", pa.dictionary(pa.int16(), pa.string()), nullable=False),
        pa.field("right", pa.dictionary(pa.int16(), pa.string()), nullable=False),
        pa.field("stress", pa.int8(), nullable=False),
        pa.field("word", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("speaker", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("utterance", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("start_s", pa.float64(), nullable=False),
        pa.field("end_s", pa.float64(), nullable=False),
        pa.field("corpus", pa.dictionary(pa.int16(), pa.string()), nullable=False),
        pa.field("margin", pa.float32(), nullable=False),
        pa.field("log_posterior", pa.float32(), nullable=False),
    ]
)
"""Columns of `exemplars.parquet`, a row per vector in FAISS id order. `stress` is -1 where unknown;
`margin` is the exemplar's own margin while its utterance or speaker was left out, NaN where it has
no other to be judged by or was not asked; `log_posterior` is what the encoder's phone head made of
it where it was expected, NaN where there is no such head or it cannot tell the phone."""


UTTERANCES = pa.schema(
    [
        pa.field("corpus", pa.dictionary(pa.int16(), pa.string()), nullable=False),
        pa.field("utterance", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("speaker", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("audio_s", pa.float64(), nullable=False),
        pa.field("sex", pa.dictionary(pa.int8(), pa.string())),
    ]
)
"""Columns of `utterances.parquet`, a row per utterance, ordered by corpus and utterance. `audio_s`
is the length of its recording in seconds; `sex` is the speaker's, `f` or `m`, null where the corpus
does not state it, and missing in indexes that earlier releases built."""


@dataclass(frozen=True)
class Exemplar:
    """One pooled native phone.

    Attributes
    ----------
    row
        Row of the vector in the index.
    phone, left, right
        The phone and its neighbours; `SIL` where speech begins and ends.
    stress
        Lexical stress of a vowel: 0, 1 or 2; None where not known or not a vowel.
    word, speaker, utterance, corpus
        Where it comes from.
    start_s, end_s
        Seconds in the utterance.
    margin
        Its own margin while its utterance or speaker was left out; NaN where it has no other
        to be judged by or was not asked.
    log_posterior
        Log posterior of the phone, averaged over CTC occupancy; NaN where there is none.
    """

    row: int
    phone: str
    left: str
    right: str
    stress: int | None
    word: str
    speaker: str
    utterance: str
    start_s: float
    end_s: float
    corpus: str
    margin: float
    log_posterior: float
