from datetime import date, datetime, timedelta, timezone

import pytest

from nativeear.service.database.errors import NotFoundError
from nativeear.service.database.keys import NewKey
from nativeear.service.database.ownership import ALL
from nativeear.service.database.usage import Amount, Quota, month_of
from nativeear.speech.errors import InputError

NOW = datetime(2026, 1, 31, 23, tzinfo=timezone.utc)
TODAY = NOW.date()


def test_requests_are_counted_by_key_and_day(store, new) -> None:
    key, _ = store.create_key(NewKey(name="school", scopes=("assess",)))
    store.count_requests({(key.id, TODAY): 2, (None, TODAY): 1})
    store.count_requests({(key.id, TODAY): 3, (key.id, date(2026, 1, 1)): 1})
    store.count_requests({(key.id, date(2025, 12, 31)): 9, (key.id, date(2026, 2, 1)): 9})
    (used,) = store.monthly_usage(TODAY, key_id=key.id)
    assert (used.name, used.requests, used.quota) == ("school", 6, None)
    assert [(day.day.day, day.requests) for day in used.days] == [(1, 1), (31, 5)]
    assert [one.key_id for one in store.monthly_usage(TODAY, key_id=ALL)] == [None, key.id]
    saved = store.save_assessment(new(key_id=key.id))
    (now,) = store.monthly_usage(saved.created_at.date(), key_id=key.id)
    assert (now.assessments, now.audio_s) == (1, saved.duration_s)


def test_what_is_stored_under_one_name_counts_once(store, new) -> None:
    first = store.save_assessment(new(idempotency_key="i", request_digest="d"))
    store.save_assessment(new(idempotency_key="i", request_digest="d"))
    (used,) = store.monthly_usage(first.created_at.date(), key_id=None)
    assert used.assessments == 1


def test_a_quota_goes_with_what_was_used_of_it(store) -> None:
    key, _ = store.create_key(NewKey(name="school", scopes=("assess",)))
    assert store.allowance(key.id, NOW) is None
    quota = Quota(requests_per_day=5, audio_s_per_month=60.0)
    store.set_quota(key.id, quota)
    store.count_requests({(key.id, TODAY): 2, (key.id, TODAY - timedelta(days=1)): 3})
    found = store.allowance(key.id, NOW)
    assert (found.quota, found.today, found.month) == (quota, Amount(2), Amount(5))
    assert store.allowance(key.id, NOW + timedelta(hours=1)).month == Amount()
    assert store.monthly_usage(date(2020, 1, 1), key_id=key.id)[0].quota == quota
    with pytest.raises(NotFoundError):
        store.set_quota("none", quota)
    with pytest.raises(InputError):
        store.set_quota(key.id, Quota(requests_per_day=0))


def test_months_have_their_lengths() -> None:
    assert month_of(date(2024, 2, 29)) == (date(2024, 2, 1), date(2024, 3, 1))
    assert month_of(date(2025, 12, 31)) == (date(2025, 12, 1), date(2026, 1, 1))
