"""Recordings that wait for whichever service is free, and count once."""

import json
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from nativeear.service.database.connection import open_engine
from nativeear.service.database.errors import ConflictError
from nativeear.service.database.ownership import ALL
from nativeear.service.database.queue import ATTEMPTS, Recording, Waiting
from nativeear.service.database.store import Store
from tests.service.database.test_jobs import end_leases


@pytest.fixture
def other(url: str) -> Iterator[Store]:
    """Another service on the same database."""
    opened = Store.open(url)
    yield opened
    opened.close()


def queued(store: Store, data: bytes = b"voice", **more: object) -> str:
    form = '{"text": "x"}'
    recording = Recording(data, **more)
    return store.create_job("assessment", form, key_id="k", recording=recording).id


def left(url: str) -> int:
    engine = open_engine(url)
    with engine.connect() as connection:
        count = connection.scalar(text("SELECT count(*) FROM queued_recordings"))
    engine.dispose()
    return count


def test_a_recording_waits_with_its_job_and_ends_with_its_assessment(
    url, store, other, new
) -> None:
    job = queued(store, learner_id="ana", max_audio_s=9.0)
    assert store.waiting() == Waiting(1, 5)
    (claimed,) = other.claim_jobs(5)
    assert (claimed.id, claimed.key_id, claimed.request) == (job, "k", '{"text": "x"}')
    assert (claimed.recording.data, claimed.recording.max_audio_s) == (b"voice", 9.0)
    told = store.job(job, key_id="k")
    assert (told.state, told.stage, told.done, told.total) == ("running", "assessing", 0, 1)
    assert store.claim_jobs(5) == ()
    assert not store.end_with(claimed, new(key_id="k"))  # it belongs to the other
    made = new(key_id="k", learner_id="ana")
    assert other.end_with(claimed, made)
    assert not other.end_with(claimed, made)  # told twice, it counts once
    done = store.job(job, key_id="k")
    assert (done.state, done.done, done.request, done.result) == ("done", 1, "{}", made.result)
    assert len(store.assessments(key_id=ALL).items) == 1
    assert (store.waiting(), left(url)) == (Waiting(0, 0), 0)


def test_a_job_of_a_service_that_died_is_begun_again_and_counts_once(
    url, store, other, new
) -> None:
    job = queued(store)
    (lost,) = other.claim_jobs(1)
    assert store.queue_orphans() == 0
    end_leases(url)
    assert (store.queue_orphans(), store.fail_orphans()) == (1, 0)
    assert store.job(job, key_id="k").state == "queued"
    (claimed,) = store.claim_jobs(1)
    assert (lost.attempt, claimed.attempt) == (1, 2)
    assert not other.end_with(lost, new())  # it was not dead, only slow
    assert not other.end_without(lost, "failed", "{}")
    assert store.end_with(claimed, new())
    assert len(store.assessments(key_id=ALL).items) == 1


def test_what_several_services_died_of_is_given_up(url, store) -> None:
    job = queued(store)
    for _ in range(ATTEMPTS):
        assert [one.id for one in store.claim_jobs(1)] == [job]
        end_leases(url)
        assert store.queue_orphans() == 1
    failed = store.job(job, key_id="k")
    assert failed.state == "failed"
    assert json.loads(failed.problem)["cause"] == f"That has happened {ATTEMPTS} times."
    assert left(url) == 0


def test_a_service_that_stops_gives_back_what_it_has(store, other) -> None:
    job = queued(store)
    for _ in range(ATTEMPTS + 1):  # giving back does not count
        (claimed,) = other.claim_jobs(1)
        assert (other.hand_back_all(), other.abandon_jobs()) == (1, 0)
    (claimed,) = other.claim_jobs(1)
    other.hand_back(claimed)
    assert store.job(job, key_id="k").state == "queued"
    assert store.fail_orphans() == 0


def test_those_go_first_that_nobody_died_of_and_that_somebody_waits_for(url, store) -> None:
    died = queued(store)
    store.claim_jobs(1)
    end_leases(url)
    store.queue_orphans()
    batch = queued(store, is_of_batch=True)
    first, second = queued(store), queued(store)
    assert [one.id for one in store.claim_jobs(9)] == [first, second, batch, died]


def test_a_job_is_cancelled_at_once_where_nobody_works_at_it(url, store, other) -> None:
    job = queued(store)
    assert not store.cancel_queued(job, key_id="another")
    assert store.cancel_queued(job, key_id="k")
    assert (store.job(job, key_id="k").state, left(url)) == ("cancelled", 0)
    with pytest.raises(ConflictError):
        store.request_cancel(job, key_id="k")
    running = queued(store)
    (claimed,) = other.claim_jobs(1)
    assert not store.cancel_queued(running, key_id="k")
    store.request_cancel(running, key_id="k")
    assert other.renew_jobs([running]) == (running,)
    other.hand_back(claimed)
    assert store.job(running, key_id="k").state == "cancelled"


def test_what_waits_of_a_learner_is_deleted_with_the_learner(url, store, other, new) -> None:
    jobs = [queued(store, learner_id=name) for name in ("ana", "ana", "bo")]
    (claimed,) = other.claim_jobs(1)
    store.delete_learner("ana", key_id="k")
    assert not other.end_with(claimed, new(learner_id="ana"))
    assert store.assessments(key_id=ALL).items == ()
    assert [job.id for job in store.jobs(key_id=ALL).items] == jobs[2:]
    assert left(url) == 1


def test_services_that_claim_at_once_never_get_the_same(url, store) -> None:
    jobs = {queued(store) for _ in range(24)}
    taken: list[str] = []

    def take() -> None:
        mine = Store.open(url)
        while claimed := mine.claim_jobs(2):
            taken.extend(one.id for one in claimed)
        mine.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(taken) == sorted(jobs)


def test_a_job_without_its_recording_is_failed_as_before(url, store) -> None:
    job = store.create_job("assessment", "{}", key_id=None).id
    end_leases(url)
    assert store.claim_jobs(9) == ()
    assert (store.queue_orphans(), store.fail_orphans()) == (0, 1)
    assert store.job(job, key_id=None).state == "failed"
