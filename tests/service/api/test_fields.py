"""Whoever mistypes a field is told so, on every route."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nativeear.service.api.settings import ServiceSettings
from nativeear.service.database.store import Store
from tests.service.api.conftest import TEXT, client_of


@pytest.fixture(scope="module")
def idle(settings: ServiceSettings) -> TestClient:
    """A service that is not started: it refuses before it does anything."""
    return client_of(settings)


BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/assessments"): {"files": {"audio": b"x"}},
    ("POST", "/v1/indexes"): {"data": {"name": "x", "language": "en-US"}},
    ("POST", "/v1/validate"): {"json": {"text": "a"}},
    ("POST", "/v1/pronunciations"): {"json": {"text": "a"}},
}


def detail_of(answer: Any) -> str:
    told = answer.json()
    assert (answer.status_code, told["type"]) == (422, "urn:nativeear:problem:invalid-request")
    return f"{told['detail']} {told['cause']} {told['fix']}"


def test_every_route_refuses_a_query_that_it_does_not_know(idle: TestClient) -> None:
    described = idle.get("/openapi.json").json()["paths"]
    routes = [
        (method.upper(), path)
        for path, has in described.items()
        for method in has
        if not path.startswith("/compat/")  # other services' shapes, their unknown fields included
    ]
    assert len(routes) >= 28
    names = {"id": "0" * 32, "row": 0, "name": "x", "utterance": "x"}
    told = 0
    for method, path in routes:
        address = re.sub(r"{(\w+)}", lambda part: str(names.get(part[1], "x")), path)
        answer = idle.request(method, f"{address}?zzz=1", **BODIES.get((method, path), {}))
        if answer.status_code == 403:  # who is not signed in is told that first
            continue
        assert "'zzz'" in detail_of(answer), (method, path)
        told += 1
    assert told >= 28


@pytest.mark.parametrize(
    ("path", "sent", "near"),
    [
        ("/v1/assessments", {"langauge": "de"}, "language"),
        ("/v1/assessments", {"learner": "ana"}, "learner_id"),
        ("/v1/assessments", {"Text": TEXT}, "text"),
        ("/v1/assessments", {"keepaudio": "true"}, "keep_audio"),
        ("/v1/indexes", {"name": "x", "language": "de-DE", "license": "CC0"}, "licence"),
    ],
)
def test_a_mistyped_form_is_told_the_nearest_name(
    idle: TestClient, path: str, sent: dict[str, str], near: str
) -> None:
    answer = idle.post(path, data=sent, files={"audio": b"x"} if "assess" in path else None)
    assert f"Did you mean {near}?" in detail_of(answer)


def test_a_mistyped_query_is_told_the_nearest_name(idle: TestClient) -> None:
    assert "Did you mean learner_id?" in detail_of(idle.get("/v1/assessments?learnerid=ana"))
    assert "Did you mean format?" in detail_of(idle.get("/v1/learners?fromat=csv"))


def test_a_field_in_the_wrong_place_is_told_its_place(idle: TestClient) -> None:
    answer = idle.post("/v1/assessments?text=hello", data={}, files={"audio": b"x"})
    assert "Send text in the form." in detail_of(answer)


def test_a_mistyped_json_is_told(idle: TestClient) -> None:
    answer = idle.post("/v1/validate", json={"text": "a", "langauge": "de"})
    assert "langauge" in detail_of(answer)
    assert "Did you mean language?" in detail_of(answer)


def test_a_field_that_is_given_twice_is_refused(idle: TestClient) -> None:
    assert "'limit'" in detail_of(idle.get("/v1/assessments?limit=1&limit=2"))
    twice = idle.post("/v1/assessments", data={"text": ["a", "b"]}, files={"audio": b"x"})
    assert "'text'" in detail_of(twice)


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "0000-01-01T00:00:00Z",
        "1e400",
        "2026",
        "0.5",
        "-99999999999999",
    ],
)
def test_a_moment_that_no_calendar_has_is_refused(idle: TestClient, name: str, moment: str) -> None:
    answer = idle.get("/v1/assessments", params={name: moment})
    assert detail_of(answer).startswith(f"The request is not valid: {name}.")


def test_the_ends_of_the_calendar_are_taken(idle: TestClient) -> None:
    for moment in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01"):
        answer = idle.get("/v1/assessments", params={"since": moment, "until": moment})
        assert (answer.status_code, answer.json()["items"]) == (200, [])


def test_the_database_refuses_values_by_itself_as_input(settings: ServiceSettings) -> None:
    from datetime import datetime, timedelta, timezone

    from nativeear.speech.errors import InputError

    store = Store.open(settings.database)
    east = timezone(timedelta(hours=14))
    with pytest.raises(InputError):
        store.assessments(key_id=None, since=datetime(1, 1, 1, tzinfo=east))
    store.close()


def test_what_is_wrong_with_a_body_is_told_in_words(idle: TestClient) -> None:
    sent = idle.post("/v1/assessments", data={"audio": "me.wav", "text": "hi"}).json()
    assert sent["detail"] == "The request is not valid: audio."
    assert sent["cause"] == "It is text, and no file."
    assert "-F audio=@" in sent["fix"]
    cut = idle.post(
        "/v1/webhooks", content='{"url": ', headers={"Content-Type": "application/json"}
    )
    assert cut.json()["detail"] == "The request is not valid: its body."
    assert cut.json()["cause"] == "Expecting value"
    named = idle.post("/v1/assessments", data={"learner_id": "a\tb", "text": "hi"})
    assert "Value error" not in named.text
