"""`WS /v1/stream`: samples in, finished words and the whole Assessment out."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from anyio import to_thread
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.asking_elsewhere import asked_elsewhere
from nativeear.service.api.authentication import (
    ASSESS,
    Caller,
    refuse_forged,
    refuse_unless,
    secret_of,
    token_of,
)
from nativeear.service.api.connections import network_of
from nativeear.service.api.engine import Work
from nativeear.service.api.models import Calibration, FirstLanguage, Name, PathName, Tag, Text
from nativeear.service.api.problem import Problem
from nativeear.service.api.problems import internal_problem, problem_of
from nativeear.service.api.recordings import wav_of
from nativeear.service.api.state import Service, service_of
from nativeear.service.api.streaming import PartialWork, StreamBuffer, Window, read_up_to
from nativeear.service.api.submissions import Submission, Target, attributed, save, target_of
from nativeear.speech.canonical import Pronunciation
from nativeear.speech.errors import InputError, NativeEarError

router = APIRouter()

_FIRST_S = 10.0  # how long the first message may take
_SILENT_S = 30.0  # and any other
_SPARE_S = 60.0  # how much longer than the longest recording a stream may last
_READ_S = 20.0  # how long a client may take to read a message
_MAX_FRAME = 1 << 20

_SAID: tuple[Literal["pause"], Literal["end"]] = ("pause", "end")


class StreamRequest(BaseModel):
    """The first message of a stream.

    `key` is for browsers, which cannot send a header here, and `csrf` for those in which somebody
    is signed in; `id` is nobody's to choose.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_rate: int = Field(ge=4_000, le=192_000)
    text: Text | None = None
    phones: Text | None = None
    language: Tag | None = None
    index: Name | None = None
    l1: FirstLanguage | None = None
    learner_id: PathName | None = None
    group: PathName | None = None
    calibration: Calibration = "auto"
    partial: bool = True
    keep_audio: bool = False
    second_ear: bool | None = None
    key: str | None = Field(None, max_length=200)
    csrf: str | None = Field(None, max_length=200)


@router.websocket("/v1/stream")
async def stream(socket: WebSocket) -> None:
    """One recording, assessed while it is spoken.

    The first message is a `StreamRequest` as JSON. Then come binary messages of 16-bit
    little-endian samples, and at the end the text message `{"end": true}`. `{"pause": true}` says
    that nothing more may come: all of it is assessed beforehand. Answers are JSON:
    `{"ready": …}`, `{"word": …, "place": …, "heard_s": …}`, `{"final": Assessment}` and
    `{"problem": …}`, after which the stream is closed.
    """
    service = service_of(socket)
    await socket.accept()
    service.metrics.streams.inc()
    try:
        await _Stream(socket, service).run()
    except WebSocketDisconnect:
        pass
    except NativeEarError as error:
        await _refuse(socket, problem_of(error, "/v1/stream"), 1008)
    except Exception as error:
        await _refuse(socket, internal_problem(error, "/v1/stream"), 1011)
    finally:
        service.metrics.streams.dec()


async def _refuse(socket: WebSocket, problem: Problem, code: int) -> None:
    with suppress(RuntimeError, WebSocketDisconnect, asyncio.TimeoutError):
        await asyncio.wait_for(socket.send_json({"problem": problem.model_dump()}), _READ_S)
        await asyncio.wait_for(socket.close(code), _READ_S)


@dataclass(frozen=True, eq=False)
class _Ahead:
    """The whole of what was heard up to a pause, assessed before it is known to be all."""

    work: Work
    result: asyncio.Task[Assessment]


