"""What one build from all the speech would make otherwise than a change of an index does.

A change fits transform and decision anew, and gives what one build gives wherever an utterance
counts for itself alone. It does not where something was learnt from all the speech together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nativeear.indexer.columns import codes
from nativeear.indexer.corpus import Corpus
from nativeear.indexer.mismatches import MIN_UTTERANCES, speech_of_records, unlike_their_texts
from nativeear.indexer.phones import inventory_of
from nativeear.indexer.pool import Record
from nativeear.indexes.index_files import ALIGNER, EMBEDDINGS, HEAD, LEFT_OUT, WAITING
from nativeear.indexes.phone_index import Name, PhoneIndex
from nativeear.indexes.similarity import FloatArray
from nativeear.speech.alignment import SILENCE

Speech = Iterator[tuple[Name, list[str], FloatArray]]


def of_one_build(
    indexes: Sequence[PhoneIndex], corpora: Sequence[Corpus] = (), records: Sequence[Record] = ()
) -> tuple[str, ...]:
    """What one build would do otherwise, in plain sentences; none where it gives the same bytes.

    Parameters
    ----------
    corpora, records
        What was added, and what was pooled of it.
    """
    sentences = []
    first = indexes[0]
    if any(ALIGNER in index.manifest.files for index in indexes):
        sentences.append(
            "It would learn its aligner from all of the speech, and may place phones otherwise."
        )
    if any(HEAD in index.manifest.files for index in indexes):
        sentences.append("It would fit its phone head on all of the speech.")
    if any(LEFT_OUT in index.manifest.files for index in indexes):
        sentences.append("It would ask about natives among all of the speech, new ones, too.")
    if first.manifest.aligner == "mfa":
        sentences.append("MFA would adapt to all that a speaker says.")
    own = inventory_of(corpora, first.language, lexicon=first.lexicon, g2p=first.manifest.g2p)
    unknown = set(own.symbols) - set(first.inventory.symbols) if own is not None else set()
    if unknown:
        sentences.append(
            f"It would know {', '.join(sorted(unknown))}, which this index has no name for."
        )
    if not all(EMBEDDINGS in index.manifest.files for index in indexes):
        sentences.append("It would fit transform and decision on all of the speech.")
    elif doubtful := _doubtful(indexes, records):
        name = "/".join(doubtful[0])
        sentences.append(
            f"It would set aside {len(doubtful)} utterances whose sound is not what their text "
            f"says beside the rest, {name} for instance."
        )
    return tuple(sentences)


def _doubtful(indexes: Sequence[PhoneIndex], records: Sequence[Record]) -> list[Name]:
    """Utterances that do not fit their texts as they are beside all others."""

    def speech() -> Speech:
        seen: set[Name] = set()
        for part in (
            *map(_of_index, indexes),
            speech_of_records((r.name, r.path) for r in records),
        ):
            for name, phones, embeddings in part:
                if name not in seen:
                    seen.add(name)
                    yield name, phones, embeddings

    if sum(1 for _ in speech()) < MIN_UTTERANCES:
        return []
    return sorted(unlike_their_texts(speech))


def _of_index(index: PhoneIndex) -> Speech:
    """The natives of an index; speech that was rated has no prosody, and stays as it is."""
    columns = ["phone", "corpus", "utterance"]
    phones = index.table.select(columns)
    if WAITING in index.manifest.files:
        waiting = pq.read_table(index.path / WAITING, columns=columns)
        phones = pa.concat_tables([phones, waiting.cast(phones.schema)])
    embeddings = np.load(index.path / EMBEDDINGS, mmap_mode="r")
    label, labels = codes(phones, "phone")
    (corpus, corpora), (utterance, ids) = (codes(phones, name) for name in columns[1:])
    order = np.lexsort([utterance, corpus])
    order = order[np.array([name != SILENCE for name in labels], dtype=bool)[label[order]]]
    ends = np.flatnonzero(np.diff(corpus[order]) | np.diff(utterance[order])) + 1
    for rows in np.split(order, ends) if len(order) else ():
        name = (corpora[corpus[rows[0]]], ids[utterance[rows[0]]])
        if name in index.native_utterances:
            own = [labels[code] for code in label[rows].tolist()]
            yield name, own, np.asarray(embeddings[rows], dtype=np.float32)
