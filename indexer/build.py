"""Build an index: native corpora → pooled phones → transform → decision → published folder."""

from __future__ import annotations

import json
import shlex
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nativeear.indexer.assembly import (
    Clips,
    Progress,
    Settings,
    libraries,
    no_progress,
    publish_new,
)
from nativeear.indexer.cluster import ray_crew_of
from nativeear.indexer.corpus import LICENCE_NOT_STATED, Corpus, Utterance, find_reader, read_corpus
from nativeear.indexer.crew import Crew, crew_of
from nativeear.indexer.fitting import fit_from_speech, has_to_learn
from nativeear.indexer.grids import grids_by_mfa
from nativeear.indexer.mismatches import mismatches
from nativeear.indexer.phones import inventory_of
from nativeear.indexer.places import lies_in
from nativeear.indexer.pool import Record
from nativeear.indexer.utterances import (
    PoolingRequest,
    UtterancePooler,
    pool_into,
    record_name,
)
from nativeear.indexes.locking import writing
from nativeear.indexes.manifest import EncoderIdentity
from nativeear.indexes.phone_index import ALIGNER, LEXICON, PhoneIndex
from nativeear.indexes.publishing import refuse_existing, sha256_of
from nativeear.indexes.recipe import CorpusSource, Name, Recipe, told
from nativeear.indexes.set_aside import SetAsideUtterance
from nativeear.indexes.trust import UNHEARD, phone_trust
from nativeear.speech.encoders.catalogue import Arithmetic
from nativeear.speech.encoders.model_folders import portable_name, remember
from nativeear.speech.errors import CorpusError, InputError
from nativeear.speech.pooling import Pooling


@dataclass(frozen=True)
class BuildRequest:
    """What to build, from what.

    Attributes
    ----------
    corpora
        Folders, manifests or short forms such as `asterisk:en`; one or more. Those of an earlier
        build are given as it recorded them, and need neither `reader` nor `licence`.
    language
        BCP 47 tag.
    out
        Folder to publish; must not exist.
    name
        Name of the index; the folder's name if None.
    aligner, encoder, layer, dtype, pooling, reader
        See `nativeear index build --help`.
    workers
        Processes that decode, align and encode.
    ray
        Address of a Ray cluster that does it instead of `workers`; see `indexer.cluster`.
    clips
        Keep the recordings for playback in this format, or not.
    clips_of
        Names of the corpora whose recordings are kept; all of them if None.
    resume
        Keep the utterances that an interrupted build of the same request has finished.
    licence
        Licence of the corpora that do not state their own.
    min_rating
        Leave out phones that raters scored below this; phones that nobody rated stay.
    exclude, exclude_speakers
        Utterances to leave out, for instance to hold them out for measuring, by id or by corpus and
        id; and speakers, by corpus and name.
    g2p
        The one source of pronunciations after the lexicon, `graphemes` for instance; the usual
        ones if None.
    lexicon
        File of pronunciations that go before all others; kept in the index.
    within
        Folder in which all recordings and TextGrids must lie; for corpora that strangers wrote.
    embeddings
        Keep the pooled embeddings, so that the index can be refitted when speech is added or
        removed; without them it is smaller.
    """

    corpora: tuple[str | CorpusSource, ...]
    language: str
    out: Path
    name: str | None = None
    aligner: str = "auto"
    encoder: str = "default"
    layer: int | None = None
    pooling: Pooling = "middle-third"
    reader: str = "auto"
    workers: int = 1
    ray: str | None = None
    clips: Clips | None = None
    clips_of: frozenset[str] | None = None
    resume: bool = False
    licence: str | None = None
    min_rating: float | None = None
    exclude: frozenset[str | Name] = frozenset()
    exclude_speakers: frozenset[Name] = frozenset()
    g2p: str | None = None
    lexicon: Path | None = None
    within: Path | None = None
    embeddings: bool = True
    dtype: Arithmetic = "float32"


