import json
from datetime import datetime, timedelta, timezone

import pytest

from nativeear.service.database.batches import NewBatch, NewItem
from nativeear.service.database.errors import ConflictError, NotFoundError
from nativeear.service.database.ownership import ALL
from nativeear.service.database.queue import Recording
from nativeear.service.database.webhooks import MOST, PAUSES_S

SOON = timedelta(seconds=1)


def now() -> datetime:
    return datetime.now(timezone.utc) + SOON


def bodies(store) -> list[dict]:
    return [json.loads(one.body) for one in store.claim_deliveries(now(), 99)]


def test_only_those_of_a_key_are_told_and_once(store, new) -> None:
    hook = store.insert_webhook("https://a.example", "k")
    store.insert_webhook("https://b.example", "other")
    job = store.create_job("assessment", "{}", key_id="k", recording=Recording(b"x")).id
    (claimed,) = store.claim_jobs(1)
    made = new(key_id="k")
    assert store.end_with(claimed, made)
    (told,) = store.claim_deliveries(now(), 9)
    assert (told.url, told.attempts, told.webhook_id) == ("https://a.example", 1, hook.id)
    body = json.loads(told.body)
    assert (body["type"], body["data"]) == (
        "job.done",
        {"id": job, "kind": "assessment", "assessment_id": made.id},
    )
    build = store.create_job("index", "{}", key_id="k").id
    store.update_job(build, state="failed", problem="{}")
    assert [one["type"] for one in bodies(store)] == ["job.failed"]


def test_a_batch_is_told_of_when_all_of_it_has_ended(store, new) -> None:
    store.insert_webhook("https://a.example", "k")
    items = [NewItem(f"{n}", "{}", Recording(b"x", is_of_batch=True)) for n in range(2)]
    batch = store.insert_batch(NewBatch("k", "d"), items)
    first, second = store.claim_jobs(2)
    store.end_with(first, new(key_id="k"))
    assert bodies(store) == []
    store.end_without(second, "failed", "{}")
    (told,) = bodies(store)
    assert (told["type"], told["data"]) == ("batch.done", {"id": batch.id})
    assert store.find_batch(batch.id, key_id="k").is_done


def test_who_does_not_answer_is_told_later_and_at_last_no_more(store) -> None:
    store.insert_webhook("https://a.example", None)
    job = store.create_job("index", "{}", key_id=None).id
    store.update_job(job, state="cancelled")
    at = now()
    for pause_s in PAUSES_S:
        (told,) = store.claim_deliveries(at, 9)
        assert store.claim_deliveries(at, 9) == ()  # somebody is at it
        store.end_delivery(told, at, "It answered 500.")
        assert store.claim_deliveries(at + timedelta(seconds=pause_s - 1), 9) == ()
        at += timedelta(seconds=pause_s)
    (told,) = store.claim_deliveries(at, 9)
    store.end_delivery(told, at, "It answered 500.")
    assert store.claim_deliveries(at + timedelta(days=9), 9) == ()
    assert store.list_webhooks(key_id=ALL)[0].last_problem == "It answered 500."


def test_webhooks_belong_to_their_key(store) -> None:
    hooks = [store.insert_webhook("https://a.example", "k") for _ in range(MOST)]
    with pytest.raises(ConflictError):
        store.insert_webhook("https://a.example", "k")
    with pytest.raises(NotFoundError):
        store.delete_webhook(hooks[0].id, key_id="other")
    store.delete_webhook(hooks[0].id, key_id="k")
    assert len(store.list_webhooks(key_id="k")) == MOST - 1
