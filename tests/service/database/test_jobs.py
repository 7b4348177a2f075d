import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from service.database.connection import open_engine
from service.database.jobs import KEPT
from service.database.store import ALL, ConflictError, NotFoundError, Store


def test_a_job_goes_its_way(store) -> None:
    job = store.create_job("index", '{"name": "x"}', key_id="k")
    assert store.job(job.id, key_id="k") == job
    assert (job.state, job.stage, job.done, job.total) == ("queued", "", 0, 0)
    store.update_job(job.id, state="running")
    store.update_job(job.id, stage="align", done=3, total=9)
    running = store.job(job.id, key_id=ALL)
    assert (running.state, running.stage, running.done, running.total) == ("running", "align", 3, 9)
    assert running.updated_at > running.created_at
    store.update_job(job.id, state="done", result='{"index": "x"}')
    done = store.job(job.id, key_id="k")
    assert (done.state, done.result, done.request) == ("done", '{"index": "x"}', '{"name": "x"}')
    with pytest.raises(NotFoundError):
        store.job(job.id, key_id=None)


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
def test_a_job_that_has_ended_changes_no_more(store, end) -> None:
    job = store.create_job("index", "{}", key_id=None)
    store.update_job(job.id, state=end)
    store.update_job(job.id, state="running", done=5)
    assert store.job(job.id, key_id=None).state == end
    assert store.job(job.id, key_id=None).done == 0
    with pytest.raises(ConflictError):
        store.request_cancel(job.id, key_id=None)


def test_a_wish_to_cancel_is_noted(store) -> None:
    job = store.create_job("index", "{}", key_id="k")
    with pytest.raises(NotFoundError):
        store.request_cancel(job.id, key_id="other")
    store.request_cancel(job.id, key_id="k")
    asked = store.job(job.id, key_id="k")
    assert asked.cancel_requested
    assert asked.state == "queued"


def test_the_result_of_an_assessment_is_kept_once(url, store, new) -> None:
    job = store.create_job("assessment", '{"learner_id": "ana"}', key_id=None)
    saved = store.save_assessment(new())
    store.update_job(job.id, state="done", done=1, total=1, result=saved.result)
    done = store.job(job.id, key_id=None)
    assert done.result == saved.result
    assert done.request == "{}"
    assert store.jobs(key_id=None) == (done,)
    engine = open_engine(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT result FROM jobs")) is None
    engine.dispose()


def test_a_result_that_was_deleted_does_not_come_back_with_its_job(store, new) -> None:
    job = store.create_job("assessment", "{}", key_id=None)
    saved = store.save_assessment(new())
    store.delete_assessment(saved.id, key_id=None)
    store.update_job(job.id, state="done", result=saved.result)
    with pytest.raises(NotFoundError):
        store.job(job.id, key_id=None)


def test_jobs_are_listed_the_newest_first(store) -> None:
    ids = [store.create_job("index", "{}", key_id=key).id for key in ("a", None, "a")]
    assert [job.id for job in store.jobs(key_id=ALL)] == ids[::-1]
    assert [job.id for job in store.jobs(key_id="a")] == [ids[2], ids[0]]
    assert [job.id for job in store.jobs(key_id=ALL, limit=1)] == [ids[2]]


def test_jobs_of_a_service_that_died_are_failed(url, store) -> None:
    for state in ("queued", "running", "done"):
        job = store.create_job("assessment", '{"text": "x"}', key_id=None)
        if state == "running":
            store.update_job(job.id, state=state)
        if state == "done":
            store.update_job(job.id, state="cancelled")
    later = Store.open(url)
    mine = later.create_job("index", "{}", key_id=None)
    assert later.fail_orphans() == 2
    told = {job.id: job for job in later.jobs(key_id=None)}
    assert sorted(job.state for job in told.values()) == ["cancelled", "failed", "failed", "queued"]
    assert told[mine.id].state == "queued"
    failed = next(job for job in told.values() if job.state == "failed")
    assert json.loads(failed.problem)["detail"] == "The service stopped before the job was done."
    assert failed.request == "{}"
    assert later.fail_orphans() == 0
    later.close()


def test_old_jobs_are_purged(store) -> None:
    ended = store.create_job("index", "{}", key_id=None)
    store.update_job(ended.id, state="failed", problem="{}")
    waiting = store.create_job("index", "{}", key_id=None)
    at = store.job(ended.id, key_id=None).updated_at
    assert store.purge(at + KEPT - timedelta(seconds=1)).jobs == 0
    assert store.purge(at + KEPT).jobs == 1
    assert [job.id for job in store.jobs(key_id=None)] == [waiting.id]


def test_an_unknown_job_is_said_to_be_so(store) -> None:
    with pytest.raises(NotFoundError):
        store.update_job("nope", state="running")