@dataclass(frozen=True)
class BuildReport:
    """What came of a build.

    Attributes
    ----------
    silences
        How many there are among the `exemplars`.
    set_aside
        Ids with reasons.
    native_accuracy
        Share of left-out natives that are heard right, see `indexes.manifest.Decision`.
    judged_phones, inventory_phones
        How many phones of the inventory an assessment would judge, and how many there are.
    """

    path: Path
    utterances: int
    exemplars: int
    silences: int
    set_aside: tuple[tuple[str, str], ...]
    audio_s: float
    seconds: float
    native_accuracy: float
    judged_phones: int
    inventory_phones: int


@dataclass(frozen=True)
class PooledCorpora:
    """What the pooling stage made of corpora.

    Attributes
    ----------
    records
        The finished utterances.
    set_aside
        The others, with reasons.
    companions
        Files that belong to the index beside its exemplars, by the names that they have there:
        the aligner that was learnt from the corpora.
    """

    records: tuple[Record, ...]
    set_aside: tuple[SetAsideUtterance, ...]
    companions: Mapping[str, Path] = field(default_factory=dict)

    @property
    def reasons(self) -> tuple[tuple[str, str], ...]:
        """Ids of what was set aside, with reasons."""
        return tuple((item.utterance, item.reason) for item in self.set_aside)


def build_index(request: BuildRequest, progress: Progress = no_progress) -> BuildReport:
    """Build and publish an index.

    Finished utterances rest in a work folder beside `out` until the index is published, so that
    an interrupted build can be resumed.

    Raises
    ------
    NativeEarError
        If nothing usable can be built. Single broken utterances are set aside instead.
    """
    started = time.monotonic()
    refuse_existing(request.out)
    corpora = read_corpora(
        request.corpora, language=request.language, reader=request.reader, licence=request.licence
    )
    if request.within is not None:
        _refuse_elsewhere(corpora, request.within)
    pooler = UtterancePooler(
        PoolingRequest(
            request.language,
            request.aligner,
            request.encoder,
            request.layer,
            request.pooling,
            g2p=request.g2p,
            lexicon=request.lexicon,
            inventory=inventory_of(
                corpora, request.language, lexicon=request.lexicon, g2p=request.g2p
            ),
            dtype=request.dtype,
        )
    )
    remember(pooler.encoder)
    work = request.out.parent / f".{request.out.name}.building"
    with writing(request.out, "nativeear index build"):
        pooled = pool_corpora(
            corpora,
            pooler,
            work,
            workers=request.workers,
            ray=request.ray,
            resume=request.resume,
            exclude=request.exclude,
            exclude_speakers=request.exclude_speakers,
            progress=progress,
        )
        manifest = publish_new(
            request.out,
            pooled.records,
            _settings(request, pooler, corpora),
            companions={
                **pooled.companions,
                **({LEXICON: request.lexicon} if request.lexicon is not None else {}),
            },
            set_aside=without_folders(pooled.set_aside, _places(request.corpora), pooled.records),
            embeddings=request.embeddings,
            clips_of=request.clips_of,
            progress=progress,
        )
        shutil.rmtree(work)
    index = PhoneIndex.open(request.out)
    trust = phone_trust(index)
    return BuildReport(
        path=request.out,
        utterances=manifest.counts.utterances,
        exemplars=manifest.counts.exemplars,
        silences=manifest.counts.silences,
        set_aside=pooled.reasons,
        audio_s=manifest.counts.audio_s,
        seconds=time.monotonic() - started,
        native_accuracy=manifest.decision.native_accuracy,
        judged_phones=sum(
            trust.get(symbol, UNHEARD).judged() for symbol in index.inventory.symbols
        ),
        inventory_phones=len(index.inventory.symbols),
    )


