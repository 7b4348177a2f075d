"""The native references: what they hold, and how it sounds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from fastapi.responses import Response

from nativeear.indexer.audit.coverage import CoverageReport, coverage
from nativeear.indexes.catalogue import IndexSummary
from nativeear.indexes.phone_index import PhoneIndex
from nativeear.scoring.fusion import expert
from nativeear.service.api.authentication import READ, KeyedRouter, allowed
from nativeear.service.api.models import (
    CorpusItem,
    EncoderItem,
    EncoderList,
    ExemplarDetail,
    IndexDetail,
    IndexItem,
    IndexList,
    IndexPhone,
    LanguageItem,
    LanguageList,
    NativeSentence,
    SentenceList,
)
from nativeear.service.api.problems import NotThereError, refusals
from nativeear.service.api.recordings import audio_responses, wav_of
from nativeear.service.api.state import Service, ServiceDep
from nativeear.speech.alignment import SILENCE
from nativeear.speech.audio import Audio

router = KeyedRouter(prefix="/v1", tags=["indexes"], dependencies=[Depends(allowed(READ))])

_PROBLEMS = refusals()
_NAMED = refusals(404)
_SOUND = {**audio_responses("audio/wav"), **_NAMED}

IndexName = Annotated[str, Path(max_length=200, description="Name of an index.")]
Row = Annotated[int, Path(ge=0, le=2**31 - 1, description="Row of an exemplar.")]


@router.get(
    "/languages", summary="List languages", response_model=LanguageList, responses=_PROBLEMS
)
def languages(service: ServiceDep) -> Any:
    """The languages for which an index is offered, and its names."""
    names: dict[str, list[str]] = {}
    for summary in service.references.offered():
        if not summary.problem:
            names.setdefault(summary.language, []).append(summary.name)
    return LanguageList(
        items=tuple(LanguageItem(language=tag, indexes=tuple(n)) for tag, n in names.items())
    )


@router.get("/encoders", summary="List encoders", response_model=EncoderList, responses=_PROBLEMS)
def encoders() -> Any:
    """The encoders that have a name; only those that are `local` open without a network."""
    from nativeear.speech.encoders.catalogue import list_encoders

    return EncoderList(items=tuple(EncoderItem.model_validate(e) for e in list_encoders()))


@router.get("/indexes", summary="List indexes", response_model=IndexList, responses=_PROBLEMS)
def indexes(service: ServiceDep) -> Any:
    """The indexes that are offered, the default first; damaged ones say what is wrong."""
    offered = service.references.offered()
    return IndexList(items=tuple(IndexItem(**_item(service, summary)) for summary in offered))


def _item(service: Service, summary: IndexSummary) -> dict[str, Any]:
    return asdict(summary) | {
        "default": summary.name == service.references.default_name,
        "loaded": summary.name in {reference.name for reference in service.references.opened()},
        "problem": "It is damaged; `nativeear index verify` says more." if summary.problem else "",
    }


@router.get(
    "/indexes/{name}", summary="Describe an index", response_model=IndexDetail, responses=_NAMED
)
def index(name: IndexName, service: ServiceDep) -> Any:
    """What an index is made of, phone by phone."""
    opened = service.references.get(name).index
    manifest, counts = opened.manifest, opened.manifest.counts
    native = {corpus for corpus, _ in opened.native_utterances}
    grades = ("auto", "training-free", *(("expert",) if expert.serves(opened) else ()))
    return IndexDetail(
        name=name,
        language=opened.language,
        encoder=manifest.encoder.name,
        exemplars=counts.exemplars,
        silences=counts.silences,
        speakers=counts.speakers,
        minutes=counts.audio_s / 60,
        default=name == service.references.default_name,
        loaded=True,
        revision=manifest.revision,
        utterances=counts.utterances,
        aligner=manifest.aligner,
        clips=manifest.clips is not None,
        calibrations=grades,
        native_accuracy=manifest.decision.native_accuracy,
        corpora=tuple(
            CorpusItem(**c.model_dump(), native=c.name in native or manifest.min_rating is None)
            for c in manifest.corpora
        ),
        phones=tuple(
            IndexPhone(
                phone=phone.symbol,
                ipa=phone.ipa,
                kind=phone.kind,
                exemplars=counts.phones.get(phone.symbol, 0),
            )
            for phone in opened.inventory
        ),
    )


@router.get(
    "/indexes/{name}/coverage",
    summary="What an index holds of each phone",
    response_model=CoverageReport,
    responses=_NAMED,
)
def index_coverage(name: IndexName, service: ServiceDep) -> Any:
    """How much there is of each phone, by whom, in which contexts and positions."""
    return coverage(service.references.get(name).index)


@router.get(
    "/indexes/{name}/exemplars/{row}",
    summary="Describe a native exemplar",
    response_model=ExemplarDetail,
    responses=_NAMED,
)
def exemplar(name: IndexName, row: Row, service: ServiceDep) -> Any:
    """One native phone: where it comes from, and whether it can be heard."""
    opened = service.references.get(name).index
    _refuse_unknown(opened, row)
    found = opened.exemplar(row)
    return ExemplarDetail(
        **asdict(found),
        exemplar=row,
        ipa=found.phone if found.phone == SILENCE else opened.inventory.ipa(found.phone),
        playable=opened.clip(row) is not None,
        native=opened.manifest.min_rating is None
        or (found.corpus, found.utterance) in opened.native_utterances,
    )


@router.get(
    "/indexes/{name}/exemplars/{row}/audio",
    summary="Hear a native exemplar",
    response_class=Response,
    responses=_SOUND,
)
def exemplar_audio(
    name: IndexName,
    row: Row,
    service: ServiceDep,
    context_s: Annotated[
        float, Query(ge=0, le=5, description="Seconds before and after it.")
    ] = 0.03,
) -> Response:
    """A native phone with as much around it as is asked for, as WAV."""
    opened = service.references.get(name).index
    _refuse_unknown(opened, row)
    clip = opened.clip(row)
    if clip is None:
        raise NotThereError(
            f"The index {name} keeps no recording of exemplar {row}.",
            fix="Build the index with its recordings, see --clips.",
        )
    found = opened.exemplar(row)
    recording = Audio.load(clip)
    return _heard(wav_of(recording.slice(found.start_s - context_s, found.end_s + context_s)))


@router.get(
    "/indexes/{name}/sentences",
    summary="List native sentences",
    response_model=SentenceList,
    responses=_NAMED,
)
def sentences(
    name: IndexName,
    service: ServiceDep,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="`next` of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
) -> Any:
    """The native recordings that can be heard whole, and what is said in them."""
    found = _sentences(service.references.get(name).index)
    past = after + limit
    return SentenceList(items=found[after:past], next=str(past) if past < len(found) else None)


def _sentences(index: PhoneIndex) -> tuple[NativeSentence, ...]:
    lengths = _lengths(index)
    names = ("corpus", "utterance", "speaker", "text")
    return tuple(
        NativeSentence(**row, audio_s=lengths.get((row["corpus"], row["utterance"]), 0.0))
        for row in index.prosody.select(list(names)).to_pylist()
        if row["text"] and (row["corpus"], row["utterance"]) in index.clips
    )


def _lengths(index: PhoneIndex) -> dict[tuple[str, str], float]:
    """Where the last phone of each utterance ends, in seconds."""
    table = index.table.group_by(["corpus", "utterance"]).aggregate([("end_s", "max")])
    return {
        (row["corpus"], row["utterance"]): round(row["end_s_max"], 3) for row in table.to_pylist()
    }


@router.get(
    "/indexes/{name}/utterances/{utterance:path}/audio",
    summary="Hear a native sentence",
    response_class=Response,
    responses=_SOUND,
)
def utterance_audio(
    name: IndexName,
    utterance: Annotated[str, Path(max_length=300, description="Id of a native utterance.")],
    service: ServiceDep,
    corpus: Annotated[
        str | None, Query(max_length=200, description="Its corpus, where two have the name.")
    ] = None,
) -> Response:
    """A native recording as WAV."""
    opened = service.references.get(name).index
    found = [
        clip
        for (its_corpus, its_id), clip in opened.clips.items()
        if its_id == utterance and corpus in {None, its_corpus}
    ]
    if not found:
        raise NotThereError(
            f"The index {name} keeps no recording called {utterance!r}.",
            fix=f"See /v1/indexes/{name}/sentences for those that it keeps.",
        )
    return _heard(wav_of(Audio.load(opened.path / found[0])))


def _refuse_unknown(index: PhoneIndex, row: int) -> None:
    if row >= index.manifest.counts.exemplars:
        raise NotThereError(
            f"The index {index.name} has no exemplar {row}.",
            cause=f"It has {index.manifest.counts.exemplars:,}.",
        )


def _heard(wav: bytes) -> Response:
    return Response(wav, media_type="audio/wav", headers={"Cache-Control": "private, max-age=300"})
