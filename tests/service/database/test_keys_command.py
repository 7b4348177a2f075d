import json
from datetime import datetime, timedelta, timezone

import pytest
from typer.testing import CliRunner, Result

from nativeear.service.cli import app
from nativeear.service.database.errors import AuthenticationError
from nativeear.service.database.store import Store


@pytest.fixture(autouse=True)
def _default(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATIVEEAR_DATABASE", url)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["keys", *arguments])


def test_a_key_is_made_listed_and_revoked(url) -> None:
    assert "no key" in run("list").stdout
    limits = ["--requests-per-minute", "30", "--max-seconds", "20", "--max-bytes", "5000"]
    scopes = ["--scope", "assess", "--scope", "read"]
    made = run("create", "--name", "class 3b", *scopes, *limits, "--expires", "7")
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    store = Store.open(url)
    key = store.authenticate(secret)
    assert (key.name, key.scopes) == ("class 3b", ("assess", "read"))
    assert (key.requests_per_minute, key.max_audio_s, key.max_bytes) == (30, 20.0, 5000)
    week = datetime.now(timezone.utc) + timedelta(days=7)
    assert abs(key.expires_at - week) < timedelta(minutes=5)
    assert key.id in made.stderr

    listed = run("list").stdout
    assert all(word in listed for word in (key.id, "class 3b", key.prefix, "30 requests", "valid"))
    assert secret not in listed

    assert "revoked" in run("revoke", key.id).stdout
    with pytest.raises(AuthenticationError):
        store.authenticate(secret)
    store.close()
    assert "revoked" in run("list").stdout


def test_what_a_key_may_have_is_told(url) -> None:
    made = json.loads(run("create", "--name", "x", "--scope", "assess", "--json").stdout)
    limits = ["--requests-per-day", "100", "--seconds-per-month", "3600"]
    told = "100 requests a day, 3600 s of speech a month"
    assert run("quota", made["id"], *limits).stdout.strip() == told
    assert f"assess, {told}; valid" in run("list").stdout
    (listed,) = json.loads(run("list", "--json").stdout)
    assert (listed["quota"]["requests_per_day"], listed["quota"]["audio_s_per_day"]) == (100, None)
    assert run("quota", made["id"]).stdout.strip() == "as much as it pleases"
    assert "requests" not in run("list").stdout


def test_json_is_for_programs(url) -> None:
    made = json.loads(run("create", "--name", "x", "--scope", "admin", "--json").stdout)
    store = Store.open(url)
    assert store.authenticate(made["secret"]).id == made["id"]
    store.close()
    (listed,) = json.loads(run("list", "--json").stdout)
    assert listed["id"] == made["id"]
    assert listed["state"] == "valid"
    assert "secret" not in listed
    assert json.loads(run("revoke", made["id"], "--json").stdout)["state"] == "revoked"


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--name", "x", "--scope", "root"),
        ("create", "--name", "", "--scope", "read"),
        ("create", "--name", "x", "--scope", "read", "--expires", "0"),
        ("create", "--name", "x", "--scope", "read", "--expires", "nan"),
        ("create", "--name", "x", "--scope", "read", "--max-seconds", "-1"),
        ("revoke", "nope"),
        ("list", "--database", "mysql://a/b"),
        ("list", "--database", "postgresql://a@127.0.0.1:1/b"),
    ],
)
def test_what_cannot_be_done_is_told_in_plain_words(arguments) -> None:
    refused = run(*arguments, "--json")
    assert refused.exit_code == 2
    assert json.loads(refused.stdout)["error"]["message"]
    assert run("list", "--json").stdout.strip() == "[]"
