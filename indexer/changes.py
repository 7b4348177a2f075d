"""A published index changes: every change is written whole and takes the last version's place.

Where all that is involved keeps its embeddings, transform and decision are fitted anew, and the
result is the one that a build from all the speech in one go gives, unless such a build would learn
something else from all of it: see `indexer.one_build`. Where something keeps none, the transform
and the decision stay as they were.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nativeear.indexer.assembly import (
    IndexSettings,
    Judgement,
    Progress,
    keep_fitted,
    refit,
    write_clip,
    write_clips,
)
from nativeear.indexer.columns import among, plain, utterance_names
from nativeear.indexer.pool import Record, Source, array_rows
from nativeear.indexes.clips import clip_name, clips_of
from nativeear.indexes.exemplar import SCHEMA
from nativeear.indexes.index_files import ALIGNER, EMBEDDINGS, HEAD, LEFT_OUT, LEXICON, WAITING
from nativeear.indexes.left_out import left_out_of
from nativeear.indexes.locking import writing
from nativeear.indexes.manifest import Clips, FileIdentity, Manifest
from nativeear.indexes.phone_index import Name, PhoneIndex
from nativeear.indexes.publishing import publish, seal, staged, take_over
from nativeear.indexes.recipe import Recipe
from nativeear.indexes.set_aside import SetAsideUtterance, set_aside_of, write_set_aside
from nativeear.indexes.utterances import utterances_of
from nativeear.indexes.verification import verify
from nativeear.indexes.versions import next_revision, replace
from nativeear.speech.audio import Audio


@dataclass(frozen=True)
class Sizes:
    """An index after a change, and how large it was before, in all parts together.

    The silences are among the exemplars; `revision` is the number of the new version.
    """

    path: Path
    revision: int
    exemplars: int
    silences: int
    utterances: int
    exemplars_before: int
    silences_before: int
    utterances_before: int


def sizes(path: Path, now: Manifest, before: Sequence[Manifest]) -> Sizes:
    """What manifests say of the sizes of an index."""
    return Sizes(
        path=path,
        revision=now.revision,
        exemplars=now.counts.exemplars,
        silences=now.counts.silences,
        utterances=now.counts.utterances,
        exemplars_before=sum(manifest.counts.exemplars for manifest in before),
        silences_before=sum(manifest.counts.silences for manifest in before),
        utterances_before=sum(manifest.counts.utterances for manifest in before),
    )


@dataclass(frozen=True)
class ChangeReport(Sizes):
    """What came of a change."""

    refitted: bool  # whether transform and decision were fitted anew
    set_aside: tuple[tuple[str, str], ...]  # ids of utterances that could not be used, with reasons
    seconds: float  # time it took
    native_accuracy: float  # share of left-out natives that are nearest to their own phone
    cells_left: bool  # whether one was searched by cells, which are of the exemplars before
    dropped: tuple[int, ...] = ()  # numbers of older versions that are kept no longer
    # What one build from all the speech would make otherwise, see `indexer.one_build`; nothing
    # where it gives the same bytes.
    one_build: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Content:
    """What an index will hold."""

    indexes: Sequence[PhoneIndex]  # what it is made of
    sources: Sequence[Source]  # what stays of each of them, in their order; then what is new
    settings: IndexSettings  # what its manifest says
    set_aside: Iterable[SetAsideUtterance]  # what could not be used
    new: Sequence[Record] = ()  # utterances whose recordings no index keeps yet


@contextmanager
def changing(path: Path, command: str, out: Path | None = None) -> Iterator[PhoneIndex]:
    """The index in a folder, every byte of it right, while nobody else writes it (or `out`)."""
    path = path.resolve()
    with writing(out or path, f"nativeear index {command} {path.name}"):
        yield opened(path)


def opened(path: Path) -> PhoneIndex:
    """An index whose every byte is right: damage must not pass into a new version."""
    verify(path).raise_if_damaged()
    return PhoneIndex.open(path)


def publish_content(
    content: Content,
    out: Path | None = None,
    *,
    keep: int | None = None,
    remembered: bool = True,
    progress: Progress,
    started: float,
    set_aside: tuple[tuple[str, str], ...] = (),
    one_build: tuple[str, ...] = (),
) -> ChangeReport:
    """Write an index whole, and put it in its place at one instant.

    Parameters
    ----------
    out
        A folder that is not there yet; the place of the only index before if None.
    keep, remembered
        Older versions that stay there, see `indexes.versions.replace`.
    started
        When the change began, by `time.monotonic`.
    """
    indexes, clips = content.indexes, content.settings.clips
    place = out or indexes[0].path
    dropped: tuple[int, ...] = ()
    with staged(place) as stage:
        written = _write(stage, content, progress)
        _carry_left_out(stage, content)
        carried: dict[str, FileIdentity] = {}
        for index, source in zip(indexes, content.sources, strict=False):  # what is new has none
            carried.update(_carry_clips(stage, index, source, clips))
        for name in (ALIGNER, HEAD, LEXICON):  # what was learnt or given with the first
            if name in indexes[0].manifest.files:
                shutil.copyfile(indexes[0].path / name, stage / name)
        write_set_aside(stage, content.set_aside)
        if clips is not None:
            write_clips(stage, clips, content.new, progress)
        if out is None:
            written = seal(stage, written, carried)
            dropped = replace(stage, place, keep, remembered=remembered)
        else:
            written = publish(stage, place, written, carried)
    return ChangeReport(
        **vars(sizes(place, written, [index.manifest for index in indexes])),
        refitted=refits(indexes),
        set_aside=set_aside,
        seconds=time.monotonic() - started,
        native_accuracy=written.decision.native_accuracy,
        cells_left=any(index.cells is not None for index in indexes),
        dropped=dropped,
        one_build=one_build,
    )


def succession(path: Path, before: Manifest, command: str) -> dict[str, Any]:
    """Fields of a manifest that tell the next version of an index from the last."""
    return {
        "command": f"nativeear index {command}",
        "revision": next_revision(path),
        "history": (*before.history, before.command),
    }


def next_settings(index: PhoneIndex, command: str, recipe: Recipe | None) -> IndexSettings:
    """Settings of the next version of an index."""
    changed = succession(index.path, index.manifest, command)
    return IndexSettings.of(index.manifest, recipe=recipe, **changed)


def refits(indexes: Sequence[PhoneIndex]) -> bool:
    """Whether all keep what their transform was fitted on."""
    return all(EMBEDDINGS in index.manifest.files for index in indexes)


def source_of(index: PhoneIndex, *, embeddings: bool) -> Source:
    """What an index holds: its vectors, or its embeddings and with them the waiting phones."""
    phones, rows = index.table, index.vectors
    if embeddings:
        rows = np.load(index.path / EMBEDDINGS, mmap_mode="r")
        if WAITING in index.manifest.files:
            phones = pa.concat_tables([phones, pq.read_table(index.path / WAITING)])
    return Source(
        phones=phones.cast(SCHEMA),
        utterances=utterances_of(index),
        prosody=index.prosody,
        licences={corpus.name: corpus.licence for corpus in index.manifest.corpora},
        rows=array_rows(rows),
    )


def still_aside(index: PhoneIndex, others: set[Name]) -> list[SetAsideUtterance]:
    """What an index has set aside, but for some utterances that are there now, or gone."""
    rows = set_aside_of(index.path, index.manifest)
    return [row for row in rows if (row.corpus, row.utterance) not in others]


def _write(stage: Path, content: Content, progress: Progress) -> Manifest:
    """Fit anew where every index keeps embeddings; otherwise keep the first one's judgement."""
    indexes, sources, settings = content.indexes, content.sources, content.settings
    if refits(indexes):
        return refit(stage, sources, settings, embeddings=True, progress=progress)
    judgement = Judgement(indexes[0].transform, indexes[0].manifest.decision)
    return keep_fitted(stage, sources, settings, judgement, progress=progress)


