"""An Assessment in the shape of Azure's Pronunciation Assessment.

What is filled, and by what, is in `docs/migrate.md`. What was not measured is null or left out.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nativeear.scoring.assessment import Assessment, PhoneAssessment, ReadingEvent, WordAssessment
from nativeear.service.api.problems import InvalidRequestError

TICKS_PER_S = 10_000_000


class AzureOptions(BaseModel):
    """The JSON of the header `Pronunciation-Assessment`; what it has beside is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    reference_text: str = Field("", alias="ReferenceText", max_length=5000)
    grading_system: Literal["FivePoint", "HundredMark"] = Field("FivePoint", alias="GradingSystem")
    granularity: Literal["Phoneme", "Word", "FullText"] = Field("Phoneme", alias="Granularity")
    dimension: Literal["Basic", "Comprehensive"] = Field("Basic", alias="Dimension")
    miscue: bool = Field(False, alias="EnableMiscue")
    prosody: bool = Field(False, alias="EnableProsodyAssessment")
    alphabet: Literal["SAPI", "IPA"] = Field("SAPI", alias="PhonemeAlphabet")
    nbest: int = Field(0, alias="NBestPhonemeCount", ge=0)

    @model_validator(mode="before")
    @classmethod
    def _named_in_any_case(cls, told: Any) -> Any:
        """With the names as REST writes them; the SDKs begin them with a small letter."""
        if not isinstance(told, dict):
            return told
        return {_OPTIONS.get(str(name).lower(), name): value for name, value in told.items()}


_OPTIONS = {
    field.alias.lower(): field.alias for field in AzureOptions.model_fields.values() if field.alias
}


def options_of(header: str | None) -> AzureOptions:
    """What a request asks for.

    Raises
    ------
    InvalidRequestError
        If there is no header, or it is no base64 of such JSON.
    """
    try:
        if not header:
            raise ValueError("it is missing")
        return AzureOptions.model_validate_json(base64.b64decode(header, validate=True))
    except (ValueError, binascii.Error) as error:
        told = str(error)
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            told = f"{'.'.join(map(str, first['loc'])) or 'its JSON'}: {first['msg']}"
        raise InvalidRequestError(
            f"The header Pronunciation-Assessment cannot be read: {told}.",
            fix='Send base64 of {"ReferenceText": "…"} in it.',
        ) from error


def answered(result: Assessment, asked: AzureOptions) -> dict[str, Any]:
    """The whole answer; `NoMatch` where the recording is not of its text."""
    return AzureAnswer(result, asked).whole()


def silent(duration_s: float = 0.0) -> dict[str, Any]:
    """The answer to a recording in which nobody speaks."""
    return {
        "RecognitionStatus": "InitialSilenceTimeout",
        "Offset": 0,
        "Duration": _ticks(duration_s),
    }