class _Stream:
    """One open stream."""

    def __init__(self, socket: WebSocket, service: Service) -> None:
        self._socket = socket
        self._service = service
        self._ahead: _Ahead | None = None
        self._telling: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve it from the first message to the final Assessment."""
        asked = await self._request()
        headers = self._socket.headers
        secret, token = asked.key or secret_of(headers), token_of(headers)
        known = self._service.authenticator.authenticate_secret
        caller = await to_thread.run_sync(known, secret, token)
        refuse_forged(caller, asked.csrf)
        refuse_unless(caller, ASSESS)
        caller.refuse_speech(0.0)
        form: dict[str, Any] = {
            **asked.model_dump(exclude={"sample_rate", "key", "csrf", "partial"}),
            "text": asked.text or None,
            "phones": asked.phones or None,
        }
        form = await to_thread.run_sync(attributed, self._service, caller, form)
        with self._service.streams.taken(caller.key_id or _address(self._socket)):
            await self._serve(asked, form, caller)

    async def _serve(self, asked: StreamRequest, form: dict[str, Any], caller: Caller) -> None:
        target = await to_thread.run_sync(target_of, self._service, form)
        await self._send({"ready": {"index": target.reference.name}})
        limit_s = caller.max_audio_s or self._service.settings.max_seconds
        reservation = self._service.uploads.reserve()
        try:
            buffer = StreamBuffer(asked.sample_rate, limit_s, reservation)
            listening = self._listen(buffer, target, asked.partial)
            await asyncio.wait_for(listening, limit_s + _SPARE_S)
            await self._finish(buffer, target, form, caller)
        except asyncio.TimeoutError:
            raise InputError(
                f"The recording did not end within {limit_s + _SPARE_S:g} s.",
                fix="Speak in shorter recordings, and send the samples as they come.",
            ) from None
        finally:
            self._forget_ahead()
            reservation.release()

    async def _listen(self, buffer: StreamBuffer, target: Target, tell: bool) -> None:
        """Hear the recording to its end; meanwhile tell what is finished, if that is wanted."""
        pronunciation: Pronunciation | None = None
        if tell:
            pronounce = target.reference.assessor.pronounce
            asked = target.form
            pronunciation = await to_thread.run_sync(pronounce, asked["text"], asked["phones"])
        try:
            while (said := await self._hear(buffer)) != "end":
                if said == "pause":
                    await self._assess_ahead(buffer, target, tell)
                    continue
                self._forget_ahead()
                idle = self._telling is None or self._telling.done()
                if (
                    pronunciation
                    and idle
                    and buffer.told < len(pronunciation.words)
                    and buffer.is_due
                    and not self._service.engine.is_full
                ):
                    self._telling = asyncio.create_task(
                        self._tell_finished(buffer, target, pronunciation)
                    )
        finally:
            await self._stop_telling(buffer)

    async def _stop_telling(self, buffer: StreamBuffer) -> None:
        """A look that has begun leaves its thread at its next step."""
        buffer.stop_looking()
        if self._telling is not None:
            self._telling.cancel()
            # Whoever left meanwhile is noticed below, or was above.
            with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await self._telling
            self._telling = None

    async def _assess_ahead(self, buffer: StreamBuffer, target: Target, tell: bool) -> None:
        """Assess all that was heard, in case that nothing more comes."""
        if self._ahead is not None or not buffer.is_worth_assessing or self._service.engine.is_full:
            return
        await self._stop_telling(buffer)
        try:
            work = target.work(await to_thread.run_sync(buffer.so_far))
        except NativeEarError:
            return  # whoever ends here is told why
        self._ahead = _Ahead(work, asyncio.create_task(self._assessed(work)))
        if tell:
            self._telling = asyncio.create_task(self._tell_ahead(buffer, self._ahead))

    async def _tell_ahead(self, buffer: StreamBuffer, ahead: _Ahead) -> None:
        """Tell the words that were read up to a pause."""
        try:
            result = await asyncio.shield(ahead.result)
        except NativeEarError:
            return
        await self._tell(buffer, read_up_to(result), Window(), ahead.work.audio.duration_s)

    def _forget_ahead(self) -> None:
        """More came after the pause, or nobody waits any more."""
        if self._ahead is None:
            return
        result = self._ahead.result
        result.cancel()
        result.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._ahead = None

    async def _request(self) -> StreamRequest:
        try:
            text = await asyncio.wait_for(self._socket.receive_text(), _FIRST_S)
            return StreamRequest.model_validate_json(text)
        except (ValidationError, KeyError) as error:
            where, message = "", ""
            if isinstance(error, ValidationError):
                first = error.errors()[0]
                where, message = ".".join(str(part) for part in first["loc"]), first["msg"]
            raise InputError(
                f"The first message is not valid: {where or 'it is no JSON text'}.",
                cause=message,
                fix='Send JSON such as {"text": "I think so.", "sample_rate": 16000}.',
            ) from None
        except asyncio.TimeoutError:
            raise InputError(
                f"No request came within {_FIRST_S:g} s.", fix="Send it as the first message."
            ) from None

    async def _hear(self, buffer: StreamBuffer) -> Literal["samples", "pause", "end"]:
        """Take one message."""
        try:
            message = await asyncio.wait_for(self._socket.receive(), _SILENT_S)
        except asyncio.TimeoutError:
            raise InputError(
                f"Nothing came for {_SILENT_S:g} s.", fix='End a recording with {"end": true}.'
            ) from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        if (data := message.get("bytes")) is not None:
            if len(data) > _MAX_FRAME:
                raise InputError("A frame is too large.", fix="Send a second of speech at most.")
            buffer.add(data)
            return "samples"
        try:
            told = json.loads(message.get("text") or "")
        except ValueError:
            told = None
        for said in _SAID:
            if told == {said: True}:
                return said
        raise InputError(
            "A text message is neither samples nor the end.",
            fix='Send samples as binary messages, then {"end": true}.',
        )

    async def _tell_finished(
        self, buffer: StreamBuffer, target: Target, pronunciation: Pronunciation
    ) -> None:
        """Look at what was heard lately, and tell the words that are finished by now."""
        window = buffer.window
        try:
            recording = buffer.recent()
            whole = target.work(recording)
            fields = {name: getattr(whole, name) for name in Work.__dataclass_fields__}
            result = await self._assessed(
                PartialWork(
                    **fields, pronunciation=pronunciation, window=window, ended=buffer.ended
                )
            )
        except NativeEarError:
            return  # nothing to be told yet, or a full queue: the next second tells more
        await self._tell(buffer, result, window, window.start_s + recording.duration_s)

    async def _tell(
        self, buffer: StreamBuffer, result: Assessment, window: Window, heard_s: float
    ) -> None:
        for place, word in buffer.news(result, window):
            message = {"word": word.model_dump(mode="json"), "place": place, "heard_s": heard_s}
            await self._send(message)

    async def _finish(
        self, buffer: StreamBuffer, target: Target, form: dict[str, Any], caller: Caller
    ) -> None:
        if self._ahead is None:
            work = target.work(await to_thread.run_sync(buffer.whole))
            caller.refuse_speech(work.audio.duration_s)
            result = await self._assessed(work)
        else:
            work = self._ahead.work
            caller.refuse_speech(work.audio.duration_s)
            result = await self._ahead.result
        recording = work.audio
        result = await asked_elsewhere(self._service, work, result)
        kept = wav_of(recording) if form["keep_audio"] else None
        submission = Submission(caller.key_id, form, kept)
        stored = await to_thread.run_sync(save, self._service, work, submission, result)
        await self._send({"final": json.loads(stored.result)})
        await asyncio.wait_for(self._socket.close(1000), _READ_S)

    async def _send(self, message: dict[str, Any]) -> None:
        """Tell something; whoever does not read is gone."""
        try:
            await asyncio.wait_for(self._socket.send_json(message), _READ_S)
        except asyncio.TimeoutError:
            raise WebSocketDisconnect(1006) from None

    async def _assessed(self, work: Work) -> Assessment:
        return await self._service.engine.answer(self._service.engine.submit(work))


def _address(socket: WebSocket) -> str:
    return network_of(socket.client.host) if socket.client else ""
