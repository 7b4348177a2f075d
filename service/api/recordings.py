"""Uploads: from bytes to a recording that can be assessed, or to a plain refusal."""

from __future__ import annotations

import io
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import UploadFile

from nativeear.service.api.authentication import Caller
from nativeear.service.api.metrics import Metrics
from nativeear.service.api.problems import TooLargeError, UnsupportedMediaError
from nativeear.service.api.settings import ServiceSettings
from nativeear.speech.audio import Audio
from nativeear.speech.containers import container_of
from nativeear.speech.errors import AudioError


class Decoder:
    """Decodes uploads beside the event loop, as many at a time as there are cores."""

    def __init__(self, settings: ServiceSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._limiter: CapacityLimiter | None = None

    async def read(self, upload: UploadFile, caller: Caller) -> bytes:
        """The bytes of an upload; it may be read again.

        Raises
        ------
        TooLargeError
            If there are more than the key, or the service, allows.
        """
        most = caller.max_bytes or self._settings.max_bytes
        await upload.seek(0)
        data = await upload.read(most + 1)
        if len(data) > most:
            raise TooLargeError(
                f"The recording has more than {most:,} bytes.",
                fix="Cut it into shorter recordings, or save it as FLAC or Opus.",
            )
        return data

    async def decode(self, data: bytes, max_s: float | None) -> Audio:
        """Decode a recording; its name and its declared type are not asked.

        Parameters
        ----------
        data
            The file.
        max_s
            The longest that its key may send, in seconds; None for the service's own limit.

        Raises
        ------
        UnsupportedMediaError
            If it is no audio.
        AudioError
            If it is refused, see `speech.audio.Audio.load`.
        """
        limit_s = max_s or self._settings.max_seconds
        if self._limiter is None:
            self._limiter = CapacityLimiter(self._settings.cores)
        return await to_thread.run_sync(self._decode, data, limit_s, limiter=self._limiter)

    def _decode(self, data: bytes, limit_s: float) -> Audio:
        with self._metrics.stage("decode"):
            try:
                return Audio.load(data, limit_s=limit_s)
            except AudioError as error:
                if data and container_of(io.BytesIO(data)) is None:
                    raise UnsupportedMediaError(
                        error.message, cause=error.cause, fix=error.fix
                    ) from error
                raise


def wav_of(audio: Audio) -> bytes:
    """A recording as a WAV file of 16 bits."""
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, audio.samples, audio.sample_rate, format="WAV", subtype="PCM_16")
    return out.getvalue()


def audio_responses(media_type: str) -> dict[int | str, dict[str, Any]]:
    """An answer that is heard, for OpenAPI; generated clients know bytes by the second type."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"content": {media_type: binary, "application/octet-stream": binary}}}


def media_type_of(data: bytes) -> str:
    """The media type under which a kept recording is sent back."""
    container = container_of(io.BytesIO(data)) or ""
    return _MEDIA_TYPES.get(container, "application/octet-stream")


_MEDIA_TYPES = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mp3": "audio/mpeg",
    "aiff": "audio/aiff",
    "au": "audio/basic",
    "mov": "audio/mp4",
    "matroska": "audio/webm",
    "aac": "audio/aac",
}
