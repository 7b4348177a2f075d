import io
import json
import zipfile
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from typer.testing import CliRunner, Result

from nativeear.service.cli import app
from nativeear.service.database.audit_log import NewEntry
from nativeear.service.database.batches import NewBatch, NewItem
from nativeear.service.database.errors import AuthenticationError, NotFoundError
from nativeear.service.database.export import export_person
from nativeear.service.database.keys import NewKey
from nativeear.service.database.ownership import ALL, PROGRAMS, Taught
from nativeear.service.database.people_store import People, in_days
from nativeear.service.database.queue import Recording
from nativeear.service.database.retention import Retention
from nativeear.service.database.store import Store
from nativeear.service.database.tables import Table
from nativeear.speech.errors import InputError
from tests.support.served import ROOT


@pytest.fixture
def people(store: Store) -> People:
    return People(store)


@pytest.fixture
def teacher(people: People) -> str:
    return people.create("teacher", "Tom", expires_at=None)[0].id


def learner(people: People, teacher: str) -> tuple[str, str]:
    group = people.create_group(teacher, "3b").id
    return people.create("learner", "Ana", group_id=group, expires_at=None)[0].id, group


def test_codes_are_read_as_people_write_them(people: People, teacher: str) -> None:
    _, code = people.create("learner", "Ana", expires_at=None)
    for written in (code, code.lower(), code.replace("-", ""), f" {code.replace('-', ' – ')}"):
        assert people.join(written.replace("0", "o").replace("1", "l"), None).person.name == "Ana"
    for wrong in (
        "",
        "x" * 64,
        code[:-1],
        f"{code}0",
        code[:-1] + ("0" if code[-1] != "0" else "2"),
    ):
        with pytest.raises(AuthenticationError):
            people.join(wrong, "Eve")


def test_a_group_is_joined_by_a_name_and_come_back_to_by_a_code(
    people: People, teacher: str
) -> None:
    group = people.create_group(teacher, "3b").id
    code = people.make_code(group_id=group)
    with pytest.raises(InputError, match="name"):
        people.join(code, None)
    ana, ben = people.join(code, "Ana"), people.join(code, "Ben")
    assert ana.person.id != ben.person.id
    assert people.join(ana.code or "", None).person == ana.person
    assert [person.name for person in people.all(teacher)] == ["Ana", "Ben"]
    assert people.make_code(group_id=group) != code
    with pytest.raises(AuthenticationError):
        people.join(code, "Cy")  # another took its place


def test_a_code_that_is_over_opens_nothing(people: People, teacher: str, store: Store) -> None:
    group = people.create_group(teacher, "3b").id
    code = people.make_code(group_id=group, expires_at=in_days(-1))
    with pytest.raises(AuthenticationError):
        people.join(code, "Ana")
    late = people.make_code(group_id=group, expires_at=in_days(1))
    store.purge(datetime.now(timezone.utc) + timedelta(days=2))
    with pytest.raises(AuthenticationError):
        people.join(late, "Ana")


def test_a_new_code_ends_the_sessions_before(people: People, teacher: str) -> None:
    code = people.renew_code(teacher, expires_at=None)
    token = people.join(code, None).token
    assert people.session_of(token).person.id == teacher
    people.renew_code(teacher, expires_at=None)
    with pytest.raises(AuthenticationError):
        people.session_of(token)
    with pytest.raises(AuthenticationError):
        people.session_of("no token")


def test_groups_are_told_in_the_order_in_which_they_were_joined(
    people: People, teacher: str
) -> None:
    older, newer = (people.create_group(teacher, name).id for name in ("3b", "4c"))
    ana = people.join(people.make_code(group_id=newer), "Ana").person.id
    people.join_also(ana, people.make_code(group_id=older))
    assert [group.id for group in people.groups(person_id=ana)] == [newer, older]
    assert [group.members for group in people.groups(person_id=ana)] == [1, 1]


def test_a_program_goes_on_though_a_learner_of_its_name_was_erased(
    people: People, store: Store, new
) -> None:
    key, _ = store.create_key(NewKey(name="app", scopes=("assess",)))
    people.write_receipt(key.id, "another", "learner", {"assessments": 0})
    assert store.save_assessment(new(key_id=key.id)).key_id == key.id
    store.create_job("assessment", "{}", key_id=key.id)


def test_a_teacher_sees_his_groups_while_they_are_his(
    people: People, teacher: str, store: Store, new
) -> None:
    ana, group = learner(people, teacher)
    other = people.create_group(teacher, "4c").id
    here = store.save_assessment(new(key_id=ana, learner_id=ana, group=group)).id
    store.save_assessment(new(key_id=ana, learner_id=ana, group=other))  # she is not in it
    store.save_assessment(new(key_id="a" * 32, learner_id=ana, group=group))  # a program says so
    store.save_assessment(new())

    def seen(owner: object) -> list[str]:
        return [item.id for item in store.assessments(key_id=owner).items]

    assert seen(Taught(teacher)) == [here]
    assert [one.name for one in store.learners(key_id=Taught(teacher))] == ["Ana"]
    assert (len(seen(ana)), len(seen(PROGRAMS)), len(seen(ALL))) == (2, 2, 4)
    people.remove_member(group, ana)
    assert seen(Taught(teacher)) == []
    assert len(seen(ana)) == 2


