"""A living index: speech is added, removed, merged and thinned; every change is a new version.

Where all that is involved keeps its embeddings, transform and decision are fitted anew, and the
result is the one that a build from all the speech in one go gives, unless such a build would learn
something else from all of it: see `indexer.one_build`. Where something keeps none, the transform
and the decision stay as they were.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nativeear.indexer.assembly import (
    Clips,
    Judgement,
    Progress,
    Settings,
    keep,
    no_progress,
    refit,
    write_clip,
    write_clips,
)
from nativeear.indexer.build import (
    aligner_of,
    pool_corpora,
    read_corpora,
    sources_of,
    without_folders,
)
from nativeear.indexer.decision import draw
from nativeear.indexer.one_build import of_one_build
from nativeear.indexer.pool import (
    MIN_EXEMPLARS,
    Rows,
    Source,
    array_rows,
    codes,
    from_records,
    numbered,
    plain,
    utterance_names,
    with_margins,
)
from nativeear.indexer.thinning import Outlier, thinning
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler, record_name
from nativeear.indexes.clips import clip_name, clips_of
from nativeear.indexes.exemplar import SCHEMA
from nativeear.indexes.exemplar import UTTERANCES as UTTERANCE_SCHEMA
from nativeear.indexes.locking import writing
from nativeear.indexes.manifest import EncoderIdentity, FileIdentity, Manifest
from nativeear.indexes.phone_index import (
    ALIGNER,
    EMBEDDINGS,
    EXEMPLARS,
    LEXICON,
    VECTORS,
    WAITING,
    Name,
    PhoneIndex,
)
from nativeear.indexes.publishing import discard, publish, refuse_existing, seal, staged, take_over
from nativeear.indexes.recipe import Recipe, joined
from nativeear.indexes.set_aside import SetAsideUtterance, set_aside_of, write_set_aside
from nativeear.indexes.similarity import class_similarities, margins
from nativeear.indexes.utterances import utterances_of
from nativeear.indexes.verification import verify
from nativeear.indexes.versions import next_revision, replace
from nativeear.speech.audio import Audio
from nativeear.speech.encoders.model_folders import find
from nativeear.speech.errors import InputError


@dataclass(frozen=True)
class AddRequest:
    """What to add to which index.

    Attributes
    ----------
    index
        Folder of the index.
    corpora, reader, licence, workers, resume, exclude
        As in `indexer.build.BuildRequest`.
    encoder
        Name or folder of the index's encoder, where it is not found by the name in the manifest.
    keep
        Older versions that stay, now and after later changes; as many as before if None.
    """

    index: Path
    corpora: tuple[str, ...]
    reader: str = "auto"
    licence: str | None = None
    workers: int = 1
    resume: bool = False
    exclude: frozenset[str] = frozenset()
    encoder: str | None = None
    keep: int | None = None


@dataclass(frozen=True)
class ChangeReport:
    """What came of a change.

    Attributes
    ----------
    path, revision
        The index and the number of its new version.
    exemplars, silences, utterances
        How many it has now; the silences are among the exemplars.
    exemplars_before, silences_before, utterances_before
        How many there were, in all parts together.
    refitted
        Whether transform and decision were fitted anew.
    set_aside
        Ids of utterances that could not be used, with reasons.
    seconds
        Time it took.
    native_accuracy
        Share of left-out natives that are nearest to their own phone.
    cells_left
        Whether one was searched by cells, which are of the exemplars before.
    dropped
        Numbers of older versions that are kept no longer.
    one_build
        What one build from all the speech would make otherwise, see `indexer.one_build`; nothing
        where it gives the same bytes.
    """

    path: Path
    revision: int
    exemplars: int
    silences: int
    utterances: int
    exemplars_before: int
    silences_before: int
    utterances_before: int
    refitted: bool
    set_aside: tuple[tuple[str, str], ...]
    seconds: float
    native_accuracy: float
    cells_left: bool
    dropped: tuple[int, ...] = ()
    one_build: tuple[str, ...] = ()


@dataclass(frozen=True)
class Budget:
    """How large an index may be.

    Attributes
    ----------
    amount
        Exemplars, or bytes of what is kept of them: vectors, embeddings, columns.
    unit
        Which of the two.
    """

    amount: int
    unit: Literal["exemplars", "bytes"] = "exemplars"

    def exemplars(self, index: PhoneIndex) -> int:
        """How many exemplars of this index that is."""
        if self.unit == "exemplars":
            return self.amount
        sizes = [
            index.manifest.files[name].bytes
            for name in (VECTORS, EXEMPLARS, EMBEDDINGS)
            if name in index.manifest.files
        ]
        return self.amount * index.manifest.counts.exemplars // sum(sizes)


@dataclass(frozen=True)
class ThinReport:
    """What came of thinning.

    Attributes
    ----------
    change
        The index before and after.
    outliers
        Exemplars that seemed mislabelled and are gone, the worst first.
    thinned
        How many others are gone because the rest stands for them.
    """

    change: ChangeReport
    outliers: tuple[Outlier, ...]
    thinned: int


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
    path = request.index.resolve()
    work = _work_folder(path)
    with writing(path, f"nativeear index add {path.name}"):
        index = _opened(path)
        manifest = index.manifest
        corpora = read_corpora(
            request.corpora,
            language=manifest.language,
            reader=request.reader,
            licence=request.licence,
        )
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
        held = _source(index, vectors=not _refits([index]))
        new = from_records(pooled.records, manifest.min_rating)
        if not _refits([index]):
            new = _asked(index, new)
        names = " ".join(f"--corpus {corpus.name}" for corpus in corpora)
        known = set(utterance_names(held.utterances))
        fresh = [r for r in pooled.records if (r.corpus, r.utterance.id) not in known]
        recipe = manifest.recipe
        if recipe is not None:
            sources = sources_of(
                request.corpora, corpora, reader=request.reader, licence=request.licence
            )
            recipe = recipe.with_corpora(sources, aligner_of(pooler, corpora)).holding(
                {(record.corpus, record.utterance.id) for record in fresh},
                {(record.corpus, record.utterance.speaker) for record in fresh},
            )
        settings = _next(index, f"nativeear index add {manifest.name} {names}", recipe)
        with staged(path) as stage:
            written = _write(stage, [index], [held, new], settings, progress)
            carried = _carry_clips(stage, index, held, settings.clips)
            _carry_companions(stage, index)
            write_set_aside(
                stage,
                [
                    *_still_aside(
                        index,
                        {(record.corpus, record.utterance.id) for record in fresh}
                        | {(row.corpus, row.utterance) for row in pooled.set_aside},
                    ),
                    *without_folders(pooled.set_aside, request.corpora, pooled.records),
                ],
            )
            if settings.clips is not None:
                write_clips(stage, settings.clips, fresh, progress)
            written = seal(stage, written, carried)
            dropped = replace(stage, path, request.keep)
        shutil.rmtree(work)
    report = _report(path, written, [index], started, set_aside=pooled.reasons, dropped=dropped)
    return dataclasses.replace(report, one_build=otherwise)


def remove(
    path: Path,
    *,
    speakers: Sequence[str] = (),
    utterances: Sequence[str] = (),
    keep: int | None = None,
    progress: Progress = no_progress,
) -> ChangeReport:
    """Remove all that some speakers said, and some utterances.

    Parameters
    ----------
    path
        Folder of the index.
    speakers, utterances
        Names and ids, with their corpora (`corpus/name`) where several have one of that name.
    keep
        Older versions that stay, now and after later changes, as many as before if None; what was
        removed is still in these.

    Raises
    ------
    InputError
        If there is no such speaker or utterance, several corpora have one, or nothing would be
        left.
    """
    started = time.monotonic()
    path = path.resolve()
    with writing(path, f"nativeear index remove {path.name}"):
        index = _opened(path)
        source = _source(index, vectors=not _refits([index]))
        gone_speakers = _named(source.utterances, "speaker", speakers)
        gone_utterances = _named(source.utterances, "utterance", utterances)
        gone = _whose(source.utterances, "speaker", gone_speakers)
        gone |= _whose(source.utterances, "utterance", gone_utterances)
        if not gone:
            raise InputError(
                "Nothing was named that is to be removed.",
                fix="Give --speaker or --utterance.",
            )
        if len(gone) == source.utterances.num_rows:
            raise InputError(
                f"Nothing would be left of {index.name}.",
                cause=f"All its {len(gone)} utterances were named.",
                fix="`nativeear index delete` it if it is no longer wanted.",
            )
        options = [f"--speaker {name}" for name in speakers]
        options += [f"--utterance {name}" for name in utterances]
        recipe = index.manifest.recipe
        if recipe is not None:
            recipe = recipe.without(gone_utterances, gone_speakers)
        settings = _next(index, f"nativeear index remove {index.name} {' '.join(options)}", recipe)
        with staged(path) as stage:
            left = source.without(gone)
            written = _write(stage, [index], [left], settings, progress)
            carried = _carry_clips(stage, index, left, settings.clips)
            _carry_companions(stage, index)
            aside = _still_aside(index, gone)
            write_set_aside(stage, [r for r in aside if (r.corpus, r.speaker) not in gone_speakers])
            written = seal(stage, written, carried)
            dropped = replace(stage, path, keep)
        for name in gone:  # an addition that was interrupted may have left what it heard of them
            (_work_folder(path) / record_name(*name)).unlink(missing_ok=True)
        discard(path.parent / f".{path.name}.rebuilding")  # so may a rebuild
    return _report(path, written, [index], started, dropped=dropped)


def thin(
    path: Path,
    budget: Budget | None = None,
    *,
    out: Path | None = None,
    keep: int | None = None,
    remembered: bool = True,
    progress: Progress = no_progress,
) -> ThinReport:
    """Drop exemplars that seem mislabelled, and near-duplicates down to a budget.

    Utterances, their prosody and their recordings stay, so that what a speaker gave can still be
    found and removed.

    Parameters
    ----------
    path
        Folder of the index.
    budget
        How large it may be; only outliers go if None.
    out
        Folder to publish the thin index in, which must not exist; the index itself gets a new
        version if None.
    keep
        Older versions that stay; as many as before if None.
    remembered
        Whether later changes go by this `keep`, too.

    Raises
    ------
    InputError
        If the budget leaves fewer than two exemplars of every phone.
    """
    started = time.monotonic()
    path = path.resolve()
    if out is not None:
        refuse_existing(out)
    with writing(path if out is None else out, f"nativeear index thin {path.name}"):
        index = _opened(path)
        most = None if budget is None else budget.exemplars(index)
        if most is not None and most < MIN_EXEMPLARS * len(index.classes):
            raise InputError(
                f"A budget of {most} exemplars is too small.",
                cause=f"{index.name} has {len(index.classes)} phones, and each needs "
                f"{MIN_EXEMPLARS}.",
                fix="Give a larger budget.",
            )
        progress("Looking for outliers and near-duplicates", 0, 1)
        found = thinning(index, most)
        option = "" if budget is None else f" --budget {budget.amount}"
        option += "B" if budget is not None and budget.unit == "bytes" else ""
        recipe = index.manifest.recipe
        if recipe is not None:
            recipe = recipe.model_copy(update={"thinned": True, "budget": most})
        settings = _next(index, f"nativeear index thin {index.name}{option}", recipe)
        if out is not None:
            settings = dataclasses.replace(settings, name=out.name, revision=1)
        source = _source(index, vectors=not _refits([index]))
        waiting = source.phones.num_rows - len(found.stays)
        left = source.thinned(np.append(found.stays, np.ones(waiting, dtype=bool)))
        dropped: tuple[int, ...] = ()
        with staged(path if out is None else out) as stage:
            written = _write(stage, [index], [left], settings, progress)
            carried = _carry_clips(stage, index, left, settings.clips)
            _carry_companions(stage, index)
            write_set_aside(stage, set_aside_of(index.path, index.manifest))
            if out is None:
                written = seal(stage, written, carried)
                dropped = replace(stage, path, keep, remembered=remembered)
            else:
                written = publish(stage, out, written, carried)
    change = _report(path if out is None else out, written, [index], started, dropped=dropped)
    gone = len(found.stays) - int(found.stays.sum())
    return ThinReport(change, found.outliers, gone - len(found.outliers))


def merge(
    paths: Sequence[Path],
    out: Path,
    *,
    name: str | None = None,
    progress: Progress = no_progress,
) -> ChangeReport:
    """Make one index of several, which stay as they are.

    Aligner, lexicon, rating threshold and format of clips are those of the first. Where one keeps
    no embeddings, all need the same transform, and the decision is the first one's.

    Parameters
    ----------
    paths
        Folders of two indexes or more.
    out
        Folder to publish; must not exist.
    name
        Name of the index; the folder's name if None.

    Raises
    ------
    InputError
        If the indexes do not fit together, or hold an utterance of the same name that differs.
    """
    started = time.monotonic()
    refuse_existing(out)
    if len(paths) < 2:
        raise InputError("There is nothing to merge.", fix="Name two indexes or more.")
    indexes = [_opened(path) for path in paths]
    for index in indexes[1:]:
        _check_alike(indexes[0], index, same_transform=not _refits(indexes))
    sources = [_source(index, vectors=not _refits(indexes)) for index in indexes]
    formats = [index.manifest.clips for index in indexes if index.manifest.clips]
    first = indexes[0].manifest
    settings = Settings(
        name=name or out.name,
        language=first.language,
        inventory=first.inventory,
        encoder=first.encoder,
        pooling=first.pooling,
        aligner=first.aligner,
        g2p=first.g2p,
        min_rating=first.min_rating,
        clips=cast("Clips", formats[0]) if formats else None,
        command=f"nativeear index merge {' '.join(index.name for index in indexes)}",
        history=tuple(
            command
            for index in indexes
            for command in (*index.manifest.history, index.manifest.command)
        ),
        recipe=joined([index.manifest.recipe for index in indexes]),
    )
    with writing(out, "nativeear index merge"), staged(out) as stage:
        written = _write(stage, indexes, sources, settings, progress)
        carried: dict[str, FileIdentity] = {}
        for index, source in zip(indexes, sources, strict=True):
            carried.update(_carry_clips(stage, index, source, settings.clips))
        _carry_companions(stage, indexes[0])
        held = [set(utterance_names(source.utterances)) for source in sources]
        aside = [
            row
            for index, own in zip(indexes, held, strict=True)
            for row in _still_aside(index, set[Name]().union(*held) - own)
        ]
        write_set_aside(stage, aside)
        publish(stage, out, written, carried)
    return dataclasses.replace(
        _report(out, written, indexes, started), one_build=of_one_build(indexes)
    )


def _work_folder(path: Path) -> Path:
    """Where an addition keeps the utterances that it has finished."""
    return path.parent / f".{path.name}.adding"


def _opened(path: Path) -> PhoneIndex:
    """An index whose every byte is right: damage must not pass into a new version."""
    verify(path).raise_if_damaged()
    return PhoneIndex.open(path)


def _refits(indexes: Sequence[PhoneIndex]) -> bool:
    """Whether all keep what their transform was fitted on."""
    return all(EMBEDDINGS in index.manifest.files for index in indexes)


def _source(index: PhoneIndex, *, vectors: bool) -> Source:
    """What an index holds: its vectors, or its embeddings and with them the waiting phones."""
    phones, rows = index.table, index.vectors
    if not vectors:
        rows = np.load(index.path / EMBEDDINGS, mmap_mode="r")
        if WAITING in index.manifest.files:
            phones = pa.concat_tables([phones, pq.read_table(index.path / WAITING)])
    return Source(
        phones=phones.cast(SCHEMA),
        utterances=_utterances(index),
        prosody=index.prosody,
        licences={corpus.name: corpus.licence for corpus in index.manifest.corpora},
        rows=array_rows(rows),
    )


def _utterances(index: PhoneIndex) -> pa.Table:
    held = utterances_of(index)
    if held is not None:
        return held
    # Built before there was this file. The lengths of the recordings add up to what the manifest
    # says of their corpus, in proportion to where their last phones end.
    grouped = (
        pa.table(
            {
                **{
                    name: index.table.column(name).cast(pa.string())
                    for name in ("corpus", "utterance", "speaker")
                },
                "end_s": index.table.column("end_s"),
            }
        )
        .group_by(["corpus", "utterance", "speaker"])
        .aggregate([("end_s", "max")])
        .sort_by([("corpus", "ascending"), ("utterance", "ascending")])
    )
    ends_s = grouped.column("end_s_max").to_numpy()
    audio_s = np.zeros(len(ends_s))
    for corpus in index.manifest.corpora:
        own = pc.equal(grouped.column("corpus"), corpus.name).to_numpy()
        audio_s[own] = ends_s[own] * corpus.audio_s / max(ends_s[own].sum(), 1e-9)
    columns = [grouped.column(name) for name in ("corpus", "utterance", "speaker")]
    arrays = [
        column.combine_chunks().dictionary_encode().cast(field.type)
        for column, field in zip(columns, UTTERANCE_SCHEMA, strict=False)
    ]
    sexes = pa.nulls(len(audio_s), UTTERANCE_SCHEMA.field("sex").type)
    return plain(pa.Table.from_arrays([*arrays, pa.array(audio_s), sexes], schema=UTTERANCE_SCHEMA))


def _write(
    stage: Path,
    indexes: Sequence[PhoneIndex],
    sources: Sequence[Source],
    settings: Settings,
    progress: Progress,
) -> Manifest:
    """Fit anew where every index keeps embeddings; otherwise keep the first one's judgement."""
    if _refits(indexes):
        return refit(stage, sources, settings, embeddings=True, progress=progress)
    judgement = Judgement(indexes[0].transform, indexes[0].manifest.decision)
    return keep(stage, sources, settings, judgement, progress=progress)


