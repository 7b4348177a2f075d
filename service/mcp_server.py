"""NativeEar as tools for language models, by the Model Context Protocol: `nativeear mcp`.

Recordings are files of this machine, and stay on it: what a model is told is text.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar
from uuid import uuid4

from pydantic import Field

from nativeear.service.practice import practice
from nativeear.service.told_briefly import explanation, summary
from nativeear.service.version import RELEASE
from nativeear.speech.errors import InputError, NativeEarError
from nativeear.speech.extras import needing

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

    from nativeear.scoring.assessment import Assessment
    from nativeear.scoring.assessor import Assessor

INSTRUCTIONS = (
    "NativeEar compares a learner's recording with native speech, phone by phone. Scores run from "
    "0 to 100. Call assess with a recording and its text, explain for why a sound was judged as it "
    "was, and practise for sentences to say next. Claim nothing that the results do not say."
)
KEPT = 50
"""How many of the last results can be explained."""

_MOST_SENTENCES = 12

_Parameters = ParamSpec("_Parameters")
_Told = TypeVar("_Told")


class Tools:
    """What a language model may ask for.

    Parameters
    ----------
    index
        Name or folder of the index that is meant where no language is given.
    """

    def __init__(self, index: str | Path) -> None:
        self._index = index
        self._assessors: dict[str, Assessor] = {}
        self._results: OrderedDict[str, Assessment] = OrderedDict()
        self._lock = threading.RLock()  # one recording at a time

    def assess(
        self,
        *,
        audio: Annotated[str, Field(description="Path of the recording: WAV, FLAC, MP3, M4A, …")],
        text: Annotated[str | None, Field(description="What was meant to be said.")] = None,
        phones: Annotated[
            str | None, Field(description="Its phones instead, ARPAbet or IPA, ` | ` between words")
        ] = None,
        free: Annotated[bool, Field(description="No text is known: hear what was said.")] = False,
        language: Annotated[str | None, Field(description="BCP 47 tag, as in en-US.")] = None,
        l1: Annotated[str | None, Field(description="First language, as in zh.")] = None,
    ) -> dict[str, Any]:
        """Hear a recording against native speech: scores of all and of each word, and remarks."""
        from nativeear.speech.audio import Audio

        if free == any((given or "").strip() for given in (text, phones)):
            raise InputError(
                "A recording goes with its text, its phones, or free.", fix="Give one of them."
            )
        recording = Audio.load(Path(audio).expanduser())
        with self._lock:
            assessor, id = self._assessor(language), uuid4().hex
            if free:
                from nativeear.speech.recognisers.whisper import find_recogniser

                result = assessor.assess_free(
                    recording, recogniser=find_recogniser(None), id=id, l1=l1
                )
            else:
                result = assessor.assess(recording, text, phones=phones, id=id, l1=l1)
            self._results[id] = result
            while len(self._results) > KEPT:
                self._results.popitem(last=False)
        return summary(result)

    def explain(
        self,
        id: Annotated[str, Field(description="Of a result of assess.")],
        word: Annotated[
            int | None, Field(description="A word, from 0; all that needs work without it.")
        ] = None,
    ) -> str:
        """Tell why sounds were judged as they were: what was heard, how surely, what to do."""
        return explanation(self._result(id), word)

    def practise(
        self,
        language: Annotated[str, Field(description="BCP 47 tag, as in en-US.")] = "en-US",
        phone: Annotated[
            str | None, Field(description="A sound, ARPAbet or IPA: those sentences that have it.")
        ] = None,
        id: Annotated[
            str | None, Field(description="Of a result of assess: what its remarks are about.")
        ] = None,
    ) -> dict[str, Any]:
        """Sentences to practise: all by what they train, or those with certain sounds first."""
        result = None if id is None else self._result(id)
        tag = language if result is None else result.language
        sets = practice(tag).sets
        if phone is None and result is None:
            return {"language": tag, "sets": [one.model_dump(mode="json") for one in sets]}
        with self._lock:
            assessor = self._assessor(tag)
            wanted = [remark.phone for remark in result.remarks] if result else []
            wanted += [assessor.inventory.symbol(phone)] if phone else []
            ranked = []
            for sentence in (sentence for one in sets for sentence in one.sentences):
                said = [
                    symbol
                    for word in assessor.pronounce(sentence).words
                    for symbol in word.variants[0].phones
                ]
                ranked.append((sum(said.count(symbol) for symbol in wanted), sentence))
        ranked.sort(key=lambda found: -found[0])
        fitting = [{"text": text, "times": times} for times, text in ranked if times]
        return {"language": tag, "phones": wanted, "sentences": fitting[:_MOST_SENTENCES]}

    def _assessor(self, language: str | None) -> Assessor:
        import nativeear
        from nativeear.service.index_choice import choose_index

        index = self._index if language is None else choose_index(None, language)
        if str(index) not in self._assessors:
            self._assessors[str(index)] = nativeear.load(index)
        return self._assessors[str(index)]

    def _result(self, id: str) -> Assessment:
        with self._lock:
            if id not in self._results:
                raise InputError(
                    f"There is no result {id}.",
                    cause=f"The last {KEPT} are known, until the program ends.",
                    fix="Call assess, and take the id that it answers with.",
                )
            return self._results[id]


def create_server(index: str | Path) -> MCPServer[Any]:
    """Make the server; `run()` serves one client on standard input and output.

    Raises
    ------
    MissingDependencyError
        If the package mcp is not installed.
    """
    with needing("mcp", "The MCP server"):
        from mcp.server.mcpserver.exceptions import ToolError

        from nativeear.service.mcp_stdio import AnsweringServer

    def in_words(tool: Callable[_Parameters, _Told]) -> Callable[_Parameters, _Told]:
        """What goes wrong as what the model is told."""

        @wraps(tool)
        def told(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Told:
            try:
                return tool(*args, **kwargs)
            except NativeEarError as error:
                parts = (error.message, error.cause, error.fix)
                raise ToolError(" ".join(filter(None, parts))) from error

        return told

    tools = Tools(index)
    server = AnsweringServer(
        "nativeear", instructions=INSTRUCTIONS, version=RELEASE or "", log_level="WARNING"
    )
    for tool in (tools.assess, tools.explain, tools.practise):
        server.add_tool(in_words(tool))
    return server
