"""Azure's and SpeechAce's requests: shapes, miscues, wrong texts, errors as they tell them."""

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from nativeear.scoring.assessment import (
    Assessment,
    PhoneAssessment,
    Reading,
    ReadingEvent,
    ScoredPhone,
    Scores,
    SoundsLike,
    SyllableScore,
    WordAssessment,
)
from nativeear.scoring.prosody.assessment import Break, Fluency, Pauses, Segment
from nativeear.service.api.compat import azure, speechace
from nativeear.service.api.compat.errors import told_as
from nativeear.service.api.compat.keys import secret_of_app, without_key
from nativeear.service.api.problem import Problem
from nativeear.service.api.problems import InvalidRequestError
from tests.service.api.conftest import TEXT

AZURE = "/compat/azure/speech/recognition/conversation/cognitiveservices/v1"
SPEECHACE = "/compat/speechace/api/scoring/text/v9/json"
FULL = {
    "GradingSystem": "HundredMark",
    "Dimension": "Comprehensive",
    "EnableMiscue": True,
    "EnableProsodyAssessment": "True",
    "PhonemeAlphabet": "IPA",
    "NBestPhonemeCount": 2,
    "ScenarioId": "passed over",
}


def header(**options: object) -> str:
    return base64.b64encode(json.dumps(options).encode()).decode()


def options(**more: object) -> azure.AzureOptions:
    return azure.options_of(header(ReferenceText="So I saw. You", **{**FULL, **more}))


def phone(symbol: str, ipa: str, letters: str, at_s: float, verdict: str = "correct") -> Any:
    wrong = verdict != "correct"
    return PhoneAssessment(
        phone=symbol,
        ipa=ipa,
        grapheme=letters,
        start_s=at_s,
        end_s=at_s + 0.1,
        score=20.0 if wrong else 90.0,
        verdict=verdict,  # type: ignore[arg-type]
        probability_mispronounced=0.9 if wrong else 0.01,
        sounds_like=(SoundsLike(phone="TH", ipa="θ", probability=0.8),) if wrong else (),
        nbest=tuple(
            ScoredPhone(phone=p, ipa=i, score=s)
            for p, i, s in (("TH", "θ", 80.0), ("S", "s", 15.0), ("T", "t", 5.0))
        ),
    )


def word(name: str, *phones: PhoneAssessment, omitted: bool = False) -> WordAssessment:
    return WordAssessment(
        word=name,
        start_s=phones[0].start_s if phones else None,
        end_s=phones[-1].end_s if phones else None,
        score=0.0 if omitted else 70.0,
        omitted=omitted,
        syllables=(SyllableScore(phones=(0, len(phones)), grapheme=name, score=70.0),),
        phones=phones,
    )


@pytest.fixture
def result() -> Assessment:
    return Assessment(
        id="a1",
        language="en-US",
        index="en-US",
        encoder="compact",
        calibration="expert",
        duration_s=2.0,
        score=Scores(
            overall=61.0, pronunciation=60.0, fluency=70.0, prosody=None, completeness=75.0
        ),
        words=(
            word("So", phone("S", "s", "S", 0.1, "substituted"), phone("OW", "oʊ", "o", 0.2)),
            word("I", phone("AY", "aɪ", "I", 0.8)),
            word("saw", omitted=True),
            word("You", phone("Y", "j", "Yo", 1.5), phone("UW", "uː", "u", 1.6)),
        ),
        fluency=Fluency(
            breaks=(
                Break(
                    after_word_index=0, start_s=0.3, end_s=0.8, duration_s=0.5, kind="unexpected"
                ),
                Break(after_word_index=2, duration_s=0.0, kind="missing"),
            ),
            segments=(
                Segment(
                    words=(0, 3), start_s=0.1, end_s=0.9, syllables=2, pauses=1,
                    mean_length_of_run=1.0, monotone=True,
                ),
            ),
        ),
        reading=Reading(
            matches=True,
            likelihood=0.97,
            events=(
                ReadingEvent(kind="extra", word_index=1, heard="well", start_s=1.0, end_s=1.2),
                ReadingEvent(kind="omitted", word_index=2),
            ),
        ),
    )  # fmt: skip


