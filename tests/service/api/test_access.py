"""Every route, asked by everybody for what is Ana's: who may, and that nothing leaks or changes.

A route that is not in `RULES` fails: whoever adds one says here who may ask it.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.routing import APIWebSocketRoute
from fastapi.testclient import TestClient

from nativeear.scoring.assessment import Assessment, PhoneAssessment, WordAssessment
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.database.assessments import NewAssessment
from nativeear.service.database.batches import NewBatch, NewItem
from nativeear.service.database.keys import NewKey
from nativeear.service.database.labels import NewLabel
from nativeear.service.database.people_store import People
from nativeear.service.database.queue import Recording
from nativeear.service.database.sentence_sets import NewSet
from nativeear.service.database.store import Store
from tests.service.api.conftest import client_of

SAID = "what-ana-said"
CALLERS = ("nobody", "ana", "ben", "tom", "uma", "olga", "shown", "program", "admin")
"""Ana and Ben learn in Tom's group; Uma teaches another; Olga is an operator, `shown` is she after
she asked to see what people say; `program` and `admin` are keys."""

SEES_NOTHING = {"nobody", "ben", "uma", "olga", "program", "admin"}

ANYBODY = "401 ok ok ok ok ok ok ok ok"
ANAS = "401 ok 404 ok 404 404 ok 404 404"
ANAS_TO_DELETE = "401 ok 404 404 404 404 ok 404 404"
OPERATORS = "401 403 403 403 403 ok ok 403 ok"
TEACHERS = "401 403 403 ok ok 403 403 403 403"
TOMS = "401 403 403 ok 404 403 403 403 403"
PEOPLES = "401 ok ok ok ok ok ok 403 403"
ADMINS = OPERATORS
PUBLIC = "ok ok ok ok ok ok ok ok ok"

RULES: dict[tuple[str, str], str] = {
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/metrics"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    ("POST", "/v1/join"): "401 401 401 401 401 401 401 401 401",  # the code is wrong
    ("GET", "/v1/me"): ANYBODY,
    ("POST", "/v1/me/sign-out"): PEOPLES,
    ("POST", "/v1/me/groups"): "401 401 401 ok ok ok ok 403 403",  # the code is wrong
    ("GET", "/v1/me/export"): PEOPLES,
    ("DELETE", "/v1/me"): PEOPLES,
    ("GET", "/v1/people"): "401 403 403 ok ok ok ok 403 ok",
    ("POST", "/v1/people"): "401 403 403 403 403 ok ok 403 ok",  # a teacher, by an operator
    ("POST", "/v1/people/{id}/code"): "401 403 403 ok 404 403 403 403 403",
    ("GET", "/v1/people/{id}/export"): "401 403 403 403 403 403 ok 403 403",
    ("DELETE", "/v1/people/{id}"): OPERATORS,
    ("GET", "/v1/receipts/{id}"): "401 404 404 404 404 404 404 404 404",  # there is none
    ("POST", "/v1/disclosure"): OPERATORS,
    ("DELETE", "/v1/disclosure"): OPERATORS,
    ("GET", "/v1/audit"): "401 ok ok ok ok ok ok 403 ok",
    ("GET", "/v1/groups"): "401 ok ok ok ok ok ok 403 ok",
    ("POST", "/v1/groups"): TEACHERS,
    ("DELETE", "/v1/groups/{group}"): TOMS,
    ("POST", "/v1/groups/{group}/code"): TOMS,
    ("DELETE", "/v1/groups/{group}/code"): TOMS,
    ("DELETE", "/v1/groups/{group}/members/{person}"): "401 ok 404 ok 404 404 404 403 403",
    ("GET", "/v1/groups/{group:path}/summary"): "401 ok ok ok 404 404 ok 404 404",
    ("GET", "/v1/assessments"): ANYBODY,
    ("POST", "/v1/assessments"): ANYBODY,
    ("GET", "/v1/assessments/{id}"): ANAS,
    ("DELETE", "/v1/assessments/{id}"): ANAS_TO_DELETE,
    ("GET", "/v1/assessments/{id}/audio"): ANAS,
    ("GET", "/v1/assessments/{id}/report.html"): ANAS,
    ("GET", "/v1/assessments/{id}/textgrid"): ANAS,
    ("GET", "/v1/assessments/{id}/comments"): ANAS,
    ("POST", "/v1/assessments/{id}/comments"): TOMS,
    ("DELETE", "/v1/assessments/{id}/comments/{comment}"): TOMS,
    ("GET", "/v1/assessments/{id}/labels"): ANAS,
    ("PUT", "/v1/assessments/{id}/labels"): TOMS,
    ("GET", "/v1/labels/export"): ANAS,
    ("GET", "/v1/sets"): TEACHERS,
    ("POST", "/v1/sets"): TEACHERS,
    ("PUT", "/v1/sets/{set}"): TOMS,
    ("DELETE", "/v1/sets/{set}"): TOMS,
    ("GET", "/v1/homework"): PEOPLES,
    ("POST", "/v1/groups/{group}/homework"): TOMS,
    ("DELETE", "/v1/groups/{group}/homework/{homework}"): TOMS,
    ("GET", "/v1/groups/{group}/members"): TOMS,
    ("GET", "/v1/learners"): ANYBODY,
    ("GET", "/v1/learners/{learner_id:path}/progress"): ANAS,
    ("GET", "/v1/learners/{learner_id:path}/today"): ANAS,
    ("GET", "/v1/learners/{learner_id:path}/export"): ANAS_TO_DELETE,
    ("DELETE", "/v1/learners/{learner_id:path}"): ANYBODY,  # deletes one's own alone
    ("GET", "/v1/jobs"): ANYBODY,
    ("GET", "/v1/jobs/{id}"): ANAS_TO_DELETE,
    ("GET", "/v1/jobs/{id}/events"): ANAS_TO_DELETE,
    ("POST", "/v1/jobs/{id}/cancel"): ANAS_TO_DELETE,
    ("GET", "/v1/batches"): ANYBODY,
    ("POST", "/v1/batches"): ANYBODY,
    ("GET", "/v1/batches/{id}"): ANAS_TO_DELETE,
    ("POST", "/v1/batches/{id}/cancel"): ANAS_TO_DELETE,
    ("GET", "/v1/batches/{id}/results"): ANAS_TO_DELETE,
    ("GET", "/v1/webhooks"): ANYBODY,
    ("POST", "/v1/webhooks"): ANYBODY,
    ("DELETE", "/v1/webhooks/{id}"): ANAS_TO_DELETE,
    ("GET", "/v1/usage"): ANYBODY,
    ("POST", "/v1/indexes"): ADMINS,
    ("GET", "/v1/recording"): ADMINS,
    ("POST", "/v1/recording/speakers"): ADMINS,
    ("POST", "/v1/recording/speakers/{speaker}/takes/{line}"): ADMINS,
    ("DELETE", "/v1/recording/speakers/{speaker}/takes/{line}"): ADMINS,
    ("GET", "/v1/recording/speakers/{speaker}/takes/{line}/audio"): ADMINS,
    ("POST", "/v1/recording/addition"): ADMINS,
    ("POST", "/v1/validate"): ANYBODY,
    ("POST", "/v1/pronunciations"): ANYBODY,
    ("GET", "/v1/practice"): ANYBODY,
    ("GET", "/v1/practice/sounds"): ANYBODY,
    ("GET", "/v1/languages"): ANYBODY,
    ("GET", "/v1/encoders"): ANYBODY,
    ("GET", "/v1/indexes"): ANYBODY,
    ("GET", "/v1/indexes/{name}"): ANYBODY,
    ("GET", "/v1/indexes/{name}/coverage"): ANYBODY,
    ("GET", "/v1/indexes/{name}/exemplars/{row}"): ANYBODY,
    ("GET", "/v1/indexes/{name}/exemplars/{row}/audio"): ANYBODY,
    ("GET", "/v1/indexes/{name}/sentences"): ANYBODY,
    ("GET", "/v1/indexes/{name}/model"): ANYBODY,
    ("GET", "/v1/indexes/{name}/phones/{phone}/examples"): ANYBODY,
    ("GET", "/v1/indexes/{name}/utterances/{utterance:path}/audio"): ANYBODY,
    ("POST", "/compat/azure/speech/recognition/conversation/cognitiveservices/v1"): (
        "403 ok ok ok ok ok ok ok ok"  # as Azure has it: no key is 403
    ),
    ("POST", "/compat/speechace/api/scoring/text/{version}/json"): ANYBODY,
    ("WS", "/v1/stream"): ANYBODY,
}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/join"): {"code": "0000-0000-0000-0000", "name": "Eve"},
    ("POST", "/v1/me/groups"): {"code": "0000-0000-0000-0000"},
    ("POST", "/v1/people"): {"role": "teacher", "name": "Una"},
    ("POST", "/v1/people/{id}/code"): {},
    ("POST", "/v1/disclosure"): {"reason": "a parent asks"},
    ("POST", "/v1/recording/speakers"): {"name": "Anna", "sex": "female", "agrees": True},
    ("POST", "/v1/webhooks"): {"url": "https://b.example"},
    ("POST", "/v1/groups"): {"name": "4c"},
    ("POST", "/v1/groups/{group}/code"): {},
    ("PUT", "/v1/assessments/{id}/labels"): {"labels": []},
    ("POST", "/v1/sets"): {"title": "th", "language": "en-US", "sentences": ["I think so."]},
    ("PUT", "/v1/sets/{set}"): {"title": "th", "language": "en-US", "sentences": ["So."]},
    ("POST", "/v1/assessments/{id}/comments"): {"text": "Well said."},
}
TABLES = (
    *("assessments", "audio", "phones", "jobs", "comments", "batches", "webhooks"),
    *("people", "groups", "members", "codes", "sessions"),
    *("sentence_sets", "homework", "labels"),
)


@dataclass
class World:
    """A service with people in it, and what everybody shows to be let in."""

    client: TestClient
    file: Path
    snapshot: Path
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    of_ana: dict[str, str] = field(default_factory=dict)

    def as_before(self) -> None:
        """Put everything back."""
        with (
            closing(sqlite3.connect(self.snapshot)) as before,
            closing(sqlite3.connect(self.file)) as now,
        ):
            before.backup(now)

    def kept(self) -> tuple[list[Any], list[Any]]:
        """What is kept of Ana, and of everybody else."""
        anas, others = [], []
        ids = set(self.of_ana.values()) - {self.of_ana["group"]}
        with closing(sqlite3.connect(self.file)) as database:
            for table in TABLES:
                for row in database.execute(f"SELECT * FROM {table}"):  # noqa: S608
                    (others if ids.isdisjoint(row) else anas).append((table, row))
        return anas, others


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    file = tmp_path_factory.mktemp("access") / "service.db"
    settings = ServiceSettings(database=f"sqlite:///{file}", indexes=("none",), record="none")
    made = World(client_of(settings), file, file.with_name("before.db"))
    store = Store.open(settings.database)
    _fill(made, store)
    store.close()
    with closing(sqlite3.connect(file)) as now, closing(sqlite3.connect(made.snapshot)) as copy:
        now.backup(copy)
    yield made


def _fill(world: World, store: Store) -> None:
    people = People(store)

    def come_in(name: str, role: Any, group: str | None = None) -> str:
        person, code = people.create(role, name, group_id=group, expires_at=None)
        token = people.join(code, None).token
        world.headers[name] = {
            "Cookie": f"nativeear={token}",
            "X-CSRF-Token": people.session_of(token).csrf,
        }
        return person.id

    tom, uma = come_in("tom", "teacher"), come_in("uma", "teacher")
    group, other = people.create_group(tom, "3b").id, people.create_group(uma, "3c").id
    ana, ben = come_in("ana", "learner", group), come_in("ben", "learner", group)
    come_in("cy", "learner", other)
    come_in("olga", "operator")
    shown = come_in("shown", "operator")
    soon = datetime.now(timezone.utc) + timedelta(hours=1)
    people.disclose(shown, "a test", soon, datetime.now(timezone.utc))
    for name, scopes in (("program", ("assess", "read")), ("admin", ("admin",))):
        _, secret = store.create_key(NewKey(name=name, scopes=scopes))
        world.headers[name] = {"Authorization": f"Bearer {secret}"}
    world.headers["nobody"] = {}
    id = _said(store, ana, group, SAID)
    _said(store, ben, group, "what ben said")
    comment = people.comment(id, tom, "Well done.").id
    job = store.create_job("assessment", json.dumps({"text": SAID}), key_id=ana)
    store.update_job(job.id, state="cancelled")
    items = [NewItem("1", "{}", Recording(b"x"))]
    batch = store.insert_batch(NewBatch(ana, "digest"), items).id
    hook = store.insert_webhook("https://a.example", ana).id
    sentences = people.create_set(tom, NewSet("so", "en-US", ("I think so.",))).id
    due = people.set_homework(tom, group, sentences, None).id
    people.label(id, tom, [NewLabel(0, "correct")])
    world.of_ana = {"id": id, "group": group, "person": ana, "comment": comment, "job": job.id}
    world.of_ana |= {"batch": batch, "webhook": hook, "set": sentences, "homework": due}


def _said(store: Store, person: str, group: str, text: str) -> str:
    id = uuid4().hex
    phone = PhoneAssessment(
        phone="S", ipa="s", start_s=0.0, end_s=0.5, score=20.0, verdict="substituted",
        probability_mispronounced=0.9,
    )  # fmt: skip
    word = WordAssessment(word="so", start_s=0.0, end_s=1.0, score=20.0, phones=(phone,))
    result = Assessment(
        id=id, language="en-US", index="none", encoder="spectral", calibration="training-free",
        duration_s=1.0, score={"overall": 50.0}, words=(word,), insertions=(), warnings=(text,),
    )  # fmt: skip
    store.save_assessment(
        NewAssessment(
            id=id, language="en-US", index="none", result=result.model_dump_json(),
            duration_s=1.0, key_id=person, learner_id=person, group=group, text=text,
            audio=text.encode(),
        )
    )  # fmt: skip
    return id


def routes_of(router: Any) -> set[tuple[str, str]]:
    """Every method and path that a router, and the routers in it, answer."""
    found = set()
    for route in router.routes:
        if (inner := getattr(route, "original_router", None)) is not None:
            found |= routes_of(inner)
        elif isinstance(route, APIWebSocketRoute):
            found.add(("WS", route.path))
        elif methods := getattr(route, "methods", None):
            found |= {(method, route.path) for method in methods - {"HEAD"}}
    return found


def test_every_route_has_a_rule(world: World) -> None:
    assert routes_of(world.client.app) == set(RULES)


@pytest.mark.parametrize("rule", RULES, ids=" ".join)
def test_who_may_ask_for_what_is_anas(world: World, rule: tuple[str, str]) -> None:
    changes = rule[0] not in {"GET", "WS"}
    anas, others = world.kept() if changes else ([], [])
    path = path_of(world, rule)
    for caller, expected in zip(CALLERS, RULES[rule].split(), strict=True):
        status, told = ask(world, rule, path, caller)
        what = f"{rule} by {caller}: {status} {told[:200]!r}"
        if expected == "ok":
            assert status < 500 or status == 503, what
            assert status not in {401, 403, 404} or "none" in told, what  # "none" is no index
        else:
            assert status == int(expected), what
        if caller in SEES_NOTHING:
            assert SAID not in told, what
            assert world.of_ana["id"] in path or world.of_ana["id"] not in told, what
        if changes:
            after = world.kept()
            if after != (anas, others):
                assert status < 300, what
                world.as_before()
            if caller in {"ben", "uma", "program"}:
                assert after[0] == anas, what
            if caller == "ana":
                assert after[1] == others, what


def path_of(world: World, rule: tuple[str, str]) -> str:
    path = rule[1]
    ana = world.of_ana
    values = {
        **ana,
        "learner_id": ana["person"],
        "name": "none",
        "row": "0",
        "speaker": "anna",
        "line": "1",
        "utterance": "none",
        "version": "v9",
        "phone": "T",
    }
    if "/jobs/" in path:
        values["id"] = ana["job"]
    elif "/batches/" in path:
        values["id"] = ana["batch"]
    elif "/webhooks/" in path:
        values["id"] = ana["webhook"]
    elif "/people/" in path:
        values["id"] = ana["person"]
    elif "/receipts/" in path:
        values["id"] = uuid4().hex
    return re.sub(r"\{(\w+)(:path)?\}", lambda match: values[match[1]], path)


def ask(world: World, rule: tuple[str, str], path: str, caller: str) -> tuple[int, str]:
    method, headers = rule[0], world.headers[caller]
    if method == "WS":
        with world.client.websocket_connect(f"ws://localhost{path}", headers=headers) as socket:
            csrf = headers.get("X-CSRF-Token")
            socket.send_json({"sample_rate": 16000, "text": "Hello.", "csrf": csrf})
            told = socket.receive_json()
        return told["problem"]["status"], json.dumps(told)
    world.client.cookies.clear()
    params = {"text": "I think so."} if path.endswith("/model") else {}
    if path.startswith("/v1/practice") or path.endswith("/today"):
        params = {"language": "en-US"}
    sent = BODIES.get(rule)
    if rule == ("POST", "/v1/groups/{group}/homework"):
        sent = {"set": world.of_ana["set"]}
    answer = world.client.request(method, path, headers=headers, params=params, json=sent)
    return answer.status_code, answer.text
