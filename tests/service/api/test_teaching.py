"""Sets, homework, members and labels, as a teacher and his learners ask for them."""

import io
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from nativeear.scoring.assessment import Assessment
from nativeear.service.api.settings import ServiceSettings
from nativeear.service.database.assessments import NewAssessment
from nativeear.service.database.people_store import People
from nativeear.service.database.store import Store
from tests.service.api.conftest import client_of

SENTENCES = ["I think so.", "Three things."]


class World:
    """A service with a teacher, his group and two learners of it."""

    def __init__(self, folder: Path) -> None:
        settings = ServiceSettings(
            database=f"sqlite:///{folder / 'service.db'}", indexes=("en-US",), record="none"
        )
        self.client: TestClient = client_of(settings)
        self.store = Store.open(settings.database)
        self.people = People(self.store)
        self.headers: dict[str, dict[str, str]] = {}
        self.ids: dict[str, str] = {}
        self.come_in("tom", "teacher")
        self.group = self.people.create_group(self.ids["tom"], "3b").id
        for name in ("ana", "ben"):
            self.come_in(name, "learner", self.group)

    def come_in(self, name: str, role: Any, group: str | None = None) -> None:
        person, code = self.people.create(role, name, group_id=group, expires_at=None)
        token = self.people.join(code, None).token
        csrf = self.people.session_of(token).csrf
        self.headers[name] = {"Cookie": f"nativeear={token}", "X-CSRF-Token": csrf}
        self.ids[name] = person.id

    def ask(self, who: str, method: str, path: str, status: int = 200, **sent: Any) -> Any:
        self.client.cookies.clear()
        answer = self.client.request(method, f"/v1/{path}", headers=self.headers[who], **sent)
        assert answer.status_code == status, answer.text
        kind = answer.headers.get("content-type", "")
        return answer.json() if "json" in kind else answer.content

    def say(self, who: str, text: str, **more: Any) -> str:
        return said(self.store, self.ids[who], self.group, text, **more)

    def new_set(self, status: int = 201, **other: Any) -> Any:
        sent = {"title": "th", "language": "en-US", "sentences": SENTENCES, **other}
        return self.ask("tom", "POST", "sets", status, json=sent)


def said(
    store: Store, person: str, group: str, text: str, *, overall: float | None = 50.0, **more: Any
) -> str:
    """Store an assessment of ``th`` (flagged) and ``ing``."""
    id = uuid4().hex
    phones = [
        {"phone": "TH", "ipa": "θ", "verdict": "substituted", "score": 20.0},
        {"phone": "IH", "ipa": "ɪ", "verdict": "correct", "score": 90.0},
        {"phone": "NG", "ipa": "ŋ", "verdict": "uncertain", "score": None},
    ]
    times = {"start_s": 0.0, "end_s": 1.0}
    word = {
        "word": "thing", **times, "score": 60.0,
        "phones": [{**phone, **times, "probability_mispronounced": None} for phone in phones],
    }  # fmt: skip
    result = Assessment.model_validate(
        {
            "id": id, "language": "en-US", "index": "none", "encoder": "spectral",
            "calibration": "training-free", "duration_s": 1.0, "score": {"overall": overall},
            "words": [word], "insertions": [], "warnings": [],
        }
    )  # fmt: skip
    store.save_assessment(
        NewAssessment(
            id=id, language="en-US", index="none", result=result.model_dump_json(),
            duration_s=1.0, key_id=person, learner_id=person, group=group, text=text, **more,
        )
    )  # fmt: skip
    return id


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_set_is_kept_changed_and_deleted(world: World) -> None:
    made = world.new_set(sentences=["  I  think so. ", "Three things."])
    assert made["sentences"] == SENTENCES
    assert world.ask("tom", "GET", "sets")["items"] == [made]
    changed = {"title": "th again", "language": "en-GB", "sentences": ["Both."]}
    answer = world.ask("tom", "PUT", f"sets/{made['id']}", json=changed)
    assert changed.items() <= answer.items()
    world.ask("tom", "DELETE", f"sets/{made['id']}", 204)
    assert world.ask("tom", "GET", "sets")["items"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"sentences": []},
        {"sentences": [" … "]},
        {"title": " "},
        {"language": "x"},
        {"language": "en-!"},
        {"language": "my language"},
        {"language": "tlh"},
    ],
)
def test_a_set_that_nobody_could_say_is_refused(world: World, wrong: dict[str, Any]) -> None:
    told = world.new_set(422, **wrong)
    assert told["detail"]
    assert world.ask("tom", "GET", "sets")["items"] == []