def read_corpora(
    places: Sequence[str | CorpusSource],
    *,
    language: str,
    reader: str = "auto",
    licence: str | None = None,
) -> tuple[Corpus, ...]:
    """Read corpora, to which `licence` applies where they do not state their own.

    Raises
    ------
    CorpusError
        If one cannot be read, or two hold an utterance of the same name.
    """
    corpora = []
    taken: set[tuple[str, str]] = set()
    for place in places:
        given = place
        if isinstance(given, str):
            given = CorpusSource(name="", place=given, reader=reader, licence=licence)
        corpus = read_corpus(
            given.place, reader=given.reader, language=language, name=given.name or None
        )
        if given.licence is not None and corpus.licence == LICENCE_NOT_STATED:
            corpus = replace(corpus, licence=given.licence)
        names = {(corpus.name, utterance.id) for utterance in corpus.utterances}
        if twice := taken & names:
            raise CorpusError(
                f"Two corpora are called {corpus.name} and hold an utterance {min(twice)[1]}.",
                fix="Name each corpus once, or give their folders different names.",
            )
        taken |= names
        corpora.append(corpus)
    return tuple(corpora)


def sources_of(
    places: Sequence[str | CorpusSource],
    corpora: Sequence[Corpus],
    *,
    reader: str = "auto",
    licence: str | None = None,
    passing: bool = False,
) -> tuple[CorpusSource, ...]:
    """Corpora that were read, as they are recorded.

    Parameters
    ----------
    passing
        Whether they lie in a folder that goes when they are built.
    """
    found = []
    for place, corpus in zip(places, corpora, strict=True):
        if isinstance(place, CorpusSource):
            found.append(place.model_copy(update={"place": told(place.place)}))
            continue
        name = find_reader(place) if reader == "auto" else reader
        kept = "" if passing else told(place)
        found.append(CorpusSource(name=corpus.name, place=kept, reader=name, licence=licence))
    return tuple(found)


def aligner_of(pooler: UtterancePooler, corpora: Sequence[Corpus]) -> str:
    """The aligner that `auto` means for corpora; `auto` where only some bring alignments."""
    ready = [
        bool(utterance.textgrid or utterance.spans)
        for corpus in corpora
        for utterance in corpus.utterances
    ]
    if pooler.request.aligner != "auto" or not any(ready):
        return pooler.aligner_name
    return "textgrid" if all(ready) else "auto"


def _places(corpora: Sequence[str | CorpusSource]) -> list[str]:
    return [place if isinstance(place, str) else place.place for place in corpora]


def _refuse_elsewhere(corpora: Sequence[Corpus], folder: Path) -> None:
    for utterance in (utterance for corpus in corpora for utterance in corpus.utterances):
        for file in filter(None, (utterance.audio, utterance.textgrid)):
            if not lies_in(file, folder):
                raise CorpusError(
                    f"{utterance.id} is not in the corpus itself.",
                    cause="Its recording or its TextGrid lies elsewhere.",
                    fix="Name files of the corpus, relative to its table.",
                )


