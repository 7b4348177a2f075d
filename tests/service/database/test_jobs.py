import json
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import text, update

from nativeear.service.database.connection import open_engine
from nativeear.service.database.errors import ConflictError, NotFoundError
from nativeear.service.database.jobs import KEPT
from nativeear.service.database.ownership import ALL
from nativeear.service.database.store import Store
from nativeear.service.database.tables import JobRow

UTC = timezone.utc


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
    assert [one.assessment_id for one in store.jobs(key_id=None).items] == [saved.id]
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
    assert [job.id for job in store.jobs(key_id=ALL).items] == ids[::-1]
    assert [job.id for job in store.jobs(key_id="a").items] == [ids[2], ids[0]]
    first = store.jobs(key_id=ALL, limit=2)
    assert [job.id for job in first.items] == ids[:0:-1]
    rest = store.jobs(key_id=ALL, limit=2, after=first.next)
    assert ([job.id for job in rest.items], rest.next) == ([ids[0]], None)
    store.update_job(ids[1], state="running")
    assert [job.id for job in store.jobs(key_id=ALL, state="running").items] == [ids[1]]
    assert store.jobs(key_id=ALL, kind="assessment").items == ()


def end_leases(url: str) -> None:
    """Let all that was said of leases be long ago."""
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(update(JobRow).values(leased_until=datetime(2020, 1, 1, tzinfo=UTC)))
    engine.dispose()


def test_jobs_of_a_service_that_died_are_failed(url, store) -> None:
    for state in ("queued", "running", "done"):
        job = store.create_job("assessment", '{"text": "x"}', key_id=None)
        if state == "running":
            store.update_job(job.id, state=state)
        if state == "done":
            store.update_job(job.id, state="cancelled")
    end_leases(url)
    later = Store.open(url)
    mine = later.create_job("index", "{}", key_id=None)
    assert later.fail_orphans() == 2
    told = {job.id: job for job in later.jobs(key_id=None).items}
    assert sorted(job.state for job in told.values()) == ["cancelled", "failed", "failed", "queued"]
    assert told[mine.id].state == "queued"
    failed = next(job for job in told.values() if job.state == "failed")
    assert json.loads(failed.problem)["detail"] == "The service stopped before the job was done."
    assert later.job(failed.id, key_id=None).request == "{}"
    assert later.fail_orphans() == 0
    later.close()


def test_a_service_that_starts_leaves_the_jobs_of_one_that_lives(url, store) -> None:
    job = store.create_job("index", "{}", key_id=None)
    later = Store.open(url)
    assert later.fail_orphans() == 0
    end_leases(url)
    store.renew_jobs([job.id])
    later.renew_jobs([])
    assert later.fail_orphans() == 0
    assert store.job(job.id, key_id=None).state == "queued"
    end_leases(url)
    later.renew_jobs([job.id])  # nobody lives on what others say
    assert later.fail_orphans() == 1
    later.close()


def test_a_job_at_which_nobody_works_is_failed_though_its_service_lives(url, store) -> None:
    lost, kept = (store.create_job("index", "{}", key_id=None) for _ in range(2))
    end_leases(url)
    store.renew_jobs([kept.id])
    assert store.fail_orphans() == 1
    assert store.job(lost.id, key_id=None).state == "failed"
    assert store.job(kept.id, key_id=None).state == "queued"


def test_whoever_works_at_a_job_hears_that_another_was_asked_to_cancel_it(url, store) -> None:
    kept, wanted = (store.create_job("index", "{}", key_id=None) for _ in range(2))
    other = Store.open(url)
    other.request_cancel(wanted.id, key_id=None)
    ours = (kept.id, wanted.id)
    assert other.renew_jobs(ours) == ()
    assert store.renew_jobs(ours) == (wanted.id,)
    store.update_job(wanted.id, state="cancelled")
    assert store.renew_jobs(ours) == ()
    assert store.job(kept.id, key_id=None).state == "queued"
    other.close()


def test_a_service_that_stops_gives_up_its_own_jobs(url, store) -> None:
    other = Store.open(url)
    theirs = other.create_job("index", "{}", key_id=None)
    ours = store.create_job("assessment", '{"text": "x"}', key_id=None)
    assert store.abandon_jobs() == 1
    assert store.job(theirs.id, key_id=None).state == "queued"
    given_up = other.job(ours.id, key_id=None)
    assert (given_up.state, given_up.request) == ("failed", "{}")
    other.close()


_WORKER = """
import sys, time
from nativeear.service.database.store import Store
store = Store.open(sys.argv[1])
job = store.create_job("index", "{}", key_id=None).id
print(job, flush=True)
while True:
    store.renew_jobs([job])
    print("renewed", flush=True)
    time.sleep(0.05)
"""


def test_a_job_outlives_other_services_but_not_its_own(url, store) -> None:
    short = "from datetime import timedelta\nfrom nativeear.service.database import jobs\n"
    short += "jobs.LEASE = timedelta(seconds=4)\n"
    worker = subprocess.Popen(
        [sys.executable, "-c", short + _WORKER, url], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    id = worker.stdout.readline().strip()
    until = time.monotonic() + 4.5
    while time.monotonic() < until:
        assert worker.stdout.readline() == "renewed\n"
        assert store.fail_orphans() == 0
    worker.kill()
    worker.wait()
    until = time.monotonic() + 120
    while store.job(id, key_id=None).state != "failed":
        assert time.monotonic() < until
        store.fail_orphans()
        time.sleep(0.05)


def test_old_jobs_are_purged(store) -> None:
    ended = store.create_job("index", "{}", key_id=None)
    store.update_job(ended.id, state="failed", problem="{}")
    waiting = store.create_job("index", "{}", key_id=None)
    at = store.job(ended.id, key_id=None).updated_at
    assert store.purge(at + KEPT - timedelta(seconds=1)).jobs == 0
    assert store.purge(at + KEPT).jobs == 1
    assert [job.id for job in store.jobs(key_id=None).items] == [waiting.id]


def test_an_unknown_job_is_said_to_be_so(store) -> None:
    with pytest.raises(NotFoundError):
        store.update_job("nope", state="running")
