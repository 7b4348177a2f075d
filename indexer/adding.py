"""Speech is added to an index, pooled as the rest of it was."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from nativeear.indexer.assembly import Progress, no_progress
from nativeear.indexer.changes import (
    ChangeReport,
    Content,
    changing,
    next_settings,
    publish_content,
    refits,
    source_of,
    still_aside,
)
from nativeear.indexer.columns import codes, numbered, utterance_names, with_margins
from nativeear.indexer.corpus_sources import (
    given_sources,
    read_corpora,
    recorded_sources,
    without_folders,
)
from nativeear.indexer.decision import draw
from nativeear.indexer.one_build import of_one_build
from nativeear.indexer.pool import Rows, Source, from_records
from nativeear.indexer.pooled_corpora import aligner_of, pool_corpora
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler
from nativeear.indexes.encoder_of import name_here, with_own_head
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.similarity import class_similarities, margins


@dataclass(frozen=True)
class AddRequest:
    """What to add to which index."""

    index: Path  # folder of the index
    # As in `indexer.build.BuildRequest`.
    corpora: tuple[str, ...]
    reader: str = "auto"
    licence: str | None = None
    workers: int = 1
    resume: bool = False
    exclude: frozenset[str] = frozenset()
    # Name or folder of the index's encoder, where it is not found by the name in the manifest.
    encoder: str | None = None
    # Older versions that stay, now and after later changes; as many as before if None.
    keep: int | None = None


def add(request: AddRequest, progress: Progress = no_progress) -> ChangeReport:
    """Add corpora to an index, pooled with its own settings; nothing in it is pooled again.

    Finished utterances rest in a work folder beside the index until the new version is there, so
    that an interrupted addition can be resumed.

    Raises
    ------
    NativeEarError
        If nothing can be added, or an utterance is there already and differs.
    """
    started = time.monotonic()
    with changing(request.index, "add") as index:
        manifest = index.manifest
        work = adding_folder(index.path)
        sources = given_sources(request.corpora, request.reader, request.licence)
        corpora = read_corpora(sources, manifest.language)
        pooler = _pooler(index, request.encoder)
        pooled = pool_corpora(
            corpora,
            pooler,
            work,
            workers=request.workers,
            resume=request.resume,
            exclude=request.exclude,
            progress=progress,
        )
        progress("Comparing with one build", 0, 1)
        otherwise = of_one_build([index], corpora, pooled.records)
        refitted = refits([index])
        held = source_of(index, embeddings=refitted)
        new = from_records(pooled.records, manifest.min_rating)
        known = set(utterance_names(held.utterances))
        fresh = {r.name: r for r in pooled.records if r.name not in known}
        recipe = manifest.recipe
        if recipe is not None:
            recipe = recipe.with_corpora(
                recorded_sources(sources, corpora), aligner_of(pooler, corpora)
            ).holding(set(fresh), {(r.corpus, r.utterance.speaker) for r in fresh.values()})
        names = " ".join(f"--corpus {corpus.name}" for corpus in corpora)
        told = {*fresh, *((row.corpus, row.utterance) for row in pooled.set_aside)}
        report = publish_content(
            Content(
                [index],
                [held, new if refitted else _asked(index, new)],
                next_settings(index, f"add {manifest.name} {names}", recipe),
                [
                    *still_aside(index, told),
                    *without_folders(pooled.set_aside, sources, pooled.records),
                ],
                list(fresh.values()),
            ),
            keep=request.keep,
            progress=progress,
            started=started,
            set_aside=pooled.reasons,
            one_build=otherwise,
        )
        shutil.rmtree(work)
    return report


def adding_folder(path: Path) -> Path:
    """Where an addition keeps the utterances that it has finished."""
    return path.parent / f".{path.name}.adding"


def _asked(index: PhoneIndex, new: Source) -> Source:
    """New speech in the space of an index without embeddings, its margins asked of that index.

    The same speaker does not answer: what is alone with its own voice has no margin.
    """
    transform = index.transform

    def rows() -> Iterator[Rows]:
        for block in new.rows():
            yield transform(block.astype(np.float32))

    phone, names = codes(new.phones, "phone")
    own = index.codes_of(names)[phone]
    order = np.argsort(own, kind="stable")
    known = order[own[order] >= 0]
    bounds = np.searchsorted(own[known], np.arange(len(index.classes) + 1))
    asked = np.zeros(len(own), dtype=bool)
    asked[known[draw(bounds, np.random.default_rng(0))]] = True
    whose = ["corpus", "speaker"]
    speakers = numbered(
        pa.concat_tables([index.table.select(whose), new.phones.select(whose)]), "speaker"
    )
    held, fresh = speakers[: len(index.table)], speakers[len(index.table) :]
    margin = np.full(len(own), np.nan, dtype=np.float32)
    at = 0
    for block in rows():
        chosen = np.flatnonzero(asked[at : at + len(block)])
        similar = class_similarities(
            block[chosen],
            index.vectors,
            index.bounds,
            top_m=index.manifest.decision.top_m,
            groups=held,
            query_groups=fresh[at + chosen],
        )
        margin[at + chosen] = margins(similar, own[at + chosen])
        at += len(block)
    return Source(with_margins(new.phones, margin), new.utterances, new.prosody, new.licences, rows)


def _pooler(index: PhoneIndex, encoder: str | None) -> UtterancePooler:
    """Pools as the index was pooled; refuses whatever would give other vectors."""
    manifest, identity = index.manifest, index.manifest.encoder
    pooler = UtterancePooler(
        PoolingRequest(
            manifest.language,
            manifest.aligner,
            name_here(identity, encoder),
            identity.layer,
            manifest.pooling,
            g2p=manifest.g2p,
            lexicon=index.lexicon,
            inventory=index.inventory,
            model=index.aligner_model,
            dtype=identity.dtype,
            head=index.head,
        )
    )
    index.check_encoder(with_own_head(index, pooler.encoder))
    return pooler