def pool_corpora(
    corpora: Sequence[Corpus],
    pooler: UtterancePooler,
    work: Path,
    *,
    workers: int = 1,
    ray: str | None = None,
    resume: bool = False,
    exclude: frozenset[str | Name] = frozenset(),
    exclude_speakers: frozenset[Name] = frozenset(),
    progress: Progress = no_progress,
) -> PooledCorpora:
    """Pool every utterance of corpora into a record in `work`.

    Parameters
    ----------
    work
        Folder of the records. It is emptied first, unless `resume` is set and the records there
        were made in the same way; then only what is missing is made.
    ray
        Address of a Ray cluster that works instead of `workers`.
    exclude, exclude_speakers
        Utterances and speakers to leave out, see `BuildRequest`.

    Raises
    ------
    CorpusError
        If nothing could be used. Single broken utterances are set aside instead.
    """
    pairs = [
        (corpus, utterance)
        for corpus in corpora
        for utterance in corpus.utterances
        if not _left_out(corpus, utterance, exclude, exclude_speakers)
    ]
    # Of an aligner that is learnt, every record depends on all the speech; else on its own.
    names = [(corpus.name, utterance.id) for corpus, utterance in pairs]
    _prepare(work, pooler, resume, names if has_to_learn(pooler) else [])
    refused: list[SetAsideUtterance] = []
    if pooler.aligner_name == "mfa":
        if ray is not None:
            raise InputError(
                "MFA aligns on one machine, not on a Ray cluster.",
                fix="Align first, with `nativeear align --aligner mfa`, and build from the"
                " TextGrids.",
            )
        pairs, refused = _with_grids(pairs, pooler, work, workers)
        pooler = UtterancePooler(replace(pooler.request, aligner="textgrid"))
    records = [
        Record(
            corpus.name, corpus.licence, utterance, work / record_name(corpus.name, utterance.id)
        )
        for corpus, utterance in pairs
    ]
    companions: dict[str, Path] = {}
    learns = has_to_learn(pooler)
    if learns:
        companions[ALIGNER] = work / ALIGNER
        pooler = pooler.with_model(work / ALIGNER)
    with crew_of(pooler, workers) if ray is None else ray_crew_of(pooler, ray) as crew:
        if learns:
            fit_from_speech(
                pooler,
                [record.utterance for record in records],
                companions[ALIGNER],
                crew,
                workers=workers,
                progress=progress,
            )
        reasons = _pool_all(crew, records, progress)
    pooled = [i for i, reason in enumerate(reasons) if not reason]
    for i, reason in zip(pooled, mismatches([records[i].path for i in pooled]), strict=True):
        reasons[i] = reason
    set_aside = [
        SetAsideUtterance(corpus.name, item.id, "", item.reason)
        for corpus in corpora
        for item in corpus.set_aside
    ]
    set_aside += refused
    set_aside += [
        SetAsideUtterance(record.corpus, record.utterance.id, record.utterance.speaker, reason)
        for record, reason in zip(records, reasons, strict=True)
        if reason
    ]
    kept = [record for record, reason in zip(records, reasons, strict=True) if not reason]
    if not kept:
        first = (
            f" For instance {set_aside[0].utterance}: {set_aside[0].reason}" if set_aside else ""
        )
        raise CorpusError(
            "No utterance of the corpus could be used.",
            cause=f"{len(set_aside)} were set aside.{first}",
            fix="Check that audio, texts and language belong together.",
        )
    return PooledCorpora(tuple(kept), tuple(set_aside), companions)


def without_folders(
    set_aside: Sequence[SetAsideUtterance], corpora: Sequence[str], records: Sequence[Record]
) -> list[SetAsideUtterance]:
    """What was set aside, without the folders in which its corpora lie on this machine."""
    folders = {str(folder) for path in corpora for folder in (Path(path), Path(path).absolute())}
    folders |= {str(Path(path).absolute().parent) for path in corpora if Path(path).is_file()}
    folders |= {str(record.utterance.audio.parent.absolute()) for record in records}
    return [item.without_folders(folders - {"/", "."}) for item in set_aside]


def _left_out(
    corpus: Corpus,
    utterance: Utterance,
    exclude: frozenset[str | Name],
    exclude_speakers: frozenset[Name],
) -> bool:
    named = {utterance.id, (corpus.name, utterance.id)} & exclude
    return bool(named) or (corpus.name, utterance.speaker) in exclude_speakers


def _prepare(
    work: Path, pooler: UtterancePooler, resume: bool, learnt_from: Sequence[tuple[str, str]]
) -> None:
    """Make the folder of records; what is in it stays only if it was made in the same way."""
    request = pooler.request
    identity = json.dumps(
        [
            request.language,
            request.aligner,
            pooler.encoder.fingerprint,
            request.dtype,
            request.pooling,
            request.g2p,
            request.lexicon and sha256_of(request.lexicon),
            pooler.inventory.to_json(),
            learnt_from,
            libraries(),
        ],
        sort_keys=True,
    )
    note = work / "request.json"
    same = note.is_file() and note.read_text(encoding="utf-8") == identity
    if work.exists() and not (resume and same):
        shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True)
    note.write_text(identity, encoding="utf-8")