def test_homework_is_seen_by_the_group_and_is_done_when_each_sentence_was_said(
    world: World,
) -> None:
    world.say("ana", SENTENCES[0])  # before it was set
    own = world.new_set()["id"]
    path = f"groups/{world.group}/homework"
    later = world.ask("tom", "POST", path, 201, json={"set": own})
    first = world.ask("tom", "POST", path, 201, json={"set": own, "due": "2030-01-31"})
    told = world.ask("ana", "GET", "homework")["items"]
    assert [item["id"] for item in told] == [first["id"], later["id"]]
    assert told[0]["due"] == "2030-01-31"
    assert told[0]["sentences"] == SENTENCES
    assert told[0]["learners"] == [{"id": world.ids["ana"], "name": "ana", "said": []}]

    world.say("ana", SENTENCES[1])
    world.say("ana", SENTENCES[0], overall=None)  # another sentence, or nothing to be scored
    world.say("ben", SENTENCES[0])
    assert world.ask("ana", "GET", "homework")["items"][0]["learners"][0]["said"] == [1]
    world.say("ana", SENTENCES[0])
    seen = world.ask("tom", "GET", "homework")["items"][0]["learners"]
    assert {each["name"]: each["said"] for each in seen} == {"ana": [0, 1], "ben": [0]}
    world.ask("tom", "DELETE", f"{path}/{first['id']}", 204)
    world.ask("tom", "DELETE", f"sets/{own}", 204)  # with the rest of its homework
    assert world.ask("ana", "GET", "homework")["items"] == []


def test_who_left_a_group_has_its_homework_no_more(world: World) -> None:
    sent = {"set": world.new_set()["id"]}
    world.ask("tom", "POST", f"groups/{world.group}/homework", 201, json=sent)
    world.ask("ana", "DELETE", f"groups/{world.group}/members/{world.ids['ana']}", 204)
    assert world.ask("ana", "GET", "homework")["items"] == []
    seen = world.ask("tom", "GET", "homework")["items"][0]["learners"]
    assert [each["name"] for each in seen] == ["ben"]


def test_members_are_told_with_last_day_trend_and_what_costs_most(world: World) -> None:
    for score in (40.0, 60.0):
        world.say("ben", "A thing.", overall=score)
    ana, ben = world.ask("tom", "GET", f"groups/{world.group}/members")["items"]
    assert (ana["name"], ana["count"], ana["last_at"], ana["costly"]) == ("ana", 0, None, [])
    assert (ben["name"], ben["count"], ben["mean_score"]) == ("ben", 2, 50.0)
    assert [(day["day"], day["mean_score"]) for day in ben["days"]] == [(ben["last_at"][:10], 50.0)]
    assert date.fromisoformat(ben["days"][0]["day"])
    assert [phone["ipa"] for phone in ben["costly"]] == ["θ"]
    table = world.ask("tom", "GET", f"groups/{world.group}/members?format=csv").decode()
    assert table.splitlines()[0] == "id,name,joined_at,count,last_at,mean_score,costly"
    assert table.splitlines()[2].endswith(",50.0,θ")


