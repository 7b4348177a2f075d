"""What is told of requests: their numbers, how often a key may ask, the log, and how much."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.access_log import NAME
from nativeear.service.api.logs import Throttle
from nativeear.service.api.problems import QuotaExceededError
from nativeear.service.api.request_ids import REQUEST_ID, Numbered
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.database.keys import NewKey
from nativeear.service.database.usage import Quota
from tests.service.api.conftest import TEXT, client_of


@pytest.fixture
def quick(settings: ServiceSettings, tmp_path) -> Iterator[TestClient]:
    """A service that never loads an index, and writes a line for each request."""
    database = f"sqlite:///{tmp_path / 'service.db'}"
    client = client_of(replace(settings, database=database, access_log=True))
    yield client
    client.app.state.service.store.close()


def test_a_request_keeps_the_number_that_it_came_with(quick: TestClient) -> None:
    told = quick.get("/healthz", headers={"X-Request-ID": "proxy-7"})
    assert told.headers["x-request-id"] == "proxy-7"
    made = {quick.get("/healthz", headers=given).headers["x-request-id"] for given in ODD}
    assert len(made) == len(ODD)
    assert all(len(one) == 32 and one.isalnum() for one in made)
    problem = quick.get("/v1/jobs/none", headers={"X-Request-ID": "proxy-8"}).json()
    assert problem["request_id"] == "proxy-8"


ODD = [{}, {"X-Request-ID": "a b"}, {"X-Request-ID": "x" * 129}, {"X-Request-ID": "\u00e4"}]
ODD = [{name: value.encode("latin-1") for name, value in given.items()} for given in ODD]


def test_lines_of_the_log_tell_of_which_request_they_are() -> None:
    record = logging.LogRecord("x", logging.INFO, "file", 1, "said", (), None)
    Numbered().filter(record)
    assert record.request_id == "-"
    REQUEST_ID.set("proxy-9")
    Numbered().filter(record)
    assert record.request_id == "proxy-9"
    throttle = Throttle()
    lines = [logging.LogRecord(NAME, logging.INFO, "file", 2, "said", (), None)] * 200
    assert all(throttle.filter(line) for line in lines)


@pytest.mark.parametrize("with_text", [False, True])
def test_a_line_for_each_request_names_learners_only_where_that_is_wanted(
    quick: TestClient, caplog: pytest.LogCaptureFixture, with_text: bool
) -> None:
    service = quick.app.state.service
    key, secret = service.store.create_key(NewKey(name="school", scopes=("assess", "read")))
    caplog.set_level(logging.INFO, NAME)
    object.__setattr__(service.settings, "log_text", with_text)
    quick.get("/v1/learners/ana/progress?x=bo", headers={"X-API-Key": secret})
    (line,) = [record.getMessage() for record in caplog.records if record.name == NAME]
    assert line.startswith("GET /v1/learners/{learner_id:path}/progress 422 ")
    assert f"key {key.id} from testclient" in line
    assert secret not in line
    assert ("ana" in line, "bo" in line) == (with_text, with_text)
    object.__setattr__(service.settings, "access_log", False)
    caplog.clear()
    quick.get("/healthz")
    assert caplog.records == []


def test_a_key_hears_how_often_it_may_ask(quick: TestClient) -> None:
    store = quick.app.state.service.store
    _, secret = store.create_key(NewKey(name="k", scopes=("read",), requests_per_minute=1))
    _, free = store.create_key(NewKey(name="f", scopes=("read",)))
    told = [quick.get("/v1/jobs", headers={"X-API-Key": secret}) for _ in range(2)]
    assert [answer.status_code for answer in told] == [200, 429]
    for answer in told:
        limits = [answer.headers[f"ratelimit-{name}"] for name in ("limit", "remaining")]
        assert limits == ["1", "0"]
        assert 1 <= int(answer.headers["ratelimit-reset"]) <= 60
    assert 1 <= int(told[1].headers["retry-after"]) <= 60
    assert "ratelimit-limit" not in quick.get("/v1/jobs", headers={"X-API-Key": free}).headers


def test_a_key_may_have_so_much_a_day_and_a_month(quick: TestClient) -> None:
    store = quick.app.state.service.store
    key, secret = store.create_key(NewKey(name="k", scopes=("read", "assess")))
    shown = {"X-API-Key": secret}
    store.set_quota(key.id, Quota(requests_per_day=3, audio_s_per_month=60.0))
    first = quick.get("/v1/usage", headers=shown).json()["items"]
    assert (first[0]["requests"], first[0]["quota"]["requests_per_day"]) == (1, 3)
    assert quick.get("/v1/jobs", headers=shown).status_code == 200
    told = [quick.get("/v1/jobs", headers=shown) for _ in range(2)]
    assert [answer.status_code for answer in told] == [200, 429]
    assert told[1].json()["type"] == "urn:nativeear:problem:quota-exceeded"
    assert 0 < int(told[1].headers["retry-after"]) <= 86_400
    store.set_quota(key.id, Quota(audio_s_per_month=60.0))
    caller = quick.app.state.service.authenticator.authenticate_secret(secret)
    caller.refuse_speech(60.0)
    with pytest.raises(QuotaExceededError, match="60 seconds a month"):
        caller.refuse_speech(60.5)
    assert quick.get("/v1/usage?month=2020-13", headers=shown).status_code == 422


def test_as_much_of_an_assessment_is_told_as_is_wanted(client: TestClient, prompt: bytes) -> None:
    def send(**headers: str) -> object:
        where = "/v1/assessments?detail=word"
        sent = {"files": {"audio": prompt}, "data": {"text": TEXT}, "headers": headers}
        return client.post(where, **sent)

    short = send(**{"Idempotency-Key": "short"})
    assert len(short.content) < 3000
    assert send(**{"Idempotency-Key": "short"}).content == short.content
    id = short.json()["id"]
    full = client.get(f"/v1/assessments/{id}")
    phone = client.get(f"/v1/assessments/{id}?detail=phone")
    assert len(short.content) < len(phone.content) < len(full.content) / 2
    whole, some, least = (Assessment.model_validate(a.json()) for a in (full, phone, short))
    assert least.score == some.score == whole.score
    assert [word.score for word in least.words] == [word.score for word in whole.words]
    assert [p.verdict for p in some.phones] == [p.verdict for p in whole.phones]
    assert (least.phones, some.phones[0].evidence) == ((), ())
    job = send(Prefer="respond-async").headers["location"]
    events = client.get(f"{job}/events?detail=word").text
    last = json.loads(events.rpartition("data: ")[2])
    assert last == client.get(f"{job}?detail=word").json()
    assert "phones" not in last["result"]["words"][0]
    assert len(json.dumps(last["result"])) < 3000
    assert client.get(f"/v1/assessments/{id}?detail=all").status_code == 422