def _with_grids(
    pairs: Sequence[tuple[Corpus, Utterance]], pooler: UtterancePooler, work: Path, workers: int
) -> tuple[list[tuple[Corpus, Utterance]], list[SetAsideUtterance]]:
    """Let MFA align the utterances, many at a time; the others with reasons."""
    aligned: list[tuple[Corpus, Utterance]] = []
    refused: list[SetAsideUtterance] = []
    grids = work / "grids"
    jobs = [
        (utterance, grids / f"{record_name(corpus.name, utterance.id)}.TextGrid")
        for corpus, utterance in pairs
    ]
    corpus_of = {id(utterance): corpus for corpus, utterance in pairs}
    for utterance, grid, reason in grids_by_mfa(jobs, pooler, grids, workers):
        if reason:
            name = corpus_of[id(utterance)].name
            refused.append(SetAsideUtterance(name, utterance.id, utterance.speaker, reason))
        else:
            aligned.append((corpus_of[id(utterance)], replace(utterance, textgrid=grid)))
    return aligned, refused


def _pool_all(crew: Crew, records: list[Record], progress: Progress) -> list[str]:
    """Make every record that is not there yet; a reason per record, '' where it is fine."""
    stage = "Aligning and encoding"
    todo = [i for i, record in enumerate(records) if not record.path.is_file()]
    reasons = [""] * len(records)
    done = len(records) - len(todo)
    progress(stage, done, len(records))
    work = crew(
        pool_into,
        [records[i].utterance for i in todo],
        [records[i].path for i in todo],
    )
    for i, reason in zip(todo, work, strict=True):
        reasons[i] = reason
        done += 1
        progress(stage, done, len(records))
    return reasons


def _settings(
    request: BuildRequest, pooler: UtterancePooler, corpora: Sequence[Corpus]
) -> Settings:
    sources = sources_of(
        request.corpora,
        corpora,
        reader=request.reader,
        licence=request.licence,
        passing=request.within is not None,
    )
    return Settings(
        name=request.name or request.out.name,
        language=request.language,
        inventory=pooler.inventory.to_json(),
        encoder=EncoderIdentity(
            name=portable_name(pooler.encoder.name),
            layer=request.layer,
            fingerprint=pooler.encoder.fingerprint,
            dim=pooler.encoder.dim,
            dtype=request.dtype,
        ),
        pooling=request.pooling,
        aligner=request.aligner,
        g2p=request.g2p,
        min_rating=request.min_rating,
        clips=request.clips,
        command=_command(request, aligner_of(pooler, corpora), sources),
        recipe=Recipe(
            corpora=sources,
            aligner=aligner_of(pooler, corpora),
            pronunciations=pooler.pronouncer.sources,
            excluded=tuple(
                sorted(
                    (corpus.name, utterance.id)
                    for corpus in corpora
                    for utterance in corpus.utterances
                    if _left_out(corpus, utterance, request.exclude, frozenset())
                )
            ),
            excluded_speakers=tuple(sorted(request.exclude_speakers)),
            clips_of=None if request.clips_of is None else tuple(sorted(request.clips_of)),
        ),
    )


def _command(request: BuildRequest, aligner: str, sources: Sequence[CorpusSource]) -> str:
    """The command again, as it was resolved; with names in place of one person's folders."""
    parts = ["nativeear index build"]
    for source in sources:
        here = Path(source.place).is_absolute() or source.place.startswith("~")
        corpus = source.name if here or not source.place else source.place
        parts.append(f"--corpus {shlex.quote(corpus)}")
    parts += [f"--lang {request.language}", f"--aligner {aligner}"]
    parts += [f"--encoder {portable_name(request.encoder)}", f"--pooling {request.pooling}"]
    if request.layer is not None:
        parts.append(f"--layer {request.layer}")
    if request.dtype != "float32":
        parts.append(f"--dtype {request.dtype}")
    if request.g2p is not None:
        parts.append(f"--g2p {request.g2p}")
    if request.lexicon is not None:
        parts.append(f"--lexicon {request.lexicon.name}")
    if request.min_rating is not None:
        parts.append(f"--min-rating {request.min_rating:g}")
    if request.clips is not None:
        parts.append(f"--clips {request.clips}")
    if not request.embeddings:
        parts.append("--no-embeddings")
    return " ".join(parts)
