"""A second ear: a model that hears audio, asked beside us of the same recording.

The recording leaves the machine: it goes to the endpoint that the user names, and to no other. Any
endpoint of OpenAI's chat completions will do that takes audio, such as vLLM with Qwen2-Audio. One
that does not answer, or not as it was asked, costs a warning and not the result.
"""

from __future__ import annotations

import base64
import io
import json
from functools import partial
from typing import Any

from pydantic import TypeAdapter

from nativeear.scoring.assessment import Assessment, PhoneAssessment, Scores
from nativeear.scoring.frozen_model import FrozenModel
from nativeear.scoring.second_ear import SecondEar, SecondScores, SecondWord
from nativeear.service.explain import Reply
from nativeear.service.valid_answers import FAILURES, ChatModel, read_json, warned
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError

API_KEY = "NATIVEEAR_JUDGE_API_KEY"
"""Environment variable that holds the key of the endpoint, if it wants one."""

MISPRONOUNCED_BELOW = 50.0
"""The model is told so."""

_MOST_REMARKS = 10
_INSTRUCTIONS = (
    "You judge the pronunciation of a language learner. You hear a recording, and are told its "
    "language, the words that were to be said, and the sounds of each word in IPA. Answer with "
    "JSON of the given schema and nothing else: scores from 0 (wrong) to 100 (as a native says "
    "it), below 50 for what is mispronounced, null for what you cannot tell; the same words in the "
    "same order, and in `phones` one score for each sound of a word, or none at all."
)


class _Answer(FrozenModel):
    """What the model is asked for."""

    score: SecondScores
    words: tuple[SecondWord, ...]
    remarks: tuple[str, ...] = ()


_SCHEMA = TypeAdapter(_Answer).json_schema()


class Judge(ChatModel):
    """Where the second ear is."""

    def hear(self, audio: Audio, assessment: Assessment) -> SecondEar:
        """Ask it of a recording that was assessed; twice, if its first answer is not valid.

        Raises
        ------
        OSError, http.client.HTTPException
            If it does not answer, or refuses.
        ValueError
            If neither answer is valid.
        """
        read = partial(_heard, model=self.model, assessment=assessment)
        messages = _messages(audio, assessment)
        return self.ask(messages, "assessment", _SCHEMA, api_key=API_KEY, read=read)


def with_second_ear(assessment: Assessment, audio: Audio, judge: Judge) -> Assessment:
    """The same with what the judge heard in `second_ear`, or else with one warning more.

    A recording of another text is not sent.
    """
    if assessment.of_another_text:
        return assessment
    try:
        return assessment.model_copy(update={"second_ear": judge.hear(audio, assessment)})
    except FAILURES as error:
        return warned(assessment, judge.failed("There is no second ear", error))


def judged_by(judge: Judge, audio: Audio, assessment: Assessment) -> Assessment:
    """The result as the second ear alone would give it, to be measured as ours is.

    Raises
    ------
    InputError
        If it did not answer as it was asked.
    """
    try:
        heard = judge.hear(audio, assessment)
    except FAILURES as error:
        raise InputError("The second ear did not judge.", cause=str(error)) from error
    words = []
    for ours, theirs in zip(assessment.words, heard.words, strict=True):
        scores = theirs.phones or (None,) * len(ours.phones)
        phones = tuple(_judged(p, score) for p, score in zip(ours.phones, scores, strict=True))
        words.append(ours.model_copy(update={"score": theirs.score, "phones": phones}))
    return assessment.model_copy(
        update={
            "score": Scores(**heard.score.model_dump()),
            "words": tuple(words),
            "insertions": (),
            "calibration": f"second ear: {heard.model}",
        }
    )


def _judged(phone: PhoneAssessment, score: float | None) -> PhoneAssessment:
    is_wrong = score is not None and score < MISPRONOUNCED_BELOW
    told = "uncertain" if score is None else "substituted" if is_wrong else "correct"
    probability = None if score is None else 1 - score / 100
    return phone.model_copy(
        update={
            "score": score,
            "verdict": told,
            "probability_mispronounced": probability,
            "sounds_like": (),
        }
    )


def _messages(audio: Audio, assessment: Assessment) -> list[dict[str, Any]]:
    asked = {
        "language": assessment.language,
        "words": [
            {"word": word.word, "phones": [phone.ipa for phone in word.phones]}
            for word in assessment.words
        ],
    }
    sound = {"data": base64.b64encode(_wav(audio)).decode("ascii"), "format": "wav"}
    content = [
        {"type": "text", "text": json.dumps(asked, ensure_ascii=False)},
        {"type": "input_audio", "input_audio": sound},
    ]
    system = f"{_INSTRUCTIONS} The schema: {json.dumps(_SCHEMA)}"
    return [{"role": "system", "content": system}, {"role": "user", "content": content}]


def _wav(audio: Audio) -> bytes:
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, audio.samples, audio.sample_rate, format="WAV", subtype="PCM_16")
    return out.getvalue()


def _heard(reply: Reply, *, model: str, assessment: Assessment) -> SecondEar:
    """What was answered, if it is of the words that were asked about; else `ValueError`."""
    answer = read_json(_Answer, reply.text)
    words = [word.word.casefold() for word in assessment.words]
    if [word.word.casefold() for word in answer.words] != words:
        raise ValueError("the words are not those that were asked about")
    for ours, theirs in zip(assessment.words, answer.words, strict=True):
        if theirs.phones and len(theirs.phones) != len(ours.phones):
            raise ValueError(f"{ours.word} has {len(ours.phones)} sounds")
    remarks = answer.remarks[:_MOST_REMARKS]
    named = reply.model or model
    return SecondEar(model=named, score=answer.score, words=answer.words, remarks=remarks)
