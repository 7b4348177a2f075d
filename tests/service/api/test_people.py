"""People over HTTP: coming in, cookies and their tokens, what is theirs, what is written down."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nativeear.service.api.limits import GuessLimit
from nativeear.service.api.problems import TooManyRequestsError
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.database.errors import AuthenticationError
from nativeear.service.database.people_store import People
from nativeear.service.database.store import Store
from tests.service.api.conftest import TEXT, client_of
from tests.service.api.test_batches import zipped


class Browser:
    """Somebody's browser: it keeps the cookie, and its page sends the token."""

    def __init__(self, client: TestClient, code: str, name: str | None = None) -> None:
        self._client = client
        client.cookies.clear()
        answer = client.post("/v1/join", json={"code": code, "name": name})
        assert answer.status_code == 200, answer.text
        self.me: dict[str, Any] = answer.json()
        self.cookie = answer.headers["set-cookie"]
        client.cookies.clear()

    def ask(self, method: str, path: str, **sent: Any) -> Any:
        """As the page asks."""
        headers = {"Cookie": self.cookie.partition(";")[0], "X-CSRF-Token": self.me["csrf"]}
        answer = self._client.request(
            method, path, headers={**headers, **sent.pop("headers", {})}, **sent
        )
        self._client.cookies.clear()
        return answer


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'people.db'}"


@pytest.fixture
def codes(database: str) -> dict[str, str]:
    store = Store.open(database)
    people = People(store)
    operator = people.create("operator", "Olga", expires_at=None)[1]
    teacher = people.create("teacher", "Tom", expires_at=None)[1]
    store.close()
    return {"operator": operator, "teacher": teacher}


@pytest.fixture
def closed(database: str, codes: dict[str, str]) -> TestClient:
    """A service with an operator and a teacher; nothing is loaded."""
    return client_of(ServiceSettings(database=database, indexes=("en-US",)))


@pytest.fixture
def teacher(closed: TestClient, codes: dict[str, str]) -> Browser:
    return Browser(closed, codes["teacher"])


def group_of(teacher: Browser) -> tuple[str, str]:
    group = teacher.ask("POST", "/v1/groups", json={"name": "3b"}).json()["id"]
    return group, teacher.ask("POST", f"/v1/groups/{group}/code", json={}).json()["code"]


def test_at_home_nobody_signs_in(database: str) -> None:
    client = client_of(ServiceSettings(database=database, indexes=("en-US",)))
    assert client.get("/v1/me").json()["role"] == "open"
    assert client.get("/v1/learners", headers={"Cookie": "nativeear=x"}).status_code == 200
    for path in ("/v1/people", "/v1/groups", "/v1/audit", "/v1/me/export"):
        assert client.get(path).status_code == 403
    assert client.post("/v1/join", json={"code": "0000-0000-0000-0000"}).status_code == 401


def test_a_class_comes_in_by_one_code(closed: TestClient, teacher: Browser) -> None:
    assert closed.get("/v1/me").status_code == 401
    group, code = group_of(teacher)
    assert closed.post("/v1/join", json={"code": code}).status_code == 422  # who?
    ana, ben = Browser(closed, code, "Ana"), Browser(closed, code, "Ben")
    assert [one["name"] for one in ana.me["groups"]] == ["3b"]
    assert ana.me["code"] != ben.me["code"]
    again = Browser(closed, ana.me["code"].lower())
    assert (again.me["id"], again.me["code"]) == (ana.me["id"], None)
    listed = teacher.ask("GET", "/v1/people").json()["items"]
    assert [one["name"] for one in listed] == ["Ana", "Ben"]
    assert teacher.ask("GET", "/v1/groups").json()["items"][0]["members"] == 2
    assert ben.ask("POST", "/v1/me/sign-out").status_code == 204
    assert ben.ask("GET", "/v1/me").status_code == 401
    assert ana.ask("DELETE", f"/v1/groups/{group}/members/{ana.me['id']}").status_code == 204
    assert ana.ask("POST", "/v1/me/groups", json={"code": code}).json()["groups"][0]["id"] == group


def test_the_cookie_is_for_this_page_alone(
    closed: TestClient, codes: dict[str, str], teacher: Browser
) -> None:
    kept = teacher.cookie.lower()
    assert all(part in kept for part in ("httponly", "samesite=strict", "path=/"))
    assert "secure" not in kept
    closed.base_url = "https://localhost"
    secure = Browser(closed, codes["teacher"])
    assert "secure" in secure.cookie.lower()
    for token in ("", "0" * 32):
        forged = teacher.ask(
            "POST", "/v1/groups", json={"name": "x"}, headers={"X-CSRF-Token": token}
        )
        assert forged.status_code == 403
        assert forged.json()["type"].endswith(":forged")
    foreign = {"Origin": "https://evil.example"}
    assert teacher.ask("POST", "/v1/groups", json={"name": "x"}, headers=foreign).status_code == 403
    assert teacher.ask("GET", "/v1/groups").json()["items"] == []
    joined = closed.post("/v1/join", json={"code": codes["teacher"]}, headers=foreign)
    assert joined.status_code == 403


