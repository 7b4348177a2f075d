"""Recordings of which no text is known, sent to the service."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from nativeear.scoring.assessment import Assessment
from nativeear.scoring.assessor import Assessor
from nativeear.service.api.application import create_application
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.api.state import Service
from nativeear.speech.audio import Audio
from nativeear.speech.errors import InputError
from nativeear.speech.recogniser import RecognisedWord
from tests.scoring.free.test_recognised import Told
from tests.service.api.conftest import TEXT
from tests.service.api.test_assessments import send


@pytest.fixture(scope="module")
def heard(client: TestClient, prompt: bytes) -> dict[str, Any]:
    answer = send(client, prompt, text="", free="true", learner_id="free", keep_audio="true")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def recogniser(client: TestClient, prompt: bytes, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Writes down what the prompt says, at about the pace of it."""
    each_s = Audio.load(prompt).duration_s / len(TEXT.split())
    told = Told(
        tuple(
            RecognisedWord(word, i * each_s, (i + 1) * each_s, 0.9)
            for i, word in enumerate(TEXT.split())
        )
    )
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    monkeypatch.setattr(service, "recogniser", told)
    return told


def test_sounds_are_heard_as_in_the_library(
    heard: dict[str, Any], prompt: bytes, assessor: Assessor
) -> None:
    result = Assessment.model_validate(heard)
    assert result == assessor.assess_free(prompt, id=heard["id"])
    assert result.transcript is not None
    assert result.transcript.source == "phones"


def test_a_history_has_what_was_heard_and_counts_no_sounds(
    client: TestClient, heard: dict[str, Any]
) -> None:
    (item,) = client.get("/v1/assessments", params={"learner_id": "free"}).json()["items"]
    assert item["text"] is None
    assert item["transcript"] == heard["transcript"]["text"] != ""
    progress = client.get("/v1/learners/free/progress").json()
    assert [sentence["transcript"] for sentence in progress["sentences"]] == [item["transcript"]]
    assert progress["phones"] == []
    for path in ("/v1/learners/free/progress", "/v1/assessments"):
        assert client.get(path, params={"format": "csv"}).status_code == 200


def test_a_report_and_a_textgrid_show_what_was_heard(
    client: TestClient, heard: dict[str, Any]
) -> None:
    where = f"/v1/assessments/{heard['id']}"
    run = heard["transcript"]["words"][0]["word"]
    assert run in client.get(f"{where}/report.html").text
    assert run in client.get(f"{where}/textgrid").text


def test_recognised_words_are_assessed_and_counted(
    client: TestClient, prompt: bytes, assessor: Assessor, recogniser: Told
) -> None:
    answer = send(client, prompt, text="", free="true", learner_id="free-words", l1="es")
    result = Assessment.model_validate(answer.json())
    assert result == assessor.assess_free(prompt, recogniser=recogniser, id=result.id, l1="es")
    assert result.transcript is not None
    assert (result.transcript.source, result.transcript.text) == ("recognised", TEXT)
    progress = client.get("/v1/learners/free-words/progress").json()
    assert progress["sentences"][0]["transcript"] == TEXT
    assert {p["phone"] for p in progress["phones"]} >= {"Y", "S", "V"}


def test_a_job_hears_it_too(client: TestClient, prompt: bytes, heard: dict[str, Any]) -> None:
    answer = send(client, prompt, {"Prefer": "respond-async"}, text="", free="true")
    client.get(f"{answer.headers['location']}/events")
    job = client.get(answer.headers["location"]).json()
    assert job["result"]["transcript"] == heard["transcript"]


@pytest.mark.parametrize(
    "fields", [{}, {"text": "", "phones": "M IY"}, {"text": "", "accent": "auto", "language": "en"}]
)
def test_free_goes_alone(client: TestClient, prompt: bytes, fields: dict[str, str]) -> None:
    answer = send(client, prompt, free="true", **fields)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "free goes with neither text, phones nor accent."


def test_it_is_described_with_an_example(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    form = next(schema for name, schema in schemas.items() if name == "Body_assess")
    assert form["properties"]["free"]["examples"] == [True]


def test_a_folder_without_a_model_is_refused_at_the_start(settings: ServiceSettings) -> None:
    from dataclasses import replace

    with pytest.raises(InputError, match="no folder of a faster-whisper model"):
        create_application(replace(settings, asr=settings.jobs_dir))