def _asked(index: PhoneIndex, new: Source) -> Source:
    """New speech in the space of an index without embeddings, its margins asked of that index.

    The same speaker does not answer: what is alone with its own voice has no margin.
    """
    transform = index.transform

    def rows() -> Iterator[Rows]:
        for block in new.rows():
            yield transform(block.astype(np.float32))

    phone, names = codes(new.phones, "phone")
    places = {name: p for p, name in enumerate(index.classes)}
    own = np.array([places.get(name, -1) for name in names], dtype=np.int64)[phone]
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
    manifest = index.manifest
    pooler = UtterancePooler(
        PoolingRequest(
            manifest.language,
            manifest.aligner,
            encoder or _encoder_name(manifest.encoder),
            manifest.encoder.layer,
            manifest.pooling,
            g2p=manifest.g2p,
            lexicon=index.lexicon,
            inventory=index.inventory,
            model=index.aligner_model,
            dtype=manifest.encoder.dtype,
        )
    )
    index.check_encoder(pooler.encoder)
    return pooler


def _encoder_name(identity: EncoderIdentity) -> str:
    """What opens the encoder of an index on this machine."""
    layer, dtype = identity.layer, identity.dtype
    return find(identity.name, identity.fingerprint, layer=layer, dtype=dtype).name