class AzureAnswer:
    """Writes one result."""

    def __init__(self, result: Assessment, asked: AzureOptions) -> None:
        self._result = result
        self._asked = asked
        self._comprehensive = asked.dimension == "Comprehensive"
        flow = result.fluency
        breaks = [b for b in flow.breaks if b.kind is not None] if flow else []
        # as Azure has it, a break belongs to the word behind it
        self._break_before = {each.after_word_index + 1: each for each in breaks}
        segments = flow.segments if flow else ()
        self._monotone = {i for s in segments if s.monotone for i in range(*s.words)}

    def whole(self) -> dict[str, Any]:
        """The JSON of the answer."""
        result = self._result
        spoken = [word for word in result.words if word.start_s is not None]
        start_s = min((word.start_s or 0.0 for word in spoken), default=0.0)
        end_s = max((word.end_s or 0.0 for word in spoken), default=result.duration_s)
        span = {"Offset": _ticks(start_s), "Duration": _ticks(end_s - start_s)}
        own = {"NativeEar": {"id": result.id, "warnings": list(result.warnings)}}
        if result.of_another_text:
            return {"RecognitionStatus": "NoMatch", **span, **own}
        read = result.words if not self._asked.miscue else spoken
        lexical = " ".join(word.word.lower() for word in read)
        heard = result.transcript.text if result.transcript else ""
        display = self._asked.reference_text or heard
        best: dict[str, Any] = {
            "Confidence": result.reading.likelihood if result.reading else None,
            "Lexical": lexical,
            "ITN": lexical,
            "MaskedITN": lexical,
            "Display": display,
            **self._both(self._scores()),
        }
        if self._asked.granularity != "FullText":
            best["Words"] = self._words()
        return {
            "Id": result.id,
            "RecognitionStatus": "Success",
            **span,
            "DisplayText": display,
            "NBest": [best],
            **own,
        }

    def _scores(self) -> dict[str, Any]:
        score = self._result.score
        told = {"AccuracyScore": self._mark(score.pronunciation)}
        if self._comprehensive:
            told["FluencyScore"] = self._mark(score.fluency)
            told["CompletenessScore"] = self._mark(score.completeness)
            if self._asked.prosody:
                told["ProsodyScore"] = self._mark(score.prosody)
            told["PronScore"] = self._mark(score.overall)
        return told

    def _words(self) -> list[dict[str, Any]]:
        told = []
        reading = self._result.reading
        added = reading.events if reading and self._asked.miscue else ()
        extra = [e for e in added if e.kind == "extra" and e.heard]
        again = [e for e in added if e.kind in {"repeated", "restart"}]
        told += [self._insertion(e) for e in extra if e.word_index < 0]
        for i, word in enumerate(self._result.words):
            told += [self._insertion(e, word.word) for e in again if e.word_index == i]
            told.append(self._word(i, word))
            told += [self._insertion(e) for e in extra if e.word_index == i]
        return told

    def _insertion(self, event: ReadingEvent, word: str = "") -> dict[str, Any]:
        kind = {"ErrorType": "Insertion"} if self._comprehensive else {}
        name = {"Word": event.heard or word}
        return {**name, **_span(event.start_s, event.end_s), **self._both(kind)}

    def _word(self, index: int, word: WordAssessment) -> dict[str, Any]:
        scores: dict[str, Any] = {"AccuracyScore": self._mark(word.score)}
        if self._comprehensive:
            scores["ErrorType"] = self._error_type(word)
            if self._asked.prosody:
                scores["Feedback"] = {"Prosody": self._prosody(index)}
        told = {"Word": word.word, **_span(word.start_s, word.end_s), **self._both(scores)}
        if self._asked.granularity == "Phoneme" and not word.omitted:
            told["Syllables"] = [
                self._syllable(word.phones[slice(*each.phones)], each.grapheme, each.score)
                for each in word.syllables
            ]
            told["Phonemes"] = [self._phoneme(phone) for phone in word.phones]
        return told

    def _error_type(self, word: WordAssessment) -> str:
        if word.omitted and self._asked.miscue:
            return "Omission"
        wrong = word.omitted or any(phone.needs_work for phone in word.phones)
        return "Mispronunciation" if wrong else "None"

    def _prosody(self, index: int) -> dict[str, Any]:
        before = self._break_before.get(index)
        kinds = {"unexpected": "UnexpectedBreak", "missing": "MissingBreak"}
        kind = kinds.get(before.kind or "", "None") if before else "None"
        return {
            "Break": {
                "ErrorTypes": [kind],
                "BreakLength": _ticks(before.duration_s) if before else 0,
            },
            "Intonation": {"ErrorTypes": ["Monotone"] if index in self._monotone else []},
        }

    def _syllable(
        self, phones: Sequence[PhoneAssessment], letters: str | None, score: float | None
    ) -> dict[str, Any]:
        starts = [phone.start_s for phone in phones if phone.start_s is not None]
        ends = [phone.end_s for phone in phones if phone.end_s is not None]
        return {
            "Syllable": "".join(self._name(phone.phone, phone.ipa) for phone in phones),
            **({} if letters is None else {"Grapheme": letters}),
            **self._both({"AccuracyScore": self._mark(score)}),
            **_span(min(starts, default=None), max(ends, default=None)),
        }

    def _phoneme(self, phone: PhoneAssessment) -> dict[str, Any]:
        scores: dict[str, Any] = {"AccuracyScore": self._mark(phone.score)}
        if self._asked.nbest:
            scores["NBestPhonemes"] = [
                {"Phoneme": self._name(each.phone, each.ipa), "Score": self._mark(each.score)}
                for each in phone.nbest[: self._asked.nbest]
            ]
        name = {"Phoneme": self._name(phone.phone, phone.ipa)}
        return {**name, **self._both(scores), **_span(phone.start_s, phone.end_s)}

    def _name(self, phone: str, ipa: str) -> str:
        return ipa if self._asked.alphabet == "IPA" else phone.lower()

    def _mark(self, score: float | None) -> float | None:
        if score is None:
            return None
        return round(score if self._asked.grading_system == "HundredMark" else score / 20, 2)

    @staticmethod
    def _both(scores: dict[str, Any]) -> dict[str, Any]:
        """Flat, as the REST interface has scores, and in an object, as the SDKs read them."""
        return {**scores, "PronunciationAssessment": scores}


def _span(start_s: float | None, end_s: float | None) -> dict[str, int]:
    if start_s is None or end_s is None:
        return {}
    return {"Offset": _ticks(start_s), "Duration": _ticks(end_s - start_s)}


def _ticks(seconds: float) -> int:
    return round(seconds * TICKS_PER_S)
