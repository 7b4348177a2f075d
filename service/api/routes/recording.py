"""A recording session: natives read what an index lacks. There only with `--record`."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import Depends, File, Path, Query, UploadFile
from fastapi.responses import Response

from nativeear.service.api.authentication import ADMIN, Administering, KeyedRouter, allowed
from nativeear.service.api.engine import Work
from nativeear.service.api.models import Plain
from nativeear.service.api.problems import NotThereError, refusals_of_body
from nativeear.service.api.recording_models import (
    Addition,
    LineState,
    RecordingAnswer,
    RecordingLine,
    SpeakerAnswer,
    SpeakerRequest,
    TakeAnswer,
    TakeFault,
)
from nativeear.service.api.recordings import audio_responses
from nativeear.service.api.state import Service, ServiceDep
from nativeear.service.recording.checks import check_take
from nativeear.service.recording.growing import Growing
from nativeear.service.recording.session import Speaker, Take
from nativeear.speech.errors import InputError

router = KeyedRouter(
    prefix="/v1/recording",
    tags=["recording"],
    dependencies=[Depends(allowed(ADMIN))],
)

_PROBLEMS = refusals_of_body(404)
_TAKE = refusals_of_body(404, 415, 504)
_TAKE_PATH = "/speakers/{speaker}/takes/{line}"

SpeakerId = Annotated[str, Path(max_length=60, description="Id of a speaker."), Plain]
Line = Annotated[int, Path(ge=1, le=10_000, description="Line of the script, from 1.")]


@router.get("", summary="A recording session", response_model=RecordingAnswer, responses=_PROBLEMS)
def recording_session(
    service: ServiceDep,
    speaker: Annotated[
        str | None, Query(max_length=60, description="Whose takes are told."), Plain
    ] = None,
) -> Any:
    """The script, which of its lines a speaker has read, and how the index grows."""
    growing = _growing(service)
    return _told(growing, None if speaker is None else growing.session.speaker(speaker))


@router.post(
    "/speakers", summary="Say who reads", response_model=SpeakerAnswer, responses=_PROBLEMS
)
def enter_speaker(asked: SpeakerRequest, service: ServiceDep) -> Any:
    """Keep who reads and that he agrees; under a name that is known he goes on where he was."""
    return SpeakerAnswer.model_validate(_growing(service).session.enter(asked.name, asked.sex))


@router.post(_TAKE_PATH, summary="Send a take", response_model=TakeAnswer, responses=_TAKE)
async def send_take(
    *,
    speaker: SpeakerId,
    line: Line,
    service: ServiceDep,
    caller: Administering,
    audio: Annotated[UploadFile, File(description="The line, read once.")],
) -> Any:
    """Check a take; a good one is kept, in the place of the one before it."""
    growing = await to_thread.run_sync(_growing, service)
    who = await to_thread.run_sync(_open_line, growing, speaker, line)
    data = await service.decoder.read(audio, caller)
    recording = await service.decoder.decode(data, caller.max_audio_s)
    caller.refuse_speech(recording.duration_s)
    reference = service.references.get(growing.session.script.index)
    work = Work(reference, recording, growing.session.text(line), second_ear=False)
    result = await service.engine.answer(service.engine.submit(work))
    found = await to_thread.run_sync(check_take, recording, result)
    if not found.faults:
        await to_thread.run_sync(growing.session.keep, who, line, recording)
    return TakeAnswer(
        kept=not found.faults,
        faults=tuple(TakeFault(fault=fault, word=word) for fault, word in found.faults),
        level_db=found.level_db,
        snr_db=found.snr_db,
        clipped=found.clipped,
    )


@router.get(
    f"{_TAKE_PATH}/audio",
    summary="Hear a take",
    response_class=Response,
    responses={**audio_responses("audio/flac"), **_PROBLEMS},
)
def take_audio(speaker: SpeakerId, line: Line, service: ServiceDep) -> Any:
    """A take that was kept."""
    growing = _growing(service)
    take = growing.session.take(_known(growing, speaker), line)
    if take is None:
        raise NotThereError("There is no take of that line.", fix="Read it first.")
    return Response(take.path.read_bytes(), media_type="audio/flac")


@router.delete(_TAKE_PATH, summary="Drop a take", status_code=204, responses=_PROBLEMS)
def drop_take(speaker: SpeakerId, line: Line, service: ServiceDep) -> None:
    """Delete a take that is not in the index yet; its line is open again."""
    growing = _growing(service)
    growing.session.drop(_open_line(growing, speaker, line), line)


@router.post(
    "/addition",
    summary="Add the takes to the index",
    status_code=202,
    response_model=Addition,
    responses=_PROBLEMS,
)
def add_takes(service: ServiceDep) -> Any:
    """Begin a new version of the index with all takes that wait; `addition` tells how it goes."""
    growing = _growing(service)
    growing.start()
    return Addition.model_validate(growing.now)


def _growing(service: Service) -> Growing:
    if service.recording is None:
        raise NotThereError("This service records nobody.", fix="Start it with --record NAME.")
    return service.recording.get()


def _known(growing: Growing, speaker: str) -> Speaker:
    found = growing.session.speaker(speaker)
    if found is None:
        raise NotThereError(
            f"There is no speaker {speaker!r}.", fix="POST /v1/recording/speakers first."
        )
    return found


def _open_line(growing: Growing, speaker: str, line: int) -> Speaker:
    """The speaker, if the line may still be read: what is in the index, or on its way, stays."""
    who = _known(growing, speaker)
    growing.session.text(line)
    take = growing.session.take(who, line)
    if take is not None and (growing.now.state == "running" or take.id in growing.held()):
        raise InputError(
            "That take belongs to the index.",
            fix="Read another line; `nativeear index remove` takes speech out of an index.",
        )
    return who


def _told(growing: Growing, speaker: Speaker | None) -> RecordingAnswer:
    index, script = growing.index, growing.session.script
    held, takes = growing.held(), growing.session.takes()
    waiting = {take.id for take in takes} - held

    def state(line: int) -> LineState:
        if speaker is None:
            return "open"
        id = Take.id_of(speaker, line)
        return "added" if id in held else "kept" if id in waiting else "open"

    return RecordingAnswer(
        index=script.index,
        language=index.language,
        revision=index.manifest.revision,
        exemplars=index.manifest.counts.exemplars,
        speaker=None if speaker is None else SpeakerAnswer.model_validate(speaker),
        seconds=script.seconds,
        lines=tuple(
            RecordingLine(line=n, text=line.text, state=state(n))
            for n, line in enumerate(script.lines, 1)
        ),
        waiting=len(waiting),
        addition=Addition.model_validate(growing.now),
    )
