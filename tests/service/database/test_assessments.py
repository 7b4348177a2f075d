import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text

from nativeear.scoring.assessment import Assessment
from nativeear.service.database.connection import open_engine
from nativeear.service.database.errors import ConflictError, NotFoundError, ReusedKeyError
from nativeear.service.database.ownership import ALL
from nativeear.service.database.requests import Claim
from nativeear.service.database.store import Store
from nativeear.speech.errors import InputError

NOW = datetime.now(timezone.utc)
HOUR = timedelta(hours=1)
TABLES = ("assessments", "phones", "audio", "jobs")


def counts(url: str) -> dict[str, int]:
    engine = open_engine(url)
    with engine.connect() as connection:
        found = {
            table: connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            for table in TABLES
        }
    engine.dispose()
    return found


def test_an_assessment_comes_back_as_it_was(store, new, assessment) -> None:
    given = new(
        key_id="k",
        learner_id="ana",
        group="3b",
        audio=b"RIFF\0\xff",
        audio_type="audio/wav",
        expires_at=NOW + timedelta(days=1),
    )
    saved = store.save_assessment(given)
    assert store.assessment(given.id, key_id="k") == saved
    assert saved.result == given.result
    assert Assessment.model_validate_json(saved.result).words == assessment.words
    assert (saved.learner_id, saved.group, saved.text) == ("ana", "3b", "I think azure")
    assert (saved.overall, saved.fluency) == (62.2, None)
    assert saved.expires_at == given.expires_at
    assert saved.created_at.utcoffset() == timedelta(0)
    assert abs(saved.created_at - datetime.now(timezone.utc)) < timedelta(minutes=1)
    kept = store.audio(given.id, key_id="k")
    assert (kept.bytes, kept.media_type) == (b"RIFF\0\xff", "audio/wav")


def test_a_recording_that_was_not_kept_is_said_to_be_so(store, new) -> None:
    given = new()
    assert not store.save_assessment(given).has_audio
    with pytest.raises(NotFoundError, match="not kept"):
        store.audio(given.id, key_id=None)


@pytest.mark.parametrize(("mine", "others"), [("a", "b"), ("a", None), (None, "a")])
def test_what_belongs_to_another_key_is_not_there(store, new, mine, others) -> None:
    given = new(key_id=mine, learner_id="ana", group="g", audio=b"x")
    store.save_assessment(given)
    for ask in (store.assessment, store.audio, store.delete_assessment):
        with pytest.raises(NotFoundError):
            ask(given.id, key_id=others)
    for tell, name in ((store.learner_progress, "ana"), (store.group_summary, "g")):
        with pytest.raises(NotFoundError):
            tell(name, key_id=others)
    assert store.assessments(key_id=others).items == ()
    assert store.learners(key_id=others) == ()
    assert store.delete_learner("ana", key_id=others) == 0
    assert store.assessment(given.id, key_id=mine) == store.assessment(given.id, key_id=ALL)


def test_a_list_is_told_in_pages_the_newest_first(store, new) -> None:
    ids = [store.save_assessment(new()).id for _ in range(7)]
    first = store.assessments(key_id=None, limit=3)
    store.save_assessment(new())  # moves nothing from one page to the next
    second = store.assessments(key_id=None, limit=3, after=first.next)
    third = store.assessments(key_id=None, limit=3, after=second.next)
    listed = [item.id for page in (first, second, third) for item in page.items]
    assert listed == ids[::-1]
    assert third.next is None


def test_assessments_of_one_moment_are_all_listed(url, store, new) -> None:
    ids = {store.save_assessment(new()).id for _ in range(5)}
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE assessments SET created_at = '2026-01-02 03:04:05.000006'"))
    engine.dispose()
    listed, after = [], None
    while True:
        page = store.assessments(key_id=ALL, limit=2, after=after)
        listed += [item.id for item in page.items]
        after = page.next
        if after is None:
            break
    assert sorted(listed) == sorted(ids)


def test_a_list_ends_where_its_last_page_is_full(store, new) -> None:
    for _ in range(2):
        store.save_assessment(new())
    assert store.assessments(key_id=None, limit=2).next is None


@pytest.mark.parametrize("after", ["", "x", "12", "12-", "-a", "99999999999999999999-a"])
def test_a_wrong_place_in_a_list_is_refused(store, after) -> None:
    with pytest.raises(InputError):
        store.assessments(key_id=None, after=after)


def test_a_list_is_narrowed(store, new) -> None:
    one = store.save_assessment(new(learner_id="ana", group="a", language="de-DE", index="x"))
    two = store.save_assessment(new(learner_id="bo", group="b"))

    def listed(**wanted: object) -> list[str]:
        return [item.id for item in store.assessments(key_id=None, **wanted).items]

    assert listed() == [two.id, one.id]
    for narrowing in ("learner_id", "group", "language", "index"):
        assert listed(**{narrowing: getattr(one, narrowing)}) == [one.id]
        assert listed(**{narrowing: getattr(two, narrowing)}) == [two.id]
    assert listed(since=two.created_at) == [two.id]
    assert listed(until=two.created_at) == [one.id]
    assert listed(learner_id="ana", group="b") == []