def test_azure_is_told_words_miscues_breaks_and_phones(result: Assessment) -> None:
    told = azure.answered(result, options())
    assert told["RecognitionStatus"] == "Success"
    assert (told["Offset"], told["Duration"]) == (1_000_000, 16_000_000)
    best = told["NBest"][0]
    assert best["PronunciationAssessment"] == {
        "AccuracyScore": 60.0,
        "FluencyScore": 70.0,
        "CompletenessScore": 75.0,
        "ProsodyScore": None,
        "PronScore": 61.0,
    }
    assert best["AccuracyScore"] == 60.0
    assert best["Lexical"] == "so i you"
    kinds = [(w["Word"], w["PronunciationAssessment"]["ErrorType"]) for w in best["Words"]]
    assert kinds == [
        ("So", "Mispronunciation"),
        ("I", "None"),
        ("well", "Insertion"),
        ("saw", "Omission"),
        ("You", "None"),
    ]
    so, i, _, _, you = best["Words"]
    assert i["Feedback"]["Prosody"] == {
        "Break": {"ErrorTypes": ["UnexpectedBreak"], "BreakLength": 5_000_000},
        "Intonation": {"ErrorTypes": ["Monotone"]},
    }
    assert you["Feedback"]["Prosody"]["Break"]["ErrorTypes"] == ["MissingBreak"]
    assert you["Feedback"]["Prosody"]["Intonation"]["ErrorTypes"] == []
    assert so["Syllables"][0]["Syllable"] == "soʊ"
    assert so["Syllables"][0]["Grapheme"] == "So"
    s = so["Phonemes"][0]
    assert (s["Phoneme"], s["Offset"], s["Duration"]) == ("s", 1_000_000, 1_000_000)
    assert s["PronunciationAssessment"]["NBestPhonemes"] == [
        {"Phoneme": "θ", "Score": 80.0},
        {"Phoneme": "s", "Score": 15.0},
    ]


def test_azure_is_told_no_more_than_it_asks_for(result: Assessment) -> None:
    plain = azure.answered(result, azure.options_of(header(ReferenceText="So I saw. You")))
    best = plain["NBest"][0]
    assert best["PronunciationAssessment"] == {"AccuracyScore": 3.0}  # of five
    assert "ErrorType" not in best["Words"][0]
    assert [w["Word"] for w in best["Words"]] == ["So", "I", "saw", "You"]
    assert best["Words"][0]["Phonemes"][0]["Phoneme"] == "s"
    assert "NBestPhonemes" not in best["Words"][0]["Phonemes"][0]
    (words,) = azure.answered(result, options(Granularity="Word"))["NBest"]
    assert "Phonemes" not in words["Words"][0]
    assert "Words" not in azure.answered(result, options(Granularity="FullText"))["NBest"][0]


@pytest.mark.parametrize("sent", [None, "", "no base64!", header(GradingSystem="Marks"), "e30="])
def test_what_azure_would_not_take_is_refused(sent: str | None) -> None:
    if sent == "e30=":  # {}: unscripted
        assert azure.options_of(sent).reference_text == ""
        return
    with pytest.raises(InvalidRequestError):
        azure.options_of(sent)


def test_azures_user_is_told_which_option_is_wrong() -> None:
    with pytest.raises(InvalidRequestError, match="cannot be read: GradingSystem: "):
        azure.options_of(header(GradingSystem="Marks"))
    with pytest.raises(InvalidRequestError, match="cannot be read: it is missing"):
        azure.options_of(None)


def test_azures_options_may_be_written_as_its_sdks_write_them() -> None:
    asked = azure.options_of(header(referenceText="So.", gradingSystem="HundredMark"))
    assert (asked.reference_text, asked.grading_system) == ("So.", "HundredMark")


def test_speechace_is_told_pauses_and_the_runs_between_them(result: Assessment) -> None:
    assert result.fluency is not None
    flowing = result.fluency.model_copy(
        update={"pauses": Pauses(count=1, mean_s=0.5, ratio=0.3, long_count=1)}
    )
    paused = result.model_copy(update={"fluency": flowing})
    told = speechace.answered(paused, "So I saw. You", fluency=True)["text_score"]["fluency"]
    whole, (segment,) = told["overall_metrics"], told["segment_metrics_list"]
    assert whole["all_pause_list"] == segment["all_pause_list"] == [[30, 80]]
    assert whole["all_pause_duration"] == pytest.approx(0.5)
    lengths = ("articulation_length", "mean_length_run", "max_length_run")
    assert [whole[name] for name in lengths] == pytest.approx([1.1, 0.55, 0.9])  # 0.1–0.3, 0.8–1.7
    assert [segment[name] for name in lengths] == pytest.approx([0.3, 0.15, 0.2])


