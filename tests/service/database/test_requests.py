"""A request with an idempotency key is worked at once, whoever else takes it at the same moment."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from nativeear.service.database.connection import open_engine
from nativeear.service.database.errors import ConflictError, ReusedKeyError
from nativeear.service.database.requests import Claim
from nativeear.service.database.store import Store

HOUR = timedelta(hours=1)
OVER = timedelta(seconds=-1)


def rows(url: str) -> int:
    engine = open_engine(url)
    with engine.connect() as connection:
        found: int = connection.scalar(text("SELECT count(*) FROM requests"))
    engine.dispose()
    return found


def claim(store: Store, digest: str = "d", within: timedelta = HOUR, key: str | None = None):
    return store.claim_request(key, "i", digest, within)


@pytest.fixture
def other(url: str) -> Iterator[Store]:
    """Another service on the same database."""
    opened = Store.open(url)
    yield opened
    opened.close()


def test_of_many_that_claim_at_once_one_may_work(store, other) -> None:
    start = threading.Barrier(8)
    found = []

    def ask(who: Store) -> None:
        start.wait(10)
        found.append(claim(who))

    threads = [threading.Thread(target=ask, args=(who,)) for who in [store, other] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 8
    assert sum(isinstance(each, Claim) for each in found) == 1
    assert found.count(None) == 7


def test_a_key_is_that_of_one_request_even_while_it_is_worked_at(store) -> None:
    claim(store)
    with pytest.raises(ReusedKeyError):
        claim(store, digest="e")
    assert isinstance(claim(store, digest="e", key="k"), Claim)  # another client's


def test_what_came_of_a_request_ends_its_claim(url, store, other, new) -> None:
    claim(store)
    saved = store.save_assessment(new(idempotency_key="i", request_digest="d"))
    assert claim(other) == saved
    assert rows(url) == 0
    store.delete_assessment(saved.id, key_id=None)
    assert isinstance(claim(other), Claim)


def test_a_request_that_failed_may_be_tried_anew(store, other) -> None:
    first = claim(store)
    store.release_request(first)
    assert isinstance(claim(other), Claim)
    store.release_request(first)  # told twice, it takes nothing from others
    assert claim(store) is None


def test_a_claim_of_a_service_that_died_is_over_in_time(url, store, other, new) -> None:
    late = claim(store, within=OVER)
    mine = claim(other)
    assert isinstance(mine, Claim)
    with pytest.raises(ConflictError):
        store.create_job("assessment", "{}", key_id=None, claim=late)
    assert store.jobs(key_id=None).items == ()
    first = other.save_assessment(new(idempotency_key="i", request_digest="d"))
    assert store.save_assessment(new(idempotency_key="i", request_digest="d")) == first
    claim(store, within=OVER, key="k")
    assert rows(url) == 1
    store.purge(first.created_at)
    assert rows(url) == 0


def test_a_job_is_what_its_request_is_answered_with_until_it_is_deleted(
    url, store, other, new
) -> None:
    job = store.create_job("assessment", "{}", key_id=None, claim=claim(store))
    assert claim(other) == job
    saved = store.save_assessment(new())
    store.update_job(job.id, state="done", result=saved.result)
    assert claim(other) == store.job(job.id, key_id=None)
    with pytest.raises(ReusedKeyError):
        claim(other, digest="e")
    store.delete_assessment(saved.id, key_id=None)
    assert rows(url) == 0


@pytest.mark.parametrize(("status", "anew"), [(422, False), (503, True), (500, True)])
def test_a_job_that_the_service_failed_is_begun_anew(store, status, anew) -> None:
    job = store.create_job("assessment", "{}", key_id=None, claim=claim(store))
    store.update_job(job.id, state="failed", problem=json.dumps({"status": status}))
    assert isinstance(claim(store), Claim) == anew


def test_jobs_that_are_purged_take_their_requests_with_them(url, store) -> None:
    job = store.create_job("assessment", "{}", key_id=None, claim=claim(store))
    store.update_job(job.id, state="cancelled")
    store.purge(store.job(job.id, key_id=None).updated_at + timedelta(days=31))
    assert rows(url) == 0
