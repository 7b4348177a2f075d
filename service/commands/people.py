"""`nativeear people`: who comes in by a code, and what is kept of whom."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nativeear.service.commands.guard import (
    GuardedCommand,
    command_group,
    print_json,
    refuse_missing_folder,
)
from nativeear.service.commands.keys import Database
from nativeear.service.commands.options import AsJson
from nativeear.speech.errors import InputError
from nativeear.speech.extras import needing

if TYPE_CHECKING:
    from nativeear.service.database.people_store import People

app = command_group("people", "Make, list, export and erase the people of a service.")
Id = Annotated[str, typer.Argument(metavar="ID", help="As `nativeear people list` tells it.")]
ValidDays = Annotated[
    float | None,
    typer.Option(metavar="DAYS", help="How long the code opens; for ever by default."),
]
_OPERATOR = "operator"
_HERE = "command line"  # who acts, in the log: whoever may read the database itself


@app.command(cls=GuardedCommand)
def create(
    *,
    role: Annotated[
        str,
        typer.Option(
            metavar="operator|teacher",
            help="An operator looks after people and sees nothing of what they say; a teacher "
            "makes groups, into which learners come by themselves.",
        ),
    ],
    name: Annotated[str, typer.Option(help="What others call the person.")],
    valid: ValidDays = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make an operator or a teacher, and print the code to come in by, this once.

    From then on the service wants everybody to come in by a code or a key.
    """
    from nativeear.service.database.people import OPERATOR, TEACHER

    roles = {OPERATOR: OPERATOR, TEACHER: TEACHER}
    if role not in roles:
        raise InputError(
            f"There is no role {role!r} to be made here.",
            fix="Make an operator or a teacher; a teacher makes learners, with a group's code.",
        )
    expires_at = _moment(valid)
    with _open(database) as people:
        person, code = people.create(roles[role], name, expires_at=expires_at)
        _note(people, "create", person.role, person.id)
    if as_json:
        print_json({"person": asdict(person), "code": code, "expires_at": expires_at})
        return
    print(code)
    typer.echo(f"Keep it: it is not shown again. It is for {person.name}, {person.id}.", err=True)


@app.command("list", cls=GuardedCommand)
def list_people(*, database: Database = None, as_json: AsJson = False) -> None:
    """List everybody: ids, roles and names."""
    with _open(database) as people:
        known = people.all()
    if as_json:
        print_json([asdict(person) for person in known])
        return
    if not known:
        print("There is nobody: who reaches the service needs a key, or nothing on this machine.")
        return
    for person in known:
        print(f"{person.id}  {person.role:8}  {person.name}")


@app.command(cls=GuardedCommand)
def code(
    *, id: Id, valid: ValidDays = None, database: Database = None, as_json: AsJson = False
) -> None:
    """Give somebody a new code in the place of a lost one, and print it, this once."""
    expires_at = _moment(valid)
    with _open(database) as people:
        made = people.renew_code(id, expires_at=expires_at)
        _note(people, "renew code", "person", id)
    if as_json:
        print_json({"code": made, "expires_at": expires_at})
    else:
        print(made)


@app.command(cls=GuardedCommand)
def export(
    *,
    id: Id,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The zip to write.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write all that is kept of somebody: results as JSON, recordings as they were sent."""
    refuse_missing_folder("export", out)
    with _open(database) as people:
        from nativeear.service.database.export import export_person

        people.person(id)
        _note(people, "export", "person", id)
        partial = out.with_name(f".{out.name}.{os.getpid()}")
        try:
            partial.touch(mode=0o600)
            with partial.open("wb") as file:
                count = export_person(people.store, id, file)
            partial.replace(out)
        finally:
            partial.unlink(missing_ok=True)
    if as_json:
        print_json({"out": str(out), "assessments": count})
    else:
        print(f"{out}: {count} assessments.")


@app.command(cls=GuardedCommand)
def erase(*, id: Id, database: Database = None, as_json: AsJson = False) -> None:
    """Delete all that is kept of somebody, for good, and print the receipt."""
    with _open(database) as people:
        receipt = people.erase(id, _HERE, _OPERATOR)
    if as_json:
        print_json(asdict(receipt))
        return
    print(f"Receipt {receipt.id}, {receipt.at:%Y-%m-%d %H:%M} UTC")
    print(f"SHA-256 of the person's id: {receipt.subject_sha256}")
    for what, count in receipt.deleted.items():
        print(f"    {count:6}  {what.replace('_', ' ')}")


@contextmanager
def _open(database: str | None) -> Iterator[People]:
    with needing("server", "The service"):
        from nativeear.service.database.connection import default_database
        from nativeear.service.database.people_store import People
        from nativeear.service.database.store import Store

    store = Store.open(database or default_database())
    try:
        yield People(store)
    finally:
        store.close()


def _note(people: People, action: str, what: str, subject: str) -> None:
    from nativeear.service.database.audit_log import NewEntry

    people.note([NewEntry(_HERE, _OPERATOR, action, what, subject)])


def _moment(days: float | None) -> Any:
    from nativeear.service.database.people_store import in_days

    if days is not None and not 0 < days <= 3650:
        raise InputError("A code opens for some days.", fix="Give --valid above 0, at most 3650.")
    return in_days(days)
