"""`nativeear encoders`: which there are, what is known of one, and bringing its weights here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from nativeear.service.commands.guard import GuardedCommand, command_group, print_json
from nativeear.service.commands.options import AsJson

app = command_group("encoders", "List, show and fetch speech encoders.")
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME|PATH|HUB_ID", help="An encoder, or `default`.")
]


@app.command(name="list", cls=GuardedCommand)
def list_(as_json: AsJson = False) -> None:
    """List the encoders that have a name."""
    from nativeear.speech.encoders.catalogue import list_encoders

    encoders = list_encoders()
    if as_json:
        print_json(encoders)
        return
    from nativeear.service.tables import Column, Listing, console

    table = Listing(
        (
            Column("name", "name"),
            Column("here"),
            Column("dimensions", "number"),
            Column("layers", "number"),
            Column("licence"),
            Column("what it is"),
        )
    )
    for info in encoders:
        table.add(
            info.name,
            "yes" if info.local else "no",
            "" if info.dim is None else str(info.dim),
            "" if info.layers is None else str(info.layers),
            info.licence,
            info.note,
        )
    console().print(table)


@app.command(cls=GuardedCommand)
def show(name: NameArgument, as_json: AsJson = False) -> None:
    """Show what is known of an encoder; of the shipped one, its whole card."""
    from nativeear.speech.encoders.catalogue import describe

    facts = asdict(describe(name))
    if facts["name"] == "compact":
        from nativeear.speech.encoders.compact import card

        facts["card"] = card()
    if as_json:
        print_json(facts)
    else:
        _print_facts(facts)


def _print_facts(facts: Mapping[str, object], indent: str = "") -> None:
    """Print nested facts one to a line, leaving out what is not known."""
    for fact, value in facts.items():
        title = f"{indent}{fact.replace('_', ' ')}"
        if isinstance(value, Mapping):
            print(title)
            _print_facts(value, indent + "  ")
        elif isinstance(value, list | tuple):
            print(title)
            for item in value:
                if isinstance(item, Mapping):
                    print(f"{indent}  - {'; '.join(str(part) for part in item.values())}")
                else:
                    print(f"{indent}  - {item}")
        elif isinstance(value, bool):
            print(f"{title:<14} {'yes' if value else 'no'}")
        elif value not in (None, ""):
            print(f"{title:<14} {value}")


@app.command(cls=GuardedCommand)
def fetch(name: NameArgument, as_json: AsJson = False) -> None:
    """Bring an encoder's weights to this machine."""
    from nativeear.speech.encoders.catalogue import fetch

    folder = fetch(name)
    if as_json:
        print_json({"name": name, "folder": folder})
    elif folder is None:
        print(f"{name} needs no weights: it is already here.")
    else:
        print(folder)
