import pytest
from fastapi.testclient import TestClient

from nativeear.scoring.accents import Accents
from nativeear.scoring.assessment import Assessment
from nativeear.scoring.assessor import Assessor
from tests.service.api.conftest import TEXT
from tests.service.api.test_assessments import send


def test_the_nearest_accent_judges_as_in_the_library(
    client: TestClient, prompt: bytes, assessor: Assessor
) -> None:
    answer = send(client, prompt, language="en", accent="auto", learner_id="accents")
    assert answer.status_code == 200, answer.text
    result = Assessment.model_validate(answer.json())
    assert result == Accents([assessor]).assess(prompt, TEXT, id=result.id)
    assert result.accent is not None
    assert [c.index for c in result.accent.candidates] == [result.accent.chosen] == ["en-US"]
    (listed,) = client.get("/v1/assessments", params={"learner_id": "accents"}).json()["items"]
    assert (listed["id"], listed["index"]) == (result.id, "en-US")


def test_without_being_asked_for_it_is_null(client: TestClient, prompt: bytes) -> None:
    assert send(client, prompt, language="en").json()["accent"] is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "accent goes with language, and not with index."),
        ({"language": "en", "index": "en-US"}, "accent goes with language, and not with index."),
        ({"language": "xx"}, "No index speaks xx."),
    ],
)
def test_what_cannot_be_compared_is_refused(
    client: TestClient, prompt: bytes, fields: dict[str, str], told: str
) -> None:
    answer = send(client, prompt, accent="auto", **fields)
    assert answer.status_code in (400, 422)
    assert told in answer.text


def test_there_is_no_other_accent_to_name(client: TestClient, prompt: bytes) -> None:
    assert send(client, prompt, language="en", accent="scots").status_code == 422