def test_speechace_is_told_words_phones_and_syllables(result: Assessment) -> None:
    told = speechace.answered(result, "So I saw. You")
    assert (told["status"], told["quota_remaining"]) == ("success", -1)
    scored = told["text_score"]
    assert scored["speechace_score"] == {"pronunciation": 60.0}
    so = scored["word_score_list"][0]
    assert so["phone_score_list"][0] == {
        "phone": "s",
        "extent": [10, 20],
        "quality_score": 20.0,
        "sound_most_like": "th",
        "word_extent": [0, 1],
    }
    assert so["syllable_score_list"][0]["letters"] == "So"
    assert so["syllable_score_list"][0]["extent"] == [10, 30]
    assert "fluency" not in scored
    assert speechace.language_of("en-us") == "en-US"


@pytest.mark.parametrize(
    ("code", "status", "azures", "speechaces"),
    [
        ("unauthorised", 401, 403, "error_missing_parameters"),
        ("not-authenticated", 401, 401, "error_invalid_parameters"),
        ("no-pronunciation", 422, 400, "error_unknown_words"),
        ("unsupported-media", 415, 400, "error_convert_audio"),
        ("too-many-requests", 429, 429, "error_too_many_requests"),
        ("internal-error", 500, 500, "error_internal"),
    ],
)
def test_problems_have_the_shape_of_who_was_asked(
    code: str, status: int, azures: int, speechaces: str
) -> None:
    problem = Problem.of(code, status, "It is so.", instance=AZURE)
    assert told_as(problem) == ({"error": {"code": code, "message": "It is so."}}, azures)
    told = told_as(problem.model_copy(update={"instance": SPEECHACE}))
    assert told is not None
    assert told[0]["short_message"] == speechaces
    assert told_as(problem.model_copy(update={"instance": "/v1/assessments"})) is None


def test_keys_come_as_apps_send_them_and_are_never_written_down() -> None:
    scope = {"path": SPEECHACE, "query_string": b"key=nek_1&dialect=en-us", "headers": []}
    assert secret_of_app(scope) == "nek_1"
    assert secret_of_app({**scope, "path": AZURE}) is None
    headers = [(b"ocp-apim-subscription-key", b"nek_2")]
    assert secret_of_app({**scope, "path": AZURE, "headers": headers}) == "nek_2"
    assert without_key("key=nek_1&dialect=en-us") == "dialect=en-us"


def send_azure(client: TestClient, data: bytes, text: str) -> Any:
    return client.post(
        AZURE,
        params={"language": "en-US", "format": "detailed"},
        headers={"Pronunciation-Assessment": header(ReferenceText=text, **FULL)},
        content=data,
    )


def test_azure_and_speechace_are_answered_by_the_service(client: TestClient, prompt: bytes) -> None:
    heard = send_azure(client, prompt, TEXT)
    assert heard.status_code == 200, heard.text
    best = heard.json()["NBest"][0]
    assert [w["Word"] for w in best["Words"]] == TEXT.rstrip(".").split()
    assert best["Words"][1]["Syllables"][0]["Grapheme"]
    other = send_azure(client, prompt, "Nobody ever climbed those mountains in winter.")
    assert other.json()["RecognitionStatus"] == "NoMatch"
    refused = client.post(AZURE, params={"language": "en-US"}, content=prompt)
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "invalid-request"

    form = {"text": TEXT, "include_fluency": "1", "no_mc": "1"}
    files = {"user_audio_file": ("me.flac", prompt)}
    answer = client.post(SPEECHACE, params={"dialect": "en-us"}, data=form, files=files)
    assert answer.status_code == 200, answer.text
    assert answer.json()["text_score"]["fluency"]["segment_metrics_list"]
    marked = {**form, "markup_language": "arpa_mark"}
    told = client.post(SPEECHACE, data=marked, files=files).json()
    assert told["short_message"] == "error_feature_unavailable"
    told = client.post(SPEECHACE, data={"text": TEXT}).json()
    assert told["short_message"] == "error_audio_missing"
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(16000), 16000, format="WAV")
    quiet = {"user_audio_file": ("me.wav", silence.getvalue())}
    told = client.post(SPEECHACE, data=form, files=quiet).json()
    assert told["short_message"] == "error_no_speech"
    away = {"text": "Nobody ever climbed those mountains in winter."}
    told = client.post(SPEECHACE, data=away, files=files).json()
    assert told["short_message"] == "error_word_alignment"
    assert send_azure(client, silence.getvalue(), TEXT).json()["RecognitionStatus"] == (
        "InitialSilenceTimeout"
    )
