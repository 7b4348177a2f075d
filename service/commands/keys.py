"""`nativeear keys`: who may use a service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nativeear.service.commands.guard import GuardedCommand, command_group, print_json
from nativeear.service.commands.options import AsJson
from nativeear.speech.extras import needing

if TYPE_CHECKING:
    from nativeear.service.database.keys import KeyRecord
    from nativeear.service.database.store import Store
    from nativeear.service.database.usage import Quota

app = command_group("keys", "Make, list and revoke the keys of a service.")
Database = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="The database of the service, as given to `nativeear serve`; by default the same "
        "file in the user's data folder.",
    ),
]


@app.command(cls=GuardedCommand)
def create(
    *,
    name: Annotated[str, typer.Option(help="Who will use it.")],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope",  # some releases of typer take what is written in capitals for the name
            metavar="SCOPE",
            help="assess (send recordings, delete results), read (see results), admin (build "
            "indexes, see everybody's results); repeatable.",
        ),
    ],
    requests_per_minute: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How often it may ask.")
    ] = None,
    max_seconds: Annotated[
        float | None, typer.Option(metavar="S", help="Longest recording.")
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Largest recording.")
    ] = None,
    expires: Annotated[
        float | None,
        typer.Option(metavar="DAYS", help="How long it is valid; for ever by default."),
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once."""
    from nativeear.service.database.keys import NewKey
    from nativeear.speech.errors import InputError

    if expires is not None and not 0 < expires <= 36_500:
        raise InputError(
            "A key is valid for some days.", fix="Give --expires above 0 and at most 36500."
        )
    with _open(database) as store:
        key, secret = store.create_key(
            NewKey(
                name=name,
                scopes=tuple(scope),
                requests_per_minute=requests_per_minute,
                max_audio_s=max_seconds,
                max_bytes=max_bytes,
                expires_at=None
                if expires is None
                else datetime.now(timezone.utc) + timedelta(days=expires),
            )
        )
    if as_json:
        print_json({**_as_json(key), "secret": secret})
        return
    print(secret)
    print(f"Keep it: it is not shown again. To revoke it: {key.id}.", file=sys.stderr)


@app.command("list", cls=GuardedCommand)
def list_keys(*, database: Database = None, as_json: AsJson = False) -> None:
    """List every key, revoked and expired ones too."""
    with _open(database) as store:
        now = datetime.now(timezone.utc)
        keys = store.keys()
        known = [(key, store.allowance(key.id, now)) for key in keys]
    if as_json:
        quotas = [(key, allowed and asdict(allowed.quota)) for key, allowed in known]
        print_json([{**_as_json(key), "quota": quota} for key, quota in quotas])
        return
    if not known:
        print("There is no key: the service is open, and listens on its own machine only.")
        return
    for key, allowed in known:
        print(f"{key.id}  {key.name} ({key.prefix}…)")
        quota = () if allowed is None else _of_quota(allowed.quota)
        may = ", ".join((*key.scopes, *_limits(key), *quota))
        print(f"    {may}; {_state(key)}{_until(key)}; {_used(key)}")


@app.command(cls=GuardedCommand)
def quota(
    *,
    id: Annotated[str, typer.Argument(metavar="ID", help="As `nativeear keys list` tells it.")],
    requests_per_day: Annotated[int | None, typer.Option(min=1, metavar="N")] = None,
    requests_per_month: Annotated[int | None, typer.Option(min=1, metavar="N")] = None,
    seconds_per_day: Annotated[
        float | None, typer.Option(metavar="S", help="Speech that is assessed.")
    ] = None,
    seconds_per_month: Annotated[float | None, typer.Option(metavar="S")] = None,
    database: Database = None,
) -> None:
    """Limit what a key may have in a day and a month, in UTC; what is left out is not limited."""
    from nativeear.service.database.usage import Quota

    limits = Quota(requests_per_day, requests_per_month, seconds_per_day, seconds_per_month)
    with _open(database) as store:
        store.set_quota(id, limits)
    print(", ".join(_of_quota(limits)) or "as much as it pleases")


@app.command(cls=GuardedCommand)
def revoke(
    *,
    id: Annotated[str, typer.Argument(metavar="ID", help="As `nativeear keys list` tells it.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Let a key open nothing any more.

    Once there was a key, the service stays closed, be all of them revoked.
    """
    with _open(database) as store:
        key = store.revoke_key(id)
    if as_json:
        print_json(_as_json(key))
    else:
        print(f"{key.name}: revoked.")


@contextmanager
def _open(database: str | None) -> Iterator[Store]:
    with needing("server", "The service"):
        from nativeear.service.database.connection import default_database
        from nativeear.service.database.store import Store

    store = Store.open(database or default_database())
    try:
        yield store
    finally:
        store.close()


def _as_json(key: KeyRecord) -> dict[str, Any]:
    moments = ("created_at", "expires_at", "revoked_at", "last_used_at")
    fields = asdict(key)
    for name in moments:
        fields[name] = fields[name] and fields[name].isoformat()
    return {**fields, "state": _state(key)}


def _state(key: KeyRecord) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= datetime.now(timezone.utc):
        return "expired"
    return "valid"


def _until(key: KeyRecord) -> str:
    ends = _state(key) == "valid" and key.expires_at is not None
    return f" until {key.expires_at:%Y-%m-%d %H:%M} UTC" if ends else ""


def _used(key: KeyRecord) -> str:
    if key.last_used_at is None:
        return "never used"
    return f"last used {key.last_used_at:%Y-%m-%d %H:%M} UTC"


def _of_quota(quota: Quota) -> Iterator[str]:
    for period in ("day", "month"):
        if (requests := getattr(quota, f"requests_per_{period}")) is not None:
            yield f"{requests} requests a {period}"
        if (seconds := getattr(quota, f"audio_s_per_{period}")) is not None:
            yield f"{seconds:g} s of speech a {period}"


def _limits(key: KeyRecord) -> Iterator[str]:
    if key.requests_per_minute is not None:
        yield f"{key.requests_per_minute} requests a minute"
    if key.max_audio_s is not None:
        yield f"recordings up to {key.max_audio_s:g} s"
    if key.max_bytes is not None:
        yield f"recordings up to {key.max_bytes} bytes"
