"""Speech on its way into an index: columns in memory, embeddings streamed into a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nativeear.indexer.columns import (
    BoolArray,
    ColumnCollector,
    among,
    codes,
    numbered,
    plain,
    utterance_names,
)
from nativeear.indexer.corpus import Utterance
from nativeear.indexer.discriminant import blocks
from nativeear.indexer.pooled_utterance import PooledPhone, PooledUtterance
from nativeear.indexes.exemplar import SCHEMA, UTTERANCES
from nativeear.indexes.phone_index import Name
from nativeear.indexes.prosody import SCHEMA as PROSODY
from nativeear.indexes.prosody import row_of
from nativeear.indexes.set_aside import SetAsideUtterance
from nativeear.indexes.similarity import IntArray
from nativeear.speech.alignment import SILENCE
from nativeear.speech.errors import CorpusError, EncoderError, InputError

MIN_EXEMPLARS = 2
"""A phone heard only once has no other to be judged by, and does not shape the transform."""

Rows = NDArray[np.floating]


@dataclass(frozen=True)
class Record:
    """A pooled utterance that rests in a file."""

    # Name of its corpus, and the licence of that.
    corpus: str
    licence: str
    utterance: Utterance  # what was pooled
    path: Path  # where `PooledUtterance.save` wrote it

    @property
    def name(self) -> Name:
        """Corpus and id of the utterance."""
        return self.corpus, self.utterance.id

    def set_aside(self, reason: str) -> SetAsideUtterance:
        """The utterance as one that cannot be used."""
        return SetAsideUtterance(self.corpus, self.utterance.id, self.utterance.speaker, reason)


@dataclass(frozen=True, eq=False)
class Source:
    """Phones that come from somewhere, in any order."""

    phones: pa.Table  # table of `SCHEMA`, n rows; the margin is NaN where it is not known
    utterances: pa.Table  # table of `UTTERANCES`
    # Table of `indexes.prosody.SCHEMA`, of those utterances whose prosody is kept.
    prosody: pa.Table
    licences: dict[str, str]  # licence of each corpus, in the order that the manifest lists them
    # Reads what stands for the n phones in consecutive blocks: float16 embeddings `[b, D]`, or
    # float32 vectors `[b, d]` of an index that keeps no embeddings.
    rows: Callable[[], Iterator[Rows]]

    def without(self, unwanted: set[Name]) -> Source:
        """The same without some utterances, each named by corpus and id."""
        stays = ~among(self.phones, unwanted)
        utterances = self.utterances.filter(pa.array(~among(self.utterances, unwanted)))
        left = set(utterances.column("corpus").to_pylist())

        return Source(
            self.phones.filter(pa.array(stays)),
            utterances,
            self.prosody.filter(pa.array(~among(self.prosody, unwanted))),
            {corpus: licence for corpus, licence in self.licences.items() if corpus in left},
            self._some_rows(stays),
        )

    def thinned(self, stays: BoolArray) -> Source:
        """The same with some of its phones, bool `[n]`; its utterances and their prosody stay."""
        phones = self.phones.filter(pa.array(stays))
        return Source(phones, self.utterances, self.prosody, self.licences, self._some_rows(stays))

    def _some_rows(self, stays: BoolArray) -> Callable[[], Iterator[Rows]]:
        def rows() -> Iterator[Rows]:
            at = 0
            for block in self.rows():
                yield block[stays[at : at + len(block)]]
                at += len(block)

        return rows


@dataclass(frozen=True, eq=False)
class Pool:
    """Phones in the order of an index: by class, silence last; then those heard only once."""

    # Tables of `SCHEMA`: the n exemplars, and the w phones that wait for another of their kind.
    phones: pa.Table
    waiting: pa.Table
    # As in `Source`.
    utterances: pa.Table
    prosody: pa.Table
    licences: dict[str, str]
    classes: tuple[str, ...]  # the P classes
    bounds: IntArray  # int64 `[P + 1]`; class p holds the rows `bounds[p]:bounds[p + 1]`
    rows: Rows  # `[n + w, D]`, memory-mapped: the exemplars' rows, then those of the waiting

    def numbered(self, column: str) -> IntArray:
        """Exemplars of one corpus and one value of `column` as equal numbers, int64 `[n]`."""
        pairs = numbered(self.phones, column)
        return np.unique(pairs, return_inverse=True)[1].astype(np.int64)


def from_records(records: Sequence[Record], min_rating: float | None) -> Source:
    """What finished records hold; phones that raters scored below `min_rating` are left out."""
    phones = ColumnCollector(SCHEMA)
    utterances = ColumnCollector(UTTERANCES)
    prosody = ColumnCollector(PROSODY)
    for record in records:
        pooled = PooledUtterance.load(record.path)
        whence = {
            "corpus": record.corpus,
            "utterance": record.utterance.id,
            "speaker": record.utterance.speaker,
        }
        utterances.add({**whence, "audio_s": pooled.audio_s, "sex": record.utterance.sex})
        if pooled.prosody is not None:
            prosody.add({**whence, **row_of(pooled.prosody)})
        for i in good_phones(pooled.phones, min_rating):
            phones.add({**vars(pooled.phones[i]), **whence, "margin": float("nan")})

    def rows() -> Iterator[Rows]:
        for record in records:
            pooled = PooledUtterance.load(record.path)
            yield halved(
                pooled.embeddings[good_phones(pooled.phones, min_rating)], record.utterance.id
            )

    licences = {record.corpus: record.licence for record in records}
    return Source(phones.table(), utterances.table(), prosody.table(), licences, rows)


def join(sources: Sequence[Source], path: Path) -> Pool:
    """Bring sources into the order of an index, and their rows into the `.npy` file `path`.

    The result depends on what the sources hold together, not on how it is spread over them. An
    utterance that several hold is taken once.

    Raises
    ------
    InputError
        If two sources hold an utterance of the same name that differs.
    CorpusError
        If there are too few phones for an index.
    """
    sources = _disjoint(sources)
    phones = pa.concat_tables([source.phones for source in sources]).unify_dictionaries()
    order, common = _order(phones)
    phones = phones.take(pa.array(order))
    exemplars, waiting = plain(phones.slice(0, common)), plain(phones.slice(common))
    labels = exemplars.column("phone").chunk(0)
    classes = tuple(labels.dictionary.to_pylist())
    if len(classes) < MIN_EXEMPLARS:
        raise CorpusError(
            "The corpus has too few phones for an index.",
            cause=f"Only {', '.join(classes) or 'none'} occurred at least twice.",
            fix="Add more speech.",
        )
    counts = np.bincount(labels.indices.to_numpy(), minlength=len(classes))
    utterances = pa.concat_tables([source.utterances for source in sources]).unify_dictionaries()
    licences: dict[str, str] = {}
    for source in sources:
        licences.update((c, text) for c, text in source.licences.items() if c not in licences)
    prosody = pa.concat_tables([source.prosody for source in sources]).unify_dictionaries()
    return Pool(
        phones=exemplars,
        waiting=waiting,
        utterances=_by_name(utterances),
        prosody=_by_name(prosody),
        licences=licences,
        classes=classes,
        bounds=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        rows=_gather(sources, order, path),
    )


def _by_name(table: pa.Table) -> pa.Table:
    """A table of utterances in the order of their names."""
    order = np.argsort(numbered(table, "utterance"), kind="stable")
    return plain(table.take(pa.array(order)))


def good_phones(phones: Sequence[PooledPhone], min_rating: float | None) -> list[int]:
    """Places of the phones that raters did not score below `min_rating`."""
    return [
        i
        for i, phone in enumerate(phones)
        if min_rating is None or phone.rating is None or phone.rating >= min_rating
    ]


def halved(embeddings: Rows, utterance: str) -> Rows:
    """Embeddings in half precision, rounded once, before anything is computed from them."""
    with np.errstate(over="ignore"):
        halved = embeddings.astype(np.float16)
    if not np.isfinite(halved).all():
        raise EncoderError(
            f"The embeddings of {utterance} cannot be kept.",
            cause=f"Half precision ends at 65504, and they reach {np.abs(embeddings).max():g}.",
            fix="Choose another layer or another encoder.",
        )
    return halved


def _order(phones: pa.Table) -> tuple[IntArray, int]:
    """Rows in the order of an index, and how many of them are of phones heard often enough."""
    phone, names = codes(phones, "phone")
    corpus, _ = codes(phones, "corpus")
    utterance, _ = codes(phones, "utterance")
    last = np.array([name == SILENCE for name in names], dtype=bool)[phone]
    alone = np.bincount(phone)[phone] < MIN_EXEMPLARS if len(phone) else last
    start_s = phones.column("start_s").to_numpy()
    order = np.lexsort((start_s, utterance, corpus, phone, last, alone)).astype(np.int64)
    return order, int((~alone).sum())


def _gather(sources: Sequence[Source], order: IntArray, path: Path) -> Rows:
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    target: Rows | None = None
    at = 0
    for source in sources:
        for block in source.rows():
            if target is None:
                target = np.lib.format.open_memmap(
                    path, mode="w+", dtype=block.dtype, shape=(len(order), block.shape[1])
                )
            target[place[at : at + len(block)]] = block
            at += len(block)
    del target  # writes what is left
    return np.load(path, mmap_mode="r")  # type: ignore[no-any-return]


def _disjoint(sources: Sequence[Source]) -> list[Source]:
    """Sources without the utterances that an earlier one holds, which have to be identical."""
    kept: list[Source] = []
    for source in sources:
        for earlier in kept:
            shared = set(utterance_names(source.utterances)) & set(
                utterance_names(earlier.utterances)
            )
            if not shared:
                continue
            here, there = _digests(source, shared), _digests(earlier, shared)
            differing = sorted(name for name in shared if here.get(name) != there.get(name))
            if differing:
                corpus, utterance = differing[0]
                raise InputError(
                    f"The utterance {utterance} of {corpus} is there twice and differs.",
                    cause=f"So do {len(differing) - 1} more." if len(differing) > 1 else "",
                    fix="Remove it from one side first, or give one of the corpora another name.",
                )
            source = source.without(shared)  # noqa: PLW2901 - the same source, less of it
        kept.append(source)
    return kept


def _digests(source: Source, names: set[Name]) -> dict[Name, int]:
    """A number per utterance that tells what stands in its rows, whatever their order.

    Vectors are left out: an index without embeddings has them from another rounding than a fresh
    recording has.
    """
    chosen = among(source.phones, names)
    described = source.phones.drop_columns(["margin"])
    found: dict[Name, int] = {}
    at = 0
    for block in source.rows():
        rows = np.flatnonzero(chosen[at : at + len(block)])
        for row, values in zip(rows, described.take(pa.array(rows + at)).to_pylist(), strict=True):
            digest = blake2b(repr(values).encode(), digest_size=16)
            if block.dtype == np.float16:
                digest.update(block[row].tobytes())
            name = (values["corpus"], values["utterance"])
            found[name] = found.get(name, 0) + int.from_bytes(digest.digest(), "little")
        at += len(block)
    return found


def array_rows(array: Rows) -> Callable[[], Iterator[Rows]]:
    """Reads an array, for instance a memory-mapped file, in blocks."""
    return lambda: (array[block] for block in blocks(len(array)))
