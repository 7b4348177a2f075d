"""Build an index: native corpora → pooled phones → transform → decision → published folder."""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nativeear.indexer.assembly import IndexSettings, Progress, no_progress, publish_new
from nativeear.indexer.corpus import Corpus, Utterance
from nativeear.indexer.corpus_sources import (
    given_sources,
    read_corpora,
    recorded_sources,
    without_folders,
)
from nativeear.indexer.layer_choice import choose_layer
from nativeear.indexer.left_out_evidence import FRAMES_OF
from nativeear.indexer.phones import inventory_of
from nativeear.indexer.pooled_corpora import aligner_of, is_left_out, pool_corpora
from nativeear.indexer.remote_files import is_inside
from nativeear.indexer.utterances import PoolingRequest, UtterancePooler
from nativeear.indexes.encoder_of import identity_of
from nativeear.indexes.index_files import HEAD, LEXICON
from nativeear.indexes.locking import writing
from nativeear.indexes.manifest import Clips
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.indexes.publishing import refuse_existing
from nativeear.indexes.recipe import CorpusSource, Name, Recipe
from nativeear.indexes.reliability import NO_EXEMPLARS, phone_reliability
from nativeear.speech.encoders.catalogue import Arithmetic
from nativeear.speech.encoders.fitted_head import FITTED, FittedHead
from nativeear.speech.encoders.model_folders import portable_name, remember
from nativeear.speech.errors import CorpusError
from nativeear.speech.pooling import Pooling


@dataclass(frozen=True)
class BuildRequest:
    """What to build, from what; for fields without a word see `nativeear index build --help`."""

    # Folders, manifests or short forms such as `asterisk:en`; one or more. Those of an earlier
    # build are given as it recorded them, and need neither `reader` nor `licence`.
    corpora: tuple[str | CorpusSource, ...]
    language: str  # BCP 47 tag
    out: Path  # folder to publish; must not exist
    name: str | None = None  # of the index; the folder's if None
    aligner: str = "auto"
    encoder: str = "default"
    # Another encoder whose phone head is asked, or `fitted`: one that is fitted on the corpora.
    head: str | None = None
    layer: int | None = None
    choose_layer: bool = False  # let natives who are left out choose it, see `indexer.layer_choice`
    pooling: Pooling = "middle-third"
    reader: str = "auto"
    workers: int = 1  # processes that decode, align and encode
    ray: str | None = None  # address of a cluster that does it instead, see `indexer.cluster`
    clips: Clips | None = None  # keep the recordings for playback in this format, or not
    clips_of: frozenset[str] | None = None  # corpora whose recordings are kept; all if None
    resume: bool = False  # keep what an interrupted build of the same request has finished
    licence: str | None = None  # of the corpora that do not state their own
    # Leave out phones that raters scored below this; phones that nobody rated stay.
    min_rating: float | None = None
    # Utterances to leave out, for instance to hold them out for measuring, by id or by corpus and
    # id; and speakers, by corpus and name.
    exclude: frozenset[str | Name] = frozenset()
    exclude_speakers: frozenset[Name] = frozenset()
    # The one source of pronunciations after the lexicon, `graphemes` for instance; the usual ones
    # if None.
    g2p: str | None = None
    lexicon: Path | None = None  # pronunciations that go before all others; kept in the index
    # Folder in which all recordings and TextGrids must lie; for corpora that strangers wrote.
    within: Path | None = None
    # Keep the pooled embeddings, so that the index can be refitted when speech is added or removed;
    # without them it is smaller.
    embeddings: bool = True
    dtype: Arithmetic = "float32"