def _next(index: PhoneIndex, command: str, recipe: Recipe | None) -> Settings:
    """Settings of the next version of an index."""
    manifest = index.manifest
    return Settings(
        name=manifest.name,
        language=manifest.language,
        inventory=manifest.inventory,
        encoder=manifest.encoder,
        pooling=manifest.pooling,
        aligner=manifest.aligner,
        g2p=manifest.g2p,
        min_rating=manifest.min_rating,
        clips=cast("Clips | None", manifest.clips),
        command=command,
        revision=next_revision(index.path),
        history=(*manifest.history, manifest.command),
        recipe=recipe,
    )


def _named(utterances: pa.Table, column: str, names: Sequence[str]) -> set[Name]:
    """Speakers or utterances of these names, which are given with their corpora or without."""
    values = _names(utterances, column)
    wanted: set[Name] = set()
    for name in names:
        meant = {value for value in values if "/".join(value) == name}
        meant = meant or {value for value in values if value[1] == name}
        if not meant:
            known = sorted({value for _, value in values})
            near = get_close_matches(name, known, n=3, cutoff=0.4) or known[:3]
            raise InputError(
                f"There is no {column} {name!r} in this index.",
                cause=f"The nearest of its {len(known)} are {', '.join(near)}.",
                fix="Name one that is there.",
            )
        if len(meant) > 1:
            raise InputError(
                f"There are several {column}s {name!r}, of several corpora.",
                cause=f"There are {', '.join('/'.join(value) for value in sorted(meant))}.",
                fix="Name them with their corpora, one or all of them.",
            )
        wanted |= meant
    return wanted