def test_codes_cannot_be_tried_for_long(closed: TestClient) -> None:
    service = closed.app.state.service  # type: ignore[attr-defined]
    service.guesses = GuessLimit(most=3, per_s=0.01)
    wrong = {"code": "ABCD-0000-0000-0000"}
    statuses = [closed.post("/v1/join", json=wrong).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    late = closed.post("/v1/join", json=wrong)
    assert int(late.headers["retry-after"]) >= 1


def test_right_codes_do_not_count_and_all_clients_together_are_bounded() -> None:
    limit = GuessLimit(most=2, per_s=0, most_of_all=4, per_s_of_all=0)

    def guess(client: str, *, right: bool = False) -> None:
        with limit.counted(client):
            if not right:
                raise AuthenticationError("wrong")

    for _ in range(10):
        guess("school", right=True)
    for client in ("a", "a", "b", "b"):
        with pytest.raises(AuthenticationError):
            guess(client)
    for client in ("a", "c"):
        with pytest.raises(TooManyRequestsError):
            guess(client, right=True)


def test_what_a_learner_sends_together_is_his_own(closed: TestClient, teacher: Browser) -> None:
    group, code = group_of(teacher)
    ana, ben = Browser(closed, code, "Ana"), Browser(closed, code, "Ben")
    other, _ = group_of(teacher)

    def sent(manifest: str, **fields: str) -> Any:
        file = zipped(("a.wav", b"a"), ("manifest.csv", manifest.encode()))
        return ana.ask("POST", "/v1/batches", files={"archive": file}, data=fields)

    for refused in (
        sent(f"audio,text,learner_id\na.wav,So.,{ben.me['id']}\n"),
        sent(f"audio,text,group\na.wav,So.,{other}\n"),
        sent("audio,text\na.wav,So.\n", learner_id=ben.me["id"]),
    ):
        assert (refused.status_code, ana.ask("GET", "/v1/jobs").json()["items"]) == (403, [])
    assert sent("audio,text\na.wav,So.\n").status_code == 202
    store = closed.app.state.service.store  # type: ignore[attr-defined]
    (job,) = store.claim_jobs(1)
    form = json.loads(job.request)
    assert (form["learner_id"], form["group"]) == (ana.me["id"], group)
    assert (job.key_id, job.recording.learner_id) == (ana.me["id"], ana.me["id"])


@pytest.fixture
def running(database: str, codes: dict[str, str]) -> Iterator[TestClient]:
    """The same service, which assesses."""
    settings = ServiceSettings(database=database, indexes=("en-US",), workers=1, timeout_s=600)
    with client_of(settings) as client:
        yield client


def test_what_a_learner_says_is_his_and_his_teachers_to_read(
    running: TestClient, codes: dict[str, str], prompt: bytes
) -> None:
    teacher, operator = Browser(running, codes["teacher"]), Browser(running, codes["operator"])
    group, code = group_of(teacher)
    ana, ben = Browser(running, code, "Ana"), Browser(running, code, "Ben")

    def say(who: Browser, **form: Any) -> Any:
        sent = {"text": TEXT, "keep_audio": "true", **form}
        return who.ask("POST", "/v1/assessments", files={"audio": prompt}, data=sent)

    assert say(ana, learner_id=ben.me["id"]).status_code == 403
    assert say(ana, group="4c").status_code == 403
    said = say(ana)
    assert said.status_code == 200, said.text
    path = f"/v1/assessments/{said.json()['id']}"
    (item,) = teacher.ask("GET", "/v1/assessments").json()["items"]
    assert (item["learner_id"], item["group"]) == (ana.me["id"], group)
    (summary,) = teacher.ask("GET", f"/v1/groups/{group}/summary").json()["learners"]
    assert (summary["name"], summary["learner_id"]) == ("Ana", ana.me["id"])
    assert teacher.ask("GET", f"{path}/audio").content == prompt
    assert ben.ask("GET", path).status_code == 404
    made = teacher.ask("POST", f"{path}/comments", json={"text": "Mind the th."})
    assert made.status_code == 201
    for unseen in (" \n ", "\u200b"):
        assert teacher.ask("POST", f"{path}/comments", json={"text": unseen}).status_code == 422
        assert (
            operator.ask("POST", "/v1/disclosure", json={"reason": 3 * unseen}).status_code == 422
        )
        assert teacher.ask("POST", "/v1/groups", json={"name": unseen}).status_code == 422
    assert ana.ask("GET", f"{path}/comments").json()["items"][0]["author"] == "Tom"

    assert operator.ask("GET", path).status_code == 404
    assert (
        operator.ask("POST", "/v1/disclosure", json={"reason": "a parent asks"}).status_code == 200
    )
    assert operator.ask("GET", path).status_code == 200
    assert operator.ask("DELETE", "/v1/disclosure").status_code == 204
    assert operator.ask("GET", path).status_code == 404

    log = ana.ask("GET", "/v1/audit", params={"limit": 100}).json()["items"]
    told = [(entry["role"], entry["action"], entry["what"].split()[0]) for entry in reversed(log)]
    assert told == [
        ("learner", "join", "session"),
        ("teacher", "read", "assessments"),
        ("teacher", "read", "group"),
        ("teacher", "read", "recording"),
        ("teacher", "comment", "assessment"),
        ("operator", "read", "assessment"),
    ]
    (asked,) = operator.ask("GET", "/v1/audit", params={"action": "disclose"}).json()["items"]
    assert asked["detail"] == "a parent asks"

    export = ana.ask("GET", "/v1/me/export")
    names = zipfile.ZipFile(io.BytesIO(export.content)).namelist()
    assert [name.partition("/")[0] for name in names] == ["person.json", "assessments", "audio"]
    receipt = ana.ask("DELETE", "/v1/me").json()
    assert receipt["deleted"]["recordings"] == 1
    assert ana.ask("GET", "/v1/me").status_code == 401
    assert teacher.ask("GET", "/v1/assessments").json()["items"] == []
    assert teacher.ask("GET", f"/v1/receipts/{receipt['id']}").json() == receipt