def test_an_export_has_everything_and_an_erasure_leaves_nothing(
    people: People, teacher: str, store: Store, new
) -> None:
    ana, group = learner(people, teacher)
    kept = store.save_assessment(
        new(key_id=ana, learner_id=ana, group=group, audio=b"RIFF", audio_type="audio/wav")
    )
    people.comment(kept.id, teacher, "Well said.")
    store.create_job("assessment", '{"text": "not yet"}', key_id=ana)
    items = [NewItem("ana.wav", "{}", Recording(b"x", ana))]
    store.insert_batch(NewBatch(ana, "digest"), items)
    store.insert_webhook("https://a.example", ana)
    people.note([NewEntry(teacher, "teacher", "read", f"assessment {kept.id}", ana)])
    out = io.BytesIO()
    assert export_person(store, ana, out) == 1
    with zipfile.ZipFile(out) as archive:
        about = json.loads(archive.read("person.json"))
        told = json.loads(archive.read(f"assessments/{kept.id}.json"))
        assert archive.read(f"audio/{kept.id}.wav") == b"RIFF"
    assert (about["person"]["name"], about["groups"][0]["id"]) == ("Ana", group)
    assert [entry["actor"] for entry in about["audit"]] == [teacher]
    assert json.loads(about["jobs"][0]["request"]) == {"text": "not yet"}
    assert [one["name"] for one in about["batches"]] == ["ana.wav"]
    assert [one["url"] for one in about["webhooks"]] == ["https://a.example"]
    assert [one["assessments"] for one in about["usage"]] == [1]
    assert [comment["text"] for comment in told["comments"]] == ["Well said."]
    assert told["result"]["id"] == kept.id

    receipt = people.erase(ana, "someone", "operator")
    assert people.receipt(receipt.id) == receipt
    counts = ("assessments", "recordings", "comments", "memberships", "codes", "people")
    assert [receipt.deleted[what] for what in counts] == [1] * 6
    assert [receipt.deleted[what] for what in ("batches", "webhooks", "days_of_usage")] == [1] * 3
    assert receipt.deleted["jobs"] == 2
    assert receipt.deleted["phones"] == 6
    assert store.assessments(key_id=ALL).items == ()
    assert store.jobs(key_id=ALL).items == ()
    assert store.read(lambda session: tables_that_name(session, ana)) == {"audit"}
    with pytest.raises(NotFoundError):
        export_person(store, ana, io.BytesIO())
    with pytest.raises(NotFoundError):  # it was being assessed meanwhile
        store.save_assessment(new(key_id=ana, learner_id=ana))
    with pytest.raises(NotFoundError):
        store.create_job("assessment", "{}", key_id=ana)
    assert [entry.action for entry in people.entries(about="someone").items] == ["erase"]


def tables_that_name(session: Session, id: str) -> set[str]:
    """Tables in which an id stands anywhere."""
    rows = ((table.name, session.execute(select(table))) for table in Table.metadata.sorted_tables)
    return {name for name, found in rows for row in found if any(id in str(cell) for cell in row)}


def test_what_is_kept_is_told_to_who_answers_for_it() -> None:
    told = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    assert [name for name in Table.metadata.tables if f"`{name}`" not in told] == []


def test_old_recordings_go_before_old_results_and_shorter_times_go_for_what_is_there(
    store: Store, new
) -> None:
    store.save_assessment(new(audio=b"RIFF", audio_type="audio/wav"))
    now = datetime.now(timezone.utc)
    week = Retention(audio_days=7, results_days=30)
    assert store.purge(now + timedelta(days=6), week).recordings == 0
    purged = store.purge(now + timedelta(days=8), week)
    assert (purged.count, purged.recordings) == (0, 1)
    assert [item.has_audio for item in store.assessments(key_id=None).items] == [False]
    assert store.purge(now + timedelta(days=8), Retention(results_days=5)).count == 1


def test_the_log_comes_in_pages_and_is_kept_for_a_year(people: People, store: Store) -> None:
    people.note([NewEntry("a", "teacher", "read", f"assessment {i}", "b") for i in range(5)])
    first = people.entries(about="b", limit=3)
    rest = people.entries(about="b", limit=3, after=first.next)
    assert len({entry.what for entry in (*first.items, *rest.items)}) == 5
    assert rest.next is None
    assert people.entries(about="c").items == ()
    store.purge(datetime.now(timezone.utc) + timedelta(days=366))
    assert people.entries().items == ()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["people", *arguments])


def test_people_are_looked_after_from_the_command_line(
    url: str, store: Store, monkeypatch, tmp_path
) -> None:
    monkeypatch.setenv("NATIVEEAR_DATABASE", url)
    assert "nobody" in run("list").stdout
    made = json.loads(run("create", "--role", "teacher", "--name", "Tom", "--json").stdout)
    id = made["person"]["id"]
    people = People(store)
    assert people.join(made["code"], None).person.name == "Tom"
    assert f"{id}  teacher   Tom" in run("list").stdout
    code = run("code", id).stdout.strip()
    assert people.join(code, None).person.id == id
    out = tmp_path / "tom.zip"
    assert run("export", id, "-o", str(out)).exit_code == 0
    assert zipfile.ZipFile(out).namelist() == ["person.json"]
    assert out.stat().st_mode & 0o077 == 0
    assert json.loads(run("erase", id, "--json").stdout)["deleted"]["people"] == 1
    for wrong in (
        ("create", "--role", "learner", "--name", "x"),
        ("create", "--role", "teacher", "--name", " "),
        ("create", "--role", "teacher", "--name", "x", "--valid", "0"),
        ("code", id),
        ("export", id, "-o", str(out)),
        ("erase", id),
    ):
        assert run(*wrong).exit_code == 2, wrong
