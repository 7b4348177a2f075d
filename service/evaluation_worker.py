"""One reading of an evaluation in a worker process: the assessment of it, and a baseline's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nativeear.indexer.annotated_corpus import AnnotatedUtterance
from nativeear.indexer.corpus import UNKNOWN_SPEAKER
from nativeear.indexes.phone_index import Name
from nativeear.scoring.assessment import Assessment
from nativeear.service.evaluation_corpus import Baseline
from nativeear.service.failures import attempt, error_object
from nativeear.service.second_ear import Judge, judged_by
from nativeear.speech.errors import InputError, NativeEarError

if TYPE_CHECKING:
    from nativeear.scoring.assessor import Assessor
    from nativeear.speech.audio import Audio


@dataclass(frozen=True)
class Reading:
    """One recording to assess against one transcript; plain values, so that it travels."""

    id: str
    part: str
    audio: Path
    start_s: float
    end_s: float | None
    text: str | None
    phones: str | None
    excluded_utterances: tuple[Name, ...]
    excluded_speakers: tuple[Name, ...]

    @classmethod
    def of(
        cls, annotated: AnnotatedUtterance, part: str, own: Sequence[str], *, exclude_own: bool
    ) -> Reading:
        """The reading of an annotated utterance, whose corpus the index calls one of `own`."""
        speaker = annotated.speaker.id
        apart = exclude_own and speaker != UNKNOWN_SPEAKER
        return cls(
            id=annotated.id,
            part=part,
            audio=annotated.audio.absolute(),
            start_s=annotated.start_s,
            end_s=annotated.end_s,
            text=annotated.given_text,
            phones=annotated.given_phones,
            excluded_utterances=tuple((corpus, annotated.id) for corpus in own),
            excluded_speakers=tuple((corpus, speaker) for corpus in own if apart),
        )


def load_evaluator(
    index: Path, judge: Judge | None, baseline: Baseline | None, **options: Any
) -> Callable[[Reading], str]:
    """What makes a row of a reading, in the process that it is called in."""
    import nativeear  # here: the parent process needs no torch

    assessor = nativeear.load(index, **options)
    return partial(_assess, assessor, judge, baseline)


def _assess(
    assessor: Assessor, judge: Judge | None, baseline: Baseline | None, reading: Reading
) -> str:
    found = attempt(lambda: _results(assessor, judge, baseline, reading))
    if isinstance(found, NativeEarError):
        return json.dumps({"error": error_object(found)}, ensure_ascii=False)
    return "{" + ",".join(f'"{name}":{result}' for name, result in found.items()) + "}"


def _results(
    assessor: Assessor, judge: Judge | None, baseline: Baseline | None, reading: Reading
) -> dict[str, str]:
    """The assessment of a reading, and the baseline's if one is asked for, each as JSON."""
    from nativeear.retriever.neighbours import Exclusion
    from nativeear.speech.audio import Audio

    recording = Audio.load(reading.audio)
    if reading.start_s or reading.end_s is not None:
        end_s = recording.duration_s if reading.end_s is None else reading.end_s
        recording = recording.slice(reading.start_s, end_s)
    result = assessor.assess(
        recording,
        reading.text,
        phones=reading.phones,
        id=reading.id,
        exclusion=Exclusion(
            frozenset(reading.excluded_utterances), frozenset(reading.excluded_speakers)
        ),
    )
    found = {} if baseline is None else {baseline: _recognised(assessor, recording, result)}
    if judge is not None:
        result = judged_by(judge, recording, result)
    return {"assessment": result.model_dump_json()} | found


def _recognised(assessor: Assessor, recording: Audio, result: Assessment) -> str:
    """What decoding and comparing makes of a recording, as JSON.

    Raises
    ------
    InputError
        If the encoder has no phone head that tells the phones of the index.
    """
    from nativeear.scoring.evaluation.recogniser import decoded_and_compared
    from nativeear.speech.decoding import decode_phones
    from nativeear.speech.phone_head import OTHER
    from nativeear.speech.steadying import steadied

    heard = steadied(recording)
    decoded = decode_phones(assessor.encoder.encode(heard.audio), assessor.inventory)
    if decoded is None:
        raise InputError(
            "The encoder of the index has no phone head that could be decoded.",
            fix="Leave out --baseline, or choose an index whose encoder has one.",
        )
    phones = [
        replace(item, start_s=item.start_s + heard.start_s, end_s=item.end_s + heard.start_s)
        for item in decoded
        if item.phone != OTHER
    ]
    return decoded_and_compared(result, phones, assessor.inventory).model_dump_json()