def test_a_verdict_is_put_right_and_the_result_stays(world: World) -> None:
    id = world.say("ana", "A thing.")
    sent = {"labels": [{"position": 0, "verdict": "correct"}]}
    (label,) = world.ask("tom", "PUT", f"assessments/{id}/labels", json=sent)["items"]
    assert (label["word"], label["ipa"], label["author"]) == ("thing", "θ", "tom")
    assert (label["judged"], label["verdict"]) == ("substituted", "correct")
    assert world.ask("ana", "GET", f"assessments/{id}/labels")["items"] == [label]
    result = world.ask("ana", "GET", f"assessments/{id}")
    assert result["words"][0]["phones"][0]["verdict"] == "substituted"
    world.ask("tom", "PUT", f"assessments/{id}/labels", json={"labels": []})
    assert world.ask("ana", "GET", f"assessments/{id}/labels")["items"] == []


@pytest.mark.parametrize(
    "labels",
    [
        [{"position": 3, "verdict": "correct"}],
        [{"position": 0, "verdict": "correct"}, {"position": 0, "verdict": "deleted"}],
        [{"position": 0, "verdict": "uncertain"}],
        *([{"position": 0, "verdict": "substituted", "heard": no}] for no in ("S T", "-", "<del>")),
    ],
)
def test_labels_that_fit_no_phone_change_nothing(world: World, labels: list[Any]) -> None:
    id = world.say("ana", "A thing.")
    kept = {"labels": [{"position": 1, "verdict": "accented"}]}
    world.ask("tom", "PUT", f"assessments/{id}/labels", json=kept)
    world.ask("tom", "PUT", f"assessments/{id}/labels", 422, json={"labels": labels})
    (label,) = world.ask("tom", "GET", f"assessments/{id}/labels")["items"]
    assert label["position"] == 1


def test_labels_are_taken_out_as_a_corpus_without_names(world: World) -> None:
    world.ask("tom", "GET", "labels/export", 404)
    id = world.say("ana", "A thing.", audio=b"sound", audio_type="audio/wav")
    unheard = world.say("ana", "A thing.")  # its recording was not kept
    labels = [
        {"position": 0, "verdict": "substituted", "heard": "S"},
        {"position": 2, "verdict": "deleted"},
    ]
    for each in (id, unheard):
        world.ask("tom", "PUT", f"assessments/{each}/labels", json={"labels": labels})
    with zipfile.ZipFile(io.BytesIO(world.ask("tom", "GET", "labels/export"))) as archive:
        assert set(archive.namelist()) == {f"en-US/audio/{id}.wav", "en-US/utterances.csv"}
        assert archive.read(f"en-US/audio/{id}.wav") == b"sound"
        header, row = archive.read("en-US/utterances.csv").decode().splitlines()
    told = dict(zip(header.split(","), row.split(","), strict=True))
    assert told["phones"] == "TH IH NG"
    assert told["phone_scores"] == "0 - 0"
    assert told["heard"] == "S - <del>"
    assert told["speaker"] == world.ids["ana"]
    assert "ana" not in row.split(",")


def test_what_a_teacher_wrote_goes_with_him_and_is_his_to_export(world: World) -> None:
    id = world.say("ana", "A thing.")
    world.new_set()
    sent = {"labels": [{"position": 0, "verdict": "correct"}]}
    world.ask("tom", "PUT", f"assessments/{id}/labels", json=sent)
    with zipfile.ZipFile(io.BytesIO(world.ask("tom", "GET", "me/export"))) as archive:
        told = json.loads(archive.read("person.json"))
    assert [each["sentences"] for each in told["sentence_sets"]] == [SENTENCES]
    assert [each["verdict"] for each in told["labels_written"]] == ["correct"]
    with zipfile.ZipFile(io.BytesIO(world.ask("ana", "GET", "me/export"))) as archive:
        result = json.loads(archive.read(f"assessments/{id}.json"))
    assert [each["verdict"] for each in result["labels"]] == ["correct"]
    receipt = world.ask("tom", "DELETE", "me")
    assert (receipt["deleted"]["sentence_sets"], receipt["deleted"]["labels_written"]) == (1, 1)
    assert world.people.labels(id) == ()
