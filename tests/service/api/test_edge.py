import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nativeear.service.api.application import create_application
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.database.keys import NewKey
from nativeear.service.database.store import Store
from nativeear.speech.errors import InputError
from tests.service.api.conftest import client_of


@pytest.fixture
def settings_with_database(tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(database=f"sqlite:///{tmp_path / 'edge.db'}", indexes=("en-US",))


def key(settings: ServiceSettings, *scopes: str, **limits: Any) -> str:
    store = Store.open(settings.database)
    fields = {"requests_per_minute": None, "max_audio_s": None, "max_bytes": None}
    fields |= {"expires_at": None, **limits}
    _, secret = store.create_key(NewKey(name="test", scopes=scopes, **fields))
    store.close()
    return secret


def problem_of(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    told = json.loads(answer.content)
    assert told["status"] == answer.status_code
    assert told["detail"].endswith(".")
    return told["type"].rpartition(":")[2]


def test_without_a_key_the_service_stays_on_this_machine(
    settings_with_database: ServiceSettings,
) -> None:
    from dataclasses import replace

    reached = [
        replace(settings_with_database, host="0.0.0.0"),  # noqa: S104
        replace(settings_with_database, trusted_hosts=("ear.example.org",)),
        replace(settings_with_database, proxies=("127.0.0.1",)),
    ]
    for settings in reached:
        with pytest.raises(InputError) as refused:
            create_application(settings)
        assert "nativeear keys create" in refused.value.fix
    key(settings_with_database, "read")
    for settings in reached:
        assert create_application(settings)


def test_keys_say_who_may_do_what_and_how_often(
    settings_with_database: ServiceSettings,
) -> None:
    reader = {"Authorization": f"Bearer {key(settings_with_database, 'read')}"}
    hurried = {"X-API-Key": key(settings_with_database, "read", "assess", requests_per_minute=2)}
    client = client_of(settings_with_database)  # not entered: nothing is loaded
    assert problem_of(client.get("/v1/encoders")) == "unauthorised"
    bad = client.get("/v1/encoders", headers={"Authorization": "Bearer nek_no"})
    assert bad.status_code == 401
    assert problem_of(bad)
    assert client.get("/v1/encoders", headers=reader).status_code == 200
    refused = client.post("/v1/validate", headers=reader, json={"text": "hello"})
    assert (refused.status_code, problem_of(refused)) == (403, "forbidden")
    for _ in range(2):
        assert client.get("/v1/encoders", headers=hurried).status_code == 200
    late = client.get("/v1/encoders", headers=hurried)
    assert (late.status_code, problem_of(late)) == (429, "too-many-requests")
    assert int(late.headers["retry-after"]) >= 1
    assert client.get("/healthz").status_code == 200


def test_other_web_pages_and_names_are_refused(client: TestClient) -> None:
    foreign = client.get("/v1/encoders", headers={"Host": "evil.example"})
    assert (foreign.status_code, problem_of(foreign)) == (403, "forbidden")
    evil = {"Origin": "https://evil.example"}
    assert client.post("/v1/validate", headers=evil, json={"text": "a"}).status_code == 403
    own = {"Origin": "http://localhost"}
    assert client.post("/v1/validate", headers=own, json={"text": "a"}).status_code == 200


def test_the_page_and_every_answer_are_protected(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    for answer in (page, client.get("/v1/encoders"), client.get("/v1/no-such-thing")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (
        "access-control-allow-origin"
        not in client.get("/v1/encoders", headers={"Origin": "https://other.example"}).headers
    )


def test_nothing_there_and_wrong_methods_are_problems(client: TestClient) -> None:
    assert problem_of(client.get("/v1/no-such-thing")) == "not-found"
    assert problem_of(client.put("/v1/assessments")) == "method-not-allowed"
    for path in ("/v1/indexes/%2e%2e%2fen-US", "/../pyproject.toml", "/v1/assessments/xyz"):
        assert client.get(path).status_code in {404, 422}


def test_a_body_is_refused_while_it_is_read(client: TestClient) -> None:
    def endless() -> Any:
        yield b'{"text": "'
        for _ in range(1000):
            yield b"a" * 1024

    answer = client.post(
        "/v1/validate", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


def test_the_description_of_the_interface_is_complete(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    references = json.dumps(described).split('"$ref": "')[1:]
    known = described["components"]["schemas"]
    assert {r.partition('"')[0].rpartition("/")[2] for r in references} <= set(known)
    paths = {  # but for those in which problems have other services' shapes
        path: told for path, told in described["paths"].items() if not path.startswith("/compat/")
    }
    operations = [(path, method, told) for path in paths for method, told in paths[path].items()]
    assert len(operations) >= 20
    for path, method, told in operations:
        assert told["summary"], path
        assert told["description"], path
        assert "500" in told["responses"], path
        for status, response in told["responses"].items():
            if status >= "400":
                assert set(response["content"]) == {"application/problem+json"}, (path, method)
            elif status not in {"204"}:
                assert response["content"], (path, method, status)
    assert {"Assessment", "Problem", "JobAnswer"} <= set(known)


def raw(client: TestClient, path: str, accepted: str) -> Any:
    """An answer, and how many bytes of it were sent."""
    with client.stream("GET", path, headers={"Accept-Encoding": accepted}) as answer:
        sent = b"".join(answer.iter_raw())
    return answer, sent


@pytest.mark.parametrize("path", ["/openapi.json", "/v1/indexes/en-US/coverage", "/result.js"])
def test_answers_are_compressed_where_that_is_asked_for(client: TestClient, path: str) -> None:
    whole, plain = raw(client, path, "identity")
    packed, sent = raw(client, path, "br, gzip")
    assert "content-encoding" not in whole.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(sent) == plain
    assert len(sent) < len(plain) / 2
    for answer in (whole, packed):
        assert "Accept-Encoding" in answer.headers["vary"]


def test_audio_and_what_is_told_bit_by_bit_are_not_compressed(
    client: TestClient, prompt: bytes
) -> None:
    sound, _ = raw(client, "/v1/indexes/en-US/exemplars/0/audio?context_s=1", "gzip")
    assert sound.headers["content-type"] == "audio/wav"
    job = client.post(
        "/v1/assessments",
        files={"audio": prompt},
        data={"text": "Your message has been saved."},
        headers={"Prefer": "respond-async"},
    )
    events, sent = raw(client, f"{job.headers['location']}/events", "gzip")
    assert b"event: done" in sent
    small, _ = raw(client, "/healthz", "gzip")
    for answer in (sound, events, small):
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers


def test_figures_are_told(client: TestClient) -> None:
    client.get("/v1/encoders")
    figures = client.get("/metrics").text
    assert 'nativeear_requests_total{method="GET",route="/v1/encoders",status="200"}' in figures
    assert 'nativeear_index_exemplars{index="en-US"}' in figures
    assert "nativeear_queue_waiting 0.0" in figures