def test_a_repeated_request_gets_the_first_answer(url, store, new) -> None:
    first = store.save_assessment(new(idempotency_key="i", request_digest="d"))
    assert store.save_assessment(new(idempotency_key="i", request_digest="d")) == first
    assert store.claim_request(None, "i", "d", HOUR) == first
    assert isinstance(store.claim_request(None, "other", "d", HOUR), Claim)
    assert counts(url)["assessments"] == 1


def test_another_request_under_the_same_idempotency_key_is_refused(url, store, new) -> None:
    store.save_assessment(new(idempotency_key="i", request_digest="d"))
    with pytest.raises(ReusedKeyError):
        store.claim_request(None, "i", "e", HOUR)
    with pytest.raises(ReusedKeyError):
        store.save_assessment(new(idempotency_key="i", request_digest="e"))
    assert counts(url)["assessments"] == 1


def test_keys_do_not_share_idempotency_keys(store, new) -> None:
    saved = {
        store.save_assessment(new(key_id=key, idempotency_key="i", request_digest="d")).id
        for key in ("a", "b", None)
    }
    assert len(saved) == 3


def test_an_id_is_taken_once(store, new) -> None:
    given = new()
    saved = store.save_assessment(given)
    assert store.save_assessment(given) == saved  # by one who was not told
    other = replace(new(), id=given.id)
    for another in (other, replace(given, key_id="k")):
        with pytest.raises(ConflictError):
            store.save_assessment(another)


def test_of_writers_that_race_one_wins_and_the_others_get_its_answer(url, store, new) -> None:
    writers = 6
    start = threading.Barrier(writers)
    saved, failed = [], []
    given = [new(audio=b"x", idempotency_key="i", request_digest="d") for _ in range(writers)]

    def write(mine) -> None:
        start.wait(10)
        try:
            saved.append(store.save_assessment(mine))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(mine,)) for mine in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failed
    assert len(saved) == writers
    assert len({answer.id for answer in saved}) == 1
    assert counts(url) == {"assessments": 1, "phones": phones(given[0]), "audio": 1, "jobs": 0}


def phones(given) -> int:
    result = Assessment.model_validate_json(given.result)
    return sum(len(word.phones) for word in result.words)


def test_many_writers_lose_nothing(store, new) -> None:
    threads = [
        threading.Thread(target=lambda: [store.save_assessment(new(learner_id="ana"))] * 1)
        for _ in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(store.learner_progress("ana", key_id=None).sentences) == 24


def test_deleting_an_assessment_deletes_all_of_it(url, store, new) -> None:
    given = store.save_assessment(new(audio=b"x"))
    job = store.create_job("assessment", "{}", key_id=None)
    store.update_job(job.id, state="done", result=given.result)
    store.delete_assessment(given.id, key_id=None)
    assert set(counts(url).values()) == {0}
    with pytest.raises(NotFoundError):
        store.delete_assessment(given.id, key_id=None)


def test_deleting_a_learner_leaves_the_others(url, store, new) -> None:
    for learner in ("ana", "ana", "bo"):
        store.save_assessment(new(learner_id=learner, audio=b"x"))
    assert store.delete_learner("ana", key_id=None) == 2
    assert [one.learner_id for one in store.learners(key_id=None)] == ["bo"]
    assert counts(url)["audio"] == 1


def test_what_has_expired_is_deleted(url, store, new) -> None:
    old = store.save_assessment(new(expires_at=NOW - timedelta(seconds=1), audio=b"x"))
    for ends in (NOW + timedelta(days=1), None):
        store.save_assessment(new(expires_at=ends))
    assert store.purge(NOW).count == 1
    assert old.id not in {item.id for item in store.assessments(key_id=None).items}
    assert counts(url)["assessments"] == 2
    assert counts(url)["audio"] == 0
    assert store.purge(NOW).count == 0


def test_nothing_of_what_was_deleted_is_left_in_the_files(tmp_path: Path, new) -> None:
    marks = {"learner_id": "Marguerite-7f1", "text": "zeppelin 93c1"}
    voice = b"voice-5d0e" * 20_000
    store = Store.open(f"sqlite:///{tmp_path / 'service.db'}")
    given = store.save_assessment(new(**marks, audio=voice))

    def left() -> list[str]:
        held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        return [mark for mark in (*marks.values(), "voice-5d0e", given.id) if mark.encode() in held]

    assert len(left()) == 4
    store.delete_assessment(given.id, key_id=None)
    assert left() == []
    store.close()
    assert left() == []


def test_text_that_no_database_takes_is_refused_in_plain_words(store, new) -> None:
    with pytest.raises(InputError):
        store.save_assessment(new(learner_id="\ud800"))