@dataclass(frozen=True)
class BuildReport:
    """What came of a build."""

    path: Path
    utterances: int
    exemplars: int
    silences: int  # how many there are among the `exemplars`
    set_aside: tuple[tuple[str, str], ...]  # ids with reasons
    audio_s: float
    seconds: float
    # Share of left-out natives that are heard right, see `indexes.manifest.Decision`.
    native_accuracy: float
    # How many phones of the inventory an assessment would judge, and how many there are.
    judged_phones: int
    inventory_phones: int


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
    sources = given_sources(request.corpora, request.reader, request.licence)
    corpora = read_corpora(sources, request.language)
    if request.within is not None:
        _refuse_elsewhere(corpora, request.within)
    if request.choose_layer:
        choice = choose_layer(
            _pooler(request, corpora).request,
            [utterance for corpus in corpora for utterance in _kept(corpus, request)],
            progress,
        )
        request = replace(request, layer=choice.chosen)
    else:
        choice = None
    pooler = _pooler(request, corpora)
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
            fits_head=request.head == FITTED,
            frames_of=FRAMES_OF,
            progress=progress,
        )
        manifest = publish_new(
            request.out,
            pooled.records,
            replace(
                _settings(request, pooler, sources, corpora, head=pooled.companions.get(HEAD)),
                layer_choice=choice,
            ),
            companions=pooled.companions
            | ({} if request.lexicon is None else {LEXICON: request.lexicon}),
            set_aside=without_folders(pooled.set_aside, sources, pooled.records),
            embeddings=request.embeddings,
            clips_of=request.clips_of,
            progress=progress,
        )
        shutil.rmtree(work)
    index = PhoneIndex.open(request.out)
    reliability = phone_reliability(index)
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
            reliability.get(symbol, NO_EXEMPLARS).judged() for symbol in index.inventory.symbols
        ),
        inventory_phones=len(index.inventory.symbols),
    )


def _kept(corpus: Corpus, request: BuildRequest) -> list[Utterance]:
    return [
        utterance
        for utterance in corpus.utterances
        if not is_left_out(corpus, utterance, request.exclude, request.exclude_speakers)
    ]


def _pooler(request: BuildRequest, corpora: Sequence[Corpus]) -> UtterancePooler:
    language, lexicon, g2p = request.language, request.lexicon, request.g2p
    return UtterancePooler(
        PoolingRequest(
            language,
            request.aligner,
            encoder_of(request),
            request.layer,
            request.pooling,
            g2p=g2p,
            lexicon=lexicon,
            inventory=inventory_of(corpora, language, lexicon=lexicon, g2p=g2p),
            dtype=request.dtype,
        )
    )


def encoder_of(request: BuildRequest) -> str:
    """What `load_encoder` opens the encoder of a build by."""
    if request.head in {None, FITTED}:
        return request.encoder
    return f"{request.encoder}+{request.head}"


def _refuse_elsewhere(corpora: Sequence[Corpus], folder: Path) -> None:
    for utterance in (utterance for corpus in corpora for utterance in corpus.utterances):
        for file in filter(None, (utterance.audio, utterance.textgrid)):
            if not is_inside(file, folder):
                raise CorpusError(
                    f"{utterance.id} is not in the corpus itself.",
                    cause="Its recording or its TextGrid lies elsewhere.",
                    fix="Name files of the corpus, relative to its table.",
                )


def _settings(
    request: BuildRequest,
    pooler: UtterancePooler,
    given: Sequence[CorpusSource],
    corpora: Sequence[Corpus],
    *,
    head: Path | None,
) -> IndexSettings:
    sources = recorded_sources(given, corpora, temporary=request.within is not None)
    return IndexSettings(
        name=request.name or request.out.name,
        language=request.language,
        inventory=pooler.inventory.to_json(),
        encoder=identity_of(
            pooler.encoder,
            layer=request.layer,
            dtype=request.dtype,
            head=None if head is None else FittedHead.load(head),
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
                    if is_left_out(corpus, utterance, request.exclude, frozenset())
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
    parts.append(f"--encoder {portable_name(request.encoder)}")
    if request.head is not None:
        named = FITTED if request.head == FITTED else portable_name(request.head)
        parts.append(f"--head {named}")
    parts.append(f"--pooling {request.pooling}")
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
