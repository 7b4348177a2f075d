from datetime import datetime, timedelta, timezone
from hashlib import sha256

import pytest
from sqlalchemy import text

from nativeear.service.database.connection import open_engine
from nativeear.service.database.errors import AuthenticationError, NotFoundError
from nativeear.service.database.keys import NewKey
from nativeear.speech.errors import InputError

NOW = datetime.now(timezone.utc)
KEY = NewKey("class", ("read", "assess"))


def test_a_key_opens_what_it_was_made_for(store) -> None:
    made, secret = store.create_key(
        NewKey("class", ("read", "assess"), 30, 20.5, 5 << 32, NOW + timedelta(days=1))
    )
    shown = store.authenticate(secret)
    assert shown == made
    assert shown.scopes == ("assess", "read")
    assert (shown.requests_per_minute, shown.max_audio_s, shown.max_bytes) == (30, 20.5, 5 << 32)
    assert shown.expires_at == NOW + timedelta(days=1)


def test_its_secret_is_kept_nowhere(url, store) -> None:
    made, secret = store.create_key(KEY)
    assert secret.startswith(made.prefix)
    engine = open_engine(url)
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM keys")).one()
    engine.dispose()
    assert bytes(row.secret_sha256) == sha256(secret.encode()).digest()
    assert secret[len(made.prefix) :] not in str(row)
    assert store.create_key(KEY)[1] != secret


def test_what_is_no_key_opens_nothing(store) -> None:
    _, secret = store.create_key(KEY)
    wrong = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for shown in (
        wrong,
        secret[:-1],
        f"{secret} ",
        "",
        "nek_",
        "\0",
        "é" * 47,
        "\udc80",
        "x" * 9999,
    ):
        with pytest.raises(AuthenticationError, match="not known"):
            store.authenticate(shown)


def test_a_revoked_key_opens_nothing_and_still_counts(store) -> None:
    made, secret = store.create_key(KEY)
    revoked = store.revoke_key(made.id)
    with pytest.raises(AuthenticationError, match="revoked"):
        store.authenticate(secret)
    assert store.keys() == (revoked,)
    assert store.revoke_key(made.id) == revoked
    with pytest.raises(NotFoundError):
        store.revoke_key("nope")


def test_an_expired_key_opens_nothing(store) -> None:
    _, secret = store.create_key(NewKey("old", ("read",), expires_at=NOW - timedelta(seconds=1)))
    with pytest.raises(AuthenticationError, match="expired"):
        store.authenticate(secret)


def test_its_last_use_is_noted(store) -> None:
    _, secret = store.create_key(KEY)
    assert store.keys()[0].last_used_at is None
    store.authenticate(secret)
    (used,) = store.keys()
    assert NOW <= used.last_used_at <= datetime.now(timezone.utc)
    store.authenticate(secret)
    assert store.keys() == (used,)  # not written for every request


@pytest.mark.parametrize(
    "wrong",
    [
        NewKey(" ", ("read",)),
        NewKey("x", ()),
        NewKey("x", ("read", "root")),
        NewKey("x", ("read",), requests_per_minute=0),
        NewKey("x", ("read",), max_audio_s=-1.0),
        NewKey("x", ("read",), max_bytes=1 << 70),
    ],
)
def test_a_senseless_key_is_refused(store, wrong) -> None:
    with pytest.raises(InputError):
        store.create_key(wrong)
    assert store.keys() == ()