def _carry_left_out(stage: Path, content: Content) -> None:
    """Keep what was told of natives who stay, while they were left out; of each once."""
    tables, seen = [], set[Name]()
    for index, source in zip(content.indexes, content.sources, strict=False):
        told = left_out_of(index)
        own = told.filter(pa.array(among(told, set(utterance_names(source.utterances)) - seen)))
        seen.update(utterance_names(own))
        tables.append(own)
    if sum(table.num_rows for table in tables):
        pq.write_table(plain(pa.concat_tables(tables).unify_dictionaries()), stage / LEFT_OUT)


def _carry_clips(
    stage: Path, index: PhoneIndex, source: Source, clips: Clips | None
) -> dict[str, FileIdentity]:
    """Take over the recordings of what stays; identities of those that are the very same files."""
    unchanged: dict[str, FileIdentity] = {}
    own = index.manifest.clips
    if own is None or clips is None:
        return unchanged
    kept = clips_of(index.manifest, utterance_names(utterances_of(index)))
    for corpus, utterance in utterance_names(source.utterances):
        name, target = kept.get((corpus, utterance)), clip_name(corpus, utterance, clips)
        if name is None or (stage / target).exists():
            continue
        (stage / target).parent.mkdir(exist_ok=True)
        if own != clips:
            write_clip(Audio.load(index.path / name), stage / target, clips)
            continue
        if take_over(index.path / name, stage / target):
            unchanged[target] = index.manifest.files[name]
    return unchanged