def _whose(utterances: pa.Table, column: str, wanted: set[Name]) -> set[Name]:
    """The utterances of some speakers, or some utterances."""
    chosen = [value in wanted for value in _names(utterances, column)]
    return set(utterance_names(utterances.filter(pa.array(chosen, pa.bool_()))))


def _names(utterances: pa.Table, column: str) -> list[Name]:
    corpora, values = (utterances.column(name).to_pylist() for name in ("corpus", column))
    return list(zip(corpora, values, strict=True))


def _still_aside(index: PhoneIndex, others: set[Name]) -> list[SetAsideUtterance]:
    """What an index has set aside, but for some utterances that are there now, or gone."""
    rows = set_aside_of(index.path, index.manifest)
    return [row for row in rows if (row.corpus, row.utterance) not in others]


def _check_alike(one: PhoneIndex, other: PhoneIndex, *, same_transform: bool) -> None:
    a, b = one.manifest, other.manifest
    for what, first, second in (
        ("language", a.language, b.language),
        ("encoder", a.encoder.name, b.encoder.name),
        ("encoder's weights", a.encoder.fingerprint, b.encoder.fingerprint),
        ("encoder's arithmetic", a.encoder.dtype, b.encoder.dtype),
        ("pooling", a.pooling, b.pooling),
        ("phone inventory", one.inventory.to_json(), other.inventory.to_json()),
    ):
        if first != second:
            told = f"{first} and {second}" if isinstance(first, str) else "their phones differ"
            raise InputError(
                f"{one.name} and {other.name} cannot be merged: they differ in {what}.",
                cause=f"{told[:1].upper()}{told[1:]}.",
                fix="Build one of them again with the settings of the other.",
            )
    if same_transform and a.transform.fingerprint != b.transform.fingerprint:
        raise InputError(
            f"{one.name} and {other.name} cannot be merged: they search in different spaces.",
            cause="Not both keep the embeddings that a common transform could be fitted on.",
            fix="Build them again without --no-embeddings.",
        )


