# Written by packages/client/asynchronous.py: change the module that blocks, and run it.
"""The native references and their texts, as a client asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from nativeear.service.api.models import (
    EncoderItem,
    EncoderList,
    ExemplarDetail,
    IndexDetail,
    IndexItem,
    IndexList,
    LanguageItem,
    LanguageList,
    NativeSentence,
    Pronunciations,
    SentenceList,
    TextCheck,
)
from nativeear.service.api.work_models import JobAnswer, JobCreated
from nativeear.service.client.asynchronous.connection import AsyncConnection
from nativeear.service.client.connection import path_of, read
from nativeear.service.client.sending import Recording, bytes_of, fields_of
from nativeear.service.practice import Practice


class AsyncReferenceClient:
    """The part of `Client` that asks what can be said, and what it is compared with."""

    _connection: AsyncConnection

    async def languages(self) -> tuple[LanguageItem, ...]:
        """The languages that can be assessed."""
        return (await self._connection.read(LanguageList, "/v1/languages")).items

    async def indexes(self) -> tuple[IndexItem, ...]:
        """The indexes that are offered, the default first."""
        return (await self._connection.read(IndexList, "/v1/indexes")).items

    async def index(self, name: str) -> IndexDetail:
        """What an index is made of."""
        return await self._connection.read(IndexDetail, path_of("indexes", name))

    async def coverage(self, name: str) -> Mapping[str, Any]:
        """What an index holds of each phone, as `nativeear.indexer.audit` tells it."""
        path = path_of("indexes", name, "coverage")
        return await self._connection.read(dict[str, Any], path)

    async def exemplar(self, name: str, row: int) -> ExemplarDetail:
        """One native phone, by its row in the index."""
        return await self._connection.read(
            ExemplarDetail, path_of("indexes", name, "exemplars", row)
        )

    async def exemplar_audio(self, name: str, row: int, *, context_s: float = 0.03) -> bytes:
        """A native phone with as much around it as is asked for, as WAV."""
        path, params = (
            path_of("indexes", name, "exemplars", row, "audio"),
            {"context_s": context_s},
        )
        return (await self._connection.ask("GET", path, params=params)).content

    async def sentences(self, name: str, *, page: int = 500) -> AsyncIterator[NativeSentence]:
        """Native recordings that can be heard whole; fetched `page` at a time."""
        after: str | None = None
        while True:
            path, params = (path_of("indexes", name, "sentences"), {"limit": page, "after": after})
            found = await self._connection.read(SentenceList, path, params=params)
            for item in found.items:
                yield item
            if found.next is None:
                return
            after = found.next

    async def native_audio(self, name: str, utterance: str, *, corpus: str | None = None) -> bytes:
        """A native recording as WAV."""
        path = path_of("indexes", name, "utterances", utterance, "audio")
        return (await self._connection.ask("GET", path, params={"corpus": corpus})).content

    async def native_speech(self, name: str, text: str) -> Mapping[str, Any]:
        """Native recordings of a text and of its words, as far as an index keeps any."""
        path = path_of("indexes", name, "model")
        return await self._connection.read(dict[str, Any], path, params={"text": text})

    async def examples(
        self, name: str, phone: str, *, word: str | None = None, limit: int = 3
    ) -> tuple[Mapping[str, Any], ...]:
        """A sound in natives' words, the most typical first; those of `word` before others."""
        path, params = (path_of("indexes", name, "phones", phone, "examples"), {"word": word})
        sent = {**params, "limit": str(limit)}
        return tuple((await self._connection.read(dict[str, Any], path, params=sent))["items"])

    async def build_index(
        self,
        name: str,
        language: str,
        *,
        corpus: str | None = None,
        archive: Recording | None = None,
        **options: str | bool | None,
    ) -> JobAnswer:
        """Have an index built of native speech, as a job; needs the scope `admin`.

        Parameters
        ----------
        corpus, archive
            A folder that the service was given with `--corpora`, or a zip archive; one of both.
        options
            `aligner`, `encoder`, `licence`, `clips`, `reader`, as `POST /v1/indexes` takes them.
        """
        fields = fields_of({"name": name, "language": language, "corpus": corpus, **options})
        files: dict[str, Any] = {field: (None, str(value)) for field, value in fields.items()}
        if archive is not None:
            files["archive"] = ("archive.zip", bytes_of(archive))
        answer = await self._connection.ask("POST", "/v1/indexes", files=files)
        return read(JobCreated, answer).job

    async def encoders(self) -> tuple[EncoderItem, ...]:
        """The encoders that have a name."""
        return (await self._connection.read(EncoderList, "/v1/encoders")).items

    async def practice(self, language: str) -> Practice:
        """Sentences to practise, by what they train."""
        return await self._connection.read(Practice, "/v1/practice", params={"language": language})

    async def sounds(self, language: str) -> tuple[Mapping[str, Any], ...]:
        """The sounds of a language for learners: a word with each, and the mouth."""
        path, params = (path_of("practice", "sounds"), {"language": language})
        return tuple((await self._connection.read(dict[str, Any], path, params=params))["items"])

    async def validate(
        self, text: str, *, index: str | None = None, language: str | None = None
    ) -> TextCheck:
        """Which words of a text can be pronounced, and how."""
        body = {"text": text, "index": index, "language": language}
        return await self._connection.read(TextCheck, "/v1/validate", method="POST", json=body)

    async def pronunciations(
        self, text: str, *, index: str | None = None, language: str | None = None
    ) -> Pronunciations:
        """Every word of a text with all its pronunciations."""
        body = {"text": text, "index": index, "language": language}
        return await self._connection.read(
            Pronunciations, "/v1/pronunciations", method="POST", json=body
        )