def _carry_clips(
    stage: Path, index: PhoneIndex, source: Source, clips: Clips | None
) -> dict[str, FileIdentity]:
    """Take over the recordings of what stays; identities of those that are the very same files."""
    known: dict[str, FileIdentity] = {}
    own = index.manifest.clips
    if own is None or clips is None:
        return known
    kept = clips_of(index.manifest, utterance_names(_utterances(index)))
    for corpus, utterance in utterance_names(source.utterances):
        name, target = kept.get((corpus, utterance)), clip_name(corpus, utterance, clips)
        if name is None or (stage / target).exists():
            continue
        (stage / target).parent.mkdir(exist_ok=True)
        if own != clips:
            write_clip(Audio.load(index.path / name), stage / target, clips)
            continue
        if take_over(index.path / name, stage / target):
            known[target] = index.manifest.files[name]
    return known


def _carry_companions(stage: Path, index: PhoneIndex) -> None:
    """Take over what was learnt or given with an index: its aligner and its lexicon."""
    for name in (ALIGNER, LEXICON):
        if name in index.manifest.files:
            shutil.copyfile(index.path / name, stage / name)


def _report(
    path: Path,
    written: Manifest,
    before: Sequence[PhoneIndex],
    started: float,
    *,
    set_aside: tuple[tuple[str, str], ...] = (),
    dropped: tuple[int, ...] = (),
) -> ChangeReport:
    return ChangeReport(
        path=path,
        revision=written.revision,
        exemplars=written.counts.exemplars,
        silences=written.counts.silences,
        utterances=written.counts.utterances,
        exemplars_before=sum(index.manifest.counts.exemplars for index in before),
        silences_before=sum(index.manifest.counts.silences for index in before),
        utterances_before=sum(index.manifest.counts.utterances for index in before),
        refitted=_refits(before),
        set_aside=set_aside,
        seconds=time.monotonic() - started,
        native_accuracy=written.decision.native_accuracy,
        cells_left=any(index.cells is not None for index in before),
        dropped=dropped,
    )
